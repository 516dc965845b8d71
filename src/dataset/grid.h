/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The cells of one file as text, before anything is known of their meaning: one pool of
 * NUL-terminated texts and offsets into it. Rows may be ragged, and a repaired row is written anew
 * behind the others. One owner. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

#define GRID_MAX_COLUMNS 4096
#define GRID_EMPTY 0 /* the offset of the empty text */

struct grid_row {
    size_t first; /* of its cells */
    uint32_t n_cells;
    uint32_t line; /* in the file, from 1; UINT32_MAX and beyond: UINT32_MAX */
};

struct grid {
    struct buffer texts;
    uint32_t *cells; /* owns; offsets into texts */
    size_t n_cells, max_cells;
    struct grid_row *rows; /* owns */
    size_t n_rows, max_rows;
};

enum status grid_init(struct grid *grid, struct error *err);
void grid_deinit(struct grid *grid);

/* Forget all rows, keep the memory. */
void grid_clear(struct grid *grid);

static inline const char *grid_text(const struct grid *grid, uint32_t offset)
{
    return grid->texts.at + offset;
}

/* Cells beyond the row's last are empty. */
static inline uint32_t grid_offset(const struct grid *grid, const struct grid_row *row,
                                   size_t column)
{
    return column < row->n_cells ? grid->cells[row->first + column] : GRID_EMPTY;
}

static inline const char *grid_cell(const struct grid *grid, const struct grid_row *row,
                                    size_t column)
{
    return grid_text(grid, grid_offset(grid, row, column));
}

/* Append a cell whose text the caller has put at `offset` of texts, with its NUL. */
enum status grid_add_cell(struct grid *grid, uint32_t offset, struct error *err);

/* Close the row of all cells that were added since the last one. */
enum status grid_add_row(struct grid *grid, size_t line, struct error *err);

/* Give a row other cells. */
enum status grid_replace_row(struct grid *grid, size_t row, const uint32_t *cells, size_t n_cells,
                             struct error *err);

/* Append a text; *ret_offset is where it stands. STATUS_LIMIT: more than 4 GiB. */
enum status grid_add_text(struct grid *grid, const char *text, size_t length, uint32_t *ret_offset,
                          struct error *err);
