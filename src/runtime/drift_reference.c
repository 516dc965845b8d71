/* SPDX-License-Identifier: Apache-2.0 */

/* The reference in a blob, under "<prefix>.drift": ".names" strings [features]; ".columns" u32
 * [features][2]: raw columns and bins of each; ".numbers" f64 [features][5]: low, high, missing,
 * unseen, spread; ".bins" f64 [2][bins]: shares, upper ends; ".rows" f64 [1]. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

#include "runtime/drift.h"

enum {
    LOW,
    HIGH,
    MISSING_SHARE,
    UNSEEN_SHARE,
    SPREAD,
    N_NUMBERS
};

static bool is_missing_level(const struct feature_column *column)
{
    return column->level && strcmp(column->level, FEATURE_LEVEL_MISSING) == 0;
}

static bool is_other_level(const struct feature_column *column)
{
    return column->level && strcmp(column->level, FEATURE_LEVEL_OTHER) == 0;
}

/* "country" of "country=Brazil". */
static size_t name_length(const struct feature_column *column)
{
    const char *end = feature_is_level(column) ? strchr(column->name, '=') : NULL;
    return end ? (size_t)(end - column->name) : strlen(column->name);
}

/* Columns from `first` on that are levels of one text; 1 for a number. */
static size_t count_columns(const struct feature_spec *spec, size_t first)
{
    const struct feature_column *column = &spec->columns[first];
    size_t length = name_length(column);
    size_t n = 1;
    while (feature_is_level(column) && first + n < spec->n_columns &&
           feature_is_level(&spec->columns[first + n]) &&
           name_length(&spec->columns[first + n]) == length &&
           strncmp(spec->columns[first + n].name, column->name, length) == 0)
        n++;
    return n;
}

/* ---- writing ---- */

struct draft {
    const struct drift_sample *sample;
    size_t n_features, n_bins;
    char *names[FEATURE_MAX_COLUMNS + 1]; /* owns */
    uint32_t shape[FEATURE_MAX_COLUMNS + 1][2];
    double numbers[FEATURE_MAX_COLUMNS + 1][N_NUMBERS];
    double *bins[2]; /* owns: shares, edges */
    double *values;  /* [rows] owns */
};

static void draft_free(struct draft *draft)
{
    if (!draft)
        return;
    for (size_t i = 0; i < draft->n_features; i++)
        free(draft->names[i]);
    free(draft->bins[0]);
    free(draft->bins[1]);
    free(draft->values);
    free(draft);
}
DEFINE_SLOT(draft_free, struct draft)

/* Bins of the n values, which are sorted in place: their deciles, those that coincide made one. */
static void add_numbers(struct draft *draft, double *values, size_t n, double *numbers)
{
    size_t first = draft->n_bins;
    double *share = draft->bins[0];
    double *edge = draft->bins[1];
    numbers[SPREAD] = 1;
    if (n == 0) {
        share[draft->n_bins] = edge[draft->n_bins] = 0;
        draft->n_bins++;
        return;
    }
    sort_doubles(values, n);
    size_t begin = 0;
    for (size_t i = 1; i <= DRIFT_BINS; i++) {
        size_t end = (n * i + DRIFT_BINS - 1) / DRIFT_BINS;
        while (end < n && values[end] == values[end - 1])
            end++; /* a value lies in one bin */
        if (end <= begin)
            continue;
        share[draft->n_bins] = (double)(end - begin) / (double)n;
        edge[draft->n_bins++] = values[end - 1];
        begin = end;
    }
    double mean = 0;
    double variance = 0;
    for (size_t i = 0; i < n; i++)
        mean += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (values[i] - mean) * (values[i] - mean) / (double)n;
    numbers[LOW] = values[0];
    numbers[HIGH] = edge[draft->n_bins - 1];
    if (variance > 0)
        numbers[SPREAD] = sqrt(variance);
    draft->shape[draft->n_features][1] = (uint32_t)(draft->n_bins - first);
}

