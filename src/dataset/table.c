/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/table.h"

#include <stdlib.h>

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
