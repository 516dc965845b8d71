/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/post_table.h"

#include <math.h>
#include <stdlib.h>

#define TARGET_NAME "post_lift"

enum post_number {
    POST_LIFT, /* the target; first */
    POST_HOUR,
    POST_HOUR_SIN,
    POST_HOUR_COS,
    POST_WEEKEND,
    POST_AGE,
    POST_GAP,
    POST_SPONSORED,
    POST_LOCATION,
    POST_HASHTAGS,
    POST_MENTIONS,
    POST_CAPTION,
    POST_VIDEO_,
    POST_CAROUSEL_,
    N_POST_NUMBERS
};

static const char *const number_names[N_POST_NUMBERS] = {
    TARGET_NAME,     "post_hour",           "post_hour_sin",  "post_hour_cos", "post_weekend",
    "post_age_days", "post_gap_days",       "post_sponsored", "post_location", "post_hashtags",
    "post_mentions", "post_caption_length", "post_video",     "post_carousel",
};

/* Those that are also set against the account's other posts; ln(1 + x) first where true. */
static const struct {
    enum post_number number;
    const char *name;
    bool is_log;
} relative[] = {
    {POST_AGE, "post_age_vs_own", true},
    {POST_GAP, "post_gap_vs_own", true},
    {POST_HASHTAGS, "post_hashtags_vs_own", true},
    {POST_MENTIONS, "post_mentions_vs_own", true},
    {POST_CAPTION, "post_caption_vs_own", true},
    {POST_VIDEO_, "post_video_vs_own", false},
    {POST_CAROUSEL_, "post_carousel_vs_own", false},
    {POST_SPONSORED, "post_sponsored_vs_own", false},
};
#define N_RELATIVE ARRAY_LENGTH(relative)

static const char *const weekday_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the table of posts");
}

static double flag_of(const struct lift *post, enum post_type type)
{
    return post->type == POST_UNKNOWN ? MISSING : post->type == type;
}

static double value_of(const struct lift *post, enum post_number number)
{
    double turn = post->hour < 0 ? MISSING : 2 * M_PI * (post->hour + 0.5) / 24;
    switch (number) {
    case POST_LIFT:
        return post->lift;
    case POST_HOUR:
        return post->hour < 0 ? MISSING : post->hour;
    case POST_HOUR_SIN:
        return sin(turn);
    case POST_HOUR_COS:
        return cos(turn);
    case POST_WEEKEND:
        return post->weekday >= 5;
    case POST_AGE:
        return post->age_days;
    case POST_GAP:
        return post->gap_days;
    case POST_SPONSORED:
        return post->is_sponsored;
    case POST_LOCATION:
        return post->has_location;
    case POST_HASHTAGS:
        return post->n_hashtags;
    case POST_MENTIONS:
        return post->n_mentions;
    case POST_CAPTION:
        return post->caption_length;
    case POST_VIDEO_:
        return flag_of(post, POST_VIDEO);
    case POST_CAROUSEL_:
        return flag_of(post, POST_CAROUSEL);
    case N_POST_NUMBERS:
        break;
    }
    return MISSING;
}

/* value less the mean of the account's other posts; posts: [n] of one account. */
static void set_relative(const double *value, size_t n, bool is_log, double *ret)
{
    double sum = 0;
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++) {
        double x = is_log ? log1p(value[i]) : value[i];
        if (isnan(x))
            continue;
        sum += x;
        n_known++;
    }
    for (size_t i = 0; i < n; i++) {
        double x = is_log ? log1p(value[i]) : value[i];
        ret[i] = n_known > 1 ? x - (sum - x) / (double)(n_known - 1) : MISSING;
    }
}

static void fill_relative(const struct lifts *lifts, const double *value, bool is_log, double *ret)
{
    for (size_t begin = 0; begin < lifts->n;) {
        size_t end = begin + 1;
        while (end < lifts->n && lifts->posts[end].row == lifts->posts[begin].row)
            end++;
        set_relative(value + begin, end - begin, is_log, ret + begin);
        begin = end;
    }
}

/* What the account's posts before tell: how much its likes vary, and where the last one lay. Only
 * earlier ones, which whoever posts knows; posts: [n] of one account, by time. */
static void set_history(const struct lift *posts, size_t n, double *ret_spread, double *ret_last)
{
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        ret_spread[i] = i > 1 ? sqrt(squares / (double)(i - 1)) : MISSING;
        ret_last[i] = MISSING;
        if (i > 1) /* `mean` is of the last one too */
            ret_last[i] = (posts[i - 1].ln_likes - mean) * (double)i / (double)(i - 1);
        double off = posts[i].ln_likes - mean;
        mean += off / (double)(i + 1);
        squares += off * (posts[i].ln_likes - mean);
    }
}

