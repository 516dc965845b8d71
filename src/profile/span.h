/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A stretch of text that is being read, and the words for "not known": shared by the readers of
 * this folder only. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *at;
    size_t length;
};

static inline void span_skip(struct span *span, size_t bytes)
{
    span->at += bytes;
    span->length -= bytes;
}

static inline bool span_starts_with(struct span span, const char *prefix, size_t bytes)
{
    return span.length >= bytes && memcmp(span.at, prefix, bytes) == 0;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of the blank that `span` starts with (ASCII, no-break, narrow and thin spaces), or 0. */
size_t span_blank_step(struct span span);

void span_skip_blanks(struct span *span);

/* Without the blanks at both ends. */
struct span span_trim(const char *text, size_t length);

/* ASCII case folded; `word` is in lower case. */
bool span_equals_word(struct span span, const char *word);

/* A word for "not known"; the empty text is none. */
bool span_is_missing_word(struct span span);
