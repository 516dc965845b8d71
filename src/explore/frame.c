/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "explore/groups.h"
#include "explore/statistics.h"
#include "features/spec.h"
#include "profile/parse.h"

/* A column of texts counts as numbers when at least this share of its values reads as such. */
#define NUMERIC_SHARE 0.95

/* A figure stands for engagement when at least this share of rows has it. */
#define MEASURE_SHARE 0.5

/* A column numbers the rows when it has at least so many whole numbers, and spans few more. */
#define COUNTER_MIN_ROWS 20
#define COUNTER_MAX_GAPS 1.25

#define N_DERIVED 2

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

static double share_present(const double *values, size_t n)
{
    size_t n_present = 0;
    for (size_t i = 0; i < n; i++)
        n_present += !isnan(values[i]);
    return n ? (double)n_present / (double)n : 0;
}

/* The extra column's texts as numbers, or NULL when it is none; *ret_failed: out of memory. */
static const double *read_numbers(struct frame *frame, const struct table_extra *extra,
                                  bool *ret_failed)
{
    double *values = ARENA_ARRAY(&frame->memory, double, frame->n_rows);
    if (!values) {
        *ret_failed = true;
        return NULL;
    }
    size_t n_good = 0, n_bad = 0;
    for (size_t row = 0; row < frame->n_rows; row++) {
        const char *text = extra->text[row];
        struct quantity quantity;
        values[row] = MISSING;
        if (!text)
            continue;
        enum parse_result result = parse_quantity(text, strlen(text), &quantity);
        if (result == PARSE_OK)
            values[row] = quantity.value;
        n_good += result == PARSE_OK;
        n_bad += result == PARSE_BAD;
    }
    bool is_numeric = n_good && (double)n_good >= NUMERIC_SHARE * (double)(n_good + n_bad);
    return is_numeric ? values : NULL;
}

static bool are_flags(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] < 0 || values[i] > 1 || (values[i] > 0 && values[i] < 1))
            return false;
    return true;
}

/* Whether the column numbers the rows ("S.no"): whole numbers from 0 or 1 on, none twice and hardly
 * one left out. Such a number is a name, and would correlate with whatever the file is sorted by.
 */
static bool numbers_the_rows(struct frame *frame, const double *values)
{
    AUTO(free_slot) double *sorted = calloc(frame->n_rows + 1, sizeof *sorted);
    if (!sorted)
        return false;
    size_t n = statistics_present(values, frame->n_rows, sorted);
    statistics_sort(sorted, n);
    if (n < COUNTER_MIN_ROWS || sorted[0] < 0 || sorted[0] > (double)n ||
        sorted[n - 1] - sorted[0] > COUNTER_MAX_GAPS * (double)n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (sorted[i] != floor(sorted[i]) || (i > 0 && sorted[i] == sorted[i - 1]))
            return false;
    return true;
}

static enum status add_extra(struct frame *frame, const struct table_extra *extra,
                             struct error *err)
{
    bool failed = false;
    const double *values = read_numbers(frame, extra, &failed);
    if (failed)
        return no_memory(err);
    if (values && !numbers_the_rows(frame, values))
        frame->numbers[frame->n_numbers++] = (struct frame_number){
            .name = extra->name,
            .unit = "",
            .help = "a column of the file that is no profile field",
            .kind = are_flags(values, frame->n_rows) ? PROFILE_FLAG : PROFILE_VALUE,
            .role = FRAME_EXTRA,
            .values = values,
        };
    else
        frame->texts[frame->n_texts++] = (struct frame_text){
            .name = extra->name,
            .help = "a column of the file that is no profile field",
            .role = FRAME_EXTRA,
            .values = extra->text,
        };
    return STATUS_OK;
}

static bool is_synthetic_mark(const struct table_extra *extra, size_t n_rows)
{
    if (strcmp(extra->name, "synthetic") != 0)
        return false;
    for (size_t row = 0; row < n_rows; row++)
        if (!extra->text[row] || strcmp(extra->text[row], "1") != 0)
            return false;
    return true;
}

static enum status add_columns(struct frame *frame, struct error *err)
{
    const struct table *table = frame->table;
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        const struct profile_field *field = &profile_fields[i];
        if (field->kind == PROFILE_TEXT && table->text[field->index])
            frame->texts[frame->n_texts++] = (struct frame_text){
                .name = field->name,
                .help = field->help,
                .values = table->text[field->index],
            };
        else if (field->kind != PROFILE_TEXT && table->number[field->index])
            frame->numbers[frame->n_numbers++] = (struct frame_number){
                .name = field->name,
                .unit = field->unit,
                .help = field->help,
                .kind = field->kind,
                .values = table->number[field->index],
            };
    }
    for (size_t i = 0; i < table->n_extras; i++) {
        if (is_synthetic_mark(&table->extras[i], table->n_rows))
            frame->is_synthetic = true;
        else
            TRY(add_extra(frame, &table->extras[i], err));
    }
    return STATUS_OK;
}

