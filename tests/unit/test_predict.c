/* SPDX-License-Identifier: Apache-2.0 */

/* The public interface as its users see it: strict C11, the shared library, and nothing inner. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "influence/predict.h"

#if __STDC_VERSION__ != 201112L || defined(_GNU_SOURCE)
#error "this must be compiled as plain C11"
#endif

static struct ifl_engine *engine;
static struct ifl_session *session;

static const char *golden_bundle(void)
{
    static char path[4096];
    const char *dir = getenv("GOLDEN");
    assert_non_null(dir);
    snprintf(path, sizeof path, "%s/bundle-v1", dir);
    return path;
}

static int open_engine(void **state)
{
    (void)state;
    struct ifl_error err = {IFL_OK, "", ""};
    if (ifl_engine_open(golden_bundle(), &engine, &err) != IFL_OK ||
        ifl_session_new(engine, &session, &err) != IFL_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    ifl_session_free(session);
    ifl_engine_close(engine);
    return 0;
}

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance)) {
        print_error("%.9g is not %.9g\n", a, b);
        fail();
    }
}

/* A bundle of a single snapshot. */
static void growth_that_was_not_learnt_is_said_so(void **state)
{
    (void)state;
    struct ifl_growth growth;
    struct ifl_error err = {IFL_OK, "", ""};
    ifl_clear(session);
    assert_int_equal(ifl_growth(session, &growth, &err), IFL_UNSUPPORTED);
    assert_string_equal(err.message, "this bundle has no growth model");
}

static void a_profile_is_set_by_name_and_by_number(void **state)
{
    (void)state;
    struct ifl_score score;
    ifl_clear(session);
    assert_int_equal(ifl_set(session, "followers", "2.1m", NULL), IFL_OK);
    assert_int_equal(ifl_set_number(session, ifl_field_find("posts"), 640, NULL), IFL_OK);
    assert_int_equal(ifl_set(session, "avg_likes", "64k", NULL), IFL_OK);
    assert_int_equal(ifl_set(session, "category", " Travel ", NULL), IFL_OK);
    assert_int_equal(ifl_score(session, &score, NULL), IFL_OK);
    near(score.score, 71.5 + 6.25 + 1.25 + 0.125, 1e-4);
    near(score.high - score.low, 9.75, 1e-9);
    double sum = score.base;
    for (size_t i = 0; i < score.n_contributions; i++)
        sum += score.contributions[i];
    near(sum, score.score, 1e-9);
    assert_string_equal(score.features[0], "ln_followers");
    assert_string_equal(score.target, "influence_score");
}

static void a_catalogued_handle_brings_its_profile(void **state)
{
    (void)state;
    struct ifl_score typed;
    struct ifl_score known;
    struct ifl_error err;
    ifl_clear(session);
    assert_int_equal(ifl_set(session, "followers", "56000", NULL), IFL_OK);
    assert_int_equal(ifl_set(session, "posts", "1200", NULL), IFL_OK);
    assert_int_equal(ifl_set(session, "avg_likes", "2100", NULL), IFL_OK);
    assert_int_equal(ifl_set(session, "category", "Food", NULL), IFL_OK);
    assert_int_equal(ifl_score(session, &typed, NULL), IFL_OK);
    assert_int_equal(ifl_set_handle(session, "@Bake_Day", NULL), IFL_OK);
    assert_int_equal(ifl_score(session, &known, NULL), IFL_OK);
    near(known.score, typed.score, 0);
    assert_int_equal(ifl_set_handle(session, "nobody", &err), IFL_NOT_FOUND);
    assert_string_equal(err.field, "handle");
}

static void tiers_clusters_and_neighbours_answer(void **state)
{
    (void)state;
    struct ifl_tier tier;
    struct ifl_cluster cluster;
    struct ifl_similar similar;
    struct ifl_similar_query query = {.k = 4, .category = "food", .max_followers = 1e6};
    assert_int_equal(ifl_set_handle(session, "bake_day", NULL), IFL_OK);
    assert_int_equal(ifl_tier(session, &tier, NULL), IFL_OK);
    double sum = 0;
    for (size_t i = 0; i < tier.n_tiers; i++)
        sum += tier.probabilities[i];
    near(sum, 1, 1e-12);
    assert_string_equal(tier.size_claimed, "large");
    assert_int_equal(ifl_cluster(session, &cluster, NULL), IFL_OK);
    assert_true(cluster.cluster < cluster.n_clusters && cluster.name[0] != '\0');
    assert_int_equal(ifl_similar(session, &query, &similar, NULL), IFL_OK);
    assert_int_equal(similar.n, 1);
    assert_string_equal(similar.items[0].handle, "harbour_ok");
    query = (struct ifl_similar_query){.k = 4};
    assert_int_equal(ifl_similar(session, &query, &similar, NULL), IFL_OK);
    assert_int_equal(similar.n, 4);
}

static void wrong_values_change_nothing_and_name_the_field(void **state)
{
    (void)state;
    struct ifl_error err;
    struct ifl_score before;
    struct ifl_score after;
    assert_int_equal(ifl_set_handle(session, "dunes", NULL), IFL_OK);
    assert_int_equal(ifl_score(session, &before, NULL), IFL_OK);
    assert_int_equal(ifl_set(session, "followers", "-3", &err), IFL_INVALID);
    assert_string_equal(err.field, "followers");
    assert_int_equal(ifl_set(session, "followers", "many", NULL), IFL_INVALID);
    assert_int_equal(ifl_set(session, "shoe_size", "43", &err), IFL_INVALID);
    assert_int_equal(ifl_set_number(session, 999, 1, NULL), IFL_INVALID);
    assert_int_equal(ifl_set_number(session, -1, 1, NULL), IFL_INVALID);
    assert_int_equal(ifl_set_number(session, ifl_field_find("category"), 1, NULL), IFL_INVALID);
    assert_int_equal(ifl_score(session, &after, NULL), IFL_OK);
    near(after.score, before.score, 0);
    assert_int_equal(ifl_set_number(session, ifl_field_find("followers"), (double)NAN, NULL),
                     IFL_OK);
    assert_int_equal(ifl_set(session, "posts", "N/A", NULL), IFL_OK);
    assert_int_equal(ifl_set(session, "category", "", NULL), IFL_OK);
}

static void fields_are_numbered(void **state)
{
    (void)state;
    for (int i = 0; i < (int)ifl_field_count(); i++)
        assert_int_equal(ifl_field_find(ifl_field_name(i)), i);
    assert_null(ifl_field_name((int)ifl_field_count()));
    assert_null(ifl_field_name(-1));
    assert_int_equal(ifl_field_find("shoe_size"), -1);
}

static void bundles_are_verified(void **state)
{
    (void)state;
    struct ifl_error err;
    assert_int_equal(ifl_bundle_verify(golden_bundle(), NULL), IFL_OK);
    assert_int_equal(ifl_bundle_verify("/nowhere/at/all", &err), IFL_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
    assert_true(ifl_engine_version(engine)[0] != '\0' && ifl_version()[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_that_was_not_learnt_is_said_so),
        cmocka_unit_test(a_profile_is_set_by_name_and_by_number),
        cmocka_unit_test(a_catalogued_handle_brings_its_profile),
        cmocka_unit_test(tiers_clusters_and_neighbours_answer),
        cmocka_unit_test(wrong_values_change_nothing_and_name_the_field),
        cmocka_unit_test(fields_are_numbered),
        cmocka_unit_test(bundles_are_verified),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
