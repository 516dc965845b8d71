/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Exploration: what a table of influencers looks like, before and beside any model.
 *
 * explore_run() computes everything once; the writers below turn it into the sections of
 * report.json (docs/report-schema.md is the contract) and into text for a terminal. Nothing here
 * knows of models. Cost O(columns x n log n); memory a few copies of the table's numbers. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/status.h"
#include "dataset/import.h"
#include "dataset/lifts.h"
#include "dataset/table.h"

enum explore_grouping {
    EXPLORE_TIER,
    EXPLORE_CATEGORY,
    EXPLORE_COUNTRY, /* of the account, or of its audience where that is all there is */
    EXPLORE_N_GROUPINGS
};

/* Size tiers by followers; [n] names and the n - 1 followers at which the next one begins. */
struct explore_sizes {
    const char *const *names;
    const double *cuts;
    size_t n;
};

/* nano, micro from 10k, mid from 50k, macro from 500k, mega from 1M. */
extern const struct explore_sizes explore_default_sizes;

/* Borrows everything until explore_free(). */
struct explore_input {
    const struct table *table;
    const struct import_report *report; /* NULL: the data section says only what the table shows */
    const struct explore_sizes *sizes;  /* NULL: the default */
    /* Two snapshots as they were imported alone, to be compared; both NULL: no comparison. */
    const struct table *before, *after;
    const char *before_name, *after_name;
    const struct lifts *lifts; /* NULL: no posts, or `no_lifts` says why not; for the run alone */
    const char *no_lifts;
};

struct explore;

/* STATUS_INVALID: the table has no rows. */
enum status explore_run(const struct explore_input *input, struct explore **ret_explore,
                        struct error *err);
void explore_free(struct explore *explore);
DEFINE_SLOT(explore_free, struct explore)

/* True when every row says that it is demo data (a column `synthetic` that is 1). */
bool explore_is_synthetic(const struct explore *explore);

/* The group of a row of the table: an index into the names that explore_put_groups() writes, or -1.
 */
int32_t explore_row_group(const struct explore *explore, enum explore_grouping by, size_t row);

/* The group of the tier grouping that an account of so many followers belongs to, or -1. */
int32_t explore_size_group(const struct explore *explore, double followers);

/* Names of a grouping, [*ret_n]; borrowed. */
const char *const *explore_group_names(const struct explore *explore, enum explore_grouping by,
                                       size_t *ret_n);

/* Values of the members `groups`, `data` and `explore` of report.json: the caller has put the key.
 */
void explore_put_groups(const struct explore *explore, struct json_writer *w);
void explore_put_data(const struct explore *explore, struct json_writer *w);
void explore_put_explore(const struct explore *explore, struct json_writer *w);

/* Elements of overview.headline and overview.careful, into an array that the caller has begun. */
void explore_put_headlines(const struct explore *explore, struct json_writer *w);
void explore_put_cautions(const struct explore *explore, struct json_writer *w);

/* A whole report.json of the kind "explore". made_utc_us: the time that it states. */
void explore_put_report(const struct explore *explore, int64_t made_utc_us, struct json_writer *w);

/* The same for a terminal: tables, histograms and sparklines as text, at most `width` columns. */
void explore_print(const struct explore *explore, int width, FILE *out);
