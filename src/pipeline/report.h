/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* report.json as docs/report-schema.md has it: what its parts share. */
#include "base/json.h"
#include "explore/explore.h"
#include "pipeline/training.h"

struct report {
    const struct training *training;
    const struct explore *explore; /* owns the groups */
    struct json_writer *w;
};

/* Numbers, integers or group indices of rows as an array member. */
void report_put_numbers(const struct report *report, const char *key, const double *values,
                        size_t n);
void report_put_sizes(const struct report *report, const char *key, const size_t *values, size_t n);
void report_put_texts(const struct report *report, const char *key, const char *const *values,
                      size_t n);

/* A member that is missing, and why. */
void report_put_absent(const struct report *report, const char *key, const char *why);

/* handle, tier, category [and country] of rows of the table, as array members. rows: [n]. */
void report_put_handles(const struct report *report, const size_t *rows, size_t n);
void report_put_groups(const struct report *report, const char *key, enum explore_grouping by,
                       const size_t *rows, size_t n);

/* The member `models`, and the member `archetypes`. */
enum status report_put_models(const struct report *report, struct error *err);
enum status report_put_archetypes(const struct report *report, struct error *err);

/* The members importance; dependence and interaction. NULL: absent, with the reason. */
void report_put_importance(const struct report *report, const struct importance *importance,
                           enum task task, const char *unit, const char *why_absent);
void report_put_dependence(const struct report *report, const struct dependence *dependence,
                           const char *why_absent);

/* The value of models.score and of models.tier. */
enum status report_put_score(const struct report *report, struct error *err);
enum status report_put_tier(const struct report *report, struct error *err);

/* The member text: how the intervals are made. */
void report_put_rule(const struct report *report, const struct interval_rule *rule);

/* The member baseline: what always answering the median, or the mean, of y [n] would have cost. */
enum status report_put_baseline(const struct report *report, const double *y, size_t n,
                                struct error *err);

/* The member `growth`. */
enum status report_put_growth(const struct report *report, struct error *err);

/* The member `network`. */
enum status report_put_network(const struct report *report, struct error *err);
