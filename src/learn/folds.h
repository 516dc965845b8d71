/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rows of a fold and those outside it; the folds themselves are dealt by dataset/split.h. */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct fold_rows {
    size_t *train; /* owns room for all rows */
    size_t *held;  /* likewise */
    size_t n_train, n_held;
};

enum status fold_rows_init(struct fold_rows *rows, size_t n, struct error *err);
void fold_rows_deinit(struct fold_rows *rows);

/* Held: the rows of `fold`; train: those of the other folds below n_used, so that a large table can
 * be tuned on a few of many folds. In order. */
void fold_rows_take(struct fold_rows *rows, const uint32_t *fold_of_row, size_t n, uint32_t fold,
                    uint32_t n_used);
