/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The choice of columns from inside, for design.c and design_extras.c. */
#include "features/peers.h"
#include "learn/design.h"

#define DESIGN_MIN_PRESENT 0.05 /* share of the rows */

/* All numeric features of evenly spread rows, column by column. */
struct design_sample {
    size_t n;
    float *values; /* [FEATURE_N][n] */
};

/* Present in enough rows, and not always the same. values: [n] */
bool design_is_usable(const float *values, size_t n);

/* Present in the same rows and linearly the same. */
bool design_is_same(const float *a, const float *b, size_t n);

struct design_level {
    const char *text;
    size_t count;
};

/* The distinct values of a text column in `rows` [n], most frequent first, ties by text: the same
 * order everywhere. The caller frees. */
enum status design_count_levels(const char *const *column, const size_t *rows, size_t n,
                                struct design_level **ret_levels, size_t *ret_n, struct error *err);

/* Choose what is compared with peers, when the features are chosen. */
void design_choose_peers(const struct table *table, struct design *design);

/* Medians of the peers among `rows` [n], in the arena. A cell of few rows leans on its size's
 * median, and a size on that of all. STATUS_OK with n_columns 0: nothing is compared. */
enum status design_fit_peers(const struct design *design, const struct table *table,
                             const size_t *rows, size_t n, struct arena *arena,
                             struct feature_peers *ret_peers, struct error *err);

/* Add the columns of the table's own that may take part. */
enum status design_choose_extras(const struct table *table, const struct design_sample *sample,
                                 struct design *design, struct error *err);