/* The engagement rate and the growth that features see, row by row. */
static enum status add_derived(struct frame *frame, struct error *err)
{
    static const char *const names[] = {"follower_growth"};
    static const float zero[] = {0}, one[] = {1};
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    TRY(feature_spec_new(names, zero, zero, one, 1, &spec, err));
    double *rate = ARENA_ARRAY(&frame->memory, double, frame->n_rows);
    double *growth = ARENA_ARRAY(&frame->memory, double, frame->n_rows);
    if (!rate || !growth)
        return no_memory(err);
    for (size_t row = 0; row < frame->n_rows; row++) {
        struct profile profile;
        table_profile(frame->table, row, &profile);
        feature_prepare(&profile);
        rate[row] = profile.number[PROFILE_engagement_rate];
        float value;
        feature_extract(spec, &profile, &value);
        growth[row] = (double)value;
    }
    bool has_rate = frame->table->number[PROFILE_engagement_rate] != NULL;
    if (!has_rate && share_present(rate, frame->n_rows) > 0)
        frame->numbers[frame->n_numbers++] = (struct frame_number){
            .name = "engagement_rate",
            .unit = "fraction",
            .help = "engagements a post, divided by followers",
            .kind = PROFILE_RATE,
            .role = FRAME_DERIVED,
            .values = rate,
        };
    if (share_present(growth, frame->n_rows) > 0)
        frame->numbers[frame->n_numbers++] = (struct frame_number){
            .name = "follower_growth",
            .unit = "percent a month",
            .help = "100 ln of followers over those before, by month",
            .kind = PROFILE_VALUE,
            .role = FRAME_DERIVED,
            .values = growth,
        };
    return STATUS_OK;
}

static void choose_measure(struct frame *frame)
{
    static const struct {
        const char *name, *label, *text;
    } choices[] = {
        {"engagement_rate", "Engagement rate", "engagements a post divided by followers"},
        {"avg_engagement", "Average engagement", "mean likes and comments a post"},
        {"avg_likes", "Average number of likes", "mean likes a post"},
        {"avg_views", "Average number of views", "mean views a video"},
        {"posts", "Number of posts", "posts made so far: the table has no figure of engagement"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(choices) && !frame->measure; i++) {
        const struct frame_number *number = frame_find(frame, choices[i].name);
        if (!number || share_present(number->values, frame->n_rows) < MEASURE_SHARE)
            continue;
        frame->measure = number;
        frame->measure_label = choices[i].label;
        frame->measure_text = choices[i].text;
        if (i == 0 && number->role == FRAME_FIELD)
            frame->measure_text = "as given in the data";
    }
}

static enum status group_rows(struct frame *frame, const struct explore_sizes *sizes,
                              struct error *err)
{
    const struct table *table = frame->table;
    if (frame->followers)
        TRY(groups_by_size(frame->followers->values, frame->n_rows, sizes, &frame->memory,
                           &frame->groups[EXPLORE_TIER], err));
    if (table->text[PROFILE_category])
        TRY(groups_by_text(table->text[PROFILE_category], frame->n_rows, &frame->memory,
                           &frame->groups[EXPLORE_CATEGORY], err));
    const char **country = table->text[PROFILE_country] ? table->text[PROFILE_country]
                                                        : table->text[PROFILE_audience_country];
    if (country)
        TRY(groups_by_text(country, frame->n_rows, &frame->memory, &frame->groups[EXPLORE_COUNTRY],
                           err));
    return STATUS_OK;
}

enum status frame_new(const struct table *table, const struct explore_sizes *sizes,
                      struct frame **ret_frame, struct error *err)
{
    AUTO(frame_free_slot) struct frame *frame = calloc(1, sizeof *frame);
    if (!frame)
        return no_memory(err);
    arena_init(&frame->memory, 1U << 16);
    frame->table = table;
    frame->n_rows = table->n_rows;
    size_t n_most = PROFILE_N_FIELDS + table->n_extras + N_DERIVED;
    frame->numbers = ARENA_ARRAY(&frame->memory, struct frame_number, n_most);
    frame->texts = ARENA_ARRAY(&frame->memory, struct frame_text, n_most);
    if (!frame->numbers || !frame->texts)
        return no_memory(err);
    TRY(add_columns(frame, err));
    TRY(add_derived(frame, err));
    frame->followers = frame_find(frame, "followers");
    frame->score = frame_find(frame, "influence_score");
    frame->growth = frame_find(frame, "follower_growth");
    choose_measure(frame);
    TRY(group_rows(frame, sizes ? sizes : &explore_default_sizes, err));
    *ret_frame = STEAL(frame);
    return STATUS_OK;
}

void frame_free(struct frame *frame)
{
    if (!frame)
        return;
    arena_deinit(&frame->memory);
    free(frame);
}

const struct frame_number *frame_find(const struct frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->n_numbers; i++)
        if (strcmp(frame->numbers[i].name, name) == 0)
            return &frame->numbers[i];
    return NULL;
}

const char *frame_handle(const struct frame *frame, size_t row)
{
    const char **handles = frame->table->text[PROFILE_handle];
    return handles ? handles[row] : NULL;
}
