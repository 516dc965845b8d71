/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/lifts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "profile/hashtags.h"

#define DAY_S 86400.0
#define HOUR_S 3600.0
#define MAX_TAGS 30 /* of a post; the platform takes no more */

void lifts_free(struct lifts *lifts)
{
    if (!lifts)
        return;
    arena_deinit(&lifts->memory);
    free(lifts);
}

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the posts");
}

/* ---- reading ---- */

struct reading {
    struct lifts *lifts;
    size_t n_usable; /* counted by the first pass */
    double newest;
    size_t n, capacity;
    uint64_t keep_below; /* hashes of accounts that are kept */
    struct lift *posts;  /* owned until they are in order */
};

static bool is_usable(const struct post *post)
{
    return !isnan(post->likes) && !isnan(post->seconds);
}

static enum status count_post(void *user, const struct post *post, struct error *err)
{
    (void)err;
    struct reading *reading = user;
    reading->lifts->n_seen++;
    if (!is_usable(post))
        return STATUS_OK;
    reading->n_usable++;
    reading->newest = fmax(reading->newest, post->seconds);
    return STATUS_OK;
}

static enum status copy_hashtags(const struct post *post, struct arena *arena, const char **ret,
                                 struct error *err)
{
    if (!post->hashtags)
        return STATUS_OK;
    char text[MAX_TAGS * HASHTAG_BYTES];
    size_t length = 0;
    struct hashtags tags = post->hashtags_in_caption ? hashtags_of_caption(post->hashtags)
                                                     : hashtags_of(post->hashtags);
    for (int i = 0; i < MAX_TAGS && hashtags_next(&tags); i++) {
        if (length > 0)
            text[length++] = ' ';
        memcpy(text + length, tags.text, tags.length);
        length += tags.length;
    }
    if (length == 0)
        return STATUS_OK;
    *ret = arena_strndup(arena, text, length);
    return *ret ? STATUS_OK : no_memory(err);
}

static int weekday_of(double seconds)
{
    /* 1970-01-01 was a Thursday. */
    return (int)fmod(floor(seconds / DAY_S) + 3, 7);
}

static enum status keep_post(void *user, const struct post *post, struct error *err)
{
    struct reading *reading = user;
    uint32_t row = post->row;
    if (!is_usable(post) || hash_xxh3(&row, sizeof row) > reading->keep_below)
        return STATUS_OK;
    double age_days = (reading->newest - post->seconds) / DAY_S;
    if (age_days <= LIFT_MIN_DAYS) {
        reading->lifts->n_young++;
        return STATUS_OK;
    }
    if (reading->n == reading->capacity) {
        size_t more = reading->capacity ? 2 * reading->capacity : 4096;
        struct lift *larger = realloc(reading->posts, more * sizeof *larger);
        if (!larger)
            return no_memory(err);
        reading->posts = larger;
        reading->capacity = more;
    }
    struct lift *lift = &reading->posts[reading->n++];
    *lift = (struct lift){
        .row = row,
        .seconds = post->seconds,
        .age_days = age_days,
        .gap_days = MISSING,
        .hour = post->has_hour ? (int)fmod(floor(post->seconds / HOUR_S), 24) : -1,
        .weekday = weekday_of(post->seconds),
        .type = post->type,
        .ln_likes = log1p(post->likes),
        .is_sponsored = post->is_sponsored,
        .has_location = post->has_location,
        .n_hashtags = post->n_hashtags,
        .n_mentions = post->n_mentions,
        .caption_length = post->caption_length,
    };
    return copy_hashtags(post, &reading->lifts->memory, &lift->hashtags, err);
}

