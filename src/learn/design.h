/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From a table to what models see. A design says which features and texts take part; it is chosen
 * once, without looking at the target. Everything that is estimated (medians, means, scales,
 * vocabularies) is estimated by design_fit() on the rows it is given: the training rows of a fold.
 * Rows become features through feature_extract(), the one extractor. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset/table.h"
#include "features/spec.h"
#include "runtime/text.h"

struct design_options {
    uint64_t hidden;                   /* number fields that no feature may read */
    bool hidden_text[PROFILE_N_TEXTS]; /* texts that may not be used */
    bool excluded[FEATURE_N];          /* by name */
    bool extras;                       /* columns of the table's own may be used */
    const bool *hidden_extra; /* [n_extras] those that may not; NULL: none; for the choice */
    bool no_texts;            /* numbers only */
    bool may_be_empty;        /* no column at all is fine */
    bool peers;               /* also figures relative to accounts of the same category and size */
    size_t max_levels;        /* of a text field; 0: 12 */
    double min_level_share;   /* of the rows; levels that are rarer, and of fewer than 50 rows, are
                               * "other"; 0: 0.05 */
    double level_weight; /* 0: levels are scaled for models; above: two rows that differ in a text
                          * are that far apart (for distances) */
};

#define DESIGN_MAX_EXTRAS 64

/* A column of the table's own. */
struct design_extra {
    size_t index; /* into table->extras */
    bool is_text;
    bool is_log; /* spread over orders of magnitude */
};

struct design {
    struct design_options options;
    enum feature_id features[FEATURE_N];
    size_t n_features;
    bool texts[PROFILE_N_TEXTS];
    enum feature_id peers[FEATURE_N]; /* features that are compared with the peers' */
    size_t n_peers;
    bool peer_sizes, peer_categories; /* what makes peers */
    struct design_extra extras[DESIGN_MAX_EXTRAS];
    size_t n_extras;
    bool hashtags, brands; /* are there and may be seen, by trainers of words */
    bool has_columns;      /* something besides words */
    bool is_empty;         /* nothing at all */
};

/* Models can see this text, by its levels. */
bool design_takes_text(enum profile_text text);

/* The features that the table's rows can fill (in at least one row of twenty), that vary, and that
 * are not the same column as an earlier one; category, country and audience_country likewise. Extra
 * columns take part when they may and the table has read them (table_read_extras()).
 * STATUS_INVALID: nothing is left, unless it may be. */
enum status design_choose(const struct table *table, const struct design_options *options,
                          struct design *ret_design, struct error *err);

/* Estimate a spec on `rows` [n] of the table. */
enum status design_fit(const struct design *design, const struct table *table, const size_t *rows,
                       size_t n, struct feature_spec **ret_spec, struct error *err);

/* Rows as a model sees them. */
struct matrix {
    size_t n, p;
    float *raw;               /* [n][p], NaN: missing; owned */
    float *scaled;            /* [n][p], imputed and standardised; owned */
    struct text_words *words; /* [n] owned, the texts are the table's */
    uint32_t *nodes;          /* [n] rows of the table; owned */
};

enum status matrix_make(const struct feature_spec *spec, const struct table *table,
                        const size_t *rows, size_t n, struct matrix *ret_matrix, struct error *err);
void matrix_deinit(struct matrix *matrix);

/* The prepared profile of a row. */
void design_profile(const struct table *table, size_t row, struct profile *ret_profile);
