/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Penalised least squares by normal equations (GSL), plain and robust. The moments of the rows are
 * gathered once, and then a penalty costs one Cholesky decomposition of p x p. The intercept is not
 * penalised. */
#include <stddef.h>

#include "base/status.h"
#include "learn/collective.h"

/* Rows to fit: those that `rows` names (NULL: 0..n-1) of x [..][p] and y [..]. Borrowed. With a
 * group, the moments of all its processes' rows are added up, and all get the same weights; not so
 * Huber's loss, which looks at single residuals. */
struct linear_rows {
    const float *x;
    const double *y;
    const size_t *rows;
    size_t n, p;
    struct collective *group; /* NULL: this process alone */
};

/* Minimise sum (y - b - x.w)^2 + penalty |w|^2. ret_weights: [p + 1], the intercept last.
 * STATUS_INVALID: no rows, or penalty 0 and columns that depend on each other. */
enum status ridge_solve(const struct linear_rows *rows, double penalty, double *ret_weights,
                        struct error *err);

/* The same with Huber's loss, quadratic within 1.345 sigma (95 % efficiency for normal errors;
 * Huber 1981, 4.5), sigma being the median |residual| / 0.6745, by iteratively reweighted least
 * squares (Holland and Welsch 1977). */
enum status huber_solve(const struct linear_rows *rows, double penalty, double *ret_weights,
                        struct error *err);

/* Minimise sum (y - b - x.w)^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2 by coordinate descent on the moments
 * (Friedman, Hastie, Tibshirani 2010, "covariance updates"), from the weights that are given. */
enum status elastic_net_solve(const struct linear_rows *rows, double l1, double l2, double *weights,
                              struct error *err);

/* Intercept + weights.x. */
double linear_value(const double *weights, const float *x, size_t p);
