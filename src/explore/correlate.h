/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How two figures go together, and how sure that is. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "explore/statistics.h"

/* Intervals of 95 % by Fisher's z: standard error 1 / sqrt(n - 3) for Pearson, and
 * sqrt((1 + rho^2 / 2) / (n - 3)) for Spearman (Bonett and Wright 2000). All MISSING when n < 4. */
struct interval correlate_pearson_interval(double r, size_t n);
struct interval correlate_spearman_interval(double rho, size_t n);

/* One column of a correlation, prepared once and used against all others. */
struct correlate_column {
    const double *values;  /* [n], NaN: missing */
    const uint32_t *order; /* [n_present] rows by rising value; see correlate_order() */
    size_t n_present;
    const double
        *ranks; /* [n] of a column without missing values, see correlate_ranks(); or NULL */
};

/* Rows of what is present, by rising value. ret_order: [n]. Returns n_present. */
size_t correlate_order(const double *values, size_t n, uint32_t *ret_order);

/* Mean ranks of a column that lacks nothing: two such columns need no ranking pair by pair. */
void correlate_ranks(const struct correlate_column *column, double *ret_ranks);

struct correlation {
    size_t n; /* rows with both */
    struct interval pearson, spearman;
};

/* Over the rows [0..n) that have both; scratch: [2 n]. Ties take their mean rank. O(n). */
void correlate_pair(const struct correlate_column *a, const struct correlate_column *b, size_t n,
                    double *scratch, struct correlation *ret_correlation);

/* Least squares y = intercept + slope x, with the 95 % interval of the slope by Student's t. */
struct line_fit {
    size_t n;
    double intercept, r2;
    struct interval slope;
    double covariance[3]; /* of intercept; of both; of slope */
};

/* STATUS_INVALID: n < 3, or all x equal. */
enum status line_fit(const double *x, const double *y, size_t n, struct line_fit *ret_fit,
                     struct error *err);

/* The mean of y at x with its 95 % interval. */
struct interval line_fit_at(const struct line_fit *fit, double x);
