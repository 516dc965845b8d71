/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/table.h"

#include <stdlib.h>
#include <string.h>

void table_free(struct table *table)
{
    if (!table)
        return;
    arena_deinit(&table->memory);
    free(table->pool);
    free(table);
}

void table_profile(const struct table *table, size_t row, struct profile *ret_profile)
{
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        ret_profile->number[i] = table->number[i] ? table->number[i][row] : MISSING;
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        ret_profile->text[i] = table->text[i] ? table->text[i][row] : NULL;
    ret_profile->extras = table->extra_cells ? table->extra_cells + row * table->n_extras : NULL;
    ret_profile->n_extras = table->extra_cells ? table->n_extras : 0;
}

/* Move the cells of rows that stay to the front; NULL: there is no such column. */
static void keep_cells(void *column, size_t cell_bytes, const bool *keep, size_t n_rows)
{
    char *cells = column;
    size_t n = 0;
    for (size_t row = 0; cells && row < n_rows; row++)
        if (keep[row])
            memmove(cells + n++ * cell_bytes, cells + row * cell_bytes, cell_bytes);
}

void table_keep_rows(struct table *table, const bool *keep)
{
    size_t n_rows = table->n_rows;
    size_t n = 0;
    for (size_t row = 0; row < n_rows; row++)
        n += keep[row];
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        keep_cells(table->number[i], sizeof *table->number[i], keep, n_rows);
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        keep_cells(table->text[i], sizeof *table->text[i], keep, n_rows);
    for (size_t i = 0; i < table->n_extras; i++) {
        keep_cells(table->extras[i].text, sizeof *table->extras[i].text, keep, n_rows);
        keep_cells(table->extras[i].number, sizeof *table->extras[i].number, keep, n_rows);
    }
    keep_cells(table->extra_cells, table->n_extras * sizeof *table->extra_cells, keep, n_rows);
    keep_cells(table->line, sizeof *table->line, keep, n_rows);
    keep_cells(table->source, sizeof *table->source, keep, n_rows);
    table->n_rows = n;
}
