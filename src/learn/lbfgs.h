/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) with a backtracking line
 * search, for smooth convex functions. GSL's multimin has no limited-memory method: its bfgs2 keeps
 * one pair and needs several times the evaluations. */
#include <stddef.h>

#include "base/status.h"

/* The value at x [n]; writes the gradient. */
typedef double (*lbfgs_function)(void *user, const double *x, double *ret_gradient);

struct lbfgs_options {
    size_t max_iterations;
    double tolerance; /* stops when max |gradient| <= tolerance * max(1, |value|) */
};

/* Minimise in place from x. Reaching max_iterations is no failure. STATUS_INVALID: the function is
 * not finite at the start. */
enum status lbfgs_minimise(lbfgs_function function, void *user, double *x, size_t n,
                           const struct lbfgs_options *options, struct error *err);
