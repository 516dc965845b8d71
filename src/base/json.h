/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* JSON: a strict reader (RFC 8259) and a fast writer.
 *
 * A text without escapes is read in one pass of our own (json_plain.c). Every other is checked
 * (json_scan.c) before cJSON sees it (json_parse.c), because cJSON accepts what is no JSON: 01, raw
 * control characters, malformed UTF-8, duplicated keys. Values live in the caller's arena and are
 * valid until it is reset. A NULL value is taken everywhere and counts as absent. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

struct json; /* a value */

enum json_type {
    JSON_ABSENT, /* of a NULL value */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

#define JSON_MAX_DEPTH 32

/* Parse one text. STATUS_INVALID, with the byte offset and the reason: not JSON, nested deeper than
 * JSON_MAX_DEPTH, a duplicated key, a number out of range, malformed UTF-8, "\u0000". */
enum status json_parse(const char *text, size_t length, struct arena *arena,
                       const struct json **ret_value, struct error *err);

/* The same of a long text in steps of some slice_bytes (more than 0), so that whoever has others to
 * serve may do so in between: 32 KiB take half a millisecond. Arrays are what is cut: a long object
 * is one long step. The text is written to within a step, and is as it was behind each. *ret_value
 * is NULL until the last step. */
struct json_parser;
enum status json_parser_new(char *text, size_t length, size_t slice_bytes, struct arena *arena,
                            struct json_parser **ret_parser, struct error *err);
enum status json_parser_step(struct json_parser *parser, const struct json **ret_value,
                             struct error *err);

/* Parse a file of at most 64 MiB; its text and values live in the arena. */
enum status json_parse_file(const char *path, struct arena *arena, const struct json **ret_value,
                            struct error *err);

enum json_type json_type(const struct json *value);
const char *json_type_name(enum json_type type); /* "an object", "a number": for messages */
size_t json_count(const struct json *value);     /* children of an array or object. O(n) */
const struct json *json_first(const struct json *value);
const struct json *json_next(const struct json *value);
const char *json_key(const struct json *value); /* of an object's child */
const struct json *json_get(const struct json *object, const char *key);

/* The value, or the given default when it is absent or of another type. */
double json_number_or(const struct json *value, double otherwise);
bool json_bool_or(const struct json *value, bool otherwise);
const char *json_string_or(const struct json *value, const char *otherwise);

/* Required member of an object; STATUS_INVALID names the key when it is missing or of another type.
 */
enum status json_need_number(const struct json *object, const char *key, double *ret_value,
                             struct error *err);
enum status json_need_string(const struct json *object, const char *key, const char **ret_value,
                             struct error *err);

/* The writer: appends to a buffer, puts the commas itself. Non-finite numbers are written as null.
 */
struct json_writer {
    struct buffer *out;  /* borrowed */
    unsigned depth;      /* of open containers, at most 63 */
    uint64_t has_member; /* bit d: the container at depth d has a member */
    bool after_key;
    bool pretty; /* two-space indentation and line breaks, for files that people read */
};

struct json_writer json_writer(struct buffer *out);
void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_put_key(struct json_writer *w, const char *key);
void json_put_string(struct json_writer *w, const char *text); /* NULL is written as null */
void json_put_string_n(struct json_writer *w, const char *text, size_t length);
void json_put_number(struct json_writer *w, double value); /* shortest that reads back equal */
void json_put_fixed(struct json_writer *w, double value, unsigned decimals);
void json_put_integer(struct json_writer *w, int64_t value);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
void json_put_raw(struct json_writer *w, const char *json, size_t length); /* already JSON */
/* Copy of a parsed value. */
void json_put_value(struct json_writer *w, const struct json *value);

/* key and value in one, for members. */
void json_member_string(struct json_writer *w, const char *key, const char *text);
void json_member_number(struct json_writer *w, const char *key, double value);
void json_member_fixed(struct json_writer *w, const char *key, double value, unsigned decimals);
void json_member_integer(struct json_writer *w, const char *key, int64_t value);
void json_member_bool(struct json_writer *w, const char *key, bool value);

/* `text` as a quoted JSON string. */
void json_quote(struct buffer *out, const char *text, size_t length);
