/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "explore/virality.h"
#include "profile/profile.h"

#define ACCOUNTS 200
#define POSTS 20

/* Videos lift by ln 1.5. Whether an account's videos do better or worse than that is the account's
 * own when `own` is above 0, so that its posts are no independent witnesses. */
static struct lifts planted(struct lift *posts, double own)
{
    struct rng rng = rng_seed(11);
    for (uint32_t a = 0; a < ACCOUNTS; a++) {
        double taste = own * rng_normal(&rng);
        for (size_t i = 0; i < POSTS; i++) {
            bool is_video = rng_uniform(&rng) < 0.4;
            bool has_location = rng_uniform(&rng) < 0.3;
            posts[a * POSTS + i] = (struct lift){
                .row = a,
                .gap_days = MISSING,
                .hour = -1,
                .weekday = (int)rng_below(&rng, 7),
                .type = is_video ? POST_VIDEO : POST_IMAGE,
                .ln_likes = (is_video ? log(1.5) + taste : 0) + 0.4 * rng_normal(&rng) + 0.1 * a,
                .is_sponsored = a == 3, /* one account alone tells nothing */
                .has_location = has_location,
                .n_hashtags = MISSING,
                .n_mentions = MISSING,
                .caption_length = MISSING,
            };
        }
    }
    return (struct lifts){
        .posts = posts, .n = (size_t)ACCOUNTS * POSTS, .n_accounts = ACCOUNTS, .accounts_share = 1};
}

static struct lift posts[ACCOUNTS * POSTS];

static double half_width(const struct virality_level *level)
{
    return (level->effect.high - level->effect.low) / 2;
}

static void a_planted_effect_is_recovered_and_nothing_else(void **state)
{
    (void)state;
    struct lifts lifts = planted(posts, 0);
    struct error err = {0};
    AUTO(virality_free_slot) struct virality *found = NULL;
    assert_int_equal(virality_compute(&lifts, &found, &err), STATUS_OK);
    const struct virality_factor_result *type = &found->factors[VIRALITY_TYPE];
    assert_int_equal(type->reference, 0);
    assert_true(type->levels[1].effect.low < log(1.5) && log(1.5) < type->levels[1].effect.high);
    assert_near(type->levels[1].effect.value, log(1.5), 0.05);
    assert_true(isnan(type->levels[0].effect.value));
    /* .24 ln 1.5^2 of .24 ln 1.5^2 + .16 */
    assert_near(found->r2, 0.198, 0.03);
    assert_near(type->r2_lost, found->r2, 0.01);
    const struct virality_factor_result *location = &found->factors[VIRALITY_LOCATION];
    assert_near(location->levels[1].effect.value, 0, 0.05);
    assert_true(location->r2_lost < 0.003);
    assert_int_equal(found->factors[VIRALITY_SPONSORED].reference, -1);
    assert_int_equal(found->factors[VIRALITY_HOUR].reference, -1);
}

static void the_interval_knows_that_posts_of_an_account_depend(void **state)
{
    (void)state;
    struct error err = {0};
    struct lifts lifts = planted(posts, 0);
    AUTO(virality_free_slot) struct virality *apart = NULL;
    assert_int_equal(virality_compute(&lifts, &apart, &err), STATUS_OK);
    const struct virality_level *video = &apart->factors[VIRALITY_TYPE].levels[1];
    assert_near(half_width(video) / (1.97 * video->naive_error), 1, 0.2);

    lifts = planted(posts, 0.6);
    AUTO(virality_free_slot) struct virality *together = NULL;
    assert_int_equal(virality_compute(&lifts, &together, &err), STATUS_OK);
    video = &together->factors[VIRALITY_TYPE].levels[1];
    assert_true(half_width(video) > 1.5 * 1.97 * video->naive_error);
    assert_true(video->effect.low < log(1.5) && log(1.5) < video->effect.high);
}

static void too_few_accounts_say_nothing(void **state)
{
    (void)state;
    struct lifts lifts = planted(posts, 0);
    lifts.n_accounts = VIRALITY_MIN_ACCOUNTS - 1;
    lifts.n = lifts.n_accounts * POSTS;
    struct error err = {0};
    struct virality *found = NULL;
    assert_int_equal(virality_compute(&lifts, &found, &err), STATUS_INVALID);
    assert_null(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_effect_is_recovered_and_nothing_else),
        cmocka_unit_test(the_interval_knows_that_posts_of_an_account_depend),
        cmocka_unit_test(too_few_accounts_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
