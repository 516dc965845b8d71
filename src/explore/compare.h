/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Two snapshots side by side: who came and went, and how the figures moved. */
#include "explore/frame.h"
#include "explore/statistics.h"

#define COMPARE_MAX_COLUMNS 16

struct compared_column {
    const char *name, *unit;
    double median_before, median_after;
    double missing_before, missing_after; /* shares */
    double psi, ks;
    size_t n_pairs;
    struct interval
        change; /* median ln((1 + after) / (1 + before)) of accounts in both; rates: 0.0001 for 1 */
};

struct comparison {
    const char *absent; /* why there is none; NULL: there is one */
    const char *before, *after;
    size_t rows_before, rows_after, in_both, appeared, gone; /* the last three: handles */
    struct compared_column columns[COMPARE_MAX_COLUMNS];
    size_t n_columns;
};

/* Columns with numbers that both tables have. */
enum status compare_tables(const struct table *before, const struct table *after,
                           struct comparison *ret_comparison, struct error *err);
