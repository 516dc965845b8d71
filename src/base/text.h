/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Text: a growing buffer, locale-free numbers, UTF-8. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string builder. Owns `at`. Running out of memory sets `failed`, and everything written after
 * that is ignored: check once, at the end. Reusable after buffer_clear(), which keeps the memory.
 */
struct buffer {
    char *at; /* NUL-terminated once something was put */
    size_t length;
    size_t capacity;
    bool failed;
};

void buffer_deinit(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);
/* For buffer_reserve(). */
bool buffer_grow(struct buffer *buffer, size_t bytes);

/* Make room for `bytes` more and a NUL; false when out of memory. */
static inline bool buffer_reserve(struct buffer *buffer, size_t bytes)
{
    return (!buffer->failed && buffer->capacity - buffer->length > bytes) ||
           buffer_grow(buffer, bytes);
}

void buffer_put(struct buffer *buffer, const void *data, size_t bytes);
void buffer_put_text(struct buffer *buffer, const char *text);
static inline void buffer_put_char(struct buffer *buffer, char c)
{
    if (!buffer_reserve(buffer, 1))
        return;
    buffer->at[buffer->length++] = c;
    buffer->at[buffer->length] = '\0';
}
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_put_integer(struct buffer *buffer, int64_t value);

/* At most `decimals` (0..9) digits behind the point, trailing zeros left out: 3.140000 is "3.14".
 * Values beyond 1e9 and non-finite ones go the way of buffer_put_number(). The fast one for
 * replies. */
void buffer_put_fixed(struct buffer *buffer, double value, unsigned decimals);

/* The shortest of 15, 16 or 17 significant digits that reads back to the same double; "nan", "inf".
 */
void buffer_put_number(struct buffer *buffer, double value);

#define TEXT_NUMBER_BYTES 40
/* As buffer_put_number(), into the caller's memory; returns the length. */
size_t text_format_number(double value, char ret_text[static TEXT_NUMBER_BYTES]);

/* Read a whole plain decimal number ("-1.5e3", no spaces, no suffix, no hex, no nan); correctly
 * rounded. False, and nothing written, when `text` is anything else. Overflow gives an infinity and
 * true. */
bool text_parse_number(const char *text, size_t length, double *ret_value);
bool text_parse_integer(const char *text, size_t length, int64_t *ret_value);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). */
bool text_is_utf8(const char *text, size_t length);

/* Number of bytes of the character that starts at `text` (1..4), or 0 when it is malformed. */
size_t text_utf8_step(const char *text, size_t length, uint32_t *ret_code_point);

bool text_equal_fold(const char *a, const char *b); /* ASCII case folded */
bool text_starts_with(const char *text, const char *prefix);

/* Levenshtein distance, in bytes, of the first 64 bytes of each; for "did you mean". */
size_t text_distance(const char *a, const char *b);
