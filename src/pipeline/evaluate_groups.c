/* SPDX-License-Identifier: Apache-2.0 */

/* `influence evaluate`: the chosen model in each size and category of accounts, over held-out rows
 * of the first repeat. An average hides the groups that a model fails. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pipeline/by_group.h"
#include "pipeline/evaluate.h"
#include "runtime/softmax.h"

#define MIN_ROWS 10 /* of a group that is told */
#define MAX_CATEGORIES 8

/* What a row adds to its group: its absolute error, or whether it was told right. */
static double figure_of(const struct evaluation *evaluation, size_t i)
{
    const struct crossval *crossval = evaluation->crossval;
    const struct target *target = evaluation->cases.target;
    const double *output = crossval->entries[evaluation->chosen].output + i * crossval->n_outputs;
    if (target->task == TASK_REGRESSION)
        return fabs(output[0] - target->y[i]);
    return argmax(output, target->n_classes) == target->label[i];
}

static void end_group(const struct evaluation *evaluation, struct evaluation_group *group,
                      double sum, double squares)
{
    group->value = sum / (double)group->n;
    if (evaluation->cases.target->task == TASK_REGRESSION)
        mean_interval(group->n, sum, squares, &group->low, &group->high);
    else
        wilson_interval(group->value, (double)group->n, &group->low, &group->high);
}

/* ---- sizes ---- */

static void add_sizes(struct evaluation *evaluation, const struct size_tiers *sizes)
{
    const double *followers = evaluation->cases.table->number[PROFILE_followers];
    struct evaluation_groups *groups = &evaluation->groups;
    const struct crossval *crossval = evaluation->crossval;
    for (size_t size = 0; followers && size < sizes->n; size++) {
        struct evaluation_group group = {.by = "size", .name = sizes->names[size]};
        double sum = 0;
        double squares = 0;
        for (size_t c = 0; c < crossval->n_counted; c++) {
            size_t i = crossval->counted[c];
            double count = followers[evaluation->cases.target->rows[i]];
            if (isnan(count) || size_tiers_find(sizes, count) != size)
                continue;
            double figure = figure_of(evaluation, i);
            group.n++;
            sum += figure;
            squares += figure * figure;
        }
        if (group.n < MIN_ROWS)
            continue;
        end_group(evaluation, &group, sum, squares);
        groups->groups[groups->n++] = group;
    }
}

/* ---- categories ---- */

struct of_category {
    const char *name;
    double figure;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct of_category *)a)->name, ((const struct of_category *)b)->name);
}

/* Keep the largest MAX_CATEGORIES from `first` on, the larger before. */
static void keep_category(struct evaluation_groups *groups, size_t first,
                          const struct evaluation_group *group)
{
    size_t at = groups->n;
    while (at > first && groups->groups[at - 1].n < group->n)
        at--;
    if (at == first + MAX_CATEGORIES)
        return;
    if (groups->n < first + MAX_CATEGORIES)
        groups->n++;
    memmove(&groups->groups[at + 1], &groups->groups[at],
            (groups->n - 1 - at) * sizeof *groups->groups);
    groups->groups[at] = *group;
}

static enum status add_categories(struct evaluation *evaluation, struct error *err)
{
    const char *const *category =
        (const char *const *)evaluation->cases.table->text[PROFILE_category];
    const struct crossval *crossval = evaluation->crossval;
    size_t n = 0;
    if (!category)
        return STATUS_OK;
    AUTO(free_slot) struct of_category *rows = calloc(crossval->n_counted + 1, sizeof *rows);
    if (!rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t c = 0; c < crossval->n_counted; c++) {
        size_t i = crossval->counted[c];
        const char *name = category[evaluation->cases.target->rows[i]];
        if (name && name[0])
            rows[n++] = (struct of_category){name, figure_of(evaluation, i)};
    }
    if (n > 1)
        qsort(rows, n, sizeof *rows, by_name);
    size_t first = evaluation->groups.n;
    for (size_t begin = 0, end; begin < n; begin = end) {
        struct evaluation_group group = {.by = "category", .name = rows[begin].name};
        double sum = 0;
        double squares = 0;
        for (end = begin; end < n && strcmp(rows[end].name, group.name) == 0; end++) {
            sum += rows[end].figure;
            squares += rows[end].figure * rows[end].figure;
        }
        group.n = end - begin;
        if (group.n < MIN_ROWS)
            continue;
        end_group(evaluation, &group, sum, squares);
        keep_category(&evaluation->groups, first, &group);
    }
    return STATUS_OK;
}

enum status evaluation_measure_groups(struct evaluation *evaluation, struct error *err)
{
    evaluation->groups.groups =
        ARENA_ARRAY(&evaluation->memory, struct evaluation_group, TIERS_MAX + MAX_CATEGORIES + 1);
    if (!evaluation->groups.groups)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    add_sizes(evaluation, &evaluation->sizes);
    return add_categories(evaluation, err);
}

/* ---- what came out ---- */

void evaluation_print_groups(const struct evaluation *evaluation, FILE *out)
{
    const struct evaluation_groups *groups = &evaluation->groups;
    bool is_number = evaluation->cases.target->task == TASK_REGRESSION;
    if (groups->n < 2)
        return;
    fprintf(out, "\n%s of %s in each size and category, 95 %% intervals\n",
            is_number ? "mean error" : "share told right",
            evaluation->crossval->entries[evaluation->chosen].trainer->name);
    for (size_t i = 0; i < groups->n; i++) {
        const struct evaluation_group *group = &groups->groups[i];
        fprintf(out, "  %-9s %-40.40s %6zu rows  ", group->by, group->name, group->n);
        if (is_number)
            fprintf(out, "%8.4g  (%.4g to %.4g)\n", group->value, group->low, group->high);
        else
            fprintf(out, "%5.1f %%  (%.1f to %.1f)\n", 100 * group->value, 100 * group->low,
                    100 * group->high);
    }
}

void evaluation_put_groups(const struct evaluation *evaluation, struct json_writer *w)
{
    const struct evaluation_groups *groups = &evaluation->groups;
    json_put_key(w, "groups");
    json_begin_array(w);
    for (size_t i = 0; i < groups->n; i++) {
        const struct evaluation_group *group = &groups->groups[i];
        json_begin_object(w);
        json_member_string(w, "by", group->by);
        json_member_string(w, "group", group->name);
        json_member_integer(w, "rows", (int64_t)group->n);
        json_member_number(w,
                           evaluation->cases.target->task == TASK_REGRESSION ? "mae" : "accuracy",
                           group->value);
        json_member_number(w, "low", group->low);
        json_member_number(w, "high", group->high);
        json_end_object(w);
    }
    json_end_array(w);
}
