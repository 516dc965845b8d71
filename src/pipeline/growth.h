/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Growth between snapshots as something to learn: accounts at the start of a period, and what
 * became of their followers. Shared by the steps of growth_part.c. */
#include <stdbool.h>
#include <stddef.h>

#include "dataset/import.h"
#include "learn/crossval.h"
#include "pipeline/train_config.h"
#include "pipeline/visible.h"

/* One period between two months. */
struct growth_cases {
    struct table *table; /* the accounts as they were at its start */
    struct import_report *imported;
    struct target *target;    /* 100 ln((1 + followers at its end) / (1 + followers)) */
    double base;              /* month at which it starts */
    const struct leak *leaks; /* [n_leaks] columns that must not be seen, by growth_design() */
    size_t n_leaks;
};
void growth_cases_deinit(struct growth_cases *cases);

struct growth_files {
    const char *const *files; /* as for import_files() */
    size_t n_files;
    const char *schema_dir;
    const char *where; /* NULL, or conditions on the accounts at its start; see row_filter.h */
    const char *const *posts; /* [n_posts] files of them */
    size_t n_posts;
};

/* The newest period; the one that ended where it starts with n_skipped = 1, and so on. Of posts,
 * those up to the period's start take part; no edges, which have no time. STATUS_INVALID: there is
 * no such period. */
enum status growth_cases_make(const struct growth_files *files, size_t n_skipped,
                              struct growth_cases *ret_cases, struct error *err);

/* What features of the cases may be seen: those that names allow, but no place in a network, which
 * is of today. Memory from the arena. */
enum status growth_design(struct growth_cases *cases, const struct visible_names *names,
                          struct arena *arena, struct design *ret_design, struct error *err);

/* The median of a regression's values. */
enum status growth_median(const struct target *target, double *ret_median, struct error *err);

/* What a model of the period before would have said of the newest one. Folds within a period share
 * its tide; this does not. Periods may differ in length: forecasts are stretched to it. */
struct growth_earlier {
    const char *absent; /* why it is not known; NULL: it is */
    double base, until; /* months of the earlier period */
    size_t n, n_learnt; /* accounts judged, and learnt from */
    bool had_growth;    /* it had an earlier growth to go by */
    double spearman, mae;
    double baseline_mae; /* of the earlier period's median, stretched too */
    double covered;      /* share inside the intervals */
};

struct growth_earlier_input {
    struct growth_cases *now, *before;
    double until; /* month at which the newest period ends */
    const struct trainer *trainer;
    const struct train_config *config;
    const struct visible_names *names;
    struct arena *arena;
    const struct size_tiers *sizes;
    uint64_t seed;
};
enum status growth_judge_earlier(const struct growth_earlier_input *input,
                                 struct growth_earlier *ret_earlier, struct error *err);