static enum status read_posts(const struct table *table, const struct lifts_input *input,
                              struct reading *reading, struct import_report *report,
                              struct error *err)
{
    struct handles handles;
    TRY(handles_init(&handles, table, &reading->lifts->memory, err));
    struct posts_input posts = {.files = input->files,
                                .n_files = input->n_files,
                                .handles = &handles,
                                .progress = input->progress};
    reading->newest = -INFINITY;
    TRY(posts_each(&posts, count_post, reading, report, err));
    double share = 1;
    if (input->max_posts > 0 && reading->n_usable > input->max_posts)
        share = (double)input->max_posts / (double)reading->n_usable;
    reading->lifts->accounts_share = share;
    reading->keep_below = share < 1 ? (uint64_t)(share * 0x1p63) * 2 : UINT64_MAX;
    return posts_each(&posts, keep_post, reading, NULL, err);
}

/* ---- the account's own level ---- */

static int by_account(const void *a, const void *b)
{
    const struct lift *x = a;
    const struct lift *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return (x->ln_likes > y->ln_likes) - (x->ln_likes < y->ln_likes);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of sorted [n] without its element `without`. */
static double median_without(const double *sorted, size_t n, size_t without)
{
    size_t low = (n - 2) / 2;
    size_t high = (n - 1) / 2;
    low += low >= without;
    high += high >= without;
    return (sorted[low] + sorted[high]) / 2;
}

static void lift_account(struct lift *posts, size_t n, double *sorted)
{
    for (size_t i = 0; i < n; i++)
        sorted[i] = posts[i].ln_likes;
    qsort(sorted, n, sizeof sorted[0], compare_doubles);
    for (size_t i = 0; i < n; i++) {
        const double *own =
            bsearch(&posts[i].ln_likes, sorted, n, sizeof sorted[0], compare_doubles);
        posts[i].lift = posts[i].ln_likes - median_without(sorted, n, (size_t)(own - sorted));
        if (i > 0)
            posts[i].gap_days = (posts[i].seconds - posts[i - 1].seconds) / DAY_S;
    }
}

/* Accounts with enough posts move to the front, in order. */
static enum status lift_accounts(struct reading *reading, struct error *err)
{
    struct lifts *lifts = reading->lifts;
    AUTO(free_slot) double *sorted = calloc(reading->n + 1, sizeof *sorted);
    lifts->posts = ARENA_ARRAY(&lifts->memory, struct lift, reading->n + 1);
    if (!sorted || !lifts->posts)
        return no_memory(err);
    if (reading->n > 0)
        qsort(reading->posts, reading->n, sizeof reading->posts[0], by_account);
    for (size_t begin = 0; begin < reading->n;) {
        size_t end = begin + 1;
        while (end < reading->n && reading->posts[end].row == reading->posts[begin].row)
            end++;
        if (end - begin >= LIFT_MIN_POSTS) {
            lift_account(reading->posts + begin, end - begin, sorted);
            memcpy(lifts->posts + lifts->n, reading->posts + begin,
                   (end - begin) * sizeof lifts->posts[0]);
            lifts->n += end - begin;
            lifts->n_accounts++;
        } else {
            lifts->n_few += end - begin;
        }
        begin = end;
    }
    return STATUS_OK;
}

static void reading_deinit(struct reading *reading)
{
    free(reading->posts);
}

enum status lifts_read(const struct table *table, const struct lifts_input *input,
                       struct import_report *report, struct lifts **ret_lifts, struct error *err)
{
    AUTO(lifts_free_slot) struct lifts *lifts = calloc(1, sizeof *lifts);
    if (!lifts)
        return no_memory(err);
    arena_init(&lifts->memory, 1 << 16);
    AUTO(reading_deinit) struct reading reading = {.lifts = lifts};
    TRY(read_posts(table, input, &reading, report, err));
    TRY(lift_accounts(&reading, err));
    if (lifts->n == 0)
        return fail(err, STATUS_INVALID,
                    "no post can be set against its account: it takes %d posts of one account with "
                    "likes and a time, older than %g days (of %zu posts of known accounts)",
                    LIFT_MIN_POSTS, LIFT_MIN_DAYS, lifts->n_seen);
    *ret_lifts = STEAL(lifts);
    return STATUS_OK;
}
