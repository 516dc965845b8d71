/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What goes with a post doing better than its account's others: one least-squares model of ln likes
 * on all that is known of a post when it is made, each account compared with itself only. What an
 * account does not vary says nothing here. Associations, not causes.
 *
 * Of ln likes and not of the lift: a post is left out of the median that its lift is over, which
 * stretches differences within an account of m posts by about m / (m - 1). */
#include <stddef.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "dataset/lifts.h"
#include "explore/statistics.h"

#define VIRALITY_MAX_LEVELS 8
#define VIRALITY_MIN_POSTS 30 /* of a level, to be reported */
#define VIRALITY_MIN_ACCOUNTS 10

enum virality_factor {
    VIRALITY_TYPE,
    VIRALITY_HOUR,
    VIRALITY_WEEKDAY,
    VIRALITY_HASHTAGS,
    VIRALITY_MENTIONS,
    VIRALITY_CAPTION,
    VIRALITY_SPONSORED,
    VIRALITY_LOCATION,
    VIRALITY_GAP,
    VIRALITY_N_FACTORS
};

struct virality_level {
    const char *name;
    size_t n_posts, n_accounts;
    struct interval effect; /* ln ratio to the reference, 95 %; MISSING: it cannot be told */
    double naive_error;     /* standard error as if posts were independent */
};

struct virality_factor_result {
    const char *name;
    int reference;  /* the level compared with: the most frequent; -1: fewer than two levels */
    double r2_lost; /* share of the variance that only this factor explains */
    struct virality_level levels[VIRALITY_MAX_LEVELS];
    size_t n_levels;
};

struct virality {
    size_t n_posts, n_accounts;
    double accounts_share; /* that were drawn */
    double r2;             /* of the variance of ln likes within accounts */
    struct virality_factor_result factors[VIRALITY_N_FACTORS];
};

/* Errors clustered by account: Liang and Zeger 1986, with the correction G / (G - 1) and the t of
 * G - 1 degrees. STATUS_INVALID: fewer than VIRALITY_MIN_ACCOUNTS accounts. O(posts levels^2). */
enum status virality_compute(const struct lifts *lifts, struct virality **ret_virality,
                             struct error *err);
void virality_free(struct virality *virality);
DEFINE_SLOT(virality_free, struct virality)

/* Value of the member `virality` of report.json: the caller has put the key. */
void virality_put(const struct virality *virality, struct json_writer *w);
