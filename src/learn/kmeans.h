/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* k-means: k-means++ seeding (Arthur and Vassilvitskii 2007), Lloyd's iterations, the best of
 * several starts. Deterministic by seed; ties go to the lower cluster. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct kmeans_input {
    const float *rows; /* [n][p] */
    size_t n, p;
    size_t k; /* 1..n */
    size_t n_starts;
    uint64_t seed;
};

/* ret_centroids: [k][p]; ret_cluster: [n]; *ret_inertia: the sum of squared distances. Clusters are
 * numbered by size, the largest first; none is empty unless rows coincide. */
enum status kmeans_fit(const struct kmeans_input *input, float *ret_centroids,
                       uint32_t *ret_cluster, double *ret_inertia, struct error *err);
