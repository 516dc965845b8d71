/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/target.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "learn/leakage.h"
#include "profile/parse.h"

#define MIN_CLASS_ROWS 5
#define OTHER_CLASS "(other)"

void target_free(struct target *target)
{
    if (!target)
        return;
    arena_deinit(&target->memory);
    free(target);
}

static enum status out_of_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

static struct target *target_new(const char *name, size_t n)
{
    AUTO(target_free_slot) struct target *target = calloc(1, sizeof *target);
    if (!target)
        return NULL;
    arena_init(&target->memory, 65536);
    target->name = arena_strdup(&target->memory, name);
    target->rows = ARENA_ARRAY(&target->memory, size_t, n + 1);
    target->y = ARENA_ARRAY(&target->memory, double, n + 1);
    target->label = ARENA_ARRAY(&target->memory, uint32_t, n + 1);
    if (!target->name || !target->rows || !target->y || !target->label)
        return NULL;
    return STEAL(target);
}

static void add_row(struct target *target, size_t row, double y)
{
    target->rows[target->n] = row;
    target->y[target->n++] = y;
}

static enum status count_classes(struct target *target, struct error *err)
{
    target->class_counts = ARENA_ARRAY(&target->memory, size_t, target->n_classes + 1);
    if (!target->class_counts)
        return out_of_memory(err);
    for (size_t i = 0; i < target->n; i++)
        target->class_counts[target->label[i]]++;
    return STATUS_OK;
}

/* ---- texts ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The values with enough rows, in order, then "(other)" when any have not. sorted: [n]. */
static enum status name_classes(struct target *target, const char **sorted, size_t *ret_n_named,
                                struct error *err)
{
    target->class_names = ARENA_ARRAY(&target->memory, const char *, target->n + 1);
    if (!target->class_names)
        return out_of_memory(err);
    qsort(sorted, target->n, sizeof sorted[0], compare_texts);
    bool others = false;
    for (size_t begin = 0; begin < target->n;) {
        size_t end = begin + 1;
        while (end < target->n && strcmp(sorted[begin], sorted[end]) == 0)
            end++;
        if (end - begin >= MIN_CLASS_ROWS)
            target->class_names[target->n_classes++] = sorted[begin];
        else
            others = true;
        begin = end;
    }
    *ret_n_named = target->n_classes;
    if (others)
        target->class_names[target->n_classes++] = OTHER_CLASS;
    return STATUS_OK;
}

static enum status classes_of(struct target *target, const char *const *column, size_t n_rows,
                              struct error *err)
{
    AUTO(free_slot) const char **sorted = calloc(n_rows + 1, sizeof *sorted);
    if (!sorted)
        return out_of_memory(err);
    target->task = TASK_CLASSIFICATION;
    for (size_t i = 0; i < n_rows; i++) {
        if (!column[i] || column[i][0] == '\0')
            continue;
        sorted[target->n] = arena_strdup(&target->memory, column[i]);
        if (!sorted[target->n])
            return out_of_memory(err);
        add_row(target, i, MISSING);
    }
    size_t n_named = 0;
    TRY(name_classes(target, sorted, &n_named, err));
    for (size_t i = 0; i < target->n; i++) {
        const char *text = column[target->rows[i]];
        const char **found =
            bsearch(&text, target->class_names, n_named, sizeof text, compare_texts);
        target->label[i] = (uint32_t)(found ? (size_t)(found - target->class_names) : n_named);
    }
    return count_classes(target, err);
}

/* ---- numbers ---- */

static bool read_number(const char *text, double *ret_value)
{
    struct quantity quantity;
    if (!text || parse_quantity(text, strlen(text), &quantity) != PARSE_OK)
        return false;
    *ret_value = quantity.value;
    return true;
}

static bool is_missing_word(const char *text)
{
    struct quantity quantity;
    return !text || parse_quantity(text, strlen(text), &quantity) == PARSE_MISSING;
}

static bool reads_as_numbers(const char *const *column, size_t n_rows)
{
    size_t n_present = 0;
    size_t n_numbers = 0;
    for (size_t i = 0; i < n_rows; i++) {
        double value;
        if (is_missing_word(column[i]))
            continue;
        n_present++;
        n_numbers += read_number(column[i], &value);
    }
    return n_present > 0 && (double)n_numbers >= 0.9 * (double)n_present;
}

