/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Histograms with edges that people can read: round steps on a linear scale, even parts of a decade
 * on a logarithmic one. */
#include <stdbool.h>
#include <stddef.h>

#define HISTOGRAM_MAX_BINS 48

struct histogram {
    bool is_log;
    size_t n_bins;                        /* 0: nothing to show */
    double edges[HISTOGRAM_MAX_BINS + 1]; /* ascending */
    size_t counts[HISTOGRAM_MAX_BINS]; /* edges[i] <= x < edges[i + 1]; the last includes its end */
    size_t zeros;                      /* values <= 0, which a log scale cannot show */
};

/* Bins for sorted values [n], ascending; on a log scale those <= 0 are only counted. */
void histogram_make(const double *sorted, size_t n, bool is_log, struct histogram *ret_histogram);

/* The bin of x, or n_bins when it lies outside or is missing. O(log bins). */
size_t histogram_bin(const struct histogram *histogram, double x);

/* The edges of `from` with the counts of other values, in any order; missing ones are skipped. */
void histogram_count(const struct histogram *from, const double *values, size_t n,
                     struct histogram *ret_histogram);

/* Whether a column is better seen on a log scale: none below 0, and skewed to the right. */
bool histogram_wants_log(const double *sorted, size_t n);
