/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "features/composite.h"
#include "features/spec.h"

static struct feature_spec *make_spec(void)
{
    static const char *const names[] = {"ln_followers", "ln_avg_likes", "country=Brazil",
                                        "country=(other)", "country=(missing)"};
    static const float fill[] = {10, 5, 0, 0, 0};
    static const float mean[] = {10, 5, 0, 0, 0};
    static const float scale[] = {2, 2, 1, 1, 1};
    struct feature_spec *spec = NULL;
    assert_int_equal(feature_spec_new(names, fill, mean, scale, 5, &spec, NULL), STATUS_OK);
    return spec;
}

static void levels_are_one_hot_and_missing_numbers_are_marked(void **state)
{
    (void)state;
    struct feature_spec *spec = make_spec();
    struct profile profile;
    profile_init(&profile);
    profile.number[PROFILE_followers] = 99;
    profile.text[PROFILE_country] = "Brazil";
    float x[5];
    uint64_t missing = feature_extract(spec, &profile, x);
    assert_true(missing == UINT64_C(1) << PROFILE_avg_likes);
    assert_float_equal(x[0], log(100), 1e-6);
    assert_true(isnan(x[1]));
    assert_true(x[2] == 1.0F && x[3] == 0.0F && x[4] == 0.0F);
    feature_scale(spec, x, x);
    assert_float_equal(x[1], 0, 1e-9);

    profile.text[PROFILE_country] = "Atlantis";
    feature_extract(spec, &profile, x);
    assert_true(x[2] == 0.0F && x[3] == 1.0F && x[4] == 0.0F);
    profile.text[PROFILE_country] = NULL;
    feature_extract(spec, &profile, x);
    assert_true(x[3] == 0.0F && x[4] == 1.0F);
    feature_spec_free(spec);
}

static void a_level_in_other_case_is_that_level_unless_it_is_one_of_its_own(void **state)
{
    (void)state;
    static const char *const names[] = {"category=Music",   "category=music",
                                        "category=(other)", "extra_text:t=Red",
                                        "extra_text:t=RED", "extra_text:t=(other)"};
    static const float zeros[6] = {0};
    static const float ones[] = {1, 1, 1, 1, 1, 1};
    static const struct {
        const char *text;
        size_t column;
    } cases[] = {{"Music", 0}, {"music", 1}, {"MUSIC", 0}, {"mus", 2}, {"(Other)", 2}};
    static const struct {
        const char *text;
        size_t column;
    } extras[] = {{"Red", 3}, {"RED", 4}, {"red", 3}, {"redder", 5}};
    struct feature_spec *spec = NULL;
    assert_int_equal(feature_spec_new(names, zeros, zeros, ones, 6, &spec, NULL), STATUS_OK);
    struct profile profile;
    profile_init(&profile);
    float x[6];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        profile.text[PROFILE_category] = cases[i].text;
        feature_extract(spec, &profile, x);
        for (size_t column = 0; column < 3; column++)
            assert_true(x[column] == (column == cases[i].column ? 1.0F : 0.0F));
    }
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
        struct profile_extra own = {.name = "t", .number = NAN, .text = extras[i].text};
        profile.extras = &own;
        profile.n_extras = 1;
        feature_extract(spec, &profile, x);
        for (size_t column = 3; column < 6; column++)
            assert_true(x[column] == (column == extras[i].column ? 1.0F : 0.0F));
    }
    feature_spec_free(spec);
}

static void unknown_columns_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"no_such_feature"};
    float zero = 0;
    float one = 1;
    struct feature_spec *spec = NULL;
    assert_int_equal(feature_spec_new(names, &zero, &zero, &one, 1, &spec, NULL),
                     STATUS_UNSUPPORTED);
    static const char *const known[] = {"ln_posts"};
    assert_int_equal(feature_spec_new(known, &zero, &zero, &zero, 1, &spec, NULL), STATUS_INVALID);
}

static void engagement_is_derived_where_it_can_be(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.number[PROFILE_followers] = 1000;
    profile.number[PROFILE_avg_likes] = 50;
    feature_prepare(&profile);
    assert_float_equal(profile.number[PROFILE_engagement_rate], 0.05, 1e-12);
    profile_init(&profile);
    profile.number[PROFILE_followers] = 0;
    profile.number[PROFILE_avg_likes] = 50;
    feature_prepare(&profile);
    assert_true(isnan(profile.number[PROFILE_engagement_rate]));
}

static void percentiles_take_the_middle_of_ties(void **state)
{
    (void)state;
    const float grid[] = {1, 2, 2, 2, 3};
    assert_float_equal(composite_percentile(grid, 5, 2), 50, 1e-9);
    assert_float_equal(composite_percentile(grid, 5, 0), 0, 1e-9);
    assert_float_equal(composite_percentile(grid, 5, 9), 100, 1e-9);
    assert_float_equal(composite_percentile(grid, 5, 1.5), 12.5, 1e-9);
    assert_true(isnan(composite_percentile(grid, 5, NAN)));
}

