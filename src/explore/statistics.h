/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Descriptive statistics over plain arrays. Nothing here allocates. A figure that is not defined
 * (the sd of one value, the skew of a constant) is MISSING. */
#include <stddef.h>

struct summary {
    size_t n;
    double min, q05, q25, median, q75, q95, max;
    double mean, sd; /* sd divides by n - 1 */
    double skew;     /* adjusted Fisher-Pearson: Joanes and Gill 1998, G1 */
};

/* An estimate between its bounds. */
struct interval {
    double value, low, high;
};

/* Copy what is not missing; returns how many that are. ret_present: [n], may be `values`. */
size_t statistics_present(const double *values, size_t n, double *ret_present);

void statistics_sort(double *values, size_t n);

/* Linear between order statistics (R type 7). sorted: [n] ascending; MISSING when n is 0. */
double statistics_quantile(const double *sorted, size_t n, double p);

/* sorted: [n] ascending, nothing missing; n = 0 gives all MISSING. */
void statistics_summarise(const double *sorted, size_t n, struct summary *ret_summary);

/* Of values in any order; MISSING for n < 3 or a constant. */
double statistics_skew(const double *values, size_t n);

/* Median of |x - median|. sorted: [n] ascending; O(n), no scratch: the deviations are merged from
 * both sides. */
double statistics_mad(const double *sorted, size_t n);

/* The median with its 95 % interval from order statistics, by the normal approximation of the
 * binomial (Conover 1999, 3.2); the bounds are MISSING for n < 6, where no such interval exists. */
struct interval statistics_median_interval(const double *sorted, size_t n);

/* Different values. sorted: [n] ascending. */
size_t statistics_distinct(const double *sorted, size_t n);

/* Largest distance of the two empirical distribution functions (Kolmogorov-Smirnov); both sorted
 * ascending. MISSING when either is empty. */
double statistics_ks(const double *a, size_t n_a, const double *b, size_t n_b);

/* Population stability index over the deciles of `before`: sum (b - a) ln(b / a) of the shares,
 * each kept above half a row. Both sorted ascending. MISSING when either is empty. */
double statistics_psi(const double *before, size_t n_before, const double *after, size_t n_after);
