/* SPDX-License-Identifier: Apache-2.0 */
#include "features/spec.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"
#include "features/extras.h"
#include "features/peers.h"

static_assert(PROFILE_N_NUMBERS <= 64, "feature_definition.inputs has one bit a number");

const struct feature_definition feature_definitions[FEATURE_N] = {
#define F(field) | (UINT64_C(1) << PROFILE_##field)
#define FEATURE(name_, group_, unit_, formula_, inputs_, expression_, help_) \
    {.name = #name_,                                                         \
     .group = #group_,                                                       \
     .unit = (unit_),                                                        \
     .formula = (formula_),                                                  \
     .help = (help_),                                                        \
     .inputs = 0 inputs_},
#include "features/features.def"
#undef FEATURE
#undef F
};

enum feature_id feature_find(const char *name)
{
    for (size_t i = 0; i < FEATURE_N; i++)
        if (strcmp(feature_definitions[i].name, name) == 0)
            return (enum feature_id)i;
    return FEATURE_N;
}

/* Levels of one text field, open-addressed by hash; size is a power of two, at most half full. */
struct feature_vocabulary {
    struct {
        const char *level; /* NULL: empty */
        size_t column;
    } * slots;
    size_t size;
    size_t other, missing; /* columns, or SIZE_MAX when the spec has none */
};

static bool is_special(const char *level)
{
    return strcmp(level, FEATURE_LEVEL_OTHER) == 0 || strcmp(level, FEATURE_LEVEL_MISSING) == 0;
}

static size_t level_slot(const struct feature_vocabulary *vocabulary, const char *level)
{
    size_t slot = hash_xxh3(level, strlen(level)) & (vocabulary->size - 1);
    while (vocabulary->slots[slot].level && strcmp(vocabulary->slots[slot].level, level) != 0)
        slot = (slot + 1) & (vocabulary->size - 1);
    return slot;
}

static enum status build_vocabulary(struct feature_spec *spec, enum profile_text text,
                                    struct error *err)
{
    size_t n_levels = 0;
    for (size_t i = 0; i < spec->n_columns; i++)
        n_levels += spec->columns[i].level && spec->columns[i].text == text;
    if (n_levels == 0)
        return STATUS_OK;
    struct feature_vocabulary *vocabulary = ARENA_NEW(&spec->memory, struct feature_vocabulary);
    if (!vocabulary)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *vocabulary = (struct feature_vocabulary){.size = 4, .other = SIZE_MAX, .missing = SIZE_MAX};
    while (vocabulary->size < 2 * n_levels)
        vocabulary->size *= 2;
    vocabulary->slots =
        arena_zalloc_array(&spec->memory, sizeof vocabulary->slots[0], vocabulary->size);
    if (!vocabulary->slots)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < spec->n_columns; i++) {
        const struct feature_column *column = &spec->columns[i];
        if (!column->level || column->text != text)
            continue;
        if (strcmp(column->level, FEATURE_LEVEL_OTHER) == 0) {
            vocabulary->other = i;
        } else if (strcmp(column->level, FEATURE_LEVEL_MISSING) == 0) {
            vocabulary->missing = i;
        } else {
            size_t slot = level_slot(vocabulary, column->level);
            if (vocabulary->slots[slot].level)
                return fail(err, STATUS_INVALID, "feature column %s stands twice", column->name);
            vocabulary->slots[slot].level = column->level;
            vocabulary->slots[slot].column = i;
        }
    }
    spec->vocabularies[text] = vocabulary;
    return STATUS_OK;
}

/* "country=Brazil" -> the text field and the level. */
static enum status resolve_level(struct feature_column *column, struct error *err)
{
    const char *equals = strchr(column->name, '=');
    const struct profile_field *field =
        equals ? profile_field_find(column->name, (size_t)(equals - column->name)) : NULL;
    if (!field || field->kind != PROFILE_TEXT)
        return fail(err, STATUS_UNSUPPORTED, "unknown feature '%s'", column->name);
    column->text = (enum profile_text)field->index;
    column->level = equals + 1;
    return STATUS_OK;
}

