/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* k-means: k-means++ seeding (Arthur and Vassilvitskii 2007), Lloyd's iterations, the best of
 * several starts. Deterministic by seed; ties go to the lower cluster. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "learn/collective.h"

struct kmeans_input {
    const float *rows; /* [n][p] */
    size_t n, p;
    size_t k; /* 1..n */
    size_t n_starts;
    uint64_t seed;
    int max_iterations; /* of a start; 0: 100 */
    /* NULL: these are all the rows. A group: the rows of this process; the sums are of all. */
    struct collective *group;
    const float *first; /* [n_first][p] of a group, on rank 0: rows that it draws the starts from */
    size_t n_first;     /* at least k */
};

/* ret_centroids: [k][p]; ret_cluster: [n]; *ret_inertia: the sum of squared distances. Clusters are
 * numbered by size, the largest first; none is empty unless rows coincide. */
enum status kmeans_fit(const struct kmeans_input *input, float *ret_centroids,
                       uint32_t *ret_cluster, double *ret_inertia, struct error *err);

/* The nearest centroid [k][p] of each row [n][p]; ties go to the lower. */
enum status kmeans_assign(const float *rows, size_t n, size_t p, const float *centroids, size_t k,
                          uint32_t *ret_cluster, struct error *err);