static void add_number(struct draft *draft, size_t column)
{
    const struct drift_sample *sample = draft->sample;
    double *numbers = draft->numbers[draft->n_features];
    size_t n = 0;
    for (size_t row = 0; row < sample->n; row++) {
        float value = sample->raw[row * sample->spec->n_columns + column];
        if (!isnan(value))
            draft->values[n++] = (double)value;
    }
    numbers[MISSING_SHARE] = 1 - (double)n / (double)sample->n;
    draft->shape[draft->n_features][1] = 1;
    add_numbers(draft, draft->values, n, numbers);
}

static void add_levels(struct draft *draft, size_t first, size_t n_columns)
{
    const struct drift_sample *sample = draft->sample;
    const struct feature_spec *spec = sample->spec;
    double *numbers = draft->numbers[draft->n_features];
    double *share = draft->bins[0] + draft->n_bins;
    size_t n_known = 0;
    numbers[SPREAD] = 1;
    for (size_t c = 0; c < n_columns; c++) {
        size_t n = 0;
        for (size_t row = 0; row < sample->n; row++)
            n += sample->raw[row * spec->n_columns + first + c] > 0;
        share[c] = (double)n;
        if (is_missing_level(&spec->columns[first + c]))
            numbers[MISSING_SHARE] = (double)n / (double)sample->n;
        else
            n_known += n;
    }
    for (size_t c = 0; c < n_columns; c++) {
        bool is_missing = is_missing_level(&spec->columns[first + c]);
        share[c] = is_missing || n_known == 0 ? 0 : share[c] / (double)n_known;
        if (is_other_level(&spec->columns[first + c]))
            numbers[UNSEEN_SHARE] = share[c];
    }
    draft->n_bins += n_columns;
    draft->shape[draft->n_features][1] = (uint32_t)n_columns;
}

static void add_output(struct draft *draft)
{
    const struct drift_sample *sample = draft->sample;
    size_t k = sample->n_classes;
    double *numbers = draft->numbers[draft->n_features];
    if (k == 0) {
        memcpy(draft->values, sample->output, sample->n_output * sizeof *draft->values);
        draft->shape[draft->n_features][1] = 1;
        add_numbers(draft, draft->values, sample->n_output, numbers);
        return;
    }
    numbers[SPREAD] = 1;
    for (size_t i = 0; i < sample->n_output; i++)
        draft->bins[0][draft->n_bins + (size_t)sample->output[i]] += 1 / (double)sample->n_output;
    draft->n_bins += k;
    draft->shape[draft->n_features][1] = (uint32_t)k;
}

static enum status draft_new(const struct drift_sample *sample, struct draft **ret_draft,
                             struct error *err)
{
    AUTO(draft_free_slot) struct draft *draft = calloc(1, sizeof *draft);
    size_t n = sample->n > sample->n_output ? sample->n : sample->n_output;
    /* A number has at most DRIFT_BINS bins, a level one a column. */
    size_t most = DRIFT_BINS * (sample->spec->n_columns + 1) + sample->n_classes;
    if (draft) {
        draft->sample = sample;
        draft->bins[0] = calloc(most, sizeof *draft->bins[0]);
        draft->bins[1] = calloc(most, sizeof *draft->bins[1]);
        draft->values = calloc(n + 1, sizeof *draft->values);
    }
    if (!draft || !draft->bins[0] || !draft->bins[1] || !draft->values)
        return fail(err, STATUS_NO_MEMORY, "drift: out of memory");
    *ret_draft = STEAL(draft);
    return STATUS_OK;
}

static enum status name_feature(struct draft *draft, const char *name, size_t length,
                                struct error *err)
{
    draft->names[draft->n_features] = strndup(name, length);
    if (!draft->names[draft->n_features])
        return fail(err, STATUS_NO_MEMORY, "drift: out of memory");
    draft->n_features++;
    return STATUS_OK;
}

/* Tags of a prefix. */
static struct artifact_tag tag(const char *prefix, const char *name)
{
    return artifact_join(artifact_join(prefix, "drift").text, name);
}

