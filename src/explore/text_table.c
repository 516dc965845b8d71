/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/text_table.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

void text_table_init(struct text_table *table, const char *const *headers, size_t n_columns)
{
    *table = (struct text_table){.n_columns = n_columns};
    for (size_t i = 0; i < n_columns && i < TEXT_TABLE_MAX_COLUMNS; i++) {
        table->right[i] = headers[i][0] == '>';
        table->headers[i] = headers[i] + table->right[i];
    }
}

void text_table_deinit(struct text_table *table)
{
    buffer_deinit(&table->cells);
}

void text_table_put(struct text_table *table, const char *text)
{
    text = text && text[0] ? text : "-";
    for (const char *at = text; *at; at++)
        buffer_put_char(&table->cells, (unsigned char)*at < ' ' || *at == 127 ? '?' : *at);
    buffer_put_char(&table->cells, '\0');
    table->n_cells++;
}

void text_table_printf(struct text_table *table, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_table_put(table, text);
}

size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* Bytes of the first `width` characters. */
static int prefix_bytes(const char *text, size_t width)
{
    const char *at = text;
    for (size_t seen = 0; *at; at++) {
        seen += ((unsigned char)*at & 0xC0) != 0x80;
        if (seen > width)
            break;
    }
    return (int)(at - text);
}

static void print_cell(const char *text, size_t width, bool right, bool is_last, FILE *out)
{
    size_t shown = text_width(text);
    bool cut = shown > width;
    int bytes = cut ? prefix_bytes(text, width > 0 ? width - 1 : 0) : (int)strlen(text);
    int pad = cut ? 0 : (int)(width - shown);
    fprintf(out, "  %*s%.*s%s%*s", right ? pad : 0, "", bytes, text, cut ? "\u2026" : "",
            right || is_last ? 0 : pad, "");
}

static void measure(const struct text_table *table, size_t *ret_widths)
{
    assert(table->n_columns > 0);
    const char *cell = table->cells.at;
    for (size_t i = 0; i < table->n_columns; i++)
        ret_widths[i] = text_width(table->headers[i]);
    for (size_t i = 0; i < table->n_cells; i++, cell += strlen(cell) + 1) {
        size_t width = text_width(cell), column = i % table->n_columns;
        if (width > ret_widths[column])
            ret_widths[column] = width;
    }
}

void text_table_print(const struct text_table *table, int width, FILE *out)
{
    size_t widths[TEXT_TABLE_MAX_COLUMNS] = {0}, used = 0;
    if (table->cells.failed)
        return;
    measure(table, widths);
    size_t last = table->n_columns - 1;
    for (size_t i = 0; i < last; i++)
        used += widths[i] + 2;
    size_t rest = (size_t)width > used + 10 ? (size_t)width - used - 2 : 8;
    if (widths[last] > rest)
        widths[last] = rest;
    for (size_t i = 0; i < table->n_columns; i++)
        print_cell(table->headers[i], widths[i], table->right[i], i == last, out);
    fputc('\n', out);
    const char *cell = table->cells.at;
    for (size_t i = 0; i < table->n_cells; i++, cell += strlen(cell) + 1) {
        size_t column = i % table->n_columns;
        print_cell(cell, widths[column], table->right[column], column == last, out);
        if (column == last)
            fputc('\n', out);
    }
}

void text_put_sparkline(struct buffer *out, const size_t *counts, size_t n, size_t width)
{
    static const char *const heights[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                          "\u2585", "\u2586", "\u2587", "\u2588"};
    double cells[128] = {0}, largest = 0;
    if (width > 128)
        width = 128;
    if (n == 0 || width == 0)
        return;
    /* Every cell merges the same number of neighbours: uneven ones would look like peaks. */
    size_t merged = (n + width - 1) / width, n_cells = (n + merged - 1) / merged;
    for (size_t i = 0; i < n; i++)
        cells[i / merged] += (double)counts[i];
    for (size_t i = 0; i < n_cells; i++)
        largest = fmax(largest, cells[i]);
    for (size_t i = 0; i < n_cells; i++)
        buffer_put_text(out, heights[largest > 0 ? (size_t)ceil(8 * cells[i] / largest) : 0]);
}

void text_put_bar(struct buffer *out, double value, double largest, size_t width)
{
    static const char *const eighths[] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
    if (!(value > 0) || !(largest > 0))
        return;
    size_t length = (size_t)(fmin(value / largest, 1) * (double)width * 8 + 0.5);
    for (size_t i = 0; i < length / 8; i++)
        buffer_put_text(out, "\u2588");
    buffer_put_text(out, eighths[length % 8]);
}
