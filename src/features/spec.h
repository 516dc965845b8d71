/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a model sees: an ordered list of columns over the profile. One extractor serves training and
 * serving, so that there is no skew between the two.
 *
 * A column is a numeric feature of features.def, or one level of a text field (one-hot), or
 * either of a column of the table's own: "extra:rank", "ln_extra:uploads", "extra_text:mood=glad",
 * or a feature relative to the account's peers: "peer:ln_engagement_rate" (peers.h).
 * A text field that is used has levels: its most frequent values, then "other" (any other value),
 * then "missing". Missing numeric values stay NaN in `raw`; feature_scale() imputes and scales for
 * models that need it.
 *
 * A spec is immutable once built or opened; free to share between threads. It owns its memory. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "profile/profile.h"

enum feature_id {
#define FEATURE(name, group, unit, formula, inputs, expression, help) FEATURE_##name,
#include "features/features.def"
#undef FEATURE
    FEATURE_N
};

/* Fields that tell an account's place in a network, as bits of number[]: known of the accounts that
 * the network was made of, and of nobody else. So is the text `community`. */
#define FEATURE_PLACES                                                                \
    (UINT64_C(1) << PROFILE_net_pagerank | UINT64_C(1) << PROFILE_net_core |          \
     UINT64_C(1) << PROFILE_net_clustering | UINT64_C(1) << PROFILE_net_betweenness | \
     UINT64_C(1) << PROFILE_net_neighbour_score)

struct feature_definition {
    const char *name;
    const char *group;
    const char *unit;
    const char *formula;
    const char *help;
    uint64_t inputs; /* bit i: reads number[i] */
};

extern const struct feature_definition feature_definitions[FEATURE_N];

/* FEATURE_N when there is none of that name. */
enum feature_id feature_find(const char *name);

#define FEATURE_LEVEL_OTHER "(other)"
#define FEATURE_LEVEL_MISSING "(missing)"
#define FEATURE_MAX_COLUMNS 512

/* A column of the table's own: its columns here lie within [first, end). */
struct feature_extra {
    const char *name;
    size_t first, end;
};

#define FEATURE_EXTRA "extra:"
#define FEATURE_LN_EXTRA "ln_extra:"
#define FEATURE_TEXT_EXTRA "extra_text:" /* name, "=", level; the name has no "=" */

struct feature_column {
    const char *name;        /* "ln_followers", "country=Brazil", "country=(missing)" */
    enum feature_id feature; /* FEATURE_N for a level, and for extra and peer columns */
    enum feature_id peer;    /* of a peer column: what is compared; else FEATURE_N */
    enum profile_text text;  /* of a level: which field; PROFILE_N_TEXTS: none */
    const char *level;       /* of a level: its value; FEATURE_LEVEL_OTHER, FEATURE_LEVEL_MISSING */
    size_t extra;            /* index into feature_spec.extras; SIZE_MAX: not of an extra column */
    bool is_log;             /* of an extra number: sign(x) ln(1 + |x|) */
    float fill;              /* what a missing value counts as: the training median */
    float mean, scale;       /* standardisation: (x - mean) / scale, scale > 0 */
};

struct feature_spec {
    struct arena memory; /* owns everything below */
    struct feature_column *columns;
    size_t n_columns;
    uint64_t inputs;              /* union of the inputs of all numeric columns */
    struct feature_extra *extras; /* [n_extras] columns of the table's own that are read */
    size_t n_extras;
    const struct feature_peers *peers; /* NULL: no peer columns, or not fitted yet: they are NaN */
    /* For the extractor: levels of a text field, hashed. */
    struct feature_vocabulary *vocabularies[PROFILE_N_TEXTS]; /* NULL: the field is not used */
};

/* A place in a network is among what it reads. */
static inline bool feature_reads_places(const struct feature_spec *spec)
{
    return (spec->inputs & FEATURE_PLACES) || spec->vocabularies[PROFILE_community];
}

/* True for a column that is 0 or 1, one level of a text. */
static inline bool feature_is_level(const struct feature_column *column)
{
    return column->level != NULL;
}

/* Build a spec from column names (as in feature_column.name) and their numbers.
 * names: [n]; fill, mean, scale: [n]. STATUS_UNSUPPORTED: a name this version does not know.
 * STATUS_INVALID: a scale that is not > 0, a number that is not finite, more than
 * FEATURE_MAX_COLUMNS. */
enum status feature_spec_new(const char *const *names, const float *fill, const float *mean,
                             const float *scale, size_t n, struct feature_spec **ret_spec,
                             struct error *err);
void feature_spec_free(struct feature_spec *spec);
DEFINE_SLOT(feature_spec_free, struct feature_spec)

/* Fill what can be computed from other fields, so that a profile with avg_likes and followers has
 * an engagement rate: the derivations stand in spec.c, one line each. In place; idempotent. */
void feature_prepare(struct profile *profile);

/* One prepared profile to raw features: ret_raw: [n_columns], missing numeric values NaN. Returns
 * the fields that numeric columns read and the profile lacks, as bits of number[]. Pure; no
 * allocation. */
uint64_t feature_extract(const struct feature_spec *spec, const struct profile *profile,
                         float *ret_raw);

/* An extra value of a profile (profile.h) whose name is this mark and a numeric column's name
 * stands for that column: feature_extract() takes it as it is. No column of a table can have such a
 * name. */
#define FEATURE_GIVEN '='

/* raw -> imputed and standardised: ret_x: [n_columns], may be `raw` itself. */
void feature_scale(const struct feature_spec *spec, const float *raw, float *ret_x);
