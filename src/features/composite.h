/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The composite influence score: an open formula for tables without a label.
 *
 * Each part is the percentile (0-100, mid-rank) of one figure among the training profiles; the
 * score is the weighted mean of the parts that can be computed, with the weights of the missing
 * parts spread over the rest. Weights come from the configuration and travel in the blob. */
#include <stddef.h>

#include "base/status.h"
#include "features/spec.h"
#include "profile/profile.h"

enum composite_part {
    COMPOSITE_reach,       /* ln_followers */
    COMPOSITE_engagement,  /* ln_engagement_per_follower, or ln_likes_per_follower, or
                              ln_engagement_rate */
    COMPOSITE_activity,    /* ln_posts */
    COMPOSITE_growth,      /* follower_growth, or ln_recent_trend */
    COMPOSITE_consistency, /* -|ln_recent_trend|, or ln authentic share: steady and real */
    COMPOSITE_N_PARTS
};

extern const char *const composite_part_names[COMPOSITE_N_PARTS];
/* What the part measures, for people. */
extern const char *const composite_part_help[COMPOSITE_N_PARTS];

/* The percentile grid of a part: values at 0, 0.5, 1, ... 100 %. */
#define COMPOSITE_GRID 201

struct composite {
    double weight[COMPOSITE_N_PARTS];     /* >= 0, sum > 0 */
    const float *grid[COMPOSITE_N_PARTS]; /* [COMPOSITE_GRID] ascending; NULL: never present */
};

struct composite_score {
    double score;                    /* 0..100; NaN when no part can be computed */
    double part[COMPOSITE_N_PARTS];  /* percentile 0..100; NaN: missing */
    double share[COMPOSITE_N_PARTS]; /* weight as applied, sums to 1 over the present parts */
};

/* The figure behind a part, before the percentile; NaN when it cannot be computed. */
double composite_figure(const struct profile *profile, enum composite_part part);

void composite_compute(const struct composite *composite, const struct profile *profile,
                       struct composite_score *ret_score);

/* Mid-rank percentile (0..100) of x in an ascending quantile grid of n values; ties take the middle
 * of their run; linear in between. NaN gives NaN. */
double composite_percentile(const float *grid, size_t n, double x);

/* Values at i / (n - 1) of the sorted sample, linear in between; sorts `sample` in place. n_sample
 * > 0. */
void composite_make_grid(double *sample, size_t n_sample, float *ret_grid, size_t n);
