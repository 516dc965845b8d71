/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "learn/design_inner.h"
#include "learn/leakage.h"

#define LEVEL_ROWS 50.0   /* tell enough of a level, whatever its share */
#define CHECKED_ROWS 5000 /* rows that decide on presence and sameness */

static const enum profile_text usable_texts[] = {PROFILE_category, PROFILE_country,
                                                 PROFILE_audience_country, PROFILE_community};

bool design_takes_text(enum profile_text text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(usable_texts); i++)
        if (usable_texts[i] == text)
            return true;
    return false;
}

void design_profile(const struct table *table, size_t row, struct profile *ret_profile)
{
    table_profile(table, row, ret_profile);
    feature_prepare(ret_profile);
}

/* ---- choosing ---- */

static enum status all_features_spec(struct feature_spec **ret_spec, struct error *err)
{
    const char *names[FEATURE_N];
    float zeros[FEATURE_N] = {0};
    float ones[FEATURE_N];
    for (size_t f = 0; f < FEATURE_N; f++) {
        names[f] = feature_definitions[f].name;
        ones[f] = 1.0F;
    }
    return feature_spec_new(names, zeros, zeros, ones, FEATURE_N, ret_spec, err);
}

static enum status take_sample(const struct table *table, struct design_sample *sample,
                               struct error *err)
{
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    TRY(all_features_spec(&spec, err));
    sample->n = table->n_rows < CHECKED_ROWS ? table->n_rows : CHECKED_ROWS;
    sample->values = calloc(sample->n * FEATURE_N + 1, sizeof *sample->values);
    if (!sample->values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < sample->n; i++) {
        struct profile profile;
        float raw[FEATURE_N];
        design_profile(table, i * table->n_rows / sample->n, &profile);
        feature_extract(spec, &profile, raw);
        for (size_t f = 0; f < FEATURE_N; f++)
            sample->values[f * sample->n + i] = raw[f];
    }
    return STATUS_OK;
}

static void sample_deinit(struct design_sample *sample)
{
    free(sample->values);
}

static void choose_features(const struct design_sample *sample, struct design *design)
{
    const struct design_options *options = &design->options;
    for (size_t f = 0; f < FEATURE_N; f++) {
        const float *values = sample->values + f * sample->n;
        if (options->excluded[f] || leakage_hides(options->hidden, (enum feature_id)f) ||
            !design_is_usable(values, sample->n))
            continue;
        bool same = false;
        for (size_t i = 0; i < design->n_features && !same; i++)
            same =
                design_is_same(values, sample->values + design->features[i] * sample->n, sample->n);
        if (!same)
            design->features[design->n_features++] = (enum feature_id)f;
    }
}

static bool text_varies(const struct table *table, enum profile_text text)
{
    const char *const *column = (const char *const *)table->text[text];
    for (size_t i = 1; column && i < table->n_rows; i++)
        if ((column[i] == NULL) != (column[0] == NULL) ||
            (column[i] && strcmp(column[i], column[0]) != 0))
            return true;
    return false;
}

static bool sees_words(const struct table *table, const struct design_options *options,
                       enum profile_text text)
{
    return !options->no_texts && !options->hidden_text[text] && text_varies(table, text);
}

enum status design_choose(const struct table *table, const struct design_options *options,
                          struct design *ret_design, struct error *err)
{
    AUTO(sample_deinit) struct design_sample sample = {0};
    TRY(take_sample(table, &sample, err));
    struct design design = {.options = *options};
    if (design.options.max_levels == 0)
        design.options.max_levels = 12;
    if (design.options.min_level_share <= 0)
        design.options.min_level_share = 0.05;
    choose_features(&sample, &design);
    size_t n_texts = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(usable_texts) && !options->no_texts; i++) {
        enum profile_text text = usable_texts[i];
        design.texts[text] = !options->hidden_text[text] && text_varies(table, text);
        n_texts += design.texts[text];
    }
    design.hashtags = sees_words(table, options, PROFILE_hashtags);
    design.brands = sees_words(table, options, PROFILE_brands);
    if (options->peers)
        design_choose_peers(table, &design);
    TRY(design_choose_extras(table, &sample, &design, err));
    design.options.hidden_extra = NULL;
    design.has_columns = design.n_features + n_texts + design.n_extras > 0;
    design.is_empty = !design.has_columns && !design.hashtags && !design.brands;
    if (design.is_empty && !options->may_be_empty)
        return fail(err, STATUS_INVALID,
                    "no usable columns: the table fills no feature that may be seen");
    *ret_design = design;
    return STATUS_OK;
}

