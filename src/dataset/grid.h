/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The cells of one file, before anything is known of their meaning: plain numbers as such, other
 * texts in one pool (cell.h). Rows may be ragged, and a repaired row is written anew behind the
 * others. One owner. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "dataset/cell.h"

#define GRID_MAX_COLUMNS 4096
#define GRID_EMPTY 0 /* the cell of the empty text */
#define GRID_MAX_TEXT_BYTES ((size_t)1 << 31)
#define GRID_RECENT 4096

struct grid_row {
    size_t first; /* of its cells */
    uint32_t n_cells;
    uint32_t line; /* in the file, from 1; UINT32_MAX and beyond: UINT32_MAX */
};

struct grid {
    struct buffer texts; /* NUL-terminated, one behind the other */
    uint32_t *recent;    /* [GRID_RECENT] owns; short texts met lately, by their hash */
    uint32_t *cells;     /* owns; see cell.h */
    size_t n_cells, max_cells;
    struct grid_row *rows; /* owns */
    size_t n_rows, max_rows;
};

enum status grid_init(struct grid *grid, struct error *err);
void grid_deinit(struct grid *grid);

/* Forget all rows, keep the memory. */
void grid_clear(struct grid *grid);

static inline const char *grid_cell_text(const struct grid *grid, uint32_t cell,
                                         char scratch[static CELL_TEXT_BYTES])
{
    return cell_is_number(cell) ? cell_number_text(cell, scratch) : grid->texts.at + cell;
}

/* The text of a cell, borrowed until the end of the block that asks. */
#define GRID_TEXT(grid, cell) grid_cell_text((grid), (cell), (char[CELL_TEXT_BYTES]){0})

/* Cells beyond the row's last are empty. */
static inline uint32_t grid_cell(const struct grid *grid, const struct grid_row *row, size_t column)
{
    return column < row->n_cells ? grid->cells[row->first + column] : GRID_EMPTY;
}

#define GRID_CELL_TEXT(grid, row, column) GRID_TEXT((grid), grid_cell((grid), (row), (column)))

enum status grid_grow_cells(struct grid *grid, struct error *err);

static inline enum status grid_add_cell(struct grid *grid, uint32_t cell, struct error *err)
{
    if (grid->n_cells == grid->max_cells)
        TRY(grid_grow_cells(grid, err));
    grid->cells[grid->n_cells++] = cell;
    return STATUS_OK;
}

/* The cell for a text that stands last in the pool, from `offset` on: a plain number, an equal text
 * met lately or the empty one take it back out. STATUS_LIMIT: the pool is full. */
enum status grid_settle_text(struct grid *grid, size_t offset, uint32_t *ret_cell,
                             struct error *err);

/* Close the row of all cells that were added since the last one. */
enum status grid_add_row(struct grid *grid, size_t line, struct error *err);

/* Give a row other cells. */
enum status grid_replace_row(struct grid *grid, size_t row, const uint32_t *cells, size_t n_cells,
                             struct error *err);

/* The cell for a text. STATUS_LIMIT as above. */
enum status grid_add_text(struct grid *grid, const char *text, size_t length, uint32_t *ret_cell,
                          struct error *err);
