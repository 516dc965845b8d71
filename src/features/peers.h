/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Peers: what an account's figures are against accounts of the same category and size. The column
 * "peer:ln_engagement_rate" is that feature less its typical value among the peers; both being
 * logarithms mostly, a ratio.
 *
 * Typical values are medians of the rows trained on, and travel with the spec. */
#include <stddef.h>

#include "features/spec.h"

#define FEATURE_PEER "peer:"
#define PEERS_MAX_SIZES 8
#define PEERS_MAX_CATEGORIES 32

struct feature_peers {
    size_t n_sizes;                   /* >= 1; 1: all sizes are one */
    double cuts[PEERS_MAX_SIZES - 1]; /* [n_sizes - 1] followers at which the next size begins */
    size_t n_categories;              /* 0: all are one */
    const char *const *categories;    /* [n_categories] */
    size_t n_columns;                 /* peer columns of the spec, in its order */
    /* [n_sizes + 1][n_categories + 1][n_columns]; the last size is for accounts whose followers
     * are not known, the last category for those of none or another. NaN: nobody has the figure. */
    const float *medians;
};

/* The name's feature; FEATURE_N: it is not of a peer column. */
enum feature_id peers_feature(const char *name);

/* Give a spec its peers, copied. STATUS_INVALID: cuts that do not rise, or another number of
 * columns than the spec has. */
enum status peers_set(struct feature_spec *spec, const struct feature_peers *peers,
                      struct error *err);

/* The cell of an account: its row of the medians, below (n_sizes + 1) (n_categories + 1). */
size_t peers_cell(const struct feature_peers *peers, const struct profile *profile);

/* Typical values of the account's peers: [n_columns]. */
const float *peers_of(const struct feature_peers *peers, const struct profile *profile);
