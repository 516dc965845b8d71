/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the figures go together: all correlations, and engagement against size. */
#include "explore/correlate.h"
#include "explore/quality.h"

#define RELATIONS_MAX_COLUMNS 16

struct relations {
    size_t n_columns;
    const struct number_quality *columns[RELATIONS_MAX_COLUMNS];
    struct correlation *pairs; /* pair (i, j), i < j: at j (j - 1) / 2 + i */
};

/* Columns that vary; fields first. Pearson works on the logarithm of those better seen on a log
 * scale.
 */
enum status relations_compute(const struct frame *frame, const struct quality *quality,
                              struct arena *memory, struct relations *ret_relations,
                              struct error *err);

#define SLOPE_MIN_ROWS 20
#define SLOPE_BAND 21

struct category_slope {
    int32_t group;
    struct line_fit fit;
};

/* ln measure = a + b ln followers, over rows where both are above 0. */
struct slope {
    const char *absent; /* why there is none; NULL: there is one */
    struct line_fit fit;
    struct interval tenfold; /* factor of the measure for ten times the followers */
    double band_followers[SLOPE_BAND];
    struct interval band[SLOPE_BAND];
    struct category_slope *categories; /* with at least SLOPE_MIN_ROWS rows */
    size_t n_categories;
};

enum status slope_compute(const struct frame *frame, struct arena *memory, struct slope *ret_slope,
                          struct error *err);
