/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/row_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/row_filter.h"

/* ---- columns by name ---- */

/* The column as numbers [n_rows] or as texts [n_rows]. */
struct column {
    const double *number;
    const char *const *text;
};

static enum status find_column(const struct table *table, const char *option, const char *name,
                               struct column *ret_column, struct error *err)
{
    *ret_column = (struct column){0};
    const struct profile_field *field = profile_field_find(name, strlen(name));
    if (field && field->kind == PROFILE_TEXT)
        ret_column->text = (const char *const *)table->text[field->index];
    else if (field)
        ret_column->number = table->number[field->index];
    size_t extra = table_find_extra(table, name);
    if (!field && extra != SIZE_MAX) {
        ret_column->number = table->extras[extra].number;
        ret_column->text = (const char *const *)table->extras[extra].text;
    }
    if (!ret_column->number && !ret_column->text)
        return fail(err, STATUS_NOT_FOUND, "%s: the table has no column '%s'", option, name);
    return STATUS_OK;
}

enum status row_options_check_column(const struct table *table, const char *option,
                                     const char *name, struct error *err)
{
    struct column column;
    return find_column(table, option, name, &column, err);
}

/* ---- groups ---- */

struct keyed {
    const char *text;
    double number;
    size_t position;
};

static int compare_keyed(const void *a, const void *b)
{
    const struct keyed *x = a;
    const struct keyed *y = b;
    int order = x->text && y->text ? strcmp(x->text, y->text)
                                   : (x->number > y->number) - (x->number < y->number);
    return order ? order : (x->position > y->position) - (x->position < y->position);
}

static bool same_key(const struct keyed *a, const struct keyed *b)
{
    return a->text && b->text ? strcmp(a->text, b->text) == 0 : a->number == b->number;
}

/* Rows without a value are groups of their own. */
static enum status group_rows(const struct table *table, const char *name, struct target *target,
                              struct error *err)
{
    struct column column;
    TRY(find_column(table, "--group", name, &column, err));
    AUTO(free_slot) struct keyed *keyed = calloc(target->n + 1, sizeof *keyed);
    target->group = ARENA_ARRAY(&target->memory, uint32_t, target->n + 1);
    if (!keyed || !target->group)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    uint32_t n_groups = 0;
    for (size_t i = 0; i < target->n; i++) {
        size_t row = target->rows[i];
        struct keyed key = {.position = i};
        if (column.text)
            key.text = column.text[row];
        else
            key.number = column.number[row];
        if (column.text ? key.text != NULL : !isnan(key.number))
            keyed[n++] = key;
        else
            target->group[i] = n_groups++;
    }
    qsort(keyed, n, sizeof keyed[0], compare_keyed);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && !same_key(&keyed[i], &keyed[i - 1]))
            n_groups++;
        target->group[keyed[i].position] = n_groups;
    }
    return STATUS_OK;
}

/* ---- times ---- */

static enum status take_times(const struct table *table, const char *name,
                              const struct target *target, struct arena *arena,
                              const double **ret_when, struct error *err)
{
    struct column column;
    TRY(find_column(table, "--time", name, &column, err));
    if (!column.number)
        return fail(err, STATUS_INVALID, "--time: '%s' holds no numbers", name);
    double *when = ARENA_ARRAY(arena, double, target->n + 1);
    if (!when)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < target->n; i++) {
        when[i] = column.number[target->rows[i]];
        if (isnan(when[i]))
            return fail(err, STATUS_INVALID, "--time: '%s' is missing in line %u", name,
                        table->line[target->rows[i]]);
    }
    *ret_when = when;
    return STATUS_OK;
}

static enum status count_rows(const struct table *table, const char *conditions,
                              const struct target *target, struct arena *arena,
                              const bool **ret_counted, struct error *err)
{
    AUTO(free_slot) bool *keep = calloc(table->n_rows + 1, sizeof *keep);
    bool *counted = ARENA_ARRAY(arena, bool, target->n + 1);
    if (!keep || !counted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(row_filter("--scored", conditions, table, keep, err));
    for (size_t i = 0; i < target->n; i++)
        counted[i] = keep[target->rows[i]];
    *ret_counted = counted;
    return STATUS_OK;
}

enum status row_options_apply(const struct row_options *options, const struct table *table,
                              struct target *target, struct arena *arena, struct row_plan *ret_plan,
                              struct error *err)
{
    struct row_plan plan = {0};
    if (options->group && options->when)
        return fail(err, STATUS_INVALID, "--group and --time both split: only one of them can");
    if (options->group)
        TRY(group_rows(table, options->group, target, err));
    if (options->when)
        TRY(take_times(table, options->when, target, arena, &plan.when, err));
    if (options->scored)
        TRY(count_rows(table, options->scored, target, arena, &plan.counted, err));
    *ret_plan = plan;
    return STATUS_OK;
}
