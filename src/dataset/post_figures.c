/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/post_figures.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "dataset/moment.h"
#include "profile/hashtags.h"

#define DAY_S 86400.0
#define WEEK_S (7 * DAY_S)
#define YEAR_S (365.25 * DAY_S)

/* Fewer posts say nothing of a spread, a trend or a share of hits. */
#define MIN_POSTS 3
#define MIN_TREND_SPREAD_S (2 * DAY_S) /* sd of the times, below which a slope is noise */
#define HIT_RATIO 1.5
#define MAX_TREND 1000.0

void moments_add(struct moments *moments, double x)
{
    if (isnan(x))
        return;
    moments->n++;
    double off = x - moments->mean;
    moments->mean += off / moments->n;
    moments->squares += off * (x - moments->mean);
}

void post_figures_deinit(struct post_figures *figures)
{
    free(figures->likes_sample);
    free(figures->newest);
    tag_sketch_deinit(&figures->tags);
}

static enum status reserve(void **array, uint16_t *capacity, size_t n, size_t size,
                           struct error *err)
{
    if (n < *capacity)
        return STATUS_OK;
    size_t wanted = *capacity ? 2U * *capacity : 4U;
    void *bigger = realloc(*array, wanted * size);
    if (!bigger)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *array = bigger;
    *capacity = (uint16_t)wanted;
    return STATUS_OK;
}

/* Algorithm R: post number i takes a place in the sample with probability POST_SAMPLE / i. */
static enum status sample_likes(struct post_figures *figures, double likes, uint64_t seed,
                                struct error *err)
{
    if (figures->n_likes < POST_SAMPLE) {
        void *array = figures->likes_sample;
        TRY(reserve(&array, &figures->likes_capacity, figures->n_likes,
                    sizeof *figures->likes_sample, err));
        figures->likes_sample = array;
        figures->likes_sample[figures->n_likes++] = (float)likes;
        return STATUS_OK;
    }
    struct rng rng = rng_seed(seed ^ (uint64_t)figures->ln_likes.n * UINT64_C(0x9E3779B97F4A7C15));
    uint64_t place = rng_below(&rng, (uint64_t)figures->ln_likes.n);
    if (place < POST_SAMPLE)
        figures->likes_sample[place] = (float)likes;
    return STATUS_OK;
}

/* ---- the newest times ---- */

static void sift_down(uint32_t *heap, size_t n)
{
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
            if (heap[child] < heap[least])
                least = child;
        if (least == i)
            return;
        uint32_t moved = heap[i];
        heap[i] = heap[least];
        heap[least] = moved;
        i = least;
    }
}

static void sift_up(uint32_t *heap, size_t i)
{
    while (i > 0 && heap[(i - 1) / 2] > heap[i]) {
        uint32_t moved = heap[i];
        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = moved;
        i = (i - 1) / 2;
    }
}

static enum status keep_newest(struct post_figures *figures, double seconds, struct error *err)
{
    uint32_t time = seconds < (double)UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
    if (figures->n_newest < POST_SAMPLE) {
        void *array = figures->newest;
        TRY(reserve(&array, &figures->newest_capacity, figures->n_newest, sizeof *figures->newest,
                    err));
        figures->newest = array;
        figures->newest[figures->n_newest] = time;
        sift_up(figures->newest, figures->n_newest++);
    } else if (time > figures->newest[0]) {
        figures->newest[0] = time;
        sift_down(figures->newest, figures->n_newest);
    }
    return STATUS_OK;
}

/* ---- adding ---- */

static enum status add_time(struct post_figures *figures, const struct post *post,
                            struct error *err)
{
    double seconds = post->seconds;
    if (figures->dated.n == 0 || seconds < figures->first_second)
        figures->first_second = seconds;
    if (figures->dated.n == 0 || seconds > figures->last_second)
        figures->last_second = seconds;
    moments_add(&figures->dated, 1);
    moments_add(&figures->is_weekend, moment_weekday(seconds) >= 5);
    if (post->has_hour) {
        double angle = 2 * M_PI * fmod(seconds, DAY_S) / DAY_S;
        figures->n_hours++;
        figures->hour_cos += cos(angle);
        figures->hour_sin += sin(angle);
    } else {
        figures->has_days_only = true;
    }
    return keep_newest(figures, seconds, err);
}

