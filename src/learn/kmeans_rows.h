/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Rows against centroids, eight rows side by side: a lane is a row, and does what one row alone
 * would, in the same order and in double precision. So every version answers the same to the last
 * bit. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMEANS_LANES 8

/* Doubles from one centroid's sums to the next one's: they begin at a cache line. */
static inline size_t kmeans_stride(size_t p)
{
    return (p + 7) / 8 * 8;
}

/* Borrowed for the call. */
struct kmeans_rows {
    const float *rows; /* [n][p] */
    size_t n, p, k;
    const double *centroids; /* [k][p] */
    double *tile;            /* [p][KMEANS_LANES] scratch, 64-byte aligned */
    double *sums;  /* NULL, or [k][kmeans_stride(p)], 64-byte aligned: rows are added to those of
                    * their centroid; what pads them is of no meaning */
    double *sizes; /* [k] their numbers, likewise; where there are sums */
};

/* The nearest centroid of each row, of equals the lower. ret_cluster: [n]; ret_distance: [n],
 * squared. */
typedef void (*kmeans_rows_function)(const struct kmeans_rows *job, uint32_t *ret_cluster,
                                     double *ret_distance);

enum kmeans_rows_version {
    KMEANS_ROWS_PORTABLE,
    KMEANS_ROWS_AVX2,
    KMEANS_ROWS_AVX512,
    KMEANS_ROWS_VERSIONS
};

/* NULL: this machine cannot run it. */
kmeans_rows_function kmeans_rows_get(enum kmeans_rows_version version);

/* The widest that this machine can run. */
kmeans_rows_function kmeans_rows_widest(void);
