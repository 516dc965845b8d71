/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/timing.h"

#include <math.h>
#include <string.h>

#include "explore/put.h"
#include "explore/text_table.h"
#include "profile/profile.h"

static bool has_hour(const struct lift *post)
{
    return post->hour >= 0 && post->weekday >= 0;
}

/* Posts of one account, [begin, end): each against the mean of those whose hour is known. */
static void add_account(const struct lift *begin, const struct lift *end, struct timing *timing)
{
    double sum = 0;
    size_t n = 0;
    for (const struct lift *post = begin; post < end; post++)
        if (has_hour(post)) {
            sum += post->ln_likes;
            n++;
        }
    for (const struct lift *post = begin; post < end; post++)
        if (has_hour(post)) {
            timing->count[post->weekday][post->hour]++;
            timing->lift[post->weekday][post->hour] += post->ln_likes - sum / (double)n;
        }
    timing->n += n;
}

void timing_compute(const struct lifts *lifts, const char *why, struct timing *ret_timing)
{
    struct timing timing = {0};
    size_t n = lifts ? lifts->n : 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = begin + 1;
        while (end < n && lifts->posts[end].row == lifts->posts[begin].row)
            end++;
        add_account(lifts->posts + begin, lifts->posts + end, &timing);
    }
    for (size_t day = 0; day < TIMING_DAYS; day++)
        for (size_t hour = 0; hour < TIMING_HOURS; hour++) {
            size_t count = timing.count[day][hour];
            timing.lift[day][hour] =
                count < TIMING_MIN_POSTS ? MISSING : timing.lift[day][hour] / (double)count;
        }
    if (!lifts)
        timing.absent = why ? why : "timing needs posts with their time: give --posts FILE";
    else if (timing.n == 0)
        timing.absent = "timing needs the hour of posts: these tell their day only";
    *ret_timing = timing;
}

void timing_put(const struct timing *timing, struct json_writer *w)
{
    if (timing->absent) {
        put_absent(w, "timing", timing->absent);
        return;
    }
    json_put_key(w, "timing");
    json_begin_object(w);
    json_member_string(w, "utc_offset_note",
                       "hours are those of UTC, as where the accounts live is not known to the "
                       "hour; posts of the files' last two days still gather likes and are left "
                       "out, as are accounts with fewer than three");
    json_member_integer(w, "posts", (int64_t)timing->n);
    json_put_key(w, "hour_weekday");
    json_begin_array(w);
    for (size_t day = 0; day < TIMING_DAYS; day++) {
        json_begin_array(w);
        for (size_t hour = 0; hour < TIMING_HOURS; hour++)
            json_put_integer(w, (int64_t)timing->count[day][hour]);
        json_end_array(w);
    }
    json_end_array(w);
    json_put_key(w, "lift");
    json_begin_array(w);
    for (size_t day = 0; day < TIMING_DAYS; day++) {
        json_begin_array(w);
        for (size_t hour = 0; hour < TIMING_HOURS; hour++)
            put_figure(w, timing->lift[day][hour], 3);
        json_end_array(w);
    }
    json_end_array(w);
    json_end_object(w);
}

/* The hours of a weekday that do best and worst, "19 h +12 %"; "" where too few posts tell. */
static void describe_hour(const double *lift, int sign, char *text, size_t size)
{
    int found = -1;
    for (int hour = 0; hour < TIMING_HOURS; hour++)
        if (!isnan(lift[hour]) && (found < 0 || sign * lift[hour] > sign * lift[found]))
            found = hour;
    *text = '\0';
    if (found >= 0)
        snprintf(text, size, "%02d h %+.0f %%", found, 100 * expm1(lift[found]));
}

void timing_print(const struct timing *timing, int width, FILE *out)
{
    static const char *const headers[] = {"weekday", ">posts", "0 h to 23 h UTC",
                                          "most likes above", "most below"};
    static const char *const days[TIMING_DAYS] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                  "Friday", "Saturday", "Sunday"};
    if (timing->absent)
        return;
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t day = 0; day < TIMING_DAYS; day++) {
        size_t n = 0;
        char best[32], worst[32];
        struct buffer spark = {0};
        for (size_t hour = 0; hour < TIMING_HOURS; hour++)
            n += timing->count[day][hour];
        text_put_sparkline(&spark, timing->count[day], TIMING_HOURS, TIMING_HOURS);
        describe_hour(timing->lift[day], 1, best, sizeof best);
        describe_hour(timing->lift[day], -1, worst, sizeof worst);
        text_table_put(&table, days[day]);
        text_table_printf(&table, "%zu", n);
        text_table_put(&table, spark.at);
        text_table_put(&table, best);
        text_table_put(&table, worst);
        buffer_deinit(&spark);
    }
    fprintf(out,
            "\nWHEN POSTS ARE MADE (%zu posts; likes beside their account's usual, extremes of 24 "
            "partly "
            "luck)\n",
            timing->n);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}
