/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Archetypes: nearest of k centroids in scaled feature space (k-means). */
#include "artifact/artifact.h"
#include "features/spec.h"

#define CLUSTERS_MAX 64
#define CLUSTERS_GRID 101 /* percentiles 0, 1, ... 100 */

struct clusters_model {
    size_t k, n_inputs;
    const float *centroids;   /* [k][n_inputs], scaled */
    const char *const *names; /* [k] "large, low engagement" */
    const char *const
        *traits;           /* [k] what sets it apart, a JSON array of {feature, mean, overall, z} */
    const uint32_t *sizes; /* [k] members in training */
    const float
        *distance_grid; /* [k][CLUSTERS_GRID] percentiles of the members' distances, ascending */
    double silhouette;  /* mean, of the training rows or a sample */
};

struct clusters;

enum status clusters_write(struct artifact_writer *writer, const struct feature_spec *spec,
                           const struct clusters_model *model, struct error *err);
enum status clusters_open(const struct artifact *artifact, struct clusters **ret_clusters,
                          struct error *err);
void clusters_close(struct clusters *clusters);
DEFINE_SLOT(clusters_close, struct clusters)

const struct feature_spec *clusters_spec(const struct clusters *clusters);
const struct clusters_model *clusters_model(const struct clusters *clusters);

/* The nearest centroid of one scaled row; ret_distance: [k] Euclidean distances. Ties: the lower
 * id. */
size_t clusters_assign(const struct clusters *clusters, const float *x, double *ret_distance);