static enum status write_draft(struct artifact_writer *writer, const char *prefix,
                               const struct draft *draft, struct error *err)
{
    double rows = (double)draft->sample->n;
    AUTO(free_slot) double *bins = calloc(2 * draft->n_bins + 1, sizeof *bins);
    if (!bins)
        return fail(err, STATUS_NO_MEMORY, "drift: out of memory");
    for (size_t i = 0; i < 2; i++)
        memcpy(bins + i * draft->n_bins, draft->bins[i], draft->n_bins * sizeof *bins);
    TRY(artifact_add_strings(writer, tag(prefix, "names").text, (const char *const *)draft->names,
                             draft->n_features, err));
    TRY(artifact_add(writer, tag(prefix, "columns").text, ARTIFACT_U32, draft->n_features, 2,
                     draft->shape, err));
    TRY(artifact_add(writer, tag(prefix, "numbers").text, ARTIFACT_F64, draft->n_features,
                     N_NUMBERS, draft->numbers, err));
    TRY(artifact_add(writer, tag(prefix, "bins").text, ARTIFACT_F64, 2, draft->n_bins, bins, err));
    return artifact_add(writer, tag(prefix, "rows").text, ARTIFACT_F64, 1, 1, &rows, err);
}

enum status drift_write(struct artifact_writer *writer, const char *prefix,
                        const struct drift_sample *sample, struct error *err)
{
    const struct feature_spec *spec = sample->spec;
    AUTO(draft_free_slot) struct draft *draft = NULL;
    if (sample->n == 0 || sample->n_output == 0)
        return fail(err, STATUS_INVALID, "drift: no rows to refer to");
    TRY(draft_new(sample, &draft, err));
    for (size_t first = 0; first < spec->n_columns;) {
        const struct feature_column *column = &spec->columns[first];
        size_t n = count_columns(spec, first);
        draft->shape[draft->n_features][0] = (uint32_t)n;
        if (feature_is_level(column))
            add_levels(draft, first, n);
        else
            add_number(draft, first);
        TRY(name_feature(draft, column->name, name_length(column), err));
        first += n;
    }
    add_output(draft);
    TRY(name_feature(draft, sample->output_name, strlen(sample->output_name), err));
    return write_draft(writer, prefix, draft, err);
}

/* ---- opening ---- */

struct opened {
    const struct artifact *artifact;
    const struct feature_spec *spec;
    size_t n_classes;
    struct drift_feature *features;
    struct drift_reference reference;
};

static enum status corrupt(const struct artifact *artifact, const char *section, struct error *err)
{
    return fail(err, STATUS_CORRUPT, "%s: section '%s': does not fit the model",
                artifact_name(artifact), section);
}

static bool check_bins(const struct drift_reference *reference, const struct drift_feature *f)
{
    double sum = 0;
    for (size_t i = f->first_bin; i < f->first_bin + f->n_bins; i++) {
        if (!(reference->share[i] >= 0))
            return false;
        if (!f->is_level && i > f->first_bin && !(reference->edge[i] > reference->edge[i - 1]))
            return false;
        sum += reference->share[i];
    }
    return (sum == 0 || fabs(sum - 1) < 1e-6) && f->spread > 0 && f->low <= f->high &&
           f->missing >= 0 && f->missing <= 1;
}