static void missing_parts_give_their_weight_to_the_rest(void **state)
{
    (void)state;
    float grid[COMPOSITE_GRID];
    for (size_t i = 0; i < COMPOSITE_GRID; i++)
        grid[i] = (float)i / 10.0F;
    struct composite composite = {.weight = {1, 1, 1, 1, 1}};
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++)
        composite.grid[i] = grid;
    struct profile profile;
    profile_init(&profile);
    profile.number[PROFILE_followers] = expm1(10.0);
    struct composite_score score;
    composite_compute(&composite, &profile, &score);
    assert_float_equal(score.score, 50, 1e-3);
    assert_float_equal(score.share[COMPOSITE_reach], 1, 1e-12);
    assert_true(isnan(score.part[COMPOSITE_growth]));
    profile_init(&profile);
    composite_compute(&composite, &profile, &score);
    assert_true(isnan(score.score));
}

static void out_of_range_numbers_name_the_field(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.number[PROFILE_followers] = -3;
    struct error err = {0};
    assert_int_equal(profile_check(&profile, &err), STATUS_INVALID);
    assert_string_equal(err.message, "followers: must be between 0 and 10000000000, got -3");
    assert_string_equal(err.field, "followers");
}

static void a_file_of_posts_gives_likes_and_with_followers_a_rate(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    profile.number[PROFILE_followers] = 1000;
    profile.number[PROFILE_post_ln_likes] = log1p(40);
    profile.number[PROFILE_post_ln_comments] = log1p(10);
    feature_prepare(&profile);
    assert_near(profile.number[PROFILE_avg_likes], 40, 1e-9);
    assert_near(profile.number[PROFILE_engagement_rate], 0.05, 1e-12);
    profile.number[PROFILE_avg_likes] = 7; /* what the table says stands */
    feature_prepare(&profile);
    assert_near(profile.number[PROFILE_avg_likes], 7, 0);
}

static void degrees_are_read_each_by_its_own_feature(void **state)
{
    (void)state;
    static const struct {
        enum feature_id feature;
        enum profile_number field;
    } degrees[] = {
        {FEATURE_ln_edges_in, PROFILE_edges_in},
        {FEATURE_ln_edges_out, PROFILE_edges_out},
        {FEATURE_ln_comments_in, PROFILE_comments_in},
        {FEATURE_ln_comments_out, PROFILE_comments_out},
        {FEATURE_ln_tags_in, PROFILE_tags_in},
        {FEATURE_ln_tags_out, PROFILE_tags_out},
        {FEATURE_ln_mentions_in, PROFILE_mentions_in},
        {FEATURE_ln_mentions_out, PROFILE_mentions_out},
        {FEATURE_ln_follows_in, PROFILE_follows_in},
        {FEATURE_ln_follows_out, PROFILE_follows_out},
        {FEATURE_ln_brand_links_in, PROFILE_brand_links_in},
        {FEATURE_ln_brand_links, PROFILE_brand_links},
    };
    const char *names[ARRAY_LENGTH(degrees)];
    float fill[ARRAY_LENGTH(degrees)] = {0}, scale[ARRAY_LENGTH(degrees)];
    for (size_t i = 0; i < ARRAY_LENGTH(degrees); i++) {
        names[i] = feature_definitions[degrees[i].feature].name;
        scale[i] = 1;
        assert_true(feature_definitions[degrees[i].feature].inputs == UINT64_C(1)
                                                                          << degrees[i].field);
    }
    struct feature_spec *spec = NULL;
    assert_int_equal(feature_spec_new(names, fill, fill, scale, ARRAY_LENGTH(degrees), &spec, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < ARRAY_LENGTH(degrees); i++) {
        struct profile profile;
        float x[ARRAY_LENGTH(degrees)];
        profile_init(&profile);
        profile.number[degrees[i].field] = 6;
        feature_extract(spec, &profile, x);
        for (size_t j = 0; j < ARRAY_LENGTH(degrees); j++)
            assert_true(i == j ? fabs((double)x[j] - log(7)) < 1e-6 : isnan(x[j]));
    }
    feature_spec_free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_one_hot_and_missing_numbers_are_marked),
        cmocka_unit_test(a_level_in_other_case_is_that_level_unless_it_is_one_of_its_own),
        cmocka_unit_test(unknown_columns_are_refused),
        cmocka_unit_test(engagement_is_derived_where_it_can_be),
        cmocka_unit_test(percentiles_take_the_middle_of_ties),
        cmocka_unit_test(missing_parts_give_their_weight_to_the_rest),
        cmocka_unit_test(a_file_of_posts_gives_likes_and_with_followers_a_rate),
        cmocka_unit_test(degrees_are_read_each_by_its_own_feature),
        cmocka_unit_test(out_of_range_numbers_name_the_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
