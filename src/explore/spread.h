/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Figures by group: how a column is spread within each tier, category or country; and growth. */
#include "explore/quality.h"

#define SPREAD_MIN_ROWS 5

struct group_spread {
    int32_t group;
    struct summary summary;
    struct interval median;
    size_t counts[HISTOGRAM_MAX_BINS]; /* over the edges of the whole column */
};

struct spread {
    const struct number_quality *column;
    enum explore_grouping by;
    struct group_spread *groups; /* in the order of the grouping */
    size_t n_groups;
};

/* Groups of at least min_rows rows that have the column. */
enum status spread_compute(const struct frame *frame, const struct number_quality *column,
                           enum explore_grouping by, size_t min_rows, struct arena *memory,
                           struct spread *ret_spread, struct error *err);

#define SPREADS_MAX 12

struct spreads {
    struct spread items[SPREADS_MAX];
    size_t n;
};

/* The columns that people ask for, by every grouping that has two groups. */
enum status spreads_compute(const struct frame *frame, const struct quality *quality,
                            struct arena *memory, struct spreads *ret_spreads, struct error *err);

/* A table of the groups with medians. */
struct group_row {
    int32_t group;
    size_t n, n_measured; /* rows, and those of them with the measure */
    double followers, score;
    struct interval measure;
};
struct group_table {
    struct group_row *rows; /* most rows first, "(other)" last */
    size_t n;               /* 0: the table has no such column */
    size_t n_total;         /* rows that have a group */
};
enum status group_table_compute(const struct frame *frame, enum explore_grouping by,
                                struct arena *memory, struct group_table *ret_table,
                                struct error *err);

#define GROWTH_ROWS 15

struct growth {
    const char *absent; /* why there is none; NULL: there is some */
    const struct number_quality *column;
    double months;
    struct interval median;
    double shrinking;           /* share of rows */
    struct histogram histogram; /* of the middle 98 %: a few jumps would hide the shape */
    struct spread by_tier, by_category;
    uint32_t rows[2 * GROWTH_ROWS]; /* the fastest, then the slowest */
    size_t n_rows;
};
enum status growth_compute(const struct frame *frame, const struct quality *quality,
                           struct arena *memory, struct growth *ret_growth, struct error *err);
