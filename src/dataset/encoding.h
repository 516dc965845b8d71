/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Characters: UTF-16 to UTF-8, and the cleaning of one field's bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct utf16_decoder {
    bool big_endian;
    int odd_byte;  /* the first half of a unit that the last chunk cut, or -1 */
    uint32_t high; /* a high surrogate that waits for its other half, or 0 */
};

void utf16_init(struct utf16_decoder *decoder, bool big_endian);

/* Decode a chunk of n bytes; returns the bytes of UTF-8 written to ret_text, at most 2 * n + 4.
 * What is malformed becomes U+FFFD. */
size_t utf16_decode(struct utf16_decoder *decoder, const unsigned char *bytes, size_t n,
                    char *ret_text);

/* The end of the text: U+FFFD for whatever was cut; at most 4 bytes. */
size_t utf16_finish(struct utf16_decoder *decoder, char *ret_text);

/* What was found in a field (bits). */
enum {
    CELL_NUL = 1,            /* NUL bytes, dropped */
    CELL_8BIT = 2,           /* not UTF-8: read as windows-1252 (a superset of latin-1) */
    CELL_MALFORMED = 4,      /* UTF-8 with broken characters: replaced by U+FFFD */
    CELL_DOUBLE_ENCODED = 8, /* UTF-8 that was taken for windows-1252 and encoded again: undone */
    CELL_UTF8 = 16,          /* has characters beyond ASCII, well-formed */
};

/* Append a field to `out`: as well-formed UTF-8, control characters (line breaks, tabs) as spaces,
 * without blanks at the ends, and without a spreadsheet's ="" around it. Returns the bits of what
 * was found; *ret_line_breaks (NULL allowed): how many line breaks it had. */
unsigned cell_clean(const char *bytes, size_t n, struct buffer *out, size_t *ret_line_breaks);

/* Bytes of `text` that fit into `max`, whole characters only. */
size_t utf8_cut(const char *text, size_t length, size_t max);

/* &amp; and the like as characters; returns the length, 0 when there are none or it does not fit.
 */
size_t entities_decode(const char *text, size_t length, char *ret_text, size_t size);
