/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where the fields of plain rows end. Most rows have no quote and end where the line does: they are
 * found here, 64 bytes at a time, at many times the speed of a parser that goes byte by byte
 * through its states. All other rows are for that parser (csv.c). Nothing is owned. */
#include <stddef.h>
#include <stdint.h>

struct plain_marks {
    char delimiter;
    char quote;
};

/* A place in a chunk of text. */
struct plain_scan {
    struct plain_marks marks;
    const char *bytes; /* [n] borrows */
    size_t n;
    size_t block;   /* where the 64 bytes start that `found` is about; n and beyond: none */
    uint64_t found; /* marks in there, from the first row that was not taken on */
};

/* Begin at bytes[at]. */
void plain_start(struct plain_scan *scan, size_t at);

/* The fields of the row that starts at bytes[at]: ret_ends [max_fields] get the offset behind each
 * within `bytes`, *ret_next where the next row starts. Rows are asked for in order; after one that
 * is not plain, plain_start() anew. Returns their number; 0: the row is not plain, has more fields,
 * or does not end in the chunk. */
size_t plain_row(struct plain_scan *scan, size_t at, uint32_t *ret_ends, size_t max_fields,
                 size_t *ret_next);

/* Bit i: bytes[i], of 64, is a delimiter, a quote or an end of a line. The portable way is for
 * machines without the other, and for the tests that hold them equal. */
uint64_t plain_find(const char *bytes, struct plain_marks marks);
uint64_t plain_find_portable(const char *bytes, struct plain_marks marks);
