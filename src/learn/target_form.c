/* SPDX-License-Identifier: Apache-2.0 */

/* A target as words for another process, which makes the same of its own rows. What was decided by
 * looking at rows (that a column holds numbers, which values are classes of their own, where bins
 * begin) is told, so that it is decided once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/target.h"
#include "profile/parse.h"

static enum status out_of_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

void target_put_form(const struct target *target, struct json_writer *w)
{
    json_begin_object(w);
    json_member_string(w, "column", target->name);
    json_member_bool(w, "is_extra", target->extra != SIZE_MAX);
    json_member_bool(w, "classes", target->task == TASK_CLASSIFICATION);
    json_put_key(w, "names");
    json_begin_array(w);
    for (size_t c = 0; c < target->n_classes; c++)
        json_put_string(w, target->class_names[c]);
    json_end_array(w);
    json_put_key(w, "cuts");
    json_begin_array(w);
    for (size_t c = 0; c < target->n_cuts; c++)
        json_put_number(w, target->cuts[c]);
    json_end_array(w);
    json_put_key(w, "class_of_bin");
    json_begin_array(w);
    for (size_t c = 0; target->n_cuts > 0 && c <= target->n_cuts; c++)
        json_put_integer(w, (int64_t)target->class_of_bin[c]);
    json_end_array(w);
    json_end_object(w);
}

/* ---- the form, read ---- */

static enum status take_names(const struct json *names, struct target *target, struct error *err)
{
    target->class_names = ARENA_ARRAY(&target->memory, const char *, json_count(names) + 1);
    if (!target->class_names)
        return out_of_memory(err);
    for (const struct json *name = json_first(names); name; name = json_next(name)) {
        char *copy = arena_strdup(&target->memory, json_string_or(name, ""));
        if (!copy)
            return out_of_memory(err);
        target->class_names[target->n_classes++] = copy;
    }
    return STATUS_OK;
}

static enum status take_cuts(const struct json *form, struct target *target, struct error *err)
{
    const struct json *cuts = json_get(form, "cuts");
    const struct json *bins = json_get(form, "class_of_bin");
    size_t n = json_count(cuts);
    target->cuts = ARENA_ARRAY(&target->memory, double, n + 1);
    target->class_of_bin = ARENA_ARRAY(&target->memory, uint32_t, n + 1);
    if (!target->cuts || !target->class_of_bin)
        return out_of_memory(err);
    for (const struct json *cut = json_first(cuts); cut; cut = json_next(cut))
        target->cuts[target->n_cuts++] = json_number_or(cut, 0);
    size_t bin = 0;
    for (const struct json *of = json_first(bins); of && bin <= n; of = json_next(of))
        target->class_of_bin[bin++] = (uint32_t)json_number_or(of, TARGET_NO_CLASS);
    return STATUS_OK;
}

static struct target *target_new(size_t n_rows)
{
    AUTO(target_free_slot) struct target *target = calloc(1, sizeof *target);
    if (!target)
        return NULL;
    arena_init(&target->memory, 65536);
    target->extra = SIZE_MAX;
    target->rows = ARENA_ARRAY(&target->memory, size_t, n_rows + 1);
    target->y = ARENA_ARRAY(&target->memory, double, n_rows + 1);
    target->label = ARENA_ARRAY(&target->memory, uint32_t, n_rows + 1);
    if (!target->rows || !target->y || !target->label)
        return NULL;
    return STEAL(target);
}

static enum status take_form(const struct json *form, struct target *target, struct error *err)
{
    target->name = arena_strdup(&target->memory, json_string_or(json_get(form, "column"), ""));
    if (!target->name)
        return out_of_memory(err);
    target->task =
        json_bool_or(json_get(form, "classes"), false) ? TASK_CLASSIFICATION : TASK_REGRESSION;
    TRY(take_names(json_get(form, "names"), target, err));
    return take_cuts(form, target, err);
}

/* ---- rows ---- */

/* The column that is the target; one of these, or neither. */
struct column {
    const struct table *table;
    const struct profile_field *field; /* NULL: none of the record's */
    const struct table_extra *extra;   /* NULL: no column of the table's own */
};

static const char *text_of(const struct column *column, size_t row)
{
    const struct profile_field *field = column->field;
    if (field && field->kind == PROFILE_TEXT && column->table->text[field->index])
        return column->table->text[field->index][row];
    return column->extra && column->extra->text ? column->extra->text[row] : NULL;
}

/* As target_column() reads it. */
static double number_of(const struct column *column, size_t row)
{
    const struct table_extra *extra = column->extra;
    if (column->field && column->field->kind != PROFILE_TEXT) {
        struct profile profile;
        table_profile(column->table, row, &profile);
        feature_prepare(&profile);
        return profile.number[column->field->index];
    }
    if (!extra || extra->number)
        return extra ? extra->number[row] : MISSING;
    struct quantity quantity;
    const char *text = extra->text ? extra->text[row] : NULL;
    return text && parse_quantity(text, strlen(text), &quantity) == PARSE_OK ? quantity.value
                                                                             : MISSING;
}

static uint32_t class_of_number(const struct target *target, double y)
{
    uint32_t bin = 0;
    while (bin < target->n_cuts && y > target->cuts[bin])
        bin++;
    return target->class_of_bin[bin];
}

static uint32_t class_of_text(const struct target *target, const char *text)
{
    uint32_t other = TARGET_NO_CLASS;
    for (size_t c = 0; c < target->n_classes; c++) {
        if (strcmp(target->class_names[c], text) == 0)
            return (uint32_t)c;
        if (strcmp(target->class_names[c], TARGET_OTHER) == 0)
            other = (uint32_t)c;
    }
    return other;
}

static void add_row(struct target *target, size_t row, double y, uint32_t label)
{
    if (label >= target->n_classes && target->task == TASK_CLASSIFICATION)
        return;
    target->rows[target->n] = row;
    target->y[target->n] = y;
    target->label[target->n++] = label;
}

static void add_rows(struct target *target, const struct column *column)
{
    bool numbers = target->task == TASK_REGRESSION || target->n_cuts > 0;
    for (size_t row = 0; row < column->table->n_rows; row++) {
        const char *text = numbers ? NULL : text_of(column, row);
        double y = numbers ? number_of(column, row) : MISSING;
        if (!isnan(y))
            add_row(target, row, y, target->n_cuts > 0 ? class_of_number(target, y) : 0);
        else if (text && text[0] != '\0')
            add_row(target, row, MISSING, class_of_text(target, text));
    }
}

enum status target_of_form(const struct json *form, const struct table *table,
                           struct target **ret_target, struct error *err)
{
    AUTO(target_free_slot) struct target *target = target_new(table->n_rows);
    if (!target)
        return out_of_memory(err);
    TRY(take_form(form, target, err));
    size_t extra = table_find_extra(table, target->name);
    bool is_extra = json_bool_or(json_get(form, "is_extra"), false);
    struct column column = {.table = table};
    if (!is_extra)
        column.field = profile_field_find(target->name, strlen(target->name));
    else if (extra != SIZE_MAX)
        column.extra = &table->extras[extra];
    add_rows(target, &column);
    TRY(target_count_classes(target, err));
    *ret_target = STEAL(target);
    return STATUS_OK;
}
