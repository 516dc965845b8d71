/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Multinomial logistic regression with an L2 penalty; see linear_trainers.c for regressions. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct logistic_problem {
    const float *x; /* [..][p] scaled */
    const uint32_t *label;
    const size_t *rows; /* [n] into x and label; NULL: 0..n-1 */
    size_t n, p, k;
    double penalty;             /* on half the squared weights, not on intercepts; >= 0 */
    const double *class_weight; /* [k] weight of a row by its class; NULL: 1 */
    double *scratch;            /* [2 k] */
    double tolerance;           /* of lbfgs_options; 0: 1e-5 */
};

/* Mean over rows of w (-ln p(label)) + penalty / (2 n) |w|^2, and its gradient.
 * weights, ret_gradient: [k][p + 1]. An lbfgs_function over a struct logistic_problem. */
double logistic_loss(void *problem, const double *weights, double *ret_gradient);

/* Fit from the weights given (zeros, or those of a neighbouring penalty). */
enum status logistic_fit(const struct logistic_problem *problem, double *weights,
                         struct error *err);
