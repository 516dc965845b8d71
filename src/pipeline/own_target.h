/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Targets of one's own: a column, growth between snapshots, a post's lift over its account, or
 * labels from a file; whole, cut into bins, or its most frequent classes. Shared by evaluate and
 * train. */
#include "base/progress.h"
#include "dataset/import.h"
#include "dataset/labels.h"
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

/* Whether there is one at all: a column, or labels. */
static inline bool own_target_is_asked(const struct own_target *input)
{
    return input->target || input->labels;
}

/* True when the target is what becomes of followers and no column is called so. */
bool own_target_is_growth(const struct own_target *input);

/* What was made. The table may borrow from the others. */
struct own_cases {
    struct table *table; /* a row for each case, its extra columns read */
    struct target *target;
    struct table *accounts;         /* of posts; else NULL */
    struct lifts *lifts;            /* of posts; else NULL */
    struct import_report *imported; /* set on failure too */
    struct labels_joined labels;    /* 0: there is no file of labels */
};
void own_cases_deinit(struct own_cases *cases);

/* Put what targets and conditions are read from into an imported table: the labels, and its extra
 * columns as numbers. ret_joined: written where there are labels; may be NULL. */
enum status own_target_prepare(const struct own_target *input, struct table *table,
                               struct labels_joined *ret_joined, struct error *err);

/* The target in a prepared table, of accounts: cut and counted as asked for. Not `where`, which is
 * the caller's. */
enum status own_target_choose(const struct own_target *input, const struct table *table,
                              struct target **ret_target, struct error *err);

/* Both after an import of the files, for evaluation. STATUS_INVALID, STATUS_NOT_FOUND: a
 * target or bins that cannot be. */
enum status own_target_make(const struct own_target *input, struct own_cases *cases,
                            struct error *err);
