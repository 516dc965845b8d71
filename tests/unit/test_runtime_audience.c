/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "features/spec.h"
#include "runtime/audience.h"

enum {
    SIZES = 3
};

/* Grids whose percentile is the figure itself: figures from 0 to 100, shifted by size. */
static float grid[AUDIENCE_FIGURES][SIZES + 1][AUDIENCE_GRID];
static double known[AUDIENCE_FIGURES] = {1, 1, 1};
static const struct audience_reference reference = {SIZES, &grid[0][0][0], known};

static int make_grid(void **state)
{
    (void)state;
    for (size_t f = 0; f < AUDIENCE_FIGURES; f++)
        for (size_t size = 0; size <= SIZES; size++)
            for (size_t p = 0; p < AUDIENCE_GRID; p++)
                grid[f][size][p] = (float)p / 10.0F - 7.0F + (float)size;
    return 0;
}

/* Its following ratio is exp(figure). */
static struct profile account(double figure)
{
    struct profile profile;
    profile_init(&profile);
    profile.number[PROFILE_followers] = 999;
    profile.number[PROFILE_following] = 1000 * exp(figure) - 1;
    profile.number[PROFILE_engagement_rate] = exp(-2) - 1e-6; /* in the middle of size 0 */
    return profile;
}

static void who_follows_more_is_trusted_less(void **state)
{
    (void)state;
    double last = 101;
    for (int half = -12; half < 6; half++) {
        double figure = half / 2.0;
        struct profile profile = account(figure);
        struct audience_answer answer;
        audience_check(&reference, &profile, 0, NULL, &answer);
        double percentile = 10 * (figure + 7);
        assert_near(answer.sign[AUDIENCE_FOLLOWING].percentile, percentile, 1e-3);
        assert_near(answer.sign[AUDIENCE_FOLLOWING].doubt, pow(percentile / 100, 4), 1e-5);
        assert_true(answer.score < last && answer.score >= 0);
        assert_true(isnan(answer.sign[AUDIENCE_GROWTH].doubt)); /* nothing is known of it */
        last = answer.score;
    }
}

static void behaviour_of_a_smaller_account_is_a_doubt_and_of_a_larger_none(void **state)
{
    (void)state;
    struct profile profile = account(-3);
    struct audience_answer answer;
    const double small[SIZES] = {0.8, 0.2, 0};
    const double large[SIZES] = {0, 0.1, 0.9};
    audience_check(&reference, &profile, 2, small, &answer);
    assert_near(answer.sign[AUDIENCE_SIZE].doubt, 0.8 + 0.5 * 0.2, 1e-12);
    assert_near(answer.sign[AUDIENCE_SIZE].figure, 1.8, 1e-12);
    double doubted = answer.score;
    audience_check(&reference, &profile, 2, large, &answer);
    assert_near(answer.sign[AUDIENCE_SIZE].doubt, 0.05, 1e-12);
    assert_true(answer.score > doubted + 20);
    audience_check(&reference, &profile, 0, large, &answer);
    assert_near(answer.sign[AUDIENCE_SIZE].doubt, 0, 1e-12);
}

static void the_score_multiplies_what_the_signs_leave(void **state)
{
    (void)state;
    struct profile profile = account(-2);
    struct audience_answer answer;
    audience_check(&reference, &profile, 0, NULL, &answer);
    double trust = (1 - 0.6 * answer.sign[AUDIENCE_ENGAGEMENT].doubt) *
                   (1 - 0.6 * answer.sign[AUDIENCE_FOLLOWING].doubt);
    assert_near(answer.score, 100 * trust, 1e-9);
    profile.number[PROFILE_engagement_rate] = MISSING;
    audience_check(&reference, &profile, 0, NULL, &answer);
    assert_true(isnan(answer.score)); /* one sign is no check */
}

static void a_reason_says_what_was_found(void **state)
{
    (void)state;
    struct audience_sign sign = {0.9, 97.4, log(2.5)};
    char text[AUDIENCE_TEXT_BYTES];
    size_t length = audience_reason(AUDIENCE_FOLLOWING, &sign, "nano", text);
    assert_string_equal(text, "follows 2.5 for each follower, more than 97 % of nano accounts");
    assert_int_equal(length, strlen(text));
    sign.percentile = 2;
    audience_reason(AUDIENCE_ENGAGEMENT, &sign, "mid", text);
    assert_string_equal(text, "less engagement than 98 % of mid accounts");
    sign.percentile = 0;
    audience_reason(AUDIENCE_ENGAGEMENT, &sign, "mid", text);
    assert_string_equal(text, "less engagement than 99 % of mid accounts");
    sign.percentile = 100;
    audience_reason(AUDIENCE_FOLLOWING, &sign, "mid", text);
    assert_string_equal(text, "follows 2.5 for each follower, more than 99 % of mid accounts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_follows_more_is_trusted_less),
        cmocka_unit_test(behaviour_of_a_smaller_account_is_a_doubt_and_of_a_larger_none),
        cmocka_unit_test(the_score_multiplies_what_the_signs_leave),
        cmocka_unit_test(a_reason_says_what_was_found),
    };
    return cmocka_run_group_tests(tests, make_grid, NULL);
}