static void add_trend(struct post_figures *figures, double seconds, double ln_likes)
{
    double year = seconds / YEAR_S;
    double off = year - figures->year.mean;
    moments_add(&figures->year, year);
    moments_add(&figures->ln_likes_dated, ln_likes);
    if (figures->year.n == 1)
        off = 0;
    figures->covariance += off * (ln_likes - figures->ln_likes_dated.mean);
}

static enum status add_likes(struct post_figures *figures, const struct post *post, uint64_t seed,
                             struct error *err)
{
    double ln_likes = log1p(post->likes);
    moments_add(&figures->ln_likes, ln_likes);
    if (!isnan(post->is_sponsored))
        moments_add(&figures->ln_likes_by_sponsor[post->is_sponsored > 0], ln_likes);
    if (!isnan(post->seconds))
        add_trend(figures, post->seconds, ln_likes);
    return sample_likes(figures, post->likes, seed, err);
}

static enum status add_hashtags(struct post_figures *figures, const struct post *post,
                                struct error *err)
{
    struct hashtags tags = post->hashtags_in_caption ? hashtags_of_caption(post->hashtags)
                                                     : hashtags_of(post->hashtags);
    while (hashtags_next(&tags))
        TRY(tag_sketch_add(&figures->tags, tags.text, tags.length, 1, err));
    return STATUS_OK;
}

enum status post_figures_add(struct post_figures *figures, const struct post *post, uint64_t seed,
                             struct error *err)
{
    if (post->id != 0 && post->id == figures->last_id)
        return STATUS_OK;
    figures->last_id = post->id;
    figures->n++;
    moments_add(&figures->likes, post->likes);
    moments_add(&figures->comments, post->comments);
    moments_add(&figures->views, post->views);
    moments_add(&figures->ln_comments, log1p(post->comments));
    moments_add(&figures->ln_views, log1p(post->views));
    moments_add(&figures->is_video, post->is_video);
    moments_add(&figures->is_carousel, post->is_carousel);
    moments_add(&figures->is_sponsored, post->is_sponsored);
    moments_add(&figures->has_location, post->has_location);
    moments_add(&figures->is_verified, post->is_verified);
    moments_add(&figures->n_hashtags, post->n_hashtags);
    moments_add(&figures->n_mentions, post->n_mentions);
    moments_add(&figures->n_tagged, post->n_tagged);
    moments_add(&figures->aspect, post->aspect);
    moments_add(&figures->caption_length, post->caption_length);
    if (!isnan(post->seconds))
        TRY(add_time(figures, post, err));
    if (!isnan(post->likes))
        TRY(add_likes(figures, post, seed, err));
    return post->hashtags ? add_hashtags(figures, post, err) : STATUS_OK;
}

/* ---- what comes of it ---- */

static double mean_of(const struct moments *moments)
{
    return moments->n > 0 ? moments->mean : MISSING;
}