enum status feature_spec_new(const char *const *names, const float *fill, const float *mean,
                             const float *scale, size_t n, struct feature_spec **ret_spec,
                             struct error *err)
{
    if (n > FEATURE_MAX_COLUMNS)
        return fail(err, STATUS_INVALID, "%zu feature columns, at most %d are taken", n,
                    FEATURE_MAX_COLUMNS);
    AUTO(feature_spec_free_slot) struct feature_spec *spec = calloc(1, sizeof *spec);
    if (!spec)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&spec->memory, 4096);
    spec->columns = ARENA_ARRAY(&spec->memory, struct feature_column, n + 1);
    spec->extras = ARENA_ARRAY(&spec->memory, struct feature_extra, n + 1);
    if (!spec->columns || !spec->extras)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    spec->n_columns = n;
    for (size_t i = 0; i < n; i++) {
        struct feature_column *column = &spec->columns[i];
        column->name = arena_strdup(&spec->memory, names[i]);
        if (!column->name)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        column->fill = fill[i];
        column->mean = mean[i];
        column->scale = scale[i];
        if (!isfinite(fill[i]) || !isfinite(mean[i]) || !isfinite(scale[i]) || scale[i] <= 0)
            return fail(err, STATUS_INVALID, "feature %s: numbers must be finite, scale above 0",
                        column->name);
        column->feature = feature_find(column->name);
        column->text = PROFILE_N_TEXTS;
        column->extra = SIZE_MAX;
        column->peer = peers_feature(column->name);
        if (feature_extra_is(column->name))
            TRY(feature_extra_resolve(spec, i, err));
        else if (column->peer != FEATURE_N)
            spec->inputs |= feature_definitions[column->peer].inputs;
        else if (column->feature == FEATURE_N)
            TRY(resolve_level(column, err));
        else
            spec->inputs |= feature_definitions[column->feature].inputs;
    }
    for (size_t text = 0; text < PROFILE_N_TEXTS; text++)
        TRY(build_vocabulary(spec, (enum profile_text)text, err));
    *ret_spec = STEAL(spec);
    return STATUS_OK;
}

void feature_spec_free(struct feature_spec *spec)
{
    if (!spec)
        return;
    arena_deinit(&spec->memory);
    free(spec);
}

static void fill_if_missing(struct profile *profile, enum profile_number field, double value)
{
    if (isnan(profile->number[field]) && isfinite(value))
        profile->number[field] = value;
}

void feature_prepare(struct profile *p)
{
    const double *x = p->number;
    /* A quotient by zero is infinite and therefore not filled in. */
    fill_if_missing(p, PROFILE_avg_likes, x[PROFILE_total_likes] / x[PROFILE_posts]);
    /* Of a file of posts the typical post is known: the geometric mean. */
    fill_if_missing(p, PROFILE_avg_likes, expm1(x[PROFILE_post_ln_likes]));
    fill_if_missing(p, PROFILE_avg_comments, expm1(x[PROFILE_post_ln_comments]));
    /* Engagement is mostly likes; where comments are not known, likes are the best figure there is.
     */
    fill_if_missing(p, PROFILE_avg_engagement,
                    x[PROFILE_avg_likes] +
                        (isnan(x[PROFILE_avg_comments]) ? 0.0 : x[PROFILE_avg_comments]));
    fill_if_missing(p, PROFILE_avg_engagement, x[PROFILE_engagement_rate] * x[PROFILE_followers]);
    fill_if_missing(p, PROFILE_engagement_rate,
                    (isnan(x[PROFILE_recent_avg_likes]) ? x[PROFILE_avg_engagement]
                                                        : x[PROFILE_recent_avg_likes]) /
                        x[PROFILE_followers]);
}

