/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/units.h"
#include "profile/parse.h"

void units_refuse_column(struct column *column)
{
    column->field = NULL;
    column->how = "ignored";
    column->is_dropped = true;
}

/* ---- scales ---- */

static double header_factor(enum schema_unit unit)
{
    switch (unit) {
    case UNIT_THOUSANDS:
        return 1e3;
    case UNIT_MILLIONS:
        return 1e6;
    case UNIT_BILLIONS:
        return 1e9;
    case UNIT_AUTO:
    case UNIT_PERCENT:
    case UNIT_FRACTION:
    case UNIT_LENGTH:
    case UNIT_PRESENCE:
        break;
    }
    return 1;
}

/* "followers (millions)": bare numbers are multiplied, unless that makes them impossible. */
static void apply_header_unit(struct work *work, struct column *column)
{
    double factor = header_factor(column->match.unit);
    if (factor == 1 || column->stats.n_suffix > 0)
        return;
    for (size_t i = 0; i < work->n_rows; i++) {
        if (column->numbers[i] * factor > column->field->max) {
            events_explain(&work->events, RULE_unit_decided, column->header,
                           "the header speaks of a larger unit, but the cells are written in full");
            return;
        }
    }
    for (size_t i = 0; i < work->n_rows; i++) /* whole again: 475.8 million is no fraction */
        column->numbers[i] = round(column->numbers[i] * factor);
    column->factor = factor;
    column->unit = factor == 1e3 ? "thousands" : factor == 1e6 ? "millions" : "billions";
    column->stats.n_suffix = column->stats.n_present;
    column->stats.n_broken = 0;
}

void units_name_count(struct column *column)
{
    if (column->unit[0] != '\0')
        return;
    column->unit = column->stats.n_suffix > 0 ? "numbers with k, m, b" : "numbers";
}

/* One that is rounded is put right, any other has lost its scale. */
static void settle_broken_values(struct work *work, struct column *column)
{
    for (size_t row = 0; row < work->n_rows; row++) {
        double *value = &column->numbers[row];
        if (isnan(*value) || *value == floor(*value))
            continue;
        const char *cell = WORK_TEXT(work, row, (size_t)(column - work->columns));
        struct quantity quantity;
        if (parse_quantity(cell, strlen(cell), &quantity) == PARSE_OK && quantity.has_suffix) {
            *value = round(*value);
            continue;
        }
        events_add(&work->events, RULE_scale_of_value, column->header, work_line(work, row), cell);
        *value = MISSING;
    }
}

/* Broken numbers without a suffix among counts: "475.8" followers. Most of a column: its suffixes
 * were stripped, and nobody can tell millions from thousands. */
static bool settle_counts(struct work *work, struct column *column)
{
    const struct number_stats *stats = &column->stats;
    if (stats->n_broken == 0)
        return true;
    if (stats->n_suffix == 0 && stats->n_broken * 50 > stats->n_present) {
        events_explain(&work->events, RULE_scale_lost, column->header,
                       "the scale cannot be told: %zu of %zu cells are broken numbers without a "
                       "suffix (k, m), which %s cannot be; the column was set aside",
                       stats->n_broken, stats->n_present, column->field->name);
        return false;
    }
    settle_broken_values(work, column);
    return true;
}

/* Means may be broken numbers; but a mean of 8.7 likes beside millions of followers lost its
 * suffix. */
static bool settle_means(struct work *work, struct column *column, const double *followers)
{
    size_t n_lost = 0;
    for (size_t row = 0; row < work->n_rows && followers; row++) {
        double value = column->numbers[row];
        n_lost +=
            value > 0 && value < 1000 && followers[row] >= 1e4 && value < followers[row] * 1e-4;
    }
    if (column->stats.n_broken == 0 || n_lost * 5 <= column->stats.n_present)
        return true;
    events_explain(
        &work->events, RULE_scale_lost, column->header,
        "the scale cannot be told: %zu of %zu cells are less than 0.01 %% of the "
        "followers, as if their suffixes (k, m) had been stripped; the column was set aside",
        n_lost, column->stats.n_present);
    return false;
}

/* Engagement of a post above the number of followers, in most rows: one of the two has a wrong
 * scale. */
static enum status check_against_followers(struct work *work, struct column *column,
                                           const double *followers, double *scratch,
                                           struct error *err)
{
    size_t n;
    double ratio = units_median_ratio(column->numbers, followers, work->n_rows, scratch, &n);
    if (n < UNITS_MIN_ROWS || !(ratio > 2))
        return STATUS_OK;
    double middle = units_median_ratio(followers, NULL, work->n_rows, scratch, &n);
    if (middle < 10000)
        return fail(err, STATUS_INVALID,
                    "the scale of the followers cannot be told: '%s' is %.3g times as large in "
                    "the middle row",
                    column->label, ratio);
    events_explain(
        &work->events, RULE_scale_lost, column->header,
        "the scale cannot be told: it is %.3g times the followers in the middle row; the "
        "column was set aside",
        ratio);
    units_refuse_column(column);
    return STATUS_OK;
}

static bool is_padded(const char *cell)
{
    return cell[0] == '0' && cell[1] >= '0' && cell[1] <= '9';
}

/* "08900" among plain counts is what is left of "0.89k" when points and suffixes are replaced one
 * by one. A column padded throughout is only that. */