/* ---- fitting ---- */

/* A spec in the making. */
struct draft {
    struct arena memory;
    const char *names[FEATURE_MAX_COLUMNS];
    float fill[FEATURE_MAX_COLUMNS], mean[FEATURE_MAX_COLUMNS], scale[FEATURE_MAX_COLUMNS];
    size_t n;
    struct feature_peers peers;
};

static void draft_free(struct draft *draft)
{
    if (!draft)
        return;
    arena_deinit(&draft->memory);
    free(draft);
}
DEFINE_SLOT(draft_free, struct draft)

/* The rows that a spec is estimated on. */
struct fit_rows {
    const size_t *rows;
    size_t n;
};

static enum status add_column(struct draft *draft, const char *name, struct error *err)
{
    if (!name)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (draft->n == FEATURE_MAX_COLUMNS)
        return fail(err, STATUS_LIMIT, "more than %d feature columns", FEATURE_MAX_COLUMNS);
    draft->names[draft->n] = name;
    draft->scale[draft->n++] = 1.0F;
    return STATUS_OK;
}

/* The levels of a text column as columns "<prefix><level>". */
static enum status add_levels(const struct design *design, const char *prefix,
                              const char *const *column, const struct fit_rows *rows,
                              struct draft *draft, struct error *err)
{
    AUTO(free_slot) struct design_level *levels = NULL;
    size_t n_levels = 0;
    if (!prefix)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(design_count_levels(column, rows->rows, rows->n, &levels, &n_levels, err));
    double share = design->options.min_level_share * (double)rows->n;
    double least = fmax(fmin(share, LEVEL_ROWS), 5.0);
    for (size_t i = 0; i < n_levels && i < design->options.max_levels; i++) {
        if ((double)levels[i].count < least)
            break;
        if (levels[i].text[0] == '(') /* would read as a special level */
            continue;
        TRY(add_column(draft, arena_printf(&draft->memory, "%s%s", prefix, levels[i].text), err));
    }
    TRY(add_column(draft, arena_printf(&draft->memory, "%s%s", prefix, FEATURE_LEVEL_OTHER), err));
    return add_column(draft, arena_printf(&draft->memory, "%s%s", prefix, FEATURE_LEVEL_MISSING),
                      err);
}

static enum status add_extra(const struct design *design, const struct design_extra *extra,
                             const struct table_extra *column, const struct fit_rows *rows,
                             struct draft *draft, struct error *err)
{
    if (extra->is_text)
        return add_levels(design,
                          arena_printf(&draft->memory, "%s%s=", FEATURE_TEXT_EXTRA, column->name),
                          (const char *const *)column->text, rows, draft, err);
    return add_column(draft,
                      arena_printf(&draft->memory, "%s%s",
                                   extra->is_log ? FEATURE_LN_EXTRA : FEATURE_EXTRA, column->name),
                      err);
}

/* Median of the present values, then mean and deviation with it filled in. */
static void estimate_number(float *values, size_t n, struct draft *draft, size_t column)
{
    size_t n_present = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            values[n_present++] = values[i];
    if (n_present == 0)
        return;
    sort_floats(values, n_present);
    float median = (values[(n_present - 1) / 2] + values[n_present / 2]) / 2.0F;
    double sum = 0;
    for (size_t i = 0; i < n_present; i++)
        sum += (double)values[i];
    double mean = (sum + (double)(n - n_present) * (double)median) / (double)n;
    double squares = (double)(n - n_present) * pow((double)median - mean, 2);
    for (size_t i = 0; i < n_present; i++)
        squares += pow((double)values[i] - mean, 2);
    double deviation = sqrt(squares / (double)n);
    draft->fill[column] = median;
    draft->mean[column] = (float)mean;
    draft->scale[column] = deviation > 1e-6 ? (float)deviation : 1.0F;
}

/* Levels keep one scale for all, so that rare ones are not blown up. */
static void estimate_level(const struct design *design, const float *values, size_t n,
                           struct draft *draft, size_t column)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    bool distances = design->options.level_weight > 0;
    draft->mean[column] = distances ? 0.0F : (float)(sum / (double)n);
    draft->scale[column] = distances ? (float)(M_SQRT2 / design->options.level_weight) : 0.5F;
}

