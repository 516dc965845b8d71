/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the posts of one account add up to, in memory that does not grow with their number.
 *
 * Exact: counts, means, spreads, trend, shares, cadence. Exact up to POST_SAMPLE posts and from a
 * uniform sample of so many beyond (Vitter 1985, algorithm R): hit_share. Of the newest POST_SAMPLE
 * posts: post_gap_spread. Hashtags: see tag_sketch.h. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "dataset/posts.h"
#include "dataset/tag_sketch.h"
#include "profile/profile.h"

#define POST_SAMPLE 128

/* Count, mean and sum of squared deviations, as the values come (Welford 1962). */
struct moments {
    double n, mean, squares;
};

void moments_add(struct moments *moments, double x);

struct post_figures {
    uint64_t n;
    uint64_t last_id; /* of the post before, so that one that stands twice in a row counts once */
    double first_second, last_second;
    struct moments dated, likes, comments, views, ln_likes, ln_comments, ln_views;
    struct moments is_video, is_carousel, is_sponsored, has_location, is_verified;
    struct moments n_hashtags, n_mentions, n_tagged, aspect, caption_length, is_weekend;
    struct moments ln_likes_by_sponsor[2];
    struct moments year, ln_likes_dated; /* of posts with time and likes */
    double covariance;                   /* sum of products of their deviations */
    double n_hours, hour_cos, hour_sin;
    bool has_days_only;  /* some times have no hour */
    float *likes_sample; /* [n_likes]; owned */
    uint32_t *newest;    /* [n_newest] seconds, a heap with the oldest first; owned */
    uint16_t n_likes, n_newest, likes_capacity, newest_capacity;
    struct tag_sketch tags;
};

void post_figures_deinit(struct post_figures *figures);

/* Add a post. seed: of the sample, the same in each run. */
enum status post_figures_add(struct post_figures *figures, const struct post *post, uint64_t seed,
                             struct error *err);

/* The numbers as fields of fields.def (avg_likes, avg_comments, avg_views, is_verified; post_sample
 * ... hour_concentration); those that cannot be told are NaN. Reorders the sample. */
void post_figures_get(struct post_figures *figures, double ret_number[static PROFILE_N_NUMBERS]);
