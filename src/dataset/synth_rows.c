/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/synth_rows.h"

#include <math.h>

#include "dataset/synth_values.h"

#define LAST_MONTH_END_S 1759190400 /* 2025-09-30T00:00:00Z */
#define POSTS_SPAN_S (180 * 86400)
#define POSTS_MAX 8 /* of an account */

static void put_integer(struct buffer *b, double value)
{
    if (!isnan(value))
        buffer_put_integer(b, (int64_t)value);
    buffer_put_char(b, ',');
}

static void put_text(struct buffer *b, const char *text)
{
    if (text)
        buffer_put_text(b, text);
    buffer_put_char(b, ',');
}

static void put_handle(const struct synth_rows *rows, struct buffer *b, size_t row)
{
    char text[48] = "synthetic_";
    char *end = text + 10 + rows->handle_digits;
    size_t number = row + 1;
    for (char *c = end; c-- > text + 10; number /= 10)
        *c = (char)('0' + number % 10);
    *end++ = ',';
    buffer_put(b, text, (size_t)(end - text));
}

/* The last column, `synthetic`, which is always 1. */
static void end_row(struct buffer *b)
{
    buffer_put(b, "1\n", 2);
}

const char synth_profiles_header[] =
    "handle,name,category,country,audience_country,followers,following,posts,avg_likes,"
    "recent_avg_likes,avg_comments,avg_views,engagement_rate,authentic_engagement,avg_engagement,"
    "is_verified,is_business,has_url,bio_length,influence_score,bought_audience,synthetic\n";

size_t synth_put_profile(const struct synth_rows *rows, size_t row,
                         const struct synth_account *account, struct buffer *b)
{
    double followers = account->followers[SYNTH_MONTHS - 1];
    double engagement = account->engagement[SYNTH_MONTHS - 1];
    put_handle(rows, b, row);
    buffer_put_text(b, "Synthetic account ");
    put_integer(b, (double)row + 1);
    put_text(b, account->shows_category ? synth_categories[account->category] : NULL);
    put_text(b, account->country);
    put_text(b, account->audience_country);
    put_integer(b, followers);
    put_integer(b, account->following);
    put_integer(b, account->posts);
    put_integer(b, account->avg_likes);
    put_integer(b, account->recent_avg_likes);
    buffer_put_fixed(b, account->avg_comments, 1);
    buffer_put_char(b, ',');
    put_integer(b, account->avg_views);
    buffer_put_fixed(b, engagement / followers, 6);
    buffer_put_char(b, ',');
    put_integer(b, account->authentic[SYNTH_MONTHS - 1]);
    put_integer(b, engagement);
    put_integer(b, account->is_verified);
    put_integer(b, account->is_business);
    put_integer(b, account->has_url);
    put_integer(b, account->bio_length);
    put_integer(b, account->influence_score);
    put_integer(b, account->bought);
    end_row(b);
    return 1;
}

const char synth_snapshot_header[] =
    "handle,name,category,followers,audience_country,authentic_engagement,avg_engagement,"
    "synthetic\n";

size_t synth_put_snapshot(const struct synth_rows *rows, size_t row, size_t month,
                          const struct synth_account *account, struct buffer *b)
{
    put_handle(rows, b, row);
    buffer_put_text(b, "Synthetic account ");
    put_integer(b, (double)row + 1);
    put_text(b, account->shows_category ? synth_categories[account->category] : NULL);
    put_integer(b, account->followers[month]);
    put_text(b, account->audience_country);
    put_integer(b, account->authentic[month]);
    put_integer(b, account->engagement[month]);
    end_row(b);
    return 1;
}

const char synth_posts_header[] =
    "post_id,username,taken_at,type,likes,comments,video_views,caption_len,n_hashtags,n_mentions,"
    "has_location,is_sponsored,hashtags,synthetic\n";

/* Each category has its own words; the last row is everybody's. */
#define N_WORDS 8
static const char *const hashtag_words[][N_WORDS] = {
    {"ootd", "style", "outfit", "streetwear", "vintage", "lookbook", "denim", "shoes"},
    {"art", "music", "books", "design", "diy", "tech", "film", "history"},
    {"wanderlust", "roadtrip", "mountains", "beach", "citybreak", "hiking", "sunset", "islands"},
    {"momlife", "kids", "parenting", "baby", "homeschool", "siblings", "weekend", "dadlife"},
    {"recipe", "baking", "vegan", "brunch", "homemade", "coffee", "dessert", "streetfood"},
    {"makeup", "skincare", "lipstick", "hair", "nails", "glow", "routine", "palette"},
    {"decor", "interior", "livingroom", "plants", "renovation", "scandi", "kitchen", "cozy"},
    {"workout", "running", "gym", "yoga", "strength", "marathon", "training", "mobility"},
    {"dog", "cat", "puppy", "rescue", "kitten", "paws", "pets", "walkies"},
    {"love", "photo", "life", "happy", "daily", "instagood", "friends", "inspiration"},
};

