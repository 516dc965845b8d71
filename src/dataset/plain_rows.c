/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/plain_rows.h"

#include <stdbool.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    BLOCK = 64
};

/* Bit i: byte i of the word is `mark` (exact, unlike the well-known test for any zero byte). */
static inline uint64_t find_in_word(uint64_t word, char mark)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t low = 0x7F7F7F7F7F7F7F7Fu;
    const uint64_t gather = 0x0102040810204080u; /* the bits that are left, into the highest byte */
    word ^= ones * (unsigned char)mark;
    uint64_t is_zero = ~(((word & low) + low) | word | low) >> 7;
    return is_zero * gather >> 56;
}

uint64_t plain_find_portable(const char *bytes, struct plain_marks marks)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < BLOCK; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        found |= (find_in_word(word, marks.delimiter) | find_in_word(word, marks.quote) |
                  find_in_word(word, '\n') | find_in_word(word, '\r'))
                 << i;
    }
    return found;
}

uint64_t plain_find(const char *bytes, struct plain_marks marks)
{
#ifdef __SSE2__ /* every x86-64 has it */
    __m128i delimiter = _mm_set1_epi8(marks.delimiter);
    __m128i quote = _mm_set1_epi8(marks.quote);
    __m128i line_feed = _mm_set1_epi8('\n');
    __m128i carriage_return = _mm_set1_epi8('\r');
    uint64_t found = 0;
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i part = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        __m128i is_field_end =
            _mm_or_si128(_mm_cmpeq_epi8(part, delimiter), _mm_cmpeq_epi8(part, quote));
        __m128i is_line_end =
            _mm_or_si128(_mm_cmpeq_epi8(part, line_feed), _mm_cmpeq_epi8(part, carriage_return));
        found |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(is_field_end, is_line_end))
                 << i;
    }
    return found;
#else
    return plain_find_portable(bytes, marks);
#endif
}

static uint64_t find_at(const struct plain_scan *scan, size_t at)
{
    if (at + BLOCK <= scan->n)
        return plain_find(scan->bytes + at, scan->marks);
    char last[BLOCK] = {0};
    memcpy(last, scan->bytes + at, scan->n - at);
    uint64_t within = (UINT64_C(1) << (scan->n - at)) - 1; /* should a mark be NUL */
    return plain_find(last, scan->marks) & within;
}

void plain_start(struct plain_scan *scan, size_t at)
{
    scan->block = at;
    scan->found = at < scan->n ? find_at(scan, at) : 0;
}

size_t plain_row(struct plain_scan *scan, size_t at, uint32_t *ret_ends, size_t max_fields,
                 size_t *ret_next)
{
    const char *bytes = scan->bytes;
    const char delimiter = scan->marks.delimiter;
    size_t n = 0;
    if (at >= scan->n || bytes[at] == '\n' || bytes[at] == '\r')
        return 0;
    for (bool is_ended = false;;) {
        while (scan->found == 0) {
            scan->block += BLOCK;
            if (scan->block >= scan->n)
                return 0;
            scan->found = find_at(scan, scan->block);
        }
        size_t end = scan->block + (size_t)__builtin_ctzll(scan->found);
        scan->found &= scan->found - 1;
        char mark = bytes[end];
        if (mark == delimiter && n < max_fields) {
            ret_ends[n++] = (uint32_t)end;
            continue;
        }
        if (mark == '\n' && is_ended) { /* the second half of the line's end */
            *ret_next = end + 1;
            return n;
        }
        is_ended = mark == '\r' && end + 1 < scan->n && bytes[end + 1] == '\n';
        if (n == max_fields || (mark != '\n' && !is_ended))
            return 0;
        ret_ends[n++] = (uint32_t)end;
        if (mark == '\n') {
            *ret_next = end + 1;
            return n;
        }
    }
}
