/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which delimiter a table has and where its header stands: the reading of the first lines that
 * makes the most headers known. */
#include "dataset/csv.h"
#include "dataset/schema.h"

struct sniffed {
    struct csv_dialect dialect;
    size_t n_known; /* headers that are known under it; 0: none */
};

/* What counts as a known header: how many of a row's cells are. */
struct sniff_words {
    size_t (*count_known)(const void *user, const struct grid *grid, const struct grid_row *row);
    const void *user; /* borrowed */
};

/* The headers of profiles. */
struct sniff_words sniff_words_of_schema(const struct schema *schema);

/* sample: the beginning of the text. When nothing is known, the delimiter that splits the lines
 * most evenly. */
enum status sniff_dialect(const char *sample, size_t n, struct sniff_words words,
                          struct sniffed *ret_sniffed, struct error *err);

/* The row of the grid, among the first ones, that has the most known headers; *ret_n_known may be
 * 0, and then it is row 0. */
size_t sniff_header(const struct grid *grid, struct sniff_words words, size_t *ret_n_known);

/* "comma", "tab", "semicolon", "pipe". */
const char *sniff_delimiter_name(char delimiter);