static float numeric_value(enum feature_id feature, const struct profile *p)
{
    switch (feature) {
#define FEATURE(name, group, unit, formula, inputs, expression, help) \
    case FEATURE_##name:                                              \
        return (float)(expression);
#include "features/features.def"
#undef FEATURE
    case FEATURE_N:
        break;
    }
    return NAN;
}

/* The column of a value: as it is spelled, else in other case, as the catalogue's filters have it
 * ("brazil" for "Brazil"; of several the first), else that of all others. */
static size_t level_column(const struct feature_vocabulary *vocabulary, const char *value)
{
    size_t slot = level_slot(vocabulary, value);
    if (vocabulary->slots[slot].level)
        return vocabulary->slots[slot].column;
    size_t first = SIZE_MAX;
    for (slot = 0; slot < vocabulary->size; slot++)
        if (vocabulary->slots[slot].level && vocabulary->slots[slot].column < first &&
            text_equal_fold(vocabulary->slots[slot].level, value))
            first = vocabulary->slots[slot].column;
    return first != SIZE_MAX ? first : vocabulary->other;
}

static void set_level(const struct feature_vocabulary *vocabulary, const char *value, float *raw)
{
    size_t column = vocabulary->missing;
    if (value && value[0] != '\0')
        column = is_special(value) ? vocabulary->other : level_column(vocabulary, value);
    if (column != SIZE_MAX)
        raw[column] = 1.0F;
}

/* Peer columns: the feature less what is typical of the account's peers. */
static void compare_with_peers(const struct feature_spec *spec, const struct profile *profile,
                               float *ret_raw)
{
    const float *typical = peers_of(spec->peers, profile);
    size_t next = 0;
    for (size_t i = 0; i < spec->n_columns; i++)
        if (spec->columns[i].peer != FEATURE_N)
            ret_raw[i] = numeric_value(spec->columns[i].peer, profile) - typical[next++];
}

/* Columns whose value the profile gives itself. */
static void take_given(const struct feature_spec *spec, const struct profile *profile,
                       float *ret_raw)
{
    for (size_t i = 0; i < profile->n_extras; i++) {
        const struct profile_extra *extra = &profile->extras[i];
        for (size_t c = 0; extra->name[0] == FEATURE_GIVEN && c < spec->n_columns; c++)
            if (spec->columns[c].feature != FEATURE_N &&
                strcmp(spec->columns[c].name, extra->name + 1) == 0)
                ret_raw[c] = (float)extra->number;
    }
}

uint64_t feature_extract(const struct feature_spec *spec, const struct profile *profile,
                         float *ret_raw)
{
    uint64_t missing = 0;
    for (size_t i = 0; i < spec->n_columns; i++) {
        enum feature_id feature = spec->columns[i].feature;
        ret_raw[i] = feature == FEATURE_N ? 0.0F : numeric_value(feature, profile);
        if (spec->columns[i].peer != FEATURE_N)
            ret_raw[i] = NAN;
    }
    if (spec->peers)
        compare_with_peers(spec, profile, ret_raw);
    for (size_t text = 0; text < PROFILE_N_TEXTS; text++)
        if (spec->vocabularies[text])
            set_level(spec->vocabularies[text], profile->text[text], ret_raw);
    for (size_t extra = 0; extra < spec->n_extras; extra++)
        feature_extra_extract(spec, extra, profile, ret_raw);
    if (profile->n_extras > 0)
        take_given(spec, profile, ret_raw);
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        if (spec->inputs >> i & 1 && isnan(profile->number[i]))
            missing |= UINT64_C(1) << i;
    return missing;
}

void feature_scale(const struct feature_spec *spec, const float *raw, float *ret_x)
{
    for (size_t i = 0; i < spec->n_columns; i++) {
        const struct feature_column *column = &spec->columns[i];
        float x = isnan(raw[i]) ? column->fill : raw[i];
        ret_x[i] = (x - column->mean) / column->scale;
    }
}
