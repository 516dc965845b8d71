/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tables, bars and sparklines as text. Columns line up by characters, not bytes; control characters
 * in data are shown as "?", so that a file cannot steer the terminal. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"
#include "base/text.h"

#define TEXT_TABLE_MAX_COLUMNS 16

struct text_table {
    size_t n_columns;
    const char *headers[TEXT_TABLE_MAX_COLUMNS];
    bool right[TEXT_TABLE_MAX_COLUMNS]; /* numbers stand on the right */
    struct buffer cells;                /* owns: NUL-separated, row by row */
    size_t n_cells;
};

/* headers: [n_columns], ">" before those that stand on the right; borrowed until deinit. */
void text_table_init(struct text_table *table, const char *const *headers, size_t n_columns);
void text_table_deinit(struct text_table *table);

/* The next cell, row by row; NULL is shown as "-". */
void text_table_put(struct text_table *table, const char *text);
void text_table_printf(struct text_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Columns as wide as their widest cell, two spaces between, two before; the last column is cut to
 * fit `width`. */
void text_table_print(const struct text_table *table, int width, FILE *out);

/* n counts in at most `width` characters of eight heights; neighbours are merged when there are
 * more. */
void text_put_sparkline(struct buffer *out, const size_t *counts, size_t n, size_t width);

/* A bar of value / largest of `width` characters, in eighths. */
void text_put_bar(struct buffer *out, double value, double largest, size_t width);

/* Characters, as a terminal shows them one by one (wide ones count as one). */
size_t text_width(const char *text);
