/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/work.h"
#include "profile/parse.h"

#define MIN_ROWS 5 /* for a decision by comparing columns */

/* ---- medians ---- */

/* The k-th smallest of values[0..n-1], which are reordered so that smaller ones stand before it
 * (Hoare 1961, algorithm 65). O(n) on average. */
static double select_nth(double *values, size_t n, size_t k)
{
    size_t low = 0;
    size_t high = n - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low;
        size_t j = high;
        for (;; i++, j--) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            double swap = values[i];
            values[i] = values[j];
            values[j] = swap;
        }
        /* Now values[low..j] <= pivot <= values[j+1..high], and j < high. */
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}

/* Median of values[0..n-1], which are reordered; NaN of none. */
static double median(double *values, size_t n)
{
    if (n == 0)
        return MISSING;
    double upper = select_nth(values, n, n / 2);
    if (n % 2)
        return upper;
    double lower = values[0];
    for (size_t i = 1; i < n / 2; i++)
        lower = values[i] > lower ? values[i] : lower;
    return (lower + upper) / 2;
}

/* Median of a[i] / b[i] over rows where both are above zero; *ret_n: how many. b NULL: of a. */
static double median_ratio(const double *a, const double *b, size_t n_rows, double *scratch,
                           size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < n_rows; i++)
        if (a[i] > 0 && (!b || b[i] > 0))
            scratch[n++] = b ? a[i] / b[i] : a[i];
    *ret_n = n;
    return median(scratch, n);
}

static void refuse_column(struct column *column)
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
    column->unit = factor == 1e3 ? "thousands" : factor == 1e6 ? "millions" : "billions";
    column->stats.n_suffix = column->stats.n_present;
    column->stats.n_broken = 0;
}

static void name_count_unit(struct column *column)
{
    if (column->unit[0] != '\0')
        return;
    column->unit = column->stats.n_suffix > 0 ? "numbers with k, m, b" : "numbers";
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
    for (size_t row = 0; row < work->n_rows; row++) {
        double *value = &column->numbers[row];
        if (isnan(*value) || *value == floor(*value))
            continue;
        const char *cell = work_cell(work, row, (size_t)(column - work->columns));
        struct quantity quantity;
        if (parse_quantity(cell, strlen(cell), &quantity) == PARSE_OK && quantity.has_suffix) {
            *value = round(*value);
            continue;
        }
        events_add(&work->events, RULE_scale_of_value, column->header, work_line(work, row), cell);
        *value = MISSING;
    }
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
    double ratio = median_ratio(column->numbers, followers, work->n_rows, scratch, &n);
    if (n < MIN_ROWS || !(ratio > 2))
        return STATUS_OK;
    double middle = median_ratio(followers, NULL, work->n_rows, scratch, &n);
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
    refuse_column(column);
    return STATUS_OK;
}

static bool is_per_post(const struct column *column)
{
    return column->field && column->field->kind == PROFILE_MEAN &&
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
            refuse_column(column);
            continue;
        }
        name_count_unit(column);
    }
    const double *followers = work_numbers(work, PROFILE_followers);
    for (size_t i = 0; i < work->n_columns && followers; i++) {
        struct column *column = &work->columns[i];
        if (!is_per_post(column))
            continue;
        if (!settle_means(work, column, followers))
            refuse_column(column);
        else
            TRY(check_against_followers(work, column, followers, scratch, err));
    }
    return STATUS_OK;
}

/* ---- percent or fraction ---- */

enum rate_unit {
    RATE_UNKNOWN,
    RATE_FRACTION,
    RATE_PERCENT,
};

/* Bare rates against likes per follower: the unit that agrees within a factor of five in the middle
 * row, when the other does not. */
static enum rate_unit compare_rates(const struct work *work, const double *bare, double *scratch)
{
    static const enum profile_number likes[] = {PROFILE_recent_avg_likes, PROFILE_avg_engagement,
                                                PROFILE_avg_likes};
    const double *followers = work_numbers(work, PROFILE_followers);
    for (size_t i = 0; i < ARRAY_LENGTH(likes) && followers; i++) {
        const double *numbers = work_numbers(work, likes[i]);
        size_t n = 0;
        for (size_t row = 0; row < work->n_rows && numbers; row++)
            if (bare[row] > 0 && numbers[row] > 0 && followers[row] > 0)
                scratch[n++] = bare[row] * followers[row] / numbers[row];
        if (n < MIN_ROWS)
            continue;
        double ratio = median(scratch, n);
        if (ratio > 0.2 && ratio < 5)
            return RATE_FRACTION;
        if (ratio > 20 && ratio < 500)
            return RATE_PERCENT;
    }
    return RATE_UNKNOWN;
}

/* How bare rates are to be read, and why. `percent_middle`: median of the cells with a mark, or
 * NaN. */
