/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/units.h"

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
        if (n < UNITS_MIN_ROWS)
            continue;
        double ratio = units_median(scratch, n);
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
    double middle = units_median_ratio(bare, NULL, work->n_rows, scratch, &n);
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

static bool has_percent_mark(const struct work *work, size_t row, size_t column)
{
    if (cell_is_number(work_cell(work, row, column)))
        return false;
    const char *cell = WORK_TEXT(work, row, column);
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
        bool marked = has_percent_mark(work, row, index);
        bare[row] = marked ? MISSING : column->numbers[row];
        *ret_n_bare += !isnan(bare[row]);
        if (marked && column->numbers[row] > 0)
            scratch[n_marked++] = column->numbers[row];
    }
    return units_median(scratch, n_marked);
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
                       WORK_TEXT(work, row, (size_t)(column - work->columns)));
    }
}

/* "engagement" over large numbers is a mean, not a rate. */
static bool is_mean_after_all(struct work *work, struct column *column, double *scratch)
{
    const struct profile_field *mean = profile_number_field(PROFILE_avg_engagement);
    size_t n;
    double middle = units_median_ratio(column->numbers, NULL, work->n_rows, scratch, &n);
    if (column->stats.n_percent > 0 || !(middle > 100) || work_column(work, mean))
        return false;
    column->field = mean;
    units_name_count(column);
    return true;
}

void rates_settle(struct work *work, struct column *column, double *bare, double *scratch)
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
    column->rate = unit;
    scale_bare(work, column, bare, unit);
    if (unit == RATE_UNKNOWN && column->stats.n_percent == 0) {
        events_add(&work->events, RULE_unit_unknown, column->header, 0, "");
        units_refuse_column(column);
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

void rates_apply(struct work *work, struct column *column, double *bare, double *scratch)
{
    size_t n_bare;
    split_marks(work, column, bare, scratch, &n_bare);
    if (n_bare > 0)
        scale_bare(work, column, bare, column->rate);
}

void rates_settle_marks(const struct work *work, struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    for (size_t row = 0; row < work->n_rows && column->stats.n_percent > 0; row++) {
        if (!has_percent_mark(work, row, index))
            continue;
        column->numbers[row] *= 100;
        column->unit = "points, with a percent mark";
    }
}