static void put_hashtags(struct buffer *b, struct rng *rng, size_t category, size_t n)
{
    /* Which words, by bits, so that none stands twice; more tags than words are only counted. */
    uint64_t own = rng_next(rng);
    uint64_t common = rng_next(rng);
    size_t n_put = 0;
    for (size_t i = 0; i < 2 * N_WORDS && n_put < n; i++) {
        bool is_common = i >= N_WORDS;
        size_t word = i % N_WORDS;
        if (((is_common ? common : own) >> word & 1) == 0)
            continue;
        if (n_put++ > 0)
            buffer_put_char(b, ' ');
        buffer_put_text(b, hashtag_words[is_common ? synth_n_categories : category][word]);
    }
    buffer_put_char(b, ',');
}

/* number: row * POSTS_MAX and which of its posts. */
static void put_post(const struct synth_rows *rows, struct rng *rng, size_t number,
                     const struct synth_account *account, struct buffer *b)
{
    bool has_video = !isnan(account->avg_views);
    double u = rng_uniform(rng);
    bool is_carousel = u < synth_value.post_carousel_share;
    bool is_video = has_video && u > 1.0 - synth_value.post_video_share;
    double kind = is_carousel ? synth_value.post_carousel_likes
                  : is_video  ? synth_value.post_video_likes
                              : 1.0;
    double lift = kind * exp(synth_value.post_sd * rng_normal(rng));
    double likes = round(account->recent_avg_likes * lift);
    double comments =
        round(account->avg_comments * lift * exp(synth_value.post_comments_sd * rng_normal(rng)));
    put_integer(b, 1e9 + (double)number);
    put_handle(rows, b, number / POSTS_MAX);
    put_integer(b, (double)(LAST_MONTH_END_S - (int64_t)rng_below(rng, POSTS_SPAN_S)));
    put_text(b, is_carousel ? "carousel" : is_video ? "video" : "image");
    put_integer(b, likes);
    put_integer(b, comments);
    put_integer(b, is_video ? round(account->avg_views * lift) : (double)NAN);
    put_integer(b, round(synth_value.post_caption_median * exp(0.9 * rng_normal(rng))));
    double tags = 0;
    if (rng_uniform(rng) >= synth_value.post_no_hashtags)
        tags = fmin(ceil(-synth_value.post_hashtags_mean * log(1.0 - rng_uniform(rng))), 30);
    put_integer(b, tags);
    put_integer(b, floor(-0.84 * log(1.0 - rng_uniform(rng)) * 1.5));
    put_integer(b, rng_uniform(rng) < synth_value.post_location_share);
    put_integer(b, rng_uniform(rng) < synth_value.post_sponsored_share);
    put_hashtags(b, rng, account->category, (size_t)tags);
    end_row(b);
}

size_t synth_put_posts(const struct synth_rows *rows, size_t row,
                       const struct synth_account *account, struct buffer *b)
{
    struct rng rng = synth_rng(rows->seed, row, SYNTH_STREAM_POSTS);
    if (rng_uniform(&rng) >= synth_value.posting_share)
        return 0;
    size_t n = 0;
    do
        put_post(rows, &rng, row * POSTS_MAX + n++, account, b);
    while (n < POSTS_MAX && rng_uniform(&rng) >= synth_value.posts_stop);
    return n;
}

const char synth_edges_header[] = "kind,source,target,posts,synthetic\n";

/* Somebody else, most often of the same category; `row` itself when nobody was found. */
static size_t draw_target(const struct synth_rows *rows, struct rng *rng, size_t row,
                          size_t category)
{
    bool same_category = rng_uniform(rng) < synth_value.edge_same_category;
    for (int tries = 0; tries < 64; tries++) {
        size_t target = (size_t)rng_below(rng, rows->n_rows);
        if (target != row && (!same_category || synth_category(rows->seed, target) == category))
            return target;
    }
    return row;
}

static const char *draw_kind(struct rng *rng)
{
    double u = rng_uniform(rng);
    if (u < synth_value.edge_comment_share)
        return "comment";
    return u < synth_value.edge_comment_share + synth_value.edge_tag_share ? "tag" : "mention";
}

size_t synth_put_edges(const struct synth_rows *rows, size_t row,
                       const struct synth_account *account, struct buffer *b)
{
    struct rng rng = synth_rng(rows->seed, row, SYNTH_STREAM_EDGES);
    if (rng_uniform(&rng) >= synth_value.edge_source_share)
        return 0;
    size_t n = 0;
    do {
        const char *kind = draw_kind(&rng);
        size_t target = draw_target(rows, &rng, row, account->category);
        double posts = 1.0 + floor(-0.5 * log(1.0 - rng_uniform(&rng)));
        if (target == row)
            continue;
        put_text(b, kind);
        put_handle(rows, b, row);
        put_handle(rows, b, target);
        put_integer(b, posts);
        end_row(b);
        n++;
    } while (rng_uniform(&rng) >= synth_value.edge_stop);
    return n;
}