static enum rate_unit decide_rate(const struct work *work, const struct column *column,
                                  const double *bare, double percent_middle, double *scratch,
                                  const char **ret_why)
{
    *ret_why = "the header says so";
    if (column->match.unit == UNIT_PERCENT)
        return RATE_PERCENT;
    if (column->match.unit == UNIT_FRACTION)
        return RATE_FRACTION;
    *ret_why = "that agrees with likes per follower";
    enum rate_unit unit = compare_rates(work, bare, scratch);
    if (unit != RATE_UNKNOWN)
        return unit;
    size_t n;
    double middle = median_ratio(bare, NULL, work->n_rows, scratch, &n);
    if (n == 0)
        return RATE_FRACTION;
    if (!isnan(percent_middle)) {
        *ret_why = "that is near the cells with a percent mark";
        double ratio = middle / percent_middle;
        return ratio > 0.3 && ratio < 3    ? RATE_FRACTION
               : ratio > 30 && ratio < 300 ? RATE_PERCENT
                                           : RATE_UNKNOWN;
    }
    *ret_why = "of the size of the middle value";
    return middle < 0.08 ? RATE_FRACTION : middle > 0.4 ? RATE_PERCENT : RATE_UNKNOWN;
}

static bool has_percent_mark(const char *cell)
{
    return strchr(cell, '%') != NULL || strstr(cell, "\xEF\xBC\x85") != NULL;
}

/* bare: the cells without a mark, others NaN; returns the median of those with one. */
static double split_marks(const struct work *work, const struct column *column, double *bare,
                          double *scratch, size_t *ret_n_bare)
{
    size_t n_marked = 0;
    *ret_n_bare = 0;
    size_t index = (size_t)(column - work->columns);
    for (size_t row = 0; row < work->n_rows; row++) {
        bool marked = has_percent_mark(work_cell(work, row, index));
        bare[row] = marked ? MISSING : column->numbers[row];
        *ret_n_bare += !isnan(bare[row]);
        if (marked && column->numbers[row] > 0)
            scratch[n_marked++] = column->numbers[row];
    }
    return median(scratch, n_marked);
}

static void scale_bare(struct work *work, struct column *column, const double *bare,
                       enum rate_unit unit)
{
    bool all_bare = column->stats.n_percent == 0;
    for (size_t row = 0; row < work->n_rows; row++) {
        if (isnan(bare[row]) || unit == RATE_FRACTION || bare[row] == 0)
            continue;
        if (unit == RATE_PERCENT) {
            column->numbers[row] = bare[row] / 100;
            continue;
        }
        column->numbers[row] = MISSING;
        if (!all_bare)
            events_add(&work->events, RULE_unit_mixed, column->header, work_line(work, row),
                       work_cell(work, row, (size_t)(column - work->columns)));
    }
}

/* "engagement" over large numbers is a mean, not a rate. */
static bool is_mean_after_all(struct work *work, struct column *column, double *scratch)
{
    const struct profile_field *mean = profile_number_field(PROFILE_avg_engagement);
    size_t n;
    double middle = median_ratio(column->numbers, NULL, work->n_rows, scratch, &n);
    if (column->stats.n_percent > 0 || !(middle > 100) || work_column(work, mean))
        return false;
    column->field = mean;
    name_count_unit(column);
    return true;
}

static void settle_rate(struct work *work, struct column *column, double *bare, double *scratch)
{
    if (is_mean_after_all(work, column, scratch))
        return;
    size_t n_bare;
    double percent_middle = split_marks(work, column, bare, scratch, &n_bare);
    column->unit = "percent";
    if (n_bare == 0)
        return;
    const char *why;
    enum rate_unit unit = decide_rate(work, column, bare, percent_middle, scratch, &why);
    scale_bare(work, column, bare, unit);
    if (unit == RATE_UNKNOWN && column->stats.n_percent == 0) {
        events_add(&work->events, RULE_unit_unknown, column->header, 0, "");
        refuse_column(column);
        return;
    }
    if (unit == RATE_UNKNOWN)
        return;
    const char *name = unit == RATE_PERCENT ? "percent" : "fractions";
    column->unit = column->stats.n_percent > 0 ? "percent, and bare numbers"
                   : unit == RATE_PERCENT      ? "percent, without the mark"
                                               : "fraction";
    events_explain(&work->events, RULE_unit_decided, column->header, "bare numbers are %s: %s",
                   name, why);
}

/* "92 %" of a score are 92 points. */
static void settle_marks(const struct work *work, struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    for (size_t row = 0; row < work->n_rows && column->stats.n_percent > 0; row++) {
        if (!has_percent_mark(work_cell(work, row, index)))
            continue;
        column->numbers[row] *= 100;
        column->unit = "points, with a percent mark";
    }
}

/* ---- do the columns fit each other? ---- */

/* The middle row's ratio of what a column says to what others make of it; far from 1, one of them
 * is not what it seems. Said, not mended: nobody knows which. */
static void note_ratio(struct work *work, const struct column *column, double *ratios, size_t n,
                       const char *others)
{
    double ratio = median(ratios, n);
    if (n >= MIN_ROWS && (ratio > 10 || ratio < 0.1))
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

enum status units_settle(struct work *work, struct error *err)
{
    AUTO(free_slot) double *scratch = calloc(2 * (work->n_rows + 1), sizeof *scratch);
    if (!scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the columns");
    double *bare = scratch + work->n_rows + 1;
    TRY(settle_scales(work, scratch, err));
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        if (!column->field || !column->numbers)
            continue;
        if (column->field->kind == PROFILE_RATE)
            settle_rate(work, column, bare, scratch);
        else if (column->field->kind == PROFILE_VALUE)
            settle_marks(work, column);
    }
    compare_columns(work, scratch);
    return STATUS_OK;
}
