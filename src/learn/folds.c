/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/folds.h"

#include <stdlib.h>

enum status fold_rows_init(struct fold_rows *rows, size_t n, struct error *err)
{
    rows->train = calloc(n + 1, sizeof *rows->train);
    rows->held = calloc(n + 1, sizeof *rows->held);
    if (!rows->train || !rows->held)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

void fold_rows_deinit(struct fold_rows *rows)
{
    free(rows->train);
    free(rows->held);
}

void fold_rows_take(struct fold_rows *rows, const uint32_t *fold_of_row, size_t n, uint32_t fold,
                    uint32_t n_used)
{
    rows->n_train = 0;
    rows->n_held = 0;
    for (size_t i = 0; i < n; i++) {
        if (fold_of_row[i] == fold)
            rows->held[rows->n_held++] = i;
        else if (fold_of_row[i] < n_used)
            rows->train[rows->n_train++] = i;
    }
}
