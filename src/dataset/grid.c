/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/grid.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the table");
}

enum status grid_init(struct grid *grid, struct error *err)
{
    *grid = (struct grid){0};
    buffer_put_char(&grid->texts, '\0'); /* GRID_EMPTY */
    grid->recent = calloc(GRID_RECENT, sizeof *grid->recent);
    return grid->texts.failed || !grid->recent ? no_memory(err) : STATUS_OK;
}

void grid_deinit(struct grid *grid)
{
    buffer_deinit(&grid->texts);
    free(grid->recent);
    free(grid->cells);
    free(grid->rows);
    *grid = (struct grid){0};
}

void grid_clear(struct grid *grid)
{
    grid->texts.length = 1; /* GRID_EMPTY */
    grid->n_cells = 0;
    grid->n_rows = 0;
}

static enum status grow(void **array, size_t *capacity, size_t size, struct error *err)
{
    size_t wanted = *capacity ? *capacity * 2 : 1024;
    size_t bytes;
    if (__builtin_mul_overflow(wanted, size, &bytes))
        return no_memory(err);
    void *bigger = realloc(*array, bytes);
    if (!bigger)
        return no_memory(err);
    *array = bigger;
    *capacity = wanted;
    return STATUS_OK;
}

enum status grid_grow_cells(struct grid *grid, struct error *err)
{
    void *cells = grid->cells;
    TRY(grow(&cells, &grid->max_cells, sizeof *grid->cells, err));
    grid->cells = cells;
    return STATUS_OK;
}

/* Cells of all closed rows; rows are closed in order, replaced ones come after. */
static size_t open_cells(const struct grid *grid)
{
    if (grid->n_rows == 0)
        return 0;
    const struct grid_row *last = &grid->rows[grid->n_rows - 1];
    return last->first + last->n_cells;
}

enum status grid_add_row(struct grid *grid, size_t line, struct error *err)
{
    if (grid->n_rows == grid->max_rows) {
        void *rows = grid->rows;
        TRY(grow(&rows, &grid->max_rows, sizeof *grid->rows, err));
        grid->rows = rows;
    }
    size_t first = open_cells(grid);
    struct grid_row *row = &grid->rows[grid->n_rows++];
    row->first = first;
    row->n_cells = (uint32_t)(grid->n_cells - first);
    row->line = line < UINT32_MAX ? (uint32_t)line : UINT32_MAX;
    return STATUS_OK;
}

enum status grid_replace_row(struct grid *grid, size_t row, const uint32_t *cells, size_t n_cells,
                             struct error *err)
{
    size_t first = grid->n_cells;
    for (size_t i = 0; i < n_cells; i++)
        TRY(grid_add_cell(grid, cells[i], err));
    grid->rows[row].first = first;
    grid->rows[row].n_cells = (uint32_t)n_cells;
    return STATUS_OK;
}

/* Where a short text would be remembered: by its length and both ends. */
static size_t recent_slot(const char *text, size_t length)
{
    uint64_t head = 0;
    uint64_t tail = 0;
    size_t n = length < sizeof head ? length : sizeof head;
    memcpy(&head, text, n);
    memcpy(&tail, text + length - n, n);
    uint64_t mixed = (head ^ (tail << 1) ^ length) * UINT64_C(0x9E3779B97F4A7C15);
    return mixed >> 52;
}

static_assert(GRID_RECENT == 1 << 12, "recent_slot() gives twelve bits");

enum status grid_settle_text(struct grid *grid, size_t offset, uint32_t *ret_cell,
                             struct error *err)
{
    enum {
        SHORT = 32 /* bytes of a text that may well come again */
    };
    const char *text = grid->texts.at + offset;
    size_t length = grid->texts.length - offset;
    uint32_t cell = GRID_EMPTY;
    bool may_be_number = length > 0 && text[0] >= '0' && text[0] <= '9';
    if (length == 0 || (may_be_number && cell_from_number(text, length, &cell))) {
        grid->texts.length = offset;
        *ret_cell = cell;
        return STATUS_OK;
    }
    if (grid->texts.length + 1 >= GRID_MAX_TEXT_BYTES)
        return fail(err, STATUS_LIMIT, "more than 2 GiB of text in one table");
    uint32_t *recent = length <= SHORT ? &grid->recent[recent_slot(text, length)] : NULL;
    /* One from before grid_clear() may stand behind. */
    if (recent && *recent != 0 && *recent < offset) {
        const char *known = grid->texts.at + *recent;
        if (known[length - 1] == text[length - 1] && memcmp(known, text, length) == 0 &&
            known[length] == '\0') {
            grid->texts.length = offset;
            *ret_cell = *recent;
            return STATUS_OK;
        }
    }
    buffer_put_char(&grid->texts, '\0');
    if (grid->texts.failed)
        return no_memory(err);
    *ret_cell = (uint32_t)offset;
    if (recent)
        *recent = (uint32_t)offset;
    return STATUS_OK;
}

enum status grid_add_text(struct grid *grid, const char *text, size_t length, uint32_t *ret_cell,
                          struct error *err)
{
    size_t offset = grid->texts.length;
    buffer_put(&grid->texts, text, length);
    return grid->texts.failed ? no_memory(err) : grid_settle_text(grid, offset, ret_cell, err);
}
