/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/compare.h"

#include <math.h>
#include <stdlib.h>

#include "explore/tally.h"

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* For each row of `after` the row of `before` of the same handle, or -1. */
struct matches {
    int32_t *before_row; /* [after->n_rows] */
    size_t in_both, appeared, gone;
};

/* ret_first_row: [before->n_rows] the row in which the handle of that order first stands. */
static enum status index_handles(const struct table *table, struct tally *tally,
                                 int32_t *ret_first_row, struct error *err)
{
    const char **handles = table->text[PROFILE_handle];
    for (size_t row = 0; handles && row < table->n_rows; row++) {
        size_t n_before = tally->n_distinct;
        if (!handles[row])
            continue;
        TRY(tally_add(tally, handles[row], err));
        if (tally->n_distinct > n_before)
            ret_first_row[n_before] = (int32_t)row;
    }
    return STATUS_OK;
}

static enum status match(const struct table *before, const struct table *after,
                         struct matches *matches, struct error *err)
{
    AUTO(tally_deinit) struct tally old = {0}, new = {0};
    AUTO(free_slot) int32_t *old_row = calloc(before->n_rows + 1, sizeof *old_row);
    AUTO(free_slot) int32_t *new_row = calloc(after->n_rows + 1, sizeof *new_row);
    if (!old_row || !new_row)
        return no_memory(err);
    TRY(index_handles(before, &old, old_row, err));
    TRY(index_handles(after, &new, new_row, err));
    for (size_t row = 0; row < after->n_rows; row++)
        matches->before_row[row] = -1;
    const char **handles = after->text[PROFILE_handle];
    for (size_t i = 0; i < new.n_distinct; i++) {
        const struct tally_entry *entry = tally_find(&old, handles[new_row[i]]);
        if (entry)
            matches->before_row[new_row[i]] = old_row[entry->order];
        matches->in_both += entry != NULL;
    }
    matches->appeared = new.n_distinct - matches->in_both;
    matches->gone = old.n_distinct - matches->in_both;
    return STATUS_OK;
}

/* ln((offset + after) / (offset + before)): an offset of 1 would drown rates. */
static size_t take_changes(const struct frame_number *before, const struct frame_number *after,
                           const struct matches *matches, size_t n_after, double *ret_changes)
{
    double offset = after->kind == PROFILE_RATE ? 1e-4 : 1;
    size_t n = 0;
    for (size_t row = 0; row < n_after; row++) {
        if (matches->before_row[row] < 0)
            continue;
        double change = log(offset + after->values[row]) -
                        log(offset + before->values[matches->before_row[row]]);
        if (isfinite(change))
            ret_changes[n++] = change;
    }
    statistics_sort(ret_changes, n);
    return n;
}

static enum status compare_column(const struct frame_number *before,
                                  const struct frame_number *after, const struct matches *matches,
                                  const struct comparison *sizes,
                                  struct compared_column *ret_column, struct error *err)
{
    size_t rows_before = sizes->rows_before, rows_after = sizes->rows_after;
    AUTO(free_slot) double *a = calloc(rows_before + 1, sizeof *a);
    AUTO(free_slot) double *b = calloc(rows_after + 1, sizeof *b);
    if (!a || !b)
        return no_memory(err);
    size_t n_a = statistics_present(before->values, rows_before, a);
    size_t n_b = statistics_present(after->values, rows_after, b);
    statistics_sort(a, n_a);
    statistics_sort(b, n_b);
    *ret_column = (struct compared_column){
        .name = after->name,
        .unit = after->unit,
        .median_before = statistics_quantile(a, n_a, 0.5),
        .median_after = statistics_quantile(b, n_b, 0.5),
        .missing_before = 1 - (double)n_a / (double)rows_before,
        .missing_after = 1 - (double)n_b / (double)rows_after,
        .psi = statistics_psi(a, n_a, b, n_b),
        .ks = statistics_ks(a, n_a, b, n_b),
    };
    size_t n = take_changes(before, after, matches, rows_after, b);
    ret_column->n_pairs = n;
    ret_column->change = statistics_median_interval(b, n);
    return STATUS_OK;
}

static bool is_compared(const struct frame_number *column)
{
    return column->role != FRAME_EXTRA && column->kind != PROFILE_MONTH;
}

enum status compare_tables(const struct table *before, const struct table *after,
                           struct comparison *ret_comparison, struct error *err)
{
    AUTO(frame_free_slot) struct frame *old = NULL;
    AUTO(frame_free_slot) struct frame *new = NULL;
    AUTO(free_slot) int32_t *before_row = calloc(after->n_rows + 1, sizeof *before_row);
    struct matches matches = {.before_row = before_row};
    if (!before_row)
        return no_memory(err);
    if (before->n_rows == 0 || after->n_rows == 0)
        return fail(err, STATUS_INVALID, "a snapshot without rows cannot be compared");
    TRY(frame_new(before, NULL, &old, err));
    TRY(frame_new(after, NULL, &new, err));
    TRY(match(before, after, &matches, err));
    struct comparison comparison = {
        .rows_before = before->n_rows,
        .rows_after = after->n_rows,
        .in_both = matches.in_both,
        .appeared = matches.appeared,
        .gone = matches.gone,
    };
    for (size_t i = 0; i < new->n_numbers; i++) {
        const struct frame_number *same = frame_find(old, new->numbers[i].name);
        if (!same || !is_compared(&new->numbers[i]) || comparison.n_columns == COMPARE_MAX_COLUMNS)
            continue;
        TRY(compare_column(same, &new->numbers[i], &matches, &comparison,
                           &comparison.columns[comparison.n_columns], err));
        /* Names and units of the frame's own columns are constants: they outlive it. */
        comparison.n_columns++;
    }
    *ret_comparison = comparison;
    return STATUS_OK;
}