static enum status extra_target(const struct table_extra *extra, size_t n_rows,
                                struct target *target, struct error *err)
{
    const char *const *column = (const char *const *)extra->text;
    if (!reads_as_numbers(column, n_rows))
        return classes_of(target, column, n_rows, err);
    for (size_t i = 0; i < n_rows; i++) {
        double value;
        if (read_number(column[i], &value))
            add_row(target, i, value);
    }
    return STATUS_OK;
}

/* ---- a column by name ---- */

static enum status no_such_column(const struct table *table, const char *column, struct error *err)
{
    char known[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < PROFILE_N_FIELDS && used < sizeof known - 80; i++) {
        const struct profile_field *field = &profile_fields[i];
        bool there = field->kind == PROFILE_TEXT ? table->text[field->index] != NULL
                                                 : table->number[field->index] != NULL;
        if (there)
            used += (size_t)snprintf(known + used, sizeof known - used, " %s", field->name);
    }
    for (size_t i = 0; i < table->n_extras && used < sizeof known - 80; i++)
        used +=
            (size_t)snprintf(known + used, sizeof known - used, " %.60s", table->extras[i].name);
    return fail(err, STATUS_NOT_FOUND, "the table has no column '%s'; it has:%s", column, known);
}

static enum status fill_target(const struct table *table, const char *column, struct target *target,
                               struct error *err)
{
    const struct profile_field *field = profile_field_find(column, strlen(column));
    if (field && field->kind == PROFILE_TEXT && table->text[field->index]) {
        target->hidden_text[field->index] = true;
        return classes_of(target, (const char *const *)table->text[field->index], table->n_rows,
                          err);
    }
    if (field && field->kind != PROFILE_TEXT) {
        /* Prepared, so that a rate that can be computed can be a target. */
        target->hidden = leakage_hidden(table, UINT64_C(1) << field->index);
        for (size_t i = 0; i < table->n_rows; i++) {
            struct profile profile;
            table_profile(table, i, &profile);
            feature_prepare(&profile);
            if (!isnan(profile.number[field->index]))
                add_row(target, i, profile.number[field->index]);
        }
        if (target->n > 0)
            return STATUS_OK;
    }
    for (size_t i = 0; i < table->n_extras; i++)
        if (strcmp(table->extras[i].name, column) == 0)
            return extra_target(&table->extras[i], table->n_rows, target, err);
    return no_such_column(table, column, err);
}

enum status target_column(const struct table *table, const char *column, struct target **ret_target,
                          struct error *err)
{
    AUTO(target_free_slot) struct target *target = target_new(column, table->n_rows);
    if (!target)
        return out_of_memory(err);
    TRY(fill_target(table, column, target, err));
    if (target->n == 0)
        return fail(err, STATUS_INVALID, "column '%s' is empty", column);
    *ret_target = STEAL(target);
    return STATUS_OK;
}

/* ---- classes from numbers ---- */

static char *range_name(struct arena *arena, const double *cuts, size_t n_cuts, size_t bin)
{
    char low[TEXT_NUMBER_BYTES] = "";
    char high[TEXT_NUMBER_BYTES] = "";
    if (bin > 0)
        text_format_number(cuts[bin - 1], low);
    if (bin < n_cuts)
        text_format_number(cuts[bin], high);
    if (bin == 0)
        return arena_printf(arena, "<= %s", high);
    if (bin == n_cuts)
        return arena_printf(arena, "> %s", low);
    return arena_printf(arena, "%s .. %s", low, high);
}

