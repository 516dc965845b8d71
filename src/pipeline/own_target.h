/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Targets of one's own: a column, growth between snapshots, a post's lift over its account, or
 * labels from a file; whole, cut into bins, or its most frequent classes. Shared by evaluate and
 * train. */
#include "base/progress.h"
#include "dataset/import.h"
#include "dataset/lifts.h"
#include "learn/target.h"

struct own_target {
    const char *const *files; /* as for import_files() */
    size_t n_files;
    const char *schema_dir;
    const char *target; /* column, "growth" or "post_lift"; NULL: the column of the labels */
    const char *bins;   /* NULL; "tertile"; "quantiles:N"; "A,B,..": class i ends with its cut */
    size_t top;         /* 0, or: this many most frequent classes and "(other)" */
    const char *where;  /* NULL, or conditions on rows; see row_filter.h */
    const char *labels; /* NULL, or FILE[:COLUMN] */
    struct import_joins joins; /* posts and edges */
    struct progress progress;
};

#define OWN_TARGET_POST_LIFT "post_lift"

/* True when the target is what becomes of followers and no column is called so. */
bool own_target_is_growth(const struct own_target *input);

/* What was made. The table may borrow from the others. */
struct own_cases {
    struct table *table; /* a row for each case, its extra columns read */
    struct target *target;
    struct table *accounts;         /* of posts; else NULL */
    struct lifts *lifts;            /* of posts; else NULL */
    struct import_report *imported; /* set on failure too */
};
void own_cases_deinit(struct own_cases *cases);

/* Import the files and make the target. STATUS_INVALID, STATUS_NOT_FOUND: a
 * target or bins that cannot be. */
enum status own_target_make(const struct own_target *input, struct own_cases *cases,
                            struct error *err);