static void clear_padded(struct work *work, const struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    size_t n_padded = 0;
    for (size_t row = 0; row < work->n_rows; row++)
        if (!cell_is_number(work_cell(work, row, index)))
            n_padded += is_padded(WORK_TEXT(work, row, index));
    if (n_padded == 0 || n_padded * 2 > column->stats.n_present)
        return;
    for (size_t row = 0; row < work->n_rows; row++) {
        const char *cell = WORK_TEXT(work, row, index);
        if (!is_padded(cell))
            continue;
        events_add(&work->events, RULE_padded_number, column->header, work_line(work, row), cell);
        column->numbers[row] = MISSING;
    }
}

static bool is_per_post(const struct column *column)
{
    return column->field && column->numbers && column->field->kind == PROFILE_MEAN &&
           column->field->index != PROFILE_avg_views &&
           column->field->index != PROFILE_previous_engagement;
}

static enum status settle_scales(struct work *work, double *scratch, struct error *err)
{
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        if (!column->field || !column->numbers || !is_number_kind(column->field) ||
            column->field->kind == PROFILE_RATE)
            continue;
        apply_header_unit(work, column);
        if (column->field->kind == PROFILE_COUNT && !settle_counts(work, column)) {
            if (column->field->index == PROFILE_followers)
                return fail(err, STATUS_INVALID,
                            "'%s': the scale of the followers cannot be told: %zu of %zu cells "
                            "are broken numbers without a suffix (k, m, b)",
                            column->label, column->stats.n_broken, column->stats.n_present);
            units_refuse_column(column);
            continue;
        }
        clear_padded(work, column);
        units_name_count(column);
    }
    const double *followers = work_numbers(work, PROFILE_followers);
    for (size_t i = 0; i < work->n_columns && followers; i++) {
        struct column *column = &work->columns[i];
        if (!is_per_post(column))
            continue;
        if (!settle_means(work, column, followers))
            units_refuse_column(column);
        else
            TRY(check_against_followers(work, column, followers, scratch, err));
    }
    return STATUS_OK;
}

/* ---- do the columns fit each other? ---- */

/* The middle row's ratio of what a column says to what others make of it; far from 1, one of them
 * is not what it seems. Said, not mended: nobody knows which. */
static void note_ratio(struct work *work, const struct column *column, double *ratios, size_t n,
                       const char *others)
{
    double ratio = units_median(ratios, n);
    if (n >= UNITS_MIN_ROWS && (ratio > 10 || ratio < 0.1))
        events_explain(
            &work->events, RULE_columns_disagree, column->header,
            "in the middle row this is %.2g times what %s give; a scale or a unit may be "
            "wrong",
            ratio, others);
}

static void compare_columns(struct work *work, double *scratch)
{
    const double *followers = work_numbers(work, PROFILE_followers);
    const double *posts = work_numbers(work, PROFILE_posts);
    const double *likes = work_numbers(work, PROFILE_avg_likes);
    const double *totals = work_numbers(work, PROFILE_total_likes);
    const double *rates = work_numbers(work, PROFILE_engagement_rate);
    const double *recent = work_numbers(work, PROFILE_recent_avg_likes);
    if (!recent)
        recent = work_numbers(work, PROFILE_avg_engagement);
    if (!recent)
        recent = likes;
    size_t n = 0;
    for (size_t i = 0; i < work->n_rows && rates && followers && recent; i++)
        if (rates[i] > 0 && followers[i] > 0 && recent[i] > 0)
            scratch[n++] = rates[i] * followers[i] / recent[i];
    if (n > 0)
        note_ratio(work, work_column(work, profile_number_field(PROFILE_engagement_rate)), scratch,
                   n, "likes per follower");
    n = 0;
    for (size_t i = 0; i < work->n_rows && totals && posts && likes; i++)
        if (totals[i] > 0 && posts[i] > 0 && likes[i] > 0)
            scratch[n++] = totals[i] / posts[i] / likes[i];
    if (n > 0)
        note_ratio(work, work_column(work, profile_number_field(PROFILE_total_likes)), scratch, n,
                   "posts times likes per post");
}

/* What was decided for earlier rows, for these. */
static void apply_settled(struct work *work, struct column *column, double *bare, double *scratch)
{
    if (column->field->kind == PROFILE_RATE) {
        rates_apply(work, column, bare, scratch);
        return;
    }
    for (size_t i = 0; i < work->n_rows && column->factor > 0; i++)
        column->numbers[i] = round(column->numbers[i] * column->factor);
    if (column->field->kind == PROFILE_COUNT && column->stats.n_broken > 0)
        settle_broken_values(work, column);
    clear_padded(work, column);
    if (column->field->kind == PROFILE_VALUE)
        rates_settle_marks(work, column);
}

enum status units_settle(struct work *work, struct error *err)
{
    AUTO(free_slot) double *scratch = calloc(2 * (work->n_rows + 1), sizeof *scratch);
    if (!scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the columns");
    double *bare = scratch + work->n_rows + 1;
    if (work->is_settled) {
        for (size_t i = 0; i < work->n_columns; i++)
            if (work->columns[i].field && work->columns[i].numbers &&
                is_number_kind(work->columns[i].field))
                apply_settled(work, &work->columns[i], bare, scratch);
        return STATUS_OK;
    }
    TRY(settle_scales(work, scratch, err));
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        if (!column->field || !column->numbers)
            continue;
        if (column->field->kind == PROFILE_RATE)
            rates_settle(work, column, bare, scratch);
        else if (column->field->kind == PROFILE_VALUE)
            rates_settle_marks(work, column);
    }
    compare_columns(work, scratch);
    return STATUS_OK;
}