enum status target_cut(struct target *target, const double *cuts, size_t n_cuts,
                       const char *const *names, struct error *err)
{
    if (target->task != TASK_REGRESSION)
        return fail(err, STATUS_INVALID, "column '%s' holds classes: it cannot be cut into bins",
                    target->name);
    for (size_t c = 0; c + 1 < n_cuts; c++)
        if (!(cuts[c] < cuts[c + 1]))
            return fail(err, STATUS_INVALID, "bins must rise: %g, %g", cuts[c], cuts[c + 1]);
    target->task = TASK_CLASSIFICATION;
    target->n_classes = n_cuts + 1;
    target->class_names = ARENA_ARRAY(&target->memory, const char *, n_cuts + 1);
    if (!target->class_names)
        return out_of_memory(err);
    for (size_t c = 0; c <= n_cuts; c++) {
        target->class_names[c] = names ? arena_strdup(&target->memory, names[c])
                                       : range_name(&target->memory, cuts, n_cuts, c);
        if (!target->class_names[c])
            return out_of_memory(err);
    }
    for (size_t i = 0; i < target->n; i++) {
        uint32_t bin = 0;
        while (bin < n_cuts && target->y[i] > cuts[bin])
            bin++;
        target->label[i] = bin;
    }
    return count_classes(target, err);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

enum status target_quantiles(const struct target *target, size_t n_bins, double *ret_cuts,
                             struct error *err)
{
    AUTO(free_slot) double *sorted = malloc((target->n + 1) * sizeof *sorted);
    if (!sorted)
        return out_of_memory(err);
    memcpy(sorted, target->y, target->n * sizeof *sorted);
    qsort(sorted, target->n, sizeof sorted[0], compare_doubles);
    for (size_t c = 1; c < n_bins; c++) {
        double at = (double)c / (double)n_bins * (double)(target->n - 1);
        size_t low = (size_t)at;
        size_t high = low + 1 < target->n ? low + 1 : low;
        ret_cuts[c - 1] = sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
        if (c > 1 && !(ret_cuts[c - 1] > ret_cuts[c - 2]))
            return fail(err, STATUS_INVALID, "column '%s' has too many ties for %zu bins",
                        target->name, n_bins);
    }
    return STATUS_OK;
}

void target_drop_empty(struct target *target)
{
    size_t n_kept = 0;
    for (size_t c = 0; c < target->n_classes; c++) {
        if (target->class_counts[c] == 0)
            continue;
        for (size_t i = 0; i < target->n; i++)
            if (target->label[i] == c)
                target->label[i] = (uint32_t)n_kept;
        target->class_names[n_kept] = target->class_names[c];
        target->class_counts[n_kept++] = target->class_counts[c];
    }
    target->n_classes = n_kept;
}

/* Numbers below n again, in the order in which the groups first stand. */
static enum status renumber_groups(struct target *sample, size_t n_before, struct error *err)
{
    AUTO(free_slot) uint32_t *number = calloc(n_before + 1, sizeof *number); /* 1 + new */
    if (!number)
        return out_of_memory(err);
    uint32_t n_groups = 0;
    for (size_t i = 0; sample->group && i < sample->n; i++) {
        uint32_t *known = &number[sample->group[i]];
        if (*known == 0)
            *known = ++n_groups;
        sample->group[i] = *known - 1;
    }
    return STATUS_OK;
}

enum status target_sample(const struct target *target, size_t n, uint64_t seed,
                          struct target **ret_sample, struct error *err)
{
    AUTO(target_free_slot) struct target *sample = target_new(target->name, n);
    AUTO(free_slot) size_t *place = calloc(target->n + 1, sizeof *place);
    if (!sample || !place)
        return out_of_memory(err);
    if (target->group && !(sample->group = ARENA_ARRAY(&sample->memory, uint32_t, n + 1)))
        return out_of_memory(err);
    struct rng rng = rng_seed(seed);
    rng_permutation(&rng, place, target->n);
    for (size_t i = 0; i < target->n; i++) {
        if (place[i] >= n)
            continue;
        sample->label[sample->n] = target->label[i];
        if (sample->group)
            sample->group[sample->n] = target->group[i];
        add_row(sample, target->rows[i], target->y[i]);
    }
    TRY(renumber_groups(sample, target->n, err));
    sample->task = target->task;
    sample->n_classes = target->n_classes;
    sample->hidden = target->hidden;
    memcpy(sample->hidden_text, target->hidden_text, sizeof sample->hidden_text);
    sample->class_names = ARENA_ARRAY(&sample->memory, const char *, target->n_classes + 1);
    if (!sample->class_names)
        return out_of_memory(err);
    for (size_t c = 0; c < target->n_classes; c++) {
        sample->class_names[c] = arena_strdup(&sample->memory, target->class_names[c]);
        if (!sample->class_names[c])
            return out_of_memory(err);
    }
    TRY(count_classes(sample, err));
    *ret_sample = STEAL(sample);
    return STATUS_OK;
}
