/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A cell of the grid in 32 bits: a plain number is its own digits, any other text stands in the
 * grid's pool and the cell says where. Most cells of a wide table are plain numbers: they need no
 * text, no copy and no second look at their characters, and the text that stood in the file can be
 * had back to the byte, for messages and for readings that need it.
 *
 *   bit 31       1: a number; 0: the rest is an offset into the pool
 *   bits 28..30  digits behind the point; 0: there is no point
 *   bits 0..27   the digits without the point
 *
 * Plain: digits with at most one point between them, no sign, no zero in front but a single one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "profile/parse.h"

#define CELL_TEXT_BYTES 12
#define CELL_NUMBER (UINT32_C(1) << 31)
#define CELL_MAX_WHOLE ((UINT32_C(1) << 28) - 1)

static inline bool cell_is_number(uint32_t cell)
{
    return (cell & CELL_NUMBER) != 0;
}

static inline uint32_t cell_digits_behind(uint32_t cell)
{
    return cell >> 28 & 7;
}

static inline uint32_t cell_whole(uint32_t cell)
{
    return cell & CELL_MAX_WHOLE;
}

/* False, and nothing written, when the text is no plain number or has too many digits. */
static inline bool cell_from_number(const char *text, size_t length, uint32_t *ret_cell)
{
    enum {
        MAX_LENGTH = 10, /* nine digits and the point */
        MAX_BEHIND = 7
    };
    uint64_t whole = 0;
    size_t point = length;
    if (length == 0 || length > MAX_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (digit <= 9)
            whole = whole * 10 + digit;
        else if (text[i] == '.' && point == length)
            point = i;
        else
            return false;
    }
    size_t behind = point == length ? 0 : length - point - 1;
    bool is_padded = text[0] == '0' && point > 1;
    if (point == 0 || point + 1 == length || is_padded || behind > MAX_BEHIND ||
        whole > CELL_MAX_WHOLE)
        return false;
    *ret_cell = CELL_NUMBER | (uint32_t)behind << 28 | (uint32_t)whole;
    return true;
}

/* The same for 1 to 8 bytes, of which eight can be read: all digits at once, without a branch that
 * hangs on their number. */
static inline bool cell_from_word(const char *text, size_t length, uint32_t *ret_cell)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t pairs = 0x000000FF000000FFu;
    uint64_t word;
    memcpy(&word, text, sizeof word);
    /* The last character into the highest byte, zeros in front; digits become their values. */
    word = (word ^ ones * '0') << (64 - 8 * length);
    uint64_t others = (word | (word + ones * (0x80 - 10))) & ones * 0x80;
    unsigned behind = 0;
    if (others) {
        unsigned bit = (unsigned)__builtin_ctzll(others) & ~7u;
        behind = 7 - bit / 8;
        if ((others & (others - 1)) || (word >> bit & 0xFF) != ('.' ^ '0') || behind == 0)
            return false;
        uint64_t in_front = word & ((UINT64_C(1) << bit) - 1);
        word = (word >> bit >> 8 << bit << 8) | in_front << 8;
    }
    size_t n_front = length - behind - (behind > 0);
    if (n_front == 0 || (text[0] == '0' && n_front > 1))
        return false;
    word = word * 10 + (word >> 8); /* two digits in each other byte */
    uint64_t whole = ((word & pairs) * (100 + (UINT64_C(1000000) << 32)) +
                      (word >> 16 & pairs) * (1 + (UINT64_C(10000) << 32))) >>
                     32;
    *ret_cell = CELL_NUMBER | (uint32_t)behind << 28 | (uint32_t)whole;
    return true;
}

/* The text of a number cell as it stood in the file; it is written at the end of `scratch`. */
const char *cell_number_text(uint32_t cell, char scratch[static CELL_TEXT_BYTES]);

/* A number cell as parse_quantity() would read its text, where the column's decimal mark is not
 * known or the point. */
struct quantity cell_quantity(uint32_t cell);
