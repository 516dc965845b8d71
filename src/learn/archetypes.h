/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Archetypes: k-means clusters of the scaled features, with k by silhouette among those that come
 * out again on bootstrap samples, named by what sets each apart. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "learn/design.h"
#include "runtime/clusters.h"

#define ARCHETYPES_MAX_TRIED 16

/* Clusters with a mean adjusted Rand index of this or more count as coming out again. */
#define ARCHETYPES_STABLE 0.6

struct archetypes_tried {
    size_t k;
    double silhouette;
    double stability, stability_sd; /* adjusted Rand index over bootstrap samples */
};

struct archetypes {
    struct arena memory; /* owns everything below */
    struct clusters_model model;
    size_t n;          /* rows that it was chosen and described by */
    uint32_t *cluster; /* [n] */
    double *distance;  /* [n] to the own centroid */
    size_t n_tried;    /* values of k */
    struct archetypes_tried tried[ARCHETYPES_MAX_TRIED];
    double stability; /* of the k that was taken */
};

struct archetypes_options {
    size_t min_k, max_k; /* 2..; max_k is lowered for few rows (10 a cluster) */
    uint64_t seed;
    const double *posts_per_week; /* [n] NaN: missing; NULL: not known */
    /* A group, on rank 0: centroids and sizes are of the rows of all its processes, those of this
     * one being `own`; what is chosen and described goes by `matrix`. NULL: those are all. */
    struct collective *group;
    const struct matrix *own;
};

/* The features that archetypes are made of: few and unlike each other, so that size does not count
 * five times. Marks all others in `options` as excluded; texts are not used. */
void archetypes_choose_features(struct design_options *options);

/* matrix: rows of `spec`. STATUS_INVALID: fewer than 4 rows. */
enum status archetypes_fit(const struct feature_spec *spec, const struct matrix *matrix,
                           const struct archetypes_options *options,
                           struct archetypes **ret_archetypes, struct error *err);
void archetypes_free(struct archetypes *archetypes);

/* The part of the other processes of a group in an archetypes_fit() of rank 0. own: [..] rows of
 * the same spec. */
enum status archetypes_join(struct collective *group, const struct matrix *own, uint64_t seed,
                            struct error *err);
DEFINE_SLOT(archetypes_free, struct archetypes)

/* "weak" below .25, "fair" below .5, "clear" (Kaufman and Rousseeuw 1990, table 4). */
const char *archetypes_strength(double silhouette);
