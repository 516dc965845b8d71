/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Posts beside their account's own level: what a post has, and how far its likes lie above what the
 * account's other posts get. Kept in memory, so of very many posts only those of a sample of
 * accounts. */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/progress.h"
#include "dataset/posts.h"
#include "dataset/table.h"

#define LIFT_MIN_DAYS 2.0 /* younger posts are still gathering likes */
#define LIFT_MIN_POSTS 3  /* of an account, so that two others say what is usual */

struct lift {
    uint32_t row;    /* of the account in the table */
    double seconds;  /* since 1970 */
    double age_days; /* before the newest post of the files */
    double gap_days; /* since the account's post before; NaN: none is known */
    int hour;        /* UTC; -1: not known */
    int weekday;     /* 0 Monday .. 6 Sunday; -1: not known */
    enum post_type type;
    double ln_likes; /* ln(1 + likes) */
    double lift;     /* ln_likes less the median of the account's other posts */
    double is_sponsored, has_location, n_hashtags, n_mentions, caption_length; /* NaN: not known */
    const char *hashtags; /* one space between; NULL: none */
};

struct lifts {
    struct arena memory; /* owns everything below */
    struct lift *posts;  /* [n] by account, then by time */
    size_t n;
    size_t n_accounts;
    size_t n_seen;         /* posts of known accounts in the files */
    size_t n_young;        /* left out: younger than LIFT_MIN_DAYS */
    size_t n_few;          /* left out: of accounts with fewer than LIFT_MIN_POSTS */
    double accounts_share; /* 1, or the share of accounts that were drawn */
};

struct lifts_input {
    const char *const *files; /* [n_files] of posts */
    size_t n_files;
    size_t max_posts; /* kept at most, about */
    struct progress progress;
};

/* STATUS_INVALID: a file that is no table of posts, or no post has likes, a time, and two others of
 * its account beside it. Deterministic. O(posts log posts). */
enum status lifts_read(const struct table *table, const struct lifts_input *input,
                       struct import_report *report, struct lifts **ret_lifts, struct error *err);
void lifts_free(struct lifts *lifts);
DEFINE_SLOT(lifts_free, struct lifts)
