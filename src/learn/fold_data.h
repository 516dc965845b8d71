/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A fold of a cross-validation: which rows are held out, and everything that trainers and their
 * judges need of it. */
#include <stdint.h>

#include "learn/crossval.h"
#include "learn/folds.h"

/* The fold of each row of the target, as the input says: by time, by group, by class or plainly.
 * STATUS_INVALID: too few times, groups or rows for that many folds. */
enum status fold_data_split(const struct crossval_input *input, uint64_t seed, uint32_t *ret_fold,
                            struct error *err);

/* The rows of a fold; where folds go by time, what is trained on is older. */
void fold_data_rows(const struct crossval_input *input, const uint32_t *fold_of_row, uint32_t fold,
                    struct fold_rows *rows);

/* The rows of a fold with everything that trainers need. Borrows the target. */
struct fold_data {
    struct table seen; /* the input's, with the neighbours' scores as the fold may know them */
    double *neighbour_score; /* [n_rows] or NULL; behind it */
    struct feature_spec *spec;
    struct matrix train, held;
    double *y;             /* [n_train] */
    uint32_t *label;       /* [n_train] */
    signed char *monotone; /* [columns of the spec] NULL: no constraints */
};

/* rows: positions in the target. A failed one is for fold_data_deinit() as well. */
enum status fold_data_init(struct fold_data *data, const struct crossval_input *input,
                           const struct fold_rows *rows, struct error *err);
void fold_data_deinit(struct fold_data *data);

/* What a trainer is given of the fold; borrows the data. */
struct problem fold_data_problem(const struct crossval_input *input, const struct fold_data *data,
                                 uint64_t seed);
