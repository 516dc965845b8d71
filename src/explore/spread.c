/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/spread.h"

#include <math.h>
#include <stdlib.h>

#include "explore/correlate.h"

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* The group's values that are not missing, sorted. */
static size_t gather(const double *values, const struct frame_groups *groups, int32_t group,
                     size_t n_rows, double *ret_sorted)
{
    size_t n = 0;
    for (size_t row = 0; row < n_rows; row++)
        if (groups->of_row[row] == group && !isnan(values[row]))
            ret_sorted[n++] = values[row];
    statistics_sort(ret_sorted, n);
    return n;
}

static void describe(const double *sorted, size_t n, const struct histogram *edges,
                     struct group_spread *ret_group)
{
    statistics_summarise(sorted, n, &ret_group->summary);
    ret_group->median = statistics_median_interval(sorted, n);
    struct histogram histogram;
    histogram_count(edges, sorted, n, &histogram);
    for (size_t i = 0; i < histogram.n_bins; i++)
        ret_group->counts[i] = histogram.counts[i];
}

enum status spread_compute(const struct frame *frame, const struct number_quality *column,
                           enum explore_grouping by, size_t min_rows, struct arena *memory,
                           struct spread *ret_spread, struct error *err)
{
    const struct frame_groups *groups = &frame->groups[by];
    struct spread spread = {
        .column = column,
        .by = by,
        .groups = ARENA_ARRAY(memory, struct group_spread, groups->n + 1),
    };
    AUTO(free_slot) double *sorted = calloc(frame->n_rows + 1, sizeof *sorted);
    if (!spread.groups || !sorted)
        return no_memory(err);
    for (size_t group = 0; group < groups->n; group++) {
        size_t n = gather(column->column->values, groups, (int32_t)group, frame->n_rows, sorted);
        if (n < min_rows)
            continue;
        struct group_spread *next = &spread.groups[spread.n_groups++];
        next->group = (int32_t)group;
        describe(sorted, n, &column->histogram, next);
    }
    *ret_spread = spread;
    return STATUS_OK;
}

static const struct number_quality *quality_of(const struct frame *frame,
                                               const struct quality *quality,
                                               const struct frame_number *column)
{
    return column ? &quality->numbers[column - frame->numbers] : NULL;
}

enum status spreads_compute(const struct frame *frame, const struct quality *quality,
                            struct arena *memory, struct spreads *ret_spreads, struct error *err)
{
    const struct frame_number *columns[] = {frame->measure, frame->followers, frame->score,
                                            frame->growth};
    struct spreads spreads = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        for (int by = 0; columns[i] && by < EXPLORE_N_GROUPINGS; by++) {
            /* Followers by tier say only where the tiers begin. */
            if (columns[i] == frame->followers && by == EXPLORE_TIER)
                continue;
            struct spread *spread = &spreads.items[spreads.n];
            TRY(spread_compute(frame, quality_of(frame, quality, columns[i]),
                               (enum explore_grouping)by, SPREAD_MIN_ROWS, memory, spread, err));
            spreads.n += spread->n_groups >= 2;
        }
    *ret_spreads = spreads;
    return STATUS_OK;
}

static struct interval median_of(const struct frame_number *column,
                                 const struct frame_groups *groups, int32_t group, size_t n_rows,
                                 double *scratch)
{
    if (!column)
        return (struct interval){MISSING, MISSING, MISSING};
    size_t n = gather(column->values, groups, group, n_rows, scratch);
    return statistics_median_interval(scratch, n);
}

static size_t count_group(const struct frame_groups *groups, int32_t group, size_t n_rows)
{
    size_t n = 0;
    for (size_t row = 0; row < n_rows; row++)
        n += groups->of_row[row] == group;
    return n;
}

enum status group_table_compute(const struct frame *frame, enum explore_grouping by,
                                struct arena *memory, struct group_table *ret_table,
                                struct error *err)
{
    const struct frame_groups *groups = &frame->groups[by];
    struct group_table table = {.rows = ARENA_ARRAY(memory, struct group_row, groups->n + 1)};
    AUTO(free_slot) double *scratch = calloc(frame->n_rows + 1, sizeof *scratch);
    if (!table.rows || !scratch)
        return no_memory(err);
    for (size_t i = 0; i < groups->n; i++) {
        int32_t group = (int32_t)i;
        struct group_row *row = &table.rows[table.n++];
        *row = (struct group_row){.group = group};
        row->n = count_group(groups, group, frame->n_rows);
        row->followers = median_of(frame->followers, groups, group, frame->n_rows, scratch).value;
        if (frame->measure)
            row->n_measured = gather(frame->measure->values, groups, group, frame->n_rows, scratch);
        row->measure = median_of(frame->measure, groups, group, frame->n_rows, scratch);
        row->score = median_of(frame->score, groups, group, frame->n_rows, scratch).value;
        table.n_total += row->n;
    }
    *ret_table = table;
    return STATUS_OK;
}

static enum status find_extremes(const double *values, size_t n_rows, struct growth *growth,
                                 struct error *err)
{
    AUTO(free_slot) uint32_t *order = calloc(n_rows + 1, sizeof *order);
    if (!order)
        return no_memory(err);
    size_t n = correlate_order(values, n_rows, order);
    for (size_t i = 0; i < GROWTH_ROWS && i < n; i++)
        growth->rows[growth->n_rows++] = order[n - 1 - i];
    for (size_t i = 0; i < GROWTH_ROWS && i + GROWTH_ROWS < n; i++)
        growth->rows[growth->n_rows++] = order[i];
    return STATUS_OK;
}

static enum status describe_growth(const struct frame *frame, struct growth *growth,
                                   struct error *err)
{
    const double *values = frame->growth->values;
    AUTO(free_slot) double *sorted = calloc(frame->n_rows + 1, sizeof *sorted);
    if (!sorted)
        return no_memory(err);
    size_t n = statistics_present(values, frame->n_rows, sorted);
    statistics_sort(sorted, n);
    growth->median = statistics_median_interval(sorted, n);
    size_t n_tail = n / 100;
    histogram_make(sorted + n_tail, n - 2 * n_tail, false, &growth->histogram);
    size_t n_shrinking = 0;
    while (n_shrinking < n && sorted[n_shrinking] < 0)
        n_shrinking++;
    growth->shrinking = (double)n_shrinking / (double)n;
    const struct frame_number *months = frame_find(frame, "previous_months");
    size_t n_months = months ? statistics_present(months->values, frame->n_rows, sorted) : 0;
    statistics_sort(sorted, n_months);
    growth->months = statistics_quantile(sorted, n_months, 0.5);
    return find_extremes(values, frame->n_rows, growth, err);
}

enum status growth_compute(const struct frame *frame, const struct quality *quality,
                           struct arena *memory, struct growth *ret_growth, struct error *err)
{
    struct growth growth = {.absent =
                                "growth needs two snapshots: give FILE@YYYY-MM twice or more"};
    if (frame->growth) {
        growth.absent = NULL;
        growth.column = quality_of(frame, quality, frame->growth);
        TRY(describe_growth(frame, &growth, err));
        TRY(spread_compute(frame, growth.column, EXPLORE_TIER, SPREAD_MIN_ROWS, memory,
                           &growth.by_tier, err));
        TRY(spread_compute(frame, growth.column, EXPLORE_CATEGORY, SPREAD_MIN_ROWS, memory,
                           &growth.by_category, err));
    }
    *ret_growth = growth;
    return STATUS_OK;
}
