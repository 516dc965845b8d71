/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/target.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "dataset/words.h"
#include "learn/leakage.h"
#include "profile/parse.h"

#define MIN_CLASS_ROWS 5

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
    target->extra = SIZE_MAX;
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

enum status target_count_classes(struct target *target, struct error *err)
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
        target->class_names[target->n_classes++] = TARGET_OTHER;
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
    return target_count_classes(target, err);
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
    for (size_t i = 0; extra->number && i < n_rows; i++)
        if (!isnan(extra->number[i]))
            add_row(target, i, extra->number[i]);
    if (extra->number)
        return STATUS_OK;
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
    target->extra = table_find_extra(table, column);
    if (target->extra != SIZE_MAX)
        return extra_target(&table->extras[target->extra], table->n_rows, target, err);
    return no_such_column(table, column, err);
}

/* What stands in the file for the class: "yes", where it was read as 1. */
static const char *word_of(const struct table_extra *extra, const struct target *target, double y)
{
    double number;
    for (size_t i = 0; extra && extra->text && i < target->n; i++) {
        const char *text = extra->text[target->rows[i]];
        if (target->y[i] == y && text)
            return read_number(text, &number) ? NULL : text;
    }
    return NULL;
}

/* A number that is only ever one of two is a question of which. extra: the column, where it is one
 * of the table's own. */
static enum status split_in_two(const struct table_extra *extra, struct target *target,
                                struct error *err)
{
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t i = 0; i < target->n && target->task == TASK_REGRESSION; i++) {
        low = fmin(low, target->y[i]);
        high = fmax(high, target->y[i]);
    }
    if (!(low < high))
        return STATUS_OK;
    for (size_t i = 0; i < target->n; i++)
        if (target->y[i] != low && target->y[i] != high)
            return STATUS_OK;
    char text[2][TEXT_NUMBER_BYTES];
    text_format_number(low, text[0]);
    text_format_number(high, text[1]);
    const char *const words[] = {word_of(extra, target, low), word_of(extra, target, high)};
    const char *const names[] = {words[0] ? words[0] : text[0], words[1] ? words[1] : text[1]};
    return target_cut(target, &low, 1, names, err);
}

static enum status settle(const struct table *table, struct target *target, struct error *err)
{
    const struct table_extra *extra =
        target->extra == SIZE_MAX ? NULL : &table->extras[target->extra];
    if (target->n == 0)
        return fail(err, STATUS_INVALID, "column '%s' is empty", target->name);
    return split_in_two(extra, target, err);
}

enum status target_of_extra(const struct table *table, size_t extra, struct target **ret_target,
                            struct error *err)
{
    const struct table_extra *column = &table->extras[extra];
    AUTO(target_free_slot) struct target *target = target_new(column->name, table->n_rows);
    if (!target)
        return out_of_memory(err);
    target->extra = extra;
    TRY(extra_target(column, table->n_rows, target, err));
    TRY(settle(table, target, err));
    *ret_target = STEAL(target);
    return STATUS_OK;
}

enum status target_column(const struct table *table, const char *column, struct target **ret_target,
                          struct error *err)
{
    char folded[WORDS_KEY_BYTES];
    size_t extra = table_find_extra(table, column);
    words_fold_header(column, folded);
    const char *name = column;
    if (extra != SIZE_MAX)
        name = table->extras[extra].name;
    else if (profile_field_find(folded, strlen(folded)))
        name = folded;
    AUTO(target_free_slot) struct target *target = target_new(name, table->n_rows);
    if (!target)
        return out_of_memory(err);
    TRY(fill_target(table, name, target, err));
    TRY(settle(table, target, err));
    *ret_target = STEAL(target);
    return STATUS_OK;
}

/* ---- a sample ---- */

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

enum status target_keep(struct target *target, const bool *keep, struct error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < target->n; i++) {
        if (!keep[target->rows[i]])
            continue;
        target->rows[n] = target->rows[i];
        target->y[n] = target->y[i];
        target->label[n] = target->label[i];
        if (target->group)
            target->group[n] = target->group[i];
        n++;
    }
    size_t n_before = target->n;
    target->n = n;
    if (n == 0)
        return fail(err, STATUS_INVALID, "no row that has '%s' is left", target->name);
    TRY(renumber_groups(target, n_before, err));
    if (target->task != TASK_CLASSIFICATION)
        return STATUS_OK;
    TRY(target_count_classes(target, err));
    target_drop_empty(target);
    return STATUS_OK;
}

/* The rows at the positions of `keep`; n: at most so many. */
static enum status take_part(const struct target *target, const bool *keep, size_t n,
                             struct target **ret_part, struct error *err)
{
    AUTO(target_free_slot) struct target *part = target_new(target->name, n);
    if (!part)
        return out_of_memory(err);
    if (target->group && !(part->group = ARENA_ARRAY(&part->memory, uint32_t, n + 1)))
        return out_of_memory(err);
    for (size_t i = 0; i < target->n; i++) {
        if (!keep[i])
            continue;
        part->label[part->n] = target->label[i];
        if (target->group && part->group)
            part->group[part->n] = target->group[i];
        add_row(part, target->rows[i], target->y[i]);
    }
    TRY(renumber_groups(part, target->n, err));
    part->task = target->task;
    part->n_classes = target->n_classes;
    part->hidden = target->hidden;
    part->extra = target->extra;
    memcpy(part->hidden_text, target->hidden_text, sizeof part->hidden_text);
    part->class_names = ARENA_ARRAY(&part->memory, const char *, target->n_classes + 1);
    if (!part->class_names)
        return out_of_memory(err);
    for (size_t c = 0; c < target->n_classes; c++) {
        part->class_names[c] = arena_strdup(&part->memory, target->class_names[c]);
        if (!part->class_names[c])
            return out_of_memory(err);
    }
    TRY(target_count_classes(part, err));
    *ret_part = STEAL(part);
    return STATUS_OK;
}

enum status target_sample(const struct target *target, size_t n, uint64_t seed,
                          struct target **ret_sample, struct error *err)
{
    AUTO(free_slot) size_t *place = calloc(target->n + 1, sizeof *place);
    AUTO(free_slot) bool *keep = calloc(target->n + 1, sizeof *keep);
    if (!place || !keep)
        return out_of_memory(err);
    struct rng rng = rng_seed(seed);
    rng_permutation(&rng, place, target->n);
    for (size_t i = 0; i < target->n; i++)
        keep[i] = place[i] < n;
    return take_part(target, keep, n, ret_sample, err);
}

enum status target_part(const struct target *target, const bool *keep, struct target **ret_part,
                        struct error *err)
{
    return take_part(target, keep, target->n, ret_part, err);
}

bool target_is_ordered(const struct target *target)
{
    return target->task == TASK_CLASSIFICATION && target->n > 0 && !isnan(target->y[0]);
}