static double spread_of(const struct moments *moments)
{
    return moments->n >= MIN_POSTS ? sqrt(moments->squares / (moments->n - 1)) : MISSING;
}

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int compare_likes(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static double gap_spread(struct post_figures *figures)
{
    /* Posts of one minute, or of one day where no hours are known, are not told apart. */
    double least = figures->has_days_only ? DAY_S / 2 : 60;
    struct moments gaps = {0};
    if (figures->n_newest < MIN_POSTS)
        return MISSING;
    qsort(figures->newest, figures->n_newest, sizeof *figures->newest, compare_times);
    for (size_t i = 1; i < figures->n_newest; i++)
        moments_add(&gaps, log(fmax((double)(figures->newest[i] - figures->newest[i - 1]), least)));
    return sqrt(gaps.squares / (gaps.n - 1));
}

static double hit_share(struct post_figures *figures)
{
    size_t n = figures->n_likes;
    if (n < MIN_POSTS)
        return MISSING;
    qsort(figures->likes_sample, n, sizeof *figures->likes_sample, compare_likes);
    double median =
        ((double)figures->likes_sample[(n - 1) / 2] + (double)figures->likes_sample[n / 2]) / 2;
    double hits = 0;
    for (size_t i = 0; i < n; i++)
        hits += (double)figures->likes_sample[i] > HIT_RATIO * median;
    return hits / (double)n;
}

static double trend(const struct post_figures *figures)
{
    double n = figures->year.n;
    if (n < MIN_POSTS || figures->year.squares / n < pow(MIN_TREND_SPREAD_S / YEAR_S, 2))
        return MISSING;
    return fmax(-MAX_TREND, fmin(MAX_TREND, figures->covariance / figures->year.squares));
}

/* Mean resultant length of the hours as angles, less what chance gives: its square is 1 / n on
 * average for hours at random (Mardia and Jupp 2000, 2.3). */
static double hour_concentration(const struct post_figures *figures)
{
    double n = figures->n_hours;
    if (n < 2)
        return MISSING;
    double square = (pow(figures->hour_cos, 2) + pow(figures->hour_sin, 2)) / (n * n);
    return fmin(1, sqrt(fmax(0, (n * square - 1) / (n - 1))));
}

void post_figures_get(struct post_figures *figures, double ret_number[static PROFILE_N_NUMBERS])
{
    double span = fmax(figures->last_second - figures->first_second, DAY_S);
    const struct moments *by_sponsor = figures->ln_likes_by_sponsor;
    ret_number[PROFILE_avg_likes] = mean_of(&figures->likes);
    ret_number[PROFILE_avg_comments] = mean_of(&figures->comments);
    ret_number[PROFILE_avg_views] = mean_of(&figures->views);
    /* Older posts may be from before. */
    ret_number[PROFILE_is_verified] =
        figures->is_verified.n > 0 ? figures->is_verified.mean > 0 : MISSING;
    ret_number[PROFILE_post_sample] = (double)figures->n;
    ret_number[PROFILE_posts_per_week] =
        figures->dated.n >= 2 ? (figures->dated.n - 1) / (span / WEEK_S) : MISSING;
    ret_number[PROFILE_post_gap_spread] = gap_spread(figures);
    ret_number[PROFILE_post_ln_likes] = mean_of(&figures->ln_likes);
    ret_number[PROFILE_post_ln_likes_spread] = spread_of(&figures->ln_likes);
    ret_number[PROFILE_post_ln_likes_trend] = trend(figures);
    ret_number[PROFILE_post_ln_comments] = mean_of(&figures->ln_comments);
    ret_number[PROFILE_post_comments_per_like] =
        mean_of(&figures->ln_comments) - mean_of(&figures->ln_likes);
    ret_number[PROFILE_post_ln_views] = mean_of(&figures->ln_views);
    ret_number[PROFILE_video_share] = mean_of(&figures->is_video);
    ret_number[PROFILE_carousel_share] = mean_of(&figures->is_carousel);
    ret_number[PROFILE_sponsored_share] = mean_of(&figures->is_sponsored);
    ret_number[PROFILE_sponsored_lift] = mean_of(&by_sponsor[1]) - mean_of(&by_sponsor[0]);
    ret_number[PROFILE_location_share] = mean_of(&figures->has_location);
    ret_number[PROFILE_hit_share] = hit_share(figures);
    ret_number[PROFILE_hashtags_per_post] = mean_of(&figures->n_hashtags);
    ret_number[PROFILE_mentions_per_post] = mean_of(&figures->n_mentions);
    ret_number[PROFILE_tagged_per_post] = mean_of(&figures->n_tagged);
    ret_number[PROFILE_post_aspect] = mean_of(&figures->aspect);
    ret_number[PROFILE_caption_length] = mean_of(&figures->caption_length);
    ret_number[PROFILE_weekend_share] = mean_of(&figures->is_weekend);
    /* No post with an hour: 0 / 0 is not known. */
    ret_number[PROFILE_post_hour_cos] = figures->hour_cos / figures->n_hours;
    ret_number[PROFILE_post_hour_sin] = figures->hour_sin / figures->n_hours;
    ret_number[PROFILE_hour_concentration] = hour_concentration(figures);
}