/* A spec of what the draft has so far. */
static enum status draft_finish(const struct draft *draft, struct feature_spec **ret_spec,
                                struct error *err)
{
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    TRY(feature_spec_new(draft->names, draft->fill, draft->mean, draft->scale, draft->n, &spec,
                         err));
    if (draft->peers.n_columns > 0)
        TRY(peers_set(spec, &draft->peers, err));
    *ret_spec = STEAL(spec);
    return STATUS_OK;
}

static enum status estimate(const struct design *design, const struct table *table,
                            const size_t *rows, size_t n, struct draft *draft, struct error *err)
{
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    TRY(draft_finish(draft, &spec, err));
    AUTO(matrix_deinit) struct matrix matrix = {0};
    TRY(matrix_make(spec, table, rows, n, &matrix, err));
    AUTO(free_slot) float *values = calloc(n + 1, sizeof *values);
    if (!values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t column = 0; column < draft->n; column++) {
        for (size_t i = 0; i < n; i++)
            values[i] = matrix.raw[i * matrix.p + column];
        if (feature_is_level(&spec->columns[column]))
            estimate_level(design, values, n, draft, column);
        else
            estimate_number(values, n, draft, column);
    }
    return STATUS_OK;
}

enum status design_fit(const struct design *design, const struct table *table, const size_t *rows,
                       size_t n, struct feature_spec **ret_spec, struct error *err)
{
    AUTO(draft_free_slot) struct draft *draft = calloc(1, sizeof *draft);
    if (!draft)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&draft->memory, 4096);
    struct fit_rows fit_rows = {rows, n};
    for (size_t i = 0; i < design->n_features; i++)
        TRY(add_column(draft, feature_definitions[design->features[i]].name, err));
    for (size_t i = 0; i < design->n_peers; i++)
        TRY(add_column(draft,
                       arena_printf(&draft->memory, FEATURE_PEER "%s",
                                    feature_definitions[design->peers[i]].name),
                       err));
    TRY(design_fit_peers(design, table, rows, n, &draft->memory, &draft->peers, err));
    for (size_t text = 0; text < PROFILE_N_TEXTS; text++)
        if (design->texts[text])
            TRY(add_levels(design, arena_printf(&draft->memory, "%s=", profile_fields[text].name),
                           (const char *const *)table->text[text], &fit_rows, draft, err));
    for (size_t i = 0; i < design->n_extras; i++)
        TRY(add_extra(design, &design->extras[i], &table->extras[design->extras[i].index],
                      &fit_rows, draft, err));
    TRY(estimate(design, table, rows, n, draft, err));
    return draft_finish(draft, ret_spec, err);
}

/* ---- rows ---- */

enum status matrix_make(const struct feature_spec *spec, const struct table *table,
                        const size_t *rows, size_t n, struct matrix *ret_matrix, struct error *err)
{
    size_t p = spec->n_columns;
    AUTO(matrix_deinit) struct matrix matrix = {.n = n, .p = p};
    matrix.raw = calloc(n * p + 1, sizeof *matrix.raw);
    matrix.scaled = calloc(n * p + 1, sizeof *matrix.scaled);
    matrix.words = calloc(n + 1, sizeof *matrix.words);
    matrix.nodes = calloc(n + 1, sizeof *matrix.nodes);
    if (!matrix.raw || !matrix.scaled || !matrix.words || !matrix.nodes)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct profile profile;
        design_profile(table, rows[i], &profile);
        matrix.words[i] =
            (struct text_words){profile.text[PROFILE_hashtags], profile.text[PROFILE_brands]};
        matrix.nodes[i] = (uint32_t)rows[i];
        feature_extract(spec, &profile, matrix.raw + i * p);
        feature_scale(spec, matrix.raw + i * p, matrix.scaled + i * p);
    }
    ret_matrix->n = n;
    ret_matrix->p = p;
    ret_matrix->raw = STEAL(matrix.raw);
    ret_matrix->scaled = STEAL(matrix.scaled);
    ret_matrix->words = STEAL(matrix.words);
    ret_matrix->nodes = STEAL(matrix.nodes);
    return STATUS_OK;
}

void matrix_deinit(struct matrix *matrix)
{
    free(matrix->raw);
    free(matrix->scaled);
    free(matrix->words);
    free(matrix->nodes);
}
