/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dataset/work.h"

static bool is_rule_line(const struct grid *grid, const struct grid_row *row)
{
    size_t n_marks = 0;
    for (size_t i = 0; i < row->n_cells; i++) {
        uint32_t raw = grid_cell(grid, row, i);
        if (cell_is_number(raw))
            return false;
        const char *cell = GRID_TEXT(grid, raw);
        size_t length = strlen(cell);
        if (strspn(cell, "=-_*#+|:~") != length)
            return false;
        n_marks += length;
    }
    return n_marks >= 3 && n_marks >= 2 * row->n_cells;
}

static bool is_header_again(const struct work *work, const struct grid_row *row)
{
    size_t n_same = 0;
    size_t n_filled = 0;
    /* Of four fifths, a row of data soon has too few. */
    for (size_t i = 0; i < row->n_cells && i < work->n_columns; i++) {
        if ((n_filled - n_same) * 5 > row->n_cells)
            return false;
        uint32_t cell = grid_cell(&work->grid, row, i);
        const char *header = work->columns[i].header;
        n_filled += cell != GRID_EMPTY;
        bool may_be =
            cell != GRID_EMPTY && (!cell_is_number(cell) || (header[0] >= '0' && header[0] <= '9'));
        n_same += may_be && text_equal_fold(GRID_TEXT(&work->grid, cell), header);
    }
    return n_same >= 2 && n_same * 5 >= n_filled * 4;
}

static bool is_summary_word(const char *cell)
{
    static const char *const words[] = {"total",  "totals", "grand total", "sum",     "average",
                                        "avg",    "mean",   "median",      "overall", "count",
                                        "total:", "sum:",   "average:",    "mean:"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (text_equal_fold(cell, words[i]))
            return true;
    return false;
}

/* "Total" in the first filled cell, near the end, and no other text in the row: an account of that
 * name would have a category or a country, or stand among the others. */
static bool is_summary(const struct work *work, size_t index)
{
    enum {
        NEAR_END = 20
    };
    const struct grid *grid = &work->grid;
    const struct grid_row *row = &grid->rows[index];
    if (work->more_follows || index + NEAR_END < grid->n_rows)
        return false;
    bool has_word = false;
    for (size_t i = 0; i < row->n_cells; i++) {
        uint32_t cell = grid_cell(grid, row, i);
        if (rows_look_like(grid, cell) != LOOKS_TEXT)
            continue;
        if (has_word || !is_summary_word(GRID_TEXT(grid, cell)))
            return false;
        has_word = true;
    }
    return has_word;
}

static size_t n_filled(const struct grid *grid, const struct grid_row *row)
{
    size_t n = 0;
    for (const uint32_t *cell = grid->cells + row->first, *end = cell + row->n_cells; cell < end;
         cell++)
        n += *cell != GRID_EMPTY;
    return n;
}

static void drop_trailing_cells(struct work *work)
{
    struct grid *grid = &work->grid;
    for (size_t i = work->header_row + 1; i < grid->n_rows; i++) {
        struct grid_row *row = &grid->rows[i];
        uint32_t before = row->n_cells;
        while (row->n_cells > work->n_columns &&
               grid_cell(grid, row, row->n_cells - 1) == GRID_EMPTY)
            row->n_cells--;
        if (row->n_cells < before)
            events_add(&work->events, RULE_trailing_delimiters, "", 0, "");
    }
}

/* Recorded and skipped; data otherwise. */
static bool is_no_data(struct work *work, size_t index)
{
    const struct grid *grid = &work->grid;
    const struct grid_row *row = &grid->rows[index];
    const char *first = GRID_CELL_TEXT(grid, row, 0);
    size_t filled = n_filled(grid, row);
    if (filled == 0)
        events_add(&work->events, RULE_blank_lines, "", row->line, "");
    else if (is_rule_line(grid, row))
        events_add(&work->events, RULE_rule_line, "", row->line, first);
    else if (is_header_again(work, row))
        events_add(&work->events, RULE_header_repeated, "", row->line, first);
    else if (filled == 1 && work->n_columns > 2) {
        work->n_data_rows++;
        events_add(&work->events, RULE_nearly_empty_row, "", row->line, first);
    } else if (is_summary(work, index)) {
        work->n_data_rows++;
        events_add(&work->events, RULE_summary_row, "", row->line, first);
    } else {
        return false;
    }
    return true;
}

enum status rows_find(struct work *work, struct error *err)
{
    size_t n = work->grid.n_rows;
    work->rows = calloc(n + 1, sizeof *work->rows);
    if (!work->rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the rows");
    drop_trailing_cells(work);
    for (size_t i = work->header_row + 1; i < n; i++)
        if (!is_no_data(work, i))
            work->rows[work->n_rows++] = (uint32_t)i;
    work->n_data_rows += work->n_rows;
    return work->n_rows > 0 || work->is_settled
               ? STATUS_OK
               : fail(err, STATUS_INVALID, "has a header and no rows");
}
