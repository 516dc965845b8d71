/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a model sees: an ordered list of columns over the profile. One extractor serves training and
 * serving, so that there is no skew between the two.
 *
 * A column is a numeric feature of features.def, or one level of a text field (one-hot). A text
 * field that is used has levels: its most frequent values, then "other" (any other value), then
 * "missing". Missing numeric values stay NaN in `raw`; feature_scale() imputes and scales for
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

struct feature_column {
    const char *name;        /* "ln_followers", "country=Brazil", "country=(missing)" */
    enum feature_id feature; /* FEATURE_N for a level */
    enum profile_text text;  /* of a level: which field */
    const char *level;       /* of a level: its value; FEATURE_LEVEL_OTHER, FEATURE_LEVEL_MISSING */
    float fill;              /* what a missing value counts as: the training median */
    float mean, scale;       /* standardisation: (x - mean) / scale, scale > 0 */
};

struct feature_spec {
    struct arena memory; /* owns everything below */
    struct feature_column *columns;
    size_t n_columns;
    uint64_t inputs; /* union of the inputs of all numeric columns */
    /* For the extractor: levels of a text field, hashed. */
    struct feature_vocabulary *vocabularies[PROFILE_N_TEXTS]; /* NULL: the field is not used */
};

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

/* raw -> imputed and standardised: ret_x: [n_columns], may be `raw` itself. */
void feature_scale(const struct feature_spec *spec, const float *raw, float *ret_x);