/* Feature i from its row of shape and numbers, behind those before it. */
static bool place(struct opened *opened, size_t i, const uint32_t *shape, const double *numbers,
                  size_t *column, size_t *bin)
{
    struct drift_feature *f = &opened->features[i];
    bool is_output = i + 1 == opened->reference.n_features;
    size_t n_columns = shape[0];
    if (is_output ? n_columns != 0 : n_columns == 0)
        return false;
    if (n_columns > opened->spec->n_columns - *column || shape[1] == 0 ||
        shape[1] > FEATURE_MAX_COLUMNS || shape[1] > opened->reference.n_bins - *bin)
        return false;
    f->is_level =
        is_output ? opened->n_classes > 0 : feature_is_level(&opened->spec->columns[*column]);
    f->first_column = *column;
    f->n_columns = n_columns;
    f->first_bin = *bin;
    f->missing_bin = f->other_bin = SIZE_MAX;
    for (size_t c = 0; c < n_columns; c++) {
        if (is_missing_level(&opened->spec->columns[*column + c]))
            f->missing_bin = c;
        if (is_other_level(&opened->spec->columns[*column + c]))
            f->other_bin = c;
    }
    f->n_bins = shape[1];
    f->low = numbers[LOW];
    f->high = numbers[HIGH];
    f->missing = numbers[MISSING_SHARE];
    f->unseen = numbers[UNSEEN_SHARE];
    f->spread = numbers[SPREAD];
    *column += n_columns;
    *bin += shape[1];
    if (is_output && f->is_level)
        return f->n_bins == opened->n_classes && check_bins(&opened->reference, f);
    if (f->is_level)
        return f->n_bins == n_columns &&
               count_columns(opened->spec, f->first_column) == n_columns &&
               check_bins(&opened->reference, f);
    return (is_output || n_columns == 1) && check_bins(&opened->reference, f);
}

static enum status open_sections(struct opened *opened, const char *prefix, struct arena *arena,
                                 struct error *err)
{
    const struct artifact *artifact = opened->artifact;
    struct drift_reference *reference = &opened->reference;
    struct artifact_section shape;
    struct artifact_section numbers;
    struct artifact_section section;
    const char *const *names = NULL;
    TRY(artifact_need_strings(artifact, tag(prefix, "names").text, ARTIFACT_ANY, arena, &names,
                              &reference->n_features, err));
    size_t n = reference->n_features;
    TRY(artifact_need(artifact, tag(prefix, "columns").text, ARTIFACT_U32, n, 2, &shape, err));
    TRY(artifact_need(artifact, tag(prefix, "numbers").text, ARTIFACT_F64, n, N_NUMBERS, &numbers,
                      err));
    TRY(artifact_need(artifact, tag(prefix, "rows").text, ARTIFACT_F64, 1, 1, &section, err));
    reference->rows = *(const double *)section.data;
    TRY(artifact_need(artifact, tag(prefix, "bins").text, ARTIFACT_F64, 2, ARTIFACT_ANY, &section,
                      err));
    reference->n_bins = section.columns;
    reference->share = section.data;
    reference->edge = reference->share + section.columns;
    reference->features = opened->features = ARENA_ARRAY(arena, struct drift_feature, n + 1);
    if (!opened->features)
        return fail(err, STATUS_NO_MEMORY, "drift: out of memory");
    size_t column = 0;
    size_t bin = 0;
    for (size_t i = 0; i < n; i++) {
        opened->features[i].name = names[i];
        if (!place(opened, i, (const uint32_t *)shape.data + 2 * i,
                   (const double *)numbers.data + N_NUMBERS * i, &column, &bin))
            return corrupt(artifact, tag(prefix, "columns").text, err);
    }
    if (n == 0 || column != opened->spec->n_columns || bin != reference->n_bins)
        return corrupt(artifact, tag(prefix, "columns").text, err);
    return STATUS_OK;
}

enum status drift_open(const struct artifact *artifact, const char *prefix,
                       const struct feature_spec *spec, size_t n_classes, struct arena *arena,
                       const struct drift_reference **ret_reference, struct error *err)
{
    struct artifact_section section;
    if (artifact_find(artifact, tag(prefix, "names").text, &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    struct opened opened = {.artifact = artifact, .spec = spec, .n_classes = n_classes};
    TRY(open_sections(&opened, prefix, arena, err));
    struct drift_reference *reference = ARENA_ARRAY(arena, struct drift_reference, 1);
    if (!reference)
        return fail(err, STATUS_NO_MEMORY, "drift: out of memory");
    *reference = opened.reference;
    *ret_reference = reference;
    return STATUS_OK;
}
