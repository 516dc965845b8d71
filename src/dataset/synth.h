/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Demo data: accounts that never existed, drawn from the parameters in synth.def.
 *
 * Row i of a seed is always the same account, whatever the number of rows, and nothing is kept
 * between rows: memory is constant and a million rows take seconds. The same seed gives the same
 * bytes on the same C library (another libm may round a draw the other way).
 *
 *   DIR/profiles.csv            one row an account, as of the last month, with influence_score
 *   DIR/snapshot-YYYY-MM.csv    what a monthly table shows of the same accounts, one file a month
 *   DIR/posts.csv, edges.csv    posts, and interactions between the accounts
 *   DIR/synthetic.json          what made the folder
 *
 * All of it says that it is synthetic: handles are synthetic_000001, and every file has a column
 * `synthetic` that is 1. */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/progress.h"
#include "base/status.h"

#define SYNTH_MONTHS 3
#define SYNTH_MAX_ROWS 100000000

struct synth_parameter {
    const char *name;
    double value;
    const char *source; /* a word explained in synth.def */
    const char *help;
};
extern const struct synth_parameter synth_parameters[];
extern const size_t synth_n_parameters;

/* Names of the categories of synth.def. */
extern const char *const synth_categories[];
extern const size_t synth_n_categories;

/* "2025-03", ...: the months of the snapshots; the last is that of profiles.csv. */
extern const char *const synth_months[SYNTH_MONTHS];

/* One drawn account. */
struct synth_account {
    size_t category;                        /* into the categories of synth.def */
    bool shows_category;                    /* false: the column is empty */
    const char *country, *audience_country; /* NULL: the column is empty */
    double real_followers;                  /* without the bought ones */
    bool bought;
    double fake_share;               /* of the followers; 0 unless bought */
    double followers[SYNTH_MONTHS];  /* as shown */
    double engagement[SYNTH_MONTHS]; /* likes and comments a post */
    double authentic[SYNTH_MONTHS];  /* of these, by real accounts */
    double following, posts;
    double avg_likes, recent_avg_likes, avg_comments;
    double avg_views; /* NaN: posts no videos */
    bool is_verified, is_business, has_url;
    double bio_length;
    double influence_score;
};

/* Account `row` (from 0) of a seed. */
void synth_account(uint64_t seed, size_t row, struct synth_account *ret_account);

/* Its category alone, which is much cheaper. */
size_t synth_category(uint64_t seed, size_t row);

struct synth_options {
    size_t n_rows; /* 1..SYNTH_MAX_ROWS */
    uint64_t seed;
    const char *dir; /* made when missing */
    struct progress progress;
    const volatile sig_atomic_t *cancel; /* not 0: stop as soon as possible; may be NULL */
};

struct synth_counts {
    size_t n_profiles, n_posts, n_edges;
};

/* Write the folder. STATUS_EXISTS: a file there would be overwritten that this did not make.
 * STATUS_CANCELLED: stopped by `cancel`. Files appear whole or not at all. */
enum status synth_write(const struct synth_options *options, struct synth_counts *ret_counts,
                        struct error *err);