static enum status fill_history(struct table *table, const struct lifts *lifts,
                                struct table_extra *ret_extras, struct error *err)
{
    double *spread = ARENA_ARRAY(&table->memory, double, lifts->n + 1);
    double *last = ARENA_ARRAY(&table->memory, double, lifts->n + 1);
    if (!spread || !last)
        return no_memory(err);
    for (size_t begin = 0; begin < lifts->n;) {
        size_t end = begin + 1;
        while (end < lifts->n && lifts->posts[end].row == lifts->posts[begin].row)
            end++;
        set_history(lifts->posts + begin, end - begin, spread + begin, last + begin);
        begin = end;
    }
    ret_extras[0] = (struct table_extra){.name = "post_spread_before", .number = spread};
    ret_extras[1] = (struct table_extra){.name = "post_last_vs_before", .number = last};
    return STATUS_OK;
}

static enum status fill_extras(struct table *table, const struct lifts *lifts, struct error *err)
{
    struct arena *arena = &table->memory;
    size_t n = N_POST_NUMBERS + N_RELATIVE + 4;
    table->extras = ARENA_ARRAY(arena, struct table_extra, n);
    if (!table->extras)
        return no_memory(err);
    for (size_t i = 0; i < N_POST_NUMBERS + N_RELATIVE; i++) {
        struct table_extra *extra = &table->extras[i];
        extra->number = ARENA_ARRAY(arena, double, lifts->n + 1);
        if (!extra->number)
            return no_memory(err);
        if (i >= N_POST_NUMBERS) {
            size_t r = i - N_POST_NUMBERS;
            extra->name = relative[r].name;
            fill_relative(lifts, table->extras[relative[r].number].number, relative[r].is_log,
                          extra->number);
            continue;
        }
        extra->name = number_names[i];
        for (size_t p = 0; p < lifts->n; p++)
            extra->number[p] = value_of(&lifts->posts[p], (enum post_number)i);
    }
    const char **type = ARENA_ARRAY(arena, const char *, lifts->n + 1);
    const char **weekday = ARENA_ARRAY(arena, const char *, lifts->n + 1);
    if (!type || !weekday)
        return no_memory(err);
    for (size_t p = 0; p < lifts->n; p++) {
        const struct lift *post = &lifts->posts[p];
        type[p] = post->type == POST_UNKNOWN ? NULL : post_type_names[post->type];
        weekday[p] = post->weekday < 0 ? NULL : weekday_names[post->weekday];
    }
    TRY(fill_history(table, lifts, &table->extras[n - 4], err));
    table->extras[n - 2] = (struct table_extra){.name = "post_type", .text = type};
    table->extras[n - 1] = (struct table_extra){.name = "post_weekday", .text = weekday};
    table->n_extras = n;
    return STATUS_OK;
}

/* The account's fields, but what is only an aggregate of posts. */
static enum status fill_fields(struct table *table, const struct table *accounts,
                               const struct lifts *lifts, struct error *err)
{
    struct arena *arena = &table->memory;
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++) {
        if (!accounts->number[f] || (f >= PROFILE_post_sample && f <= PROFILE_hour_concentration))
            continue;
        table->number[f] = ARENA_ARRAY(arena, double, lifts->n + 1);
        if (!table->number[f])
            return no_memory(err);
        for (size_t p = 0; p < lifts->n; p++)
            table->number[f][p] = accounts->number[f][lifts->posts[p].row];
    }
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++) {
        if (t != PROFILE_hashtags && !accounts->text[t])
            continue;
        table->text[t] = ARENA_ARRAY(arena, const char *, lifts->n + 1);
        if (!table->text[t])
            return no_memory(err);
        for (size_t p = 0; p < lifts->n; p++)
            table->text[t][p] = t == PROFILE_hashtags ? lifts->posts[p].hashtags
                                                      : accounts->text[t][lifts->posts[p].row];
    }
    return STATUS_OK;
}

static enum status group_rows(const struct lifts *lifts, struct target *target, struct error *err)
{
    target->group = ARENA_ARRAY(&target->memory, uint32_t, target->n + 1);
    if (!target->group)
        return no_memory(err);
    uint32_t group = 0;
    for (size_t i = 0; i < target->n; i++) {
        group +=
            i > 0 && lifts->posts[target->rows[i]].row != lifts->posts[target->rows[i - 1]].row;
        target->group[i] = group;
    }
    return STATUS_OK;
}

enum status post_table_make(const struct table *accounts, const struct lifts *lifts,
                            struct table **ret_table, struct target **ret_target, struct error *err)
{
    AUTO(table_free_slot) struct table *table = calloc(1, sizeof *table);
    if (!table)
        return no_memory(err);
    arena_init(&table->memory, 1 << 20);
    table->n_rows = lifts->n;
    table->line = ARENA_ARRAY(&table->memory, uint32_t, lifts->n + 1);
    if (!table->line)
        return no_memory(err);
    TRY(fill_extras(table, lifts, err));
    TRY(fill_fields(table, accounts, lifts, err));
    TRY(table_read_extras(table, err));
    AUTO(target_free_slot) struct target *target = NULL;
    TRY(target_of_extra(table, POST_LIFT, &target, err));
    TRY(group_rows(lifts, target, err));
    *ret_table = STEAL(table);
    *ret_target = STEAL(target);
    return STATUS_OK;
}
