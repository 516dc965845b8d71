/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/relations.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* The figures of the snapshot before are those of the account again. */
static bool takes_part(const struct number_quality *quality)
{
    return quality->column->kind != PROFILE_MONTH && quality->n_distinct > 1 &&
           quality->summary.n >= 4 && !text_starts_with(quality->column->name, "previous_");
}

static void choose_columns(const struct frame *frame, const struct quality *quality,
                           struct relations *relations)
{
    for (int extras = 0; extras < 2; extras++)
        for (size_t i = 0; i < frame->n_numbers; i++) {
            bool is_extra = frame->numbers[i].role == FRAME_EXTRA;
            if (is_extra == (extras == 1) && takes_part(&quality->numbers[i]) &&
                relations->n_columns < RELATIONS_MAX_COLUMNS)
                relations->columns[relations->n_columns++] = &quality->numbers[i];
        }
}

/* values, ranks, order: [n] of the caller's. */
static struct correlate_column prepare(const struct number_quality *quality, size_t n,
                                       double *values, double *ranks, uint32_t *order)
{
    for (size_t row = 0; row < n; row++)
        values[row] = quality_scaled(quality, quality->column->values[row]);
    struct correlate_column column = {values, order, correlate_order(values, n, order), NULL};
    if (column.n_present == n) {
        correlate_ranks(&column, ranks);
        column.ranks = ranks;
    }
    return column;
}

enum status relations_compute(const struct frame *frame, const struct quality *quality,
                              struct arena *memory, struct relations *ret_relations,
                              struct error *err)
{
    struct relations relations = {0};
    choose_columns(frame, quality, &relations);
    size_t k = relations.n_columns, n = frame->n_rows;
    relations.pairs = ARENA_ARRAY(memory, struct correlation, k * k / 2 + 1);
    AUTO(free_slot) double *values = calloc(k * n + 1, sizeof *values);
    AUTO(free_slot) double *ranks = calloc(k * n + 1, sizeof *ranks);
    AUTO(free_slot) double *scratch = calloc(2 * n + 1, sizeof *scratch);
    AUTO(free_slot) uint32_t *orders = calloc(k * n + 1, sizeof *orders);
    if (!relations.pairs || !values || !ranks || !scratch || !orders)
        return no_memory(err);
    struct correlate_column columns[RELATIONS_MAX_COLUMNS];
    for (size_t j = 0; j < k; j++) {
        columns[j] =
            prepare(relations.columns[j], n, values + j * n, ranks + j * n, orders + j * n);
        for (size_t i = 0; i < j; i++)
            correlate_pair(&columns[i], &columns[j], n, scratch,
                           &relations.pairs[j * (j - 1) / 2 + i]);
    }
    *ret_relations = relations;
    return STATUS_OK;
}

/* Rows with both above 0, of one category or of all (-1), as logarithms. */
static size_t gather(const struct frame *frame, int32_t category, double *x, double *y)
{
    const double *followers = frame->followers->values, *measure = frame->measure->values;
    const int32_t *of_row = frame->groups[EXPLORE_CATEGORY].of_row;
    size_t n = 0;
    for (size_t row = 0; row < frame->n_rows; row++)
        if (followers[row] > 0 && measure[row] > 0 && (category < 0 || of_row[row] == category)) {
            x[n] = log(followers[row]);
            y[n++] = log(measure[row]);
        }
    return n;
}

static void fill_band(const double *x, size_t n, struct slope *slope)
{
    double low = x[0], high = x[0];
    for (size_t i = 1; i < n; i++) {
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
    }
    for (size_t i = 0; i < SLOPE_BAND; i++) {
        double at = low + (high - low) * (double)i / (SLOPE_BAND - 1);
        struct interval fit = line_fit_at(&slope->fit, at);
        slope->band_followers[i] = exp(at);
        slope->band[i] = (struct interval){exp(fit.value), exp(fit.low), exp(fit.high)};
    }
}

static void fit_categories(const struct frame *frame, double *x, double *y, struct slope *slope)
{
    const struct frame_groups *groups = &frame->groups[EXPLORE_CATEGORY];
    for (size_t group = 0; group < groups->n; group++) {
        size_t n = gather(frame, (int32_t)group, x, y);
        struct category_slope *next = &slope->categories[slope->n_categories];
        if (n < SLOPE_MIN_ROWS || line_fit(x, y, n, &next->fit, NULL) != STATUS_OK)
            continue;
        next->group = (int32_t)group;
        slope->n_categories++;
    }
}

enum status slope_compute(const struct frame *frame, struct arena *memory, struct slope *ret_slope,
                          struct error *err)
{
    *ret_slope = (struct slope){.absent = "the table lacks followers or a figure of engagement"};
    if (!frame->followers || !frame->measure)
        return STATUS_OK;
    AUTO(free_slot) double *x = calloc(frame->n_rows + 1, 2 * sizeof *x);
    struct slope slope = {
        .categories =
            ARENA_ARRAY(memory, struct category_slope, frame->groups[EXPLORE_CATEGORY].n + 1),
    };
    if (!x || !slope.categories)
        return no_memory(err);
    double *y = x + frame->n_rows;
    size_t n = gather(frame, -1, x, y);
    ret_slope->absent = "fewer than 20 rows have followers and engagement above 0, or all have the "
                        "same followers";
    if (n < SLOPE_MIN_ROWS || line_fit(x, y, n, &slope.fit, NULL) != STATUS_OK)
        return STATUS_OK;
    slope.tenfold.value = pow(10, slope.fit.slope.value);
    slope.tenfold.low = pow(10, slope.fit.slope.low);
    slope.tenfold.high = pow(10, slope.fit.slope.high);
    fill_band(x, n, &slope);
    fit_categories(frame, x, y, &slope);
    *ret_slope = slope;
    return STATUS_OK;
}
