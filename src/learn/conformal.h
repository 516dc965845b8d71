/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Prediction intervals from the errors of rows that the model had not seen (conformal prediction,
 * Vovk, Gammerman, Shafer 2005, in the form of cross-conformal prediction, Vovk 2015: out-of-fold
 * residuals around the model that ships, where CV+ of Barber et al. 2021 would keep every fold's
 * model).
 *
 * Each side gives away half of 1 - coverage, with the finite sample correction. Where followers may
 * be known, groups of accounts by size have offsets of their own (Mondrian), if they have
 * CONFORMAL_MIN_GROUP rows; smaller ones take the offsets of all rows. The spread of the residuals
 * may follow the prediction (normalised conformal, Papadopoulos 2008): used where that shortens the
 * intervals. What is promised is measured, by folds. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/intervals.h"

#define CONFORMAL_MIN_GROUP 100

/* Rows with their out-of-fold predictions. */
struct conformal_rows {
    size_t n;
    const double *y, *predicted; /* [n] */
    const uint32_t *fold;        /* [n] below n_folds */
    size_t n_folds;
    const double *followers; /* [n] NaN: missing; NULL: they may not be used */
    const double *cuts;      /* [n_cuts] at which the next size begins */
    size_t n_cuts;
    double coverage;
};

/* What rules cover in rows they have not seen: each fold by the rule of the others. */
struct conformal_measure {
    double covered, width; /* share, mean width */
    size_t n_groups;       /* as in the rule; then one more, without followers */
    size_t n[INTERVAL_MAX_GROUPS + 1];
    double group_covered[INTERVAL_MAX_GROUPS + 1], group_width[INTERVAL_MAX_GROUPS + 1]; /* NaN */
};

/* The rule fitted on all rows, and its measure. ret_offsets: NULL, or [n] those of each row by the
 * rule of the other folds. Sizes with fewer than CONFORMAL_MIN_GROUP rows take
 * the offsets of all; where fewer than two sizes have that many, groups are quarters of the
 * followers, and where a quarter has not, all rows are one. STATUS_INVALID: no rows. */
enum status conformal_fit(const struct conformal_rows *rows, struct interval_rule *ret_rule,
                          struct conformal_measure *ret_measure,
                          struct interval_offsets *ret_offsets, struct error *err);
