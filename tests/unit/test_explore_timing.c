/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "explore/timing.h"
#include "profile/profile.h"

#define ACCOUNTS 25

/* Each account posts on Tuesday at 20 h with twice the likes of its post on Sunday at 3 h, and once
 * at a time of day that nobody knows. Accounts differ a thousandfold. */
static struct lifts two_hours(struct lift *posts, size_t accounts)
{
    for (uint32_t a = 0; a < accounts; a++) {
        double own = log(1000) * a / ACCOUNTS;
        posts[3 * a] = (struct lift){.row = a, .weekday = 1, .hour = 20, .ln_likes = own + log(2)};
        posts[3 * a + 1] = (struct lift){.row = a, .weekday = 6, .hour = 3, .ln_likes = own};
        posts[3 * a + 2] = (struct lift){.row = a, .weekday = 6, .hour = -1, .ln_likes = own + 9};
    }
    return (struct lifts){.posts = posts, .n = 3 * accounts, .n_accounts = accounts};
}

static void hours_are_counted_and_judged_beside_their_account(void **state)
{
    (void)state;
    static struct lift posts[3 * ACCOUNTS];
    struct lifts lifts = two_hours(posts, ACCOUNTS);
    struct timing timing;
    timing_compute(&lifts, NULL, &timing);
    assert_null(timing.absent);
    assert_int_equal(timing.n, 2 * ACCOUNTS);
    assert_int_equal(timing.count[1][20], ACCOUNTS);
    assert_int_equal(timing.count[6][3], ACCOUNTS);
    assert_int_equal(timing.count[6][4], 0);
    assert_near(timing.lift[1][20], log(2) / 2, 1e-12);
    assert_near(timing.lift[6][3], -log(2) / 2, 1e-12);
    assert_true(isnan(timing.lift[6][4]));
}

static void an_hour_of_few_posts_is_not_judged(void **state)
{
    (void)state;
    static struct lift posts[3 * ACCOUNTS];
    struct lifts lifts = two_hours(posts, TIMING_MIN_POSTS - 1);
    struct timing timing;
    timing_compute(&lifts, NULL, &timing);
    assert_int_equal(timing.count[1][20], TIMING_MIN_POSTS - 1);
    assert_true(isnan(timing.lift[1][20]));
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    struct timing timing;
    timing_compute(NULL, NULL, &timing);
    assert_non_null(strstr(timing.absent, "--posts"));
    timing_compute(NULL, "no post has likes", &timing);
    assert_string_equal(timing.absent, "no post has likes");
    struct lift day_only[] = {{.hour = -1}, {.hour = -1}, {.hour = -1}};
    struct lifts lifts = {.posts = day_only, .n = 3, .n_accounts = 1};
    timing_compute(&lifts, NULL, &timing);
    assert_non_null(strstr(timing.absent, "day only"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_are_counted_and_judged_beside_their_account),
        cmocka_unit_test(an_hour_of_few_posts_is_not_judged),
        cmocka_unit_test(what_is_missing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
