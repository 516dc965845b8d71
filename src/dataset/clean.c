/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "dataset/work.h"
#include "profile/parse.h"

#define MAX_FOLLOWING 1e6   /* the platform allows 7,500; old accounts have more */
#define LARGE_ACCOUNT 10000 /* somebody likes a post of an account with so many followers */

/* Make one value missing, and say so with the cell as it stood in the file. */
static void set_missing(struct work *work, const struct column *column, size_t row, enum rule rule)
{
    events_add(&work->events, rule, column->header, work_line(work, row),
               WORK_TEXT(work, row, (size_t)(column - work->columns)));
    column->numbers[row] = MISSING;
}

static void clean_ranges(struct work *work, const struct column *column)
{
    const struct profile_field *field = column->field;
    bool is_following = field->index == PROFILE_following;
    bool has_plain = field->kind != PROFILE_MONTH && !is_following;
    for (size_t row = 0; row < work->n_rows; row++) {
        double value = column->numbers[row];
        if (isnan(value) || (has_plain && value >= field->min && value <= field->max))
            continue;
        if (value == -1 && field->min == 0)
            set_missing(work, column, row, RULE_hidden);
        else if (value < 0 && field->min == 0)
            set_missing(work, column, row, RULE_negative);
        else if (value < field->min || value > field->max)
            set_missing(work, column, row, RULE_out_of_range);
        else if (is_following && value > MAX_FOLLOWING)
            set_missing(work, column, row, RULE_implausible);
        else if (field->kind == PROFILE_MONTH && value == 1970 * 12)
            set_missing(work, column, row, RULE_epoch_date);
    }
}

/* Share of the values that are above zero and large: what a zero among them means. */
static bool zeros_stand_out(const double *values, size_t n, double large)
{
    size_t n_large = 0;
    size_t n_present = 0;
    for (size_t i = 0; i < n; i++) {
        n_present += !isnan(values[i]);
        n_large += values[i] >= large;
    }
    return n_large * 10 >= n_present * 9 && n_present > 0;
}

/* A large account has likes and engagement: zero there was written for not known. Comments can be
 * switched off and videos never made, so that their zeros stand. */
static void clean_zero_means(struct work *work, const struct column *column,
                             const double *followers)
{
    switch (column->field->index) {
    case PROFILE_avg_likes:
    case PROFILE_recent_avg_likes:
    case PROFILE_authentic_engagement:
    case PROFILE_avg_engagement:
    case PROFILE_previous_engagement:
        break;
    default:
        return;
    }
    for (size_t row = 0; row < work->n_rows; row++)
        if (column->numbers[row] == 0 && followers && followers[row] >= LARGE_ACCOUNT)
            set_missing(work, column, row, RULE_zero_is_missing);
}

static void clean_zero_counts(struct work *work, const struct column *column)
{
    int index = column->field->index;
    bool is_total = index == PROFILE_followers || index == PROFILE_total_likes ||
                    index == PROFILE_previous_followers;
    const double *likes = work_numbers(work, PROFILE_avg_likes);
    bool stand_out = is_total && zeros_stand_out(column->numbers, work->n_rows, 1000);
    for (size_t row = 0; row < work->n_rows; row++) {
        if (column->numbers[row] != 0)
            continue;
        bool impossible = index == PROFILE_posts && likes && likes[row] > 0;
        if (stand_out || impossible)
            set_missing(work, column, row, RULE_zero_is_missing);
    }
}

void clean_values(struct work *work)
{
    for (size_t i = 0; i < work->n_columns; i++)
        if (work->columns[i].field && work->columns[i].numbers)
            clean_ranges(work, &work->columns[i]);
    const double *followers = work_numbers(work, PROFILE_followers);
    for (size_t i = 0; i < work->n_columns; i++) {
        const struct column *column = &work->columns[i];
        if (!column->field || !column->numbers)
            continue;
        if (column->field->kind == PROFILE_MEAN)
            clean_zero_means(work, column, followers);
        else if (column->field->kind == PROFILE_COUNT)
            clean_zero_counts(work, column);
    }
}
