/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/synth.h"

#include <math.h>

#include "base/cleanup.h"
#include "dataset/synth_values.h"
#include "profile/profile.h"

const struct synth_parameter synth_parameters[] = {
#define SYNTH_PARAMETER(name_, value_, source_, help_) \
    {.name = #name_, .value = (value_), .source = (source_), .help = (help_)},
#define SYNTH_CATEGORY(name, share, followers, engagement)
#define SYNTH_COUNTRY(name, share)
#include "dataset/synth.def"
#undef SYNTH_PARAMETER
#undef SYNTH_CATEGORY
#undef SYNTH_COUNTRY
};
const size_t synth_n_parameters = ARRAY_LENGTH(synth_parameters);

const char *const synth_categories[] = {
#define SYNTH_PARAMETER(name, value, source, help)
#define SYNTH_CATEGORY(name, share, followers, engagement) name,
#define SYNTH_COUNTRY(name, share)
#include "dataset/synth.def"
#undef SYNTH_CATEGORY
};
const size_t synth_n_categories = ARRAY_LENGTH(synth_categories);

static const struct {
    double share, followers, engagement;
} categories[] = {
#define SYNTH_CATEGORY(name, share_, followers_, engagement_) \
    {.share = (share_), .followers = (followers_), .engagement = (engagement_)},
#include "dataset/synth.def"
#undef SYNTH_CATEGORY
#undef SYNTH_COUNTRY
};

static const struct {
    const char *name;
    double share;
} countries[] = {
#define SYNTH_CATEGORY(name, share, followers, engagement)
#define SYNTH_COUNTRY(name_, share_) {.name = (name_), .share = (share_)},
#include "dataset/synth.def"
#undef SYNTH_PARAMETER
#undef SYNTH_CATEGORY
#undef SYNTH_COUNTRY
};

const char *const synth_months[SYNTH_MONTHS] = {"2025-03", "2025-06", "2025-09"};
#define MONTHS_APART 3

static double clamp(double x, double low, double high)
{
    return fmin(fmax(x, low), high);
}

static bool chance(struct rng *rng, double probability)
{
    return rng_uniform(rng) < probability;
}

static size_t draw_category(struct rng *rng)
{
    double u = rng_uniform(rng);
    size_t i = 0;
    while (i + 1 < ARRAY_LENGTH(categories) && u >= categories[i].share)
        u -= categories[i++].share;
    return i;
}

static const char *draw_country(struct rng *rng)
{
    double u = rng_uniform(rng);
    size_t i = 0;
    while (i + 1 < ARRAY_LENGTH(countries) && u >= countries[i].share)
        u -= countries[i++].share;
    return countries[i].name;
}

/* A lognormal body and, for the largest, a Pareto tail that begins where the body's quantile says;
 * both moved by the category, redrawn until within bounds. */
static double draw_followers(struct rng *rng, double offset_ln)
{
    const double body_quantile_z =
        1.2815515655446004; /* standard normal, 1 - followers_tail_share */
    double tail_ln =
        log(synth_value.followers_median) + body_quantile_z * synth_value.followers_sd_ln;
    for (;;) {
        double ln_followers;
        if (chance(rng, synth_value.followers_tail_share)) {
            ln_followers = tail_ln - log(1.0 - rng_uniform(rng)) / synth_value.followers_tail_index;
        } else {
            ln_followers =
                log(synth_value.followers_median) + synth_value.followers_sd_ln * rng_normal(rng);
            if (ln_followers > tail_ln)
                continue;
        }
        double followers = exp(ln_followers + offset_ln);
        if (followers >= synth_value.followers_min && followers <= synth_value.followers_max)
            return followers;
    }
}

static void draw_size(uint64_t seed, size_t row, struct synth_account *account)
{
    struct rng rng = synth_rng(seed, row, SYNTH_STREAM_SIZE);
    account->category = draw_category(&rng);
    account->real_followers = draw_followers(&rng, categories[account->category].followers);
    account->bought = chance(&rng, synth_value.bought_share);
    account->fake_share = 0;
    if (account->bought)
        account->fake_share =
            synth_value.bought_fake_min +
            (synth_value.bought_fake_max - synth_value.bought_fake_min) * rng_uniform(&rng);
    account->followers[SYNTH_MONTHS - 1] = fmin(
        round(account->real_followers / (1.0 - account->fake_share)), synth_value.followers_max);
}

/* What the score is made of, in standard deviations. */
struct standing {
    double quality, engagement, growth, activity;
};

/* Likes and comments of the newest posts, and what follows from them. */
static void draw_engagement(struct rng *rng, struct synth_account *account,
                            struct standing *standing)
{
    standing->quality = rng_normal(rng);
    standing->engagement = sqrt(synth_value.quality_share) * standing->quality +
                           sqrt(1.0 - synth_value.quality_share) * rng_normal(rng);
    double ln_rate = synth_value.engagement_intercept +
                     synth_value.engagement_slope * log(account->real_followers) +
                     categories[account->category].engagement +
                     synth_value.engagement_sd * standing->engagement;
    double engagement = account->real_followers * fmin(exp(ln_rate), synth_value.engagement_max);
    double per_like =
        synth_value.comments_per_like * exp(synth_value.comments_sd * rng_normal(rng));
    if (account->bought)
        per_like *= synth_value.bought_comments;
    account->recent_avg_likes = round(engagement / (1.0 + per_like));
    account->avg_comments = round(10.0 * (engagement - engagement / (1.0 + per_like))) / 10.0;
    account->engagement[SYNTH_MONTHS - 1] =
        round(account->recent_avg_likes + account->avg_comments);
    account->avg_views = MISSING;
    double views = account->recent_avg_likes * synth_value.views_per_like *
                   exp(synth_value.views_sd * rng_normal(rng));
    if (chance(rng, synth_value.video_share))
        account->avg_views = round(views);
}

/* Followers and engagement of the months before, by going backwards. */
static void draw_past(struct rng *rng, struct synth_account *account, struct standing *standing)
{
    standing->growth = sqrt(0.5) * standing->quality + sqrt(0.5) * rng_normal(rng);
    double monthly = synth_value.growth_mean + synth_value.growth_sd * standing->growth;
    bool jumped = account->bought && chance(rng, synth_value.bought_jump);
    size_t jump_month = 1 + (size_t)rng_below(rng, SYNTH_MONTHS - 1);
    for (size_t m = SYNTH_MONTHS - 1; m > 0; m--) {
        double growth = MONTHS_APART * monthly + synth_value.growth_noise * rng_normal(rng);
        if (jumped && m == jump_month)
            growth -= log(1.0 - account->fake_share);
        account->followers[m - 1] = fmax(round(account->followers[m] * exp(-growth)), 1.0);
        double change = MONTHS_APART * monthly + 0.5 * synth_value.trend_noise * rng_normal(rng);
        account->engagement[m - 1] = round(account->engagement[m] * exp(-change));
    }
    double share = synth_value.authentic_share * (1.0 - account->fake_share);
    for (size_t m = 0; m < SYNTH_MONTHS; m++) {
        double authentic = share * exp(synth_value.authentic_sd * rng_normal(rng));
        account->authentic[m] = round(account->engagement[m] * fmin(authentic, 0.99));
    }
    double trend = 12.0 * monthly + synth_value.trend_noise * rng_normal(rng);
    account->avg_likes = round(account->recent_avg_likes * exp(-trend));
}

static void draw_activity(struct rng *rng, struct synth_account *account, struct standing *standing)
{
    double ln_followers = log(account->real_followers);
    double ln_following = synth_value.following_intercept +
                          synth_value.following_slope * ln_followers +
                          synth_value.following_sd * rng_normal(rng);
    if (account->bought && chance(rng, synth_value.bought_mass_following))
        ln_following = log(synth_value.following_max * (0.6 + 0.4 * rng_uniform(rng)));
    account->following = round(fmin(exp(ln_following), synth_value.following_max));
    standing->activity = rng_normal(rng);
    account->posts =
        round(exp(synth_value.posts_intercept + synth_value.posts_slope * ln_followers +
                  synth_value.posts_sd * standing->activity)) +
        1.0;
}

static void draw_appearance(struct rng *rng, struct synth_account *account)
{
    const char *country = draw_country(rng);
    account->country = chance(rng, synth_value.country_missing) ? NULL : country;
    const char *abroad = draw_country(rng);
    account->audience_country = chance(rng, synth_value.home_audience) ? country : abroad;
    account->shows_category = !chance(rng, synth_value.category_missing);
    double ln_followers = log(account->followers[SYNTH_MONTHS - 1]);
    account->is_verified =
        chance(rng, 1.0 / (1.0 + exp(synth_value.verified_half_ln - ln_followers)));
    account->is_business = chance(rng, synth_value.business_share);
    account->has_url = chance(rng, synth_value.url_share);
    account->bio_length =
        round(clamp(synth_value.bio_mean + synth_value.bio_sd * rng_normal(rng), 0, 150));
}

static double score_of(const struct synth_account *account, const struct standing *standing,
                       double noise)
{
    double reach =
        log(account->real_followers / synth_value.followers_median) / synth_value.followers_sd_ln;
    double points =
        synth_value.score_reach * reach + synth_value.score_engagement * standing->engagement +
        synth_value.score_growth * standing->growth +
        synth_value.score_activity * standing->activity + synth_value.score_noise * noise;
    if (account->bought)
        points += synth_value.score_bought;
    return round(clamp(synth_value.score_mean + synth_value.score_scale * points, 1, 100));
}

void synth_account(uint64_t seed, size_t row, struct synth_account *ret_account)
{
    *ret_account = (struct synth_account){0};
    struct standing standing;
    draw_size(seed, row, ret_account);
    struct rng rng = synth_rng(seed, row, SYNTH_STREAM_ACCOUNT);
    draw_engagement(&rng, ret_account, &standing);
    draw_past(&rng, ret_account, &standing);
    draw_activity(&rng, ret_account, &standing);
    draw_appearance(&rng, ret_account);
    ret_account->influence_score = score_of(ret_account, &standing, rng_normal(&rng));
}

size_t synth_category(uint64_t seed, size_t row)
{
    struct rng rng = synth_rng(seed, row, SYNTH_STREAM_SIZE);
    return draw_category(&rng);
}
