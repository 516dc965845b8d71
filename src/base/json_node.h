/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a JSON value is in memory; for the reader's own files. Everybody else has base/json.h. */
#include "base/json.h"

struct json {
    struct json *next;
    const char *key; /* of an object's child, else NULL */
    enum json_type type;
    union {
        struct json *first; /* of an array or object */
        const char *text;
        double number;
        bool flag;
    };
};

/* A number of more characters is refused: cJSON copies it into 64 bytes and cuts the rest off. */
#define JSON_MAX_NUMBER_BYTES 60

/* Read one text that is plain JSON: no escapes in it, well-formed, no duplicated key. NULL for
 * every other, be it wrong or only unusual: json_parse() then asks cJSON and finds the reason. */
struct json *json_read_plain(const char *text, size_t length, struct arena *arena);

/* json_parse() without the plain reader's help: a check of our own, then cJSON. */
enum status json_parse_any(const char *text, size_t length, struct arena *arena,
                           const struct json **ret_value, struct error *err);

/* The key that stands twice among the children of an object, or NULL. False: out of memory. */
bool json_find_duplicate(const struct json *object, struct arena *arena, const char **ret_key);
