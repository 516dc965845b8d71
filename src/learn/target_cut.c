/* SPDX-License-Identifier: Apache-2.0 */

/* Classes made of a target: numbers cut into bins, the rare taken together. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "learn/target.h"

static enum status out_of_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

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
    target->n_cuts = n_cuts;
    target->cuts = ARENA_ARRAY(&target->memory, double, n_cuts + 1);
    target->class_of_bin = ARENA_ARRAY(&target->memory, uint32_t, n_cuts + 1);
    if (!target->class_names || !target->cuts || !target->class_of_bin)
        return out_of_memory(err);
    for (uint32_t bin = 0; bin <= n_cuts; bin++)
        target->class_of_bin[bin] = bin;
    memcpy(target->cuts, cuts, n_cuts * sizeof cuts[0]);
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
    return target_count_classes(target, err);
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

/* One class goes into another, or by TARGET_NO_CLASS nowhere. */
static void move_bins(struct target *target, size_t from, uint32_t to)
{
    for (size_t bin = 0; target->n_cuts > 0 && bin <= target->n_cuts; bin++)
        if (target->class_of_bin[bin] == from)
            target->class_of_bin[bin] = to;
}

void target_drop_empty(struct target *target)
{
    size_t n_kept = 0;
    for (size_t c = 0; c < target->n_classes; c++) {
        if (target->class_counts[c] == 0) {
            move_bins(target, c, TARGET_NO_CLASS);
            continue;
        }
        move_bins(target, c, (uint32_t)n_kept);
        for (size_t i = 0; i < target->n; i++)
            if (target->label[i] == c)
                target->label[i] = (uint32_t)n_kept;
        target->class_names[n_kept] = target->class_names[c];
        target->class_counts[n_kept++] = target->class_counts[c];
    }
    target->n_classes = n_kept;
}

enum status target_top(struct target *target, size_t k, struct error *err)
{
    if (target->task != TASK_CLASSIFICATION)
        return fail(err, STATUS_INVALID, "column '%s' holds numbers: cut them into bins first",
                    target->name);
    AUTO(free_slot) bool *stays = calloc(target->n_classes + 1, sizeof *stays);
    if (!stays)
        return out_of_memory(err);
    for (size_t i = 0; i < k && i < target->n_classes; i++) {
        size_t best = SIZE_MAX;
        for (size_t c = 0; c < target->n_classes; c++)
            if (!stays[c] && strcmp(target->class_names[c], TARGET_OTHER) != 0 &&
                (best == SIZE_MAX || target->class_counts[c] > target->class_counts[best]))
                best = c;
        if (best != SIZE_MAX)
            stays[best] = true;
    }
    size_t other = target->n_classes;
    while (other > 0 && strcmp(target->class_names[other - 1], TARGET_OTHER) != 0)
        other--;
    if (other == 0) {
        target->class_names =
            memcpy(ARENA_ARRAY(&target->memory, const char *, target->n_classes + 1),
                   target->class_names, target->n_classes * sizeof target->class_names[0]);
        target->class_names[target->n_classes++] = TARGET_OTHER;
        other = target->n_classes;
    }
    for (size_t c = 0; c < other - 1; c++)
        if (!stays[c])
            move_bins(target, c, (uint32_t)(other - 1));
    for (size_t i = 0; i < target->n; i++)
        if (target->label[i] < other - 1 && !stays[target->label[i]])
            target->label[i] = (uint32_t)(other - 1);
    TRY(target_count_classes(target, err));
    target_drop_empty(target);
    return STATUS_OK;
}
