/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/file.h"
#include "base/rng.h"
#include "runtime/engine.h"
#include "runtime/parity.h"
#include "runtime/softmax.h"
#include "small_bundle.h"

static struct small_bundle bundle;
static struct engine *engine;
static void *scratch;

static int open_bundle(void **state)
{
    (void)state;
    struct error err = {0};
    if (small_bundle_make(&bundle, &err) != STATUS_OK ||
        engine_open_memory(bundle.blobs, &engine, &err) != STATUS_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    scratch = aligned_alloc(64, (engine_scratch_bytes(engine) + 63) / 64 * 64);
    return scratch ? 0 : -1;
}

static int close_bundle(void **state)
{
    (void)state;
    engine_close(engine);
    small_bundle_free(&bundle);
    free(scratch);
    return 0;
}

/* ---- score ---- */

static void a_score_is_the_sum_of_its_leaves(void **state)
{
    (void)state;
    struct profile profile;
    struct score_answer answer;
    small_bundle_profile(3, &profile); /* 2.1e6 followers, 64000 likes, Travel */
    assert_int_equal(engine_score(engine, &profile, true, scratch, &answer, NULL), STATUS_OK);
    /* ln(2100001) = 14.6 >= 11; ln(64001) = 11.07: >= 8, < 11.5; and the lonely leaf. */
    assert_near(answer.score, 71.5 + 6.25 + 1.25 + 0.125, 1e-5);
    assert_near(answer.low, answer.score - 5.5, 1e-9);
    assert_near(answer.high, answer.score + 4.25, 1e-9);
    assert_near(answer.coverage, 0.9, 0);
    assert_near(answer.percentile, (answer.score - 60) / 30 * 100, 1e-3);
    assert_string_equal(answer.target, "influence_score");
    assert_true(answer.imputed == 0);
    double sum = answer.base;
    for (size_t i = 0; i < answer.n_contributions; i++)
        sum += answer.contributions[i];
    assert_int_equal(answer.n_contributions, 6);
    assert_near(sum, answer.score, 1e-9);
    assert_near(answer.composite.share[COMPOSITE_reach], 0.4 / 0.55, 1e-12);
    assert_true(isnan(answer.composite.part[COMPOSITE_growth]));
}

static void missing_fields_are_listed_and_scored(void **state)
{
    (void)state;
    struct profile profile;
    struct score_answer answer;
    profile_init(&profile);
    assert_int_equal(engine_score(engine, &profile, false, scratch, &answer, NULL), STATUS_OK);
    /* Missing goes left, then right, then left. */
    assert_near(answer.score, 71.5 - 4.5 + 1.25 + 0.125, 1e-5);
    assert_true(answer.imputed == (UINT64_C(1) << PROFILE_followers | UINT64_C(1) << PROFILE_posts |
                                   UINT64_C(1) << PROFILE_avg_likes));
    assert_true(isnan(answer.composite.score));
    assert_int_equal(answer.n_contributions, 0);
}

static void what_can_be_derived_is_not_missing(void **state)
{
    (void)state;
    struct profile profile;
    struct score_answer answer;
    profile_init(&profile);
    profile.number[PROFILE_followers] = 5000;
    profile.number[PROFILE_posts] = 10;
    profile.number[PROFILE_total_likes] = 4000;
    assert_int_equal(engine_score(engine, &profile, false, scratch, &answer, NULL), STATUS_OK);
    assert_true(answer.imputed == 0);
    assert_true(isnan(profile.number[PROFILE_avg_likes]));
}

static void novelty_rises_with_the_distance_from_the_middle(void **state)
{
    (void)state;
    struct profile profile;
    struct score_answer near;
    struct score_answer far;
    small_bundle_profile(1, &profile);
    assert_int_equal(engine_score(engine, &profile, false, scratch, &near, NULL), STATUS_OK);
    profile.number[PROFILE_followers] = 1e10;
    profile.number[PROFILE_posts] = 0;
    profile.number[PROFILE_avg_likes] = 1e10;
    assert_int_equal(engine_score(engine, &profile, false, scratch, &far, NULL), STATUS_OK);
    assert_true(near.novelty < far.novelty && near.novelty >= 0 && far.novelty <= 100);
}

static void percentiles_rise_with_the_value_and_stay_within_bounds(void **state)
{
    (void)state;
    struct rng rng = rng_seed(3);
    for (int round = 0; round < 50; round++) {
        double sample[40];
        float grid[COMPOSITE_GRID];
        for (size_t i = 0; i < 40; i++) /* with ties */
            sample[i] = (double)rng_below(&rng, 1 + (uint64_t)round) - 5;
        composite_make_grid(sample, 40, grid, COMPOSITE_GRID);
        double before = 0;
        for (int step = 0; step < 180; step++) {
            double x = -7 + 0.37 * step;
            double percentile = composite_percentile(grid, COMPOSITE_GRID, x);
            assert_true(percentile >= before && percentile <= 100);
            before = percentile;
        }
        assert_near(before, 100, 0);
    }
}

/* A table without a label: parts reach (weight 3), activity (1) known in training, growth not. */
static struct engine *open_composite(void **ret_bytes)
{
    static const char *const columns[] = {"ln_followers", "ln_posts"};
    static const float numbers[] = {1, 1};
    float grid[COMPOSITE_GRID];
    float novelty[NOVELTY_GRID];
    for (size_t i = 0; i < COMPOSITE_GRID; i++)
        grid[i] = (float)i / 10;
    for (size_t i = 0; i < NOVELTY_GRID; i++)
        novelty[i] = (float)i;
    struct score_extra extra = {
        .target = "composite",
        .interval_coverage = 1,
        .clip_high = 100,
        .score_grid = grid,
        .novelty_grid = novelty,
    };
    extra.composite.weight[COMPOSITE_reach] = 3;
    extra.composite.weight[COMPOSITE_activity] = 1;
    extra.composite.weight[COMPOSITE_growth] = 1;
    extra.composite.grid[COMPOSITE_reach] = grid;
    extra.composite.grid[COMPOSITE_activity] = grid;
    struct feature_spec *spec = NULL;
    struct artifact_writer *writer = NULL;
    struct engine_blob blobs[ENGINE_N_BLOBS] = {0};
    struct engine *composite = NULL;
    assert_int_equal(feature_spec_new(columns, numbers, numbers, numbers, 2, &spec, NULL),
                     STATUS_OK);
    assert_int_equal(artifact_writer_new(ARTIFACT_SCORE, &writer, NULL), STATUS_OK);
    assert_int_equal(predictor_write(writer, "score", spec, "composite", NULL), STATUS_OK);
    assert_int_equal(score_extra_write(writer, &extra, NULL), STATUS_OK);
    assert_int_equal(artifact_finish(writer, ret_bytes, &blobs[ENGINE_SCORE].n_bytes, NULL),
                     STATUS_OK);
    blobs[ENGINE_SCORE].bytes = *ret_bytes;
    struct error err = {0};
    if (engine_open_memory(blobs, &composite, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    feature_spec_free(spec);
    artifact_writer_free(writer);
    return composite;
}

static void a_composite_is_exact_or_bounded_by_what_is_missing(void **state)
{
    (void)state;
    void *bytes = NULL;
    struct engine *composite = open_composite(&bytes);
    struct profile profile;
    struct score_answer answer;
    profile_init(&profile);
    assert_int_equal(engine_score(composite, &profile, true, scratch, &answer, NULL), STATUS_OK);
    assert_near(answer.score, 50, 0);
    assert_near(answer.low, 0, 0);
    assert_near(answer.high, 100, 0);
    profile.number[PROFILE_followers] = expm1(12.0); /* the 60th percentile */
    assert_int_equal(engine_score(composite, &profile, true, scratch, &answer, NULL), STATUS_OK);
    assert_near(answer.score, 60, 1e-4);
    assert_near(answer.low, 45, 1e-4);
    assert_near(answer.high, 70, 1e-4);
    assert_int_equal(answer.n_contributions, 0);
    assert_true(answer.imputed == UINT64_C(1) << PROFILE_posts);
    profile.number[PROFILE_posts] = expm1(4.0); /* the 20th */
    assert_int_equal(engine_score(composite, &profile, true, scratch, &answer, NULL), STATUS_OK);
    assert_near(answer.score, 50, 1e-4);
    assert_near(answer.low, answer.score, 1e-9);
    assert_near(answer.high, answer.score, 1e-9);
    assert_near(answer.coverage, 1, 0);
    assert_string_equal(answer.target, "composite");
    engine_close(composite);
    free(bytes);
}

/* ---- tier ---- */

static void probabilities_sum_to_one_and_follow_the_closed_form(void **state)
{
    (void)state;
    for (size_t row = 0; row < SMALL_BUNDLE_ROWS; row++) {
        struct profile profile;
        struct tier_answer answer;
        small_bundle_profile(row, &profile);
        assert_int_equal(engine_tier(engine, &profile, scratch, &answer, NULL), STATUS_OK);
        double sum = 0;
        for (size_t i = 0; i < answer.n_tiers; i++)
            sum += answer.probabilities[i];
        assert_near(sum, 1, 1e-12);
        /* Weights and scaling of small_bundle.c, written out. */
        double f = profile.number[PROFILE_followers];
        double p = profile.number[PROFILE_posts];
        double l = profile.number[PROFILE_avg_likes];
        const char *category = profile.text[PROFILE_category];
        double x0 = ((isnan(f) ? 11 : log1p(f)) - 11.5) / 3;
        double x1 = ((isnan(p) ? 6 : log1p(p)) - 6.25) / 1.5;
        double x2 = ((isnan(l) ? 8 : log1p(l)) - 7.75) / 3.25;
        double x3 = ((category && strcmp(category, "Food") == 0 ? 1 : 0) - 0.25) / 0.5;
        double x4 = ((category && strcmp(category, "Food") != 0 ? 1 : 0) - 0.625) / 0.5;
        double x5 = ((category ? 0 : 1) - 0.125) / 0.375;
        double logit[] = {-2 * x0 - x2 + 0.5 * x3 + 0.25, 0.5 * x0 + 0.25 * x1 + 0.125 * x4 + 1,
                          3 * x0 + 1.5 * x2 - 0.5 * x3 + 0.75 * x5 - 1};
        double total = exp(logit[0] / 1.25) + exp(logit[1] / 1.25) + exp(logit[2] / 1.25);
        for (size_t i = 0; i < 3; i++)
            assert_near(answer.probabilities[i], exp(logit[i] / 1.25) / total, 1e-5);
        assert_int_equal(answer.tier, argmax(answer.probabilities, 3));
    }
}

static void the_audience_check_compares_claim_and_behaviour(void **state)
{
    (void)state;
    struct profile profile;
    struct tier_answer answer;
    profile_init(&profile);
    profile.number[PROFILE_followers] = 900000;
    profile.number[PROFILE_avg_likes] = 15;
    profile.number[PROFILE_posts] = 400;
    assert_int_equal(engine_tier(engine, &profile, scratch, &answer, NULL), STATUS_OK);
    assert_string_equal(answer.size_claimed, "large");
    assert_string_equal(answer.size_predicted, "small");
    assert_true(answer.size_disagrees && answer.size_confidence > 0.5);
    profile.number[PROFILE_followers] = NAN;
    assert_int_equal(engine_tier(engine, &profile, scratch, &answer, NULL), STATUS_OK);
    assert_null(answer.size_claimed);
    assert_false(answer.size_disagrees);
    assert_string_equal(engine_size_of(engine, 49999), "small");
    assert_string_equal(engine_size_of(engine, 50000), "large");
}

static void softmax_is_stable_and_sharpens_with_a_low_temperature(void **state)
{
    (void)state;
    const double huge[] = {1e300, 1e300, -1e300};
    double p[3];
    softmax(huge, 3, 1, p);
    assert_near(p[0], 0.5, 1e-12);
    assert_near(p[2], 0, 1e-12);
    const double x[] = {1, 2, 3};
    double cold[3];
    softmax(x, 3, 1, p);
    softmax(x, 3, 0.5, cold);
    assert_true(cold[2] > p[2]);
    assert_int_equal(argmax(huge, 3), 0);
}

/* ---- cluster ---- */

static void the_nearest_centroid_is_the_cluster(void **state)
{
    (void)state;
    for (size_t row = 0; row < SMALL_BUNDLE_ROWS; row++) {
        struct profile profile;
        struct cluster_answer answer;
        small_bundle_profile(row, &profile);
        assert_int_equal(engine_cluster(engine, &profile, scratch, &answer, NULL), STATUS_OK);
        double sum = 0;
        for (size_t c = 0; c < answer.k; c++) {
            assert_true(answer.membership[c] <= answer.membership[answer.cluster]);
            sum += answer.membership[c];
        }
        assert_near(sum, 1, 1e-12);
        assert_true(answer.distance_percentile >= 0 && answer.distance_percentile <= 100);
    }
    struct profile profile;
    struct cluster_answer answer;
    small_bundle_profile(9, &profile);
    assert_int_equal(engine_cluster(engine, &profile, scratch, &answer, NULL), STATUS_OK);
    assert_string_equal(answer.name, answer.cluster == 1 ? "cooks" : "large");
}

/* ---- similar ---- */

static struct similar_query any(size_t k)
{
    return (struct similar_query){.k = k, .min_followers = NAN, .max_followers = NAN};
}

static struct similar_answer ask(size_t row, const struct similar_query *query)
{
    struct profile profile;
    struct similar_answer answer;
    struct error err = {0};
    small_bundle_profile(row, &profile);
    if (engine_similar(engine, &profile, query, scratch, &answer, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return answer;
}

static void a_profile_is_never_similar_to_itself(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < SMALL_BUNDLE_ROWS; row++) {
        struct similar_query query = any(100);
        struct similar_answer answer = ask(row, &query);
        assert_int_equal(answer.n, SMALL_BUNDLE_ROWS - 1);
        assert_true(answer.exact);
        for (size_t i = 0; i < answer.n; i++) {
            assert_int_not_equal(answer.items[i].row, row);
            assert_near(answer.items[i].similarity, 1 / (1 + answer.items[i].distance), 1e-12);
            assert_true(i == 0 || answer.items[i].distance >= answer.items[i - 1].distance);
        }
    }
}

static void filters_select_and_never_shorten_the_list(void **state)
{
    (void)state;
    const struct catalogue *catalogue = engine_catalogue(engine);
    struct similar_query query = any(3);
    query.category = "ART";
    struct similar_answer answer = ask(1, &query);
    assert_int_equal(answer.n, 3); /* Art, art, Art */
    for (size_t i = 0; i < answer.n; i++)
        assert_true(catalogue_text(catalogue, answer.items[i].row, PROFILE_category)[1] == 'r');
    query = any(10);
    query.country = "Norway";
    assert_int_equal(ask(1, &query).n, 4);
    query = any(10);
    query.tier = "Large";
    assert_int_equal(ask(0, &query).n, 6);
    query = any(10);
    query.min_followers = 9400;
    query.max_followers = 45000;
    assert_int_equal(ask(0, &query).n, 3);
    query = any(10);
    static const char *const gone[] = {"@DUNES", "bake_day", "nobody"};
    query.exclude = gone;
    query.n_exclude = 3;
    answer = ask(0, &query);
    assert_int_equal(answer.n, 9);
    for (size_t i = 0; i < answer.n; i++)
        assert_true(answer.items[i].row != 1 && answer.items[i].row != 3);
    query = any(10);
    query.category = "Astrology";
    assert_int_equal(ask(0, &query).n, 0);
}

static void bad_queries_name_the_field(void **state)
{
    (void)state;
    struct profile profile;
    struct similar_answer answer;
    struct error err = {0};
    small_bundle_profile(0, &profile);
    struct similar_query query = any(0);
    assert_int_equal(engine_similar(engine, &profile, &query, scratch, &answer, &err),
                     STATUS_INVALID);
    assert_string_equal(err.field, "k");
    query = any(SIMILAR_MAX_K + 1);
    assert_int_equal(engine_similar(engine, &profile, &query, scratch, &answer, &err),
                     STATUS_INVALID);
    query = any(1);
    query.tier = "gigantic";
    engine_similar(engine, &profile, &query, scratch, &answer, &err);
    assert_string_equal(err.field, "tier");
    query = any(1);
    query.min_followers = 2;
    query.max_followers = 1;
    engine_similar(engine, &profile, &query, scratch, &answer, &err);
    assert_string_equal(err.field, "min_followers");
}

/* ---- catalogue ---- */

static void handles_are_found_however_they_are_written(void **state)
{
    (void)state;
    const struct catalogue *catalogue = engine_catalogue(engine);
    uint32_t row = 99;
    assert_true(catalogue_find(catalogue, "ada.makes", 9, &row));
    assert_int_equal(row, 0);
    assert_true(catalogue_find(catalogue, "@LANTERN", 8, &row));
    assert_int_equal(row, 11);
    assert_false(catalogue_find(catalogue, "ada.make", 8, &row));
    assert_false(catalogue_find(catalogue, "ada.makes2", 10, &row));
    assert_false(catalogue_find(catalogue, "", 0, &row));
    assert_false(catalogue_find(catalogue, "@", 1, &row));
}

static void a_catalogued_profile_comes_back_as_it_went_in(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < SMALL_BUNDLE_ROWS; row++) {
        struct profile in;
        struct profile out;
        small_bundle_profile(row, &in);
        catalogue_profile(engine_catalogue(engine), row, &out);
        for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
            assert_true(in.number[f] == out.number[f] ||
                        (isnan(in.number[f]) && isnan(out.number[f])));
        for (size_t f = 0; f < PROFILE_N_TEXTS; f++) {
            assert_true(!in.text[f] == !out.text[f]);
            if (in.text[f])
                assert_string_equal(in.text[f], out.text[f]);
        }
    }
}

static void searching_puts_beginnings_first_then_the_large(void **state)
{
    (void)state;
    uint32_t rows[16];
    const struct catalogue *catalogue = engine_catalogue(engine);
    assert_int_equal(catalogue_search(catalogue, "DA", 16, rows), 3);
    /* jam_toDAy, bake_DAy, aDA.Makes: none begins with it. */
    assert_int_equal(rows[0], 9);
    assert_int_equal(rows[1], 1);
    assert_int_equal(rows[2], 0);
    assert_int_equal(catalogue_search(catalogue, "a", 16, rows), 7);
    assert_int_equal(rows[0], 0); /* the only one that begins with it */
    assert_int_equal(catalogue_search(catalogue, "ink", 16, rows), 1);
    assert_int_equal(catalogue_search(catalogue, "caf\xc3\xa9", 16, rows), 1);
    assert_int_equal(rows[0], 7);
    assert_int_equal(catalogue_search(catalogue, "", 5, rows), 5);
    assert_int_equal(rows[0], 9);
    assert_int_equal(catalogue_search(catalogue, "da", 0, rows), 0);
}

static void misspelt_handles_have_close_ones(void **state)
{
    (void)state;
    uint32_t rows[4];
    const struct catalogue *catalogue = engine_catalogue(engine);
    assert_int_equal(catalogue_closest(catalogue, "dunez", 4, rows), 1);
    assert_int_equal(rows[0], 3);
    assert_int_equal(catalogue_closest(catalogue, "@GOUACH", 4, rows), 1);
    assert_int_equal(rows[0], 6);
    assert_int_equal(catalogue_closest(catalogue, "nothing_like_it", 4, rows), 0);
}

/* ---- growth ---- */

/* By hand: 3 - 10 z(ln followers) + 2 z(ln likes) in 100 ln ratio, and half of ln likes beyond the
 * peers' 9 of large travellers, 6 of small ones; between the knots 0 and 10 the spread rises from 1
 * to 2. */
static void growth_is_a_fraction_with_the_interval_of_its_size(void **state)
{
    (void)state;
    struct profile profile;
    struct growth_answer answer;
    struct score_answer score;
    small_bundle_profile(3, &profile); /* 2.1e6 followers, 64000 likes */
    double output = 3 - 10 * (log(2100001.0) - 11.5) / 3 + 2 * (log(64001.0) - 7.75) / 3.25 +
                    (log(64001.0) - 9) / 2;
    assert_int_equal(engine_growth(engine, &profile, scratch, &answer, NULL), STATUS_OK);
    assert_near(answer.forecast, expm1(output / 100), 1e-6);
    assert_near(answer.low, expm1((output - 4) / 100), 1e-6);
    assert_near(answer.high, expm1((output + 5) / 100), 1e-6);
    assert_near(answer.percentile, 100 * (output + 20) / 50, 1e-3);
    assert_near(answer.coverage, 0.9, 0);
    assert_near(answer.months, 2, 0);
    assert_true(answer.imputed == 0);

    profile.number[PROFILE_followers] = 20000; /* the smaller size, and a wider spread */
    output = 3 - 10 * (log(20001.0) - 11.5) / 3 + 2 * (log(64001.0) - 7.75) / 3.25 +
             (log(64001.0) - 6) / 2;
    assert_true(output > 10);
    assert_int_equal(engine_growth(engine, &profile, scratch, &answer, NULL), STATUS_OK);
    assert_near(answer.low, expm1((output - 16) / 100), 1e-6);
    assert_near(answer.high, expm1((output + 24) / 100), 1e-6);

    assert_int_equal(engine_score(engine, &profile, false, scratch, &score, NULL), STATUS_OK);
    assert_true(score.has_growth);
    assert_near(score.growth.forecast, answer.forecast, 0);

    profile.number[PROFILE_followers] = MISSING;
    assert_int_equal(engine_growth(engine, &profile, scratch, &answer, NULL), STATUS_OK);
    assert_true(answer.imputed == UINT64_C(1) << PROFILE_followers);
}

/* ---- opening ---- */

static void an_absent_model_fails_its_calls_only(void **state)
{
    (void)state;
    struct engine_blob blobs[ENGINE_N_BLOBS] = {0};
    struct engine *partial = NULL;
    struct profile profile;
    struct score_answer score;
    struct tier_answer tier;
    struct error err = {0};
    blobs[ENGINE_SCORE] = bundle.blobs[ENGINE_SCORE];
    assert_int_equal(engine_open_memory(blobs, &partial, &err), STATUS_OK);
    profile_init(&profile);
    assert_true(engine_scratch_bytes(partial) <= engine_scratch_bytes(engine));
    assert_false(engine_has_growth(partial));
    assert_int_equal(engine_score(partial, &profile, false, scratch, &score, NULL), STATUS_OK);
    assert_int_equal(engine_tier(partial, &profile, scratch, &tier, &err), STATUS_UNSUPPORTED);
    assert_string_equal(err.message, "this bundle has no tier model");
    assert_false(score.has_growth);
    struct growth_answer growth;
    assert_int_equal(engine_growth(partial, &profile, scratch, &growth, &err), STATUS_UNSUPPORTED);
    assert_string_equal(err.message, "this bundle has no growth model");
    engine_close(partial);
}

static void a_blob_in_another_ones_place_is_refused(void **state)
{
    (void)state;
    struct engine_blob blobs[ENGINE_N_BLOBS] = {0};
    struct engine *wrong = NULL;
    struct error err = {0};
    blobs[ENGINE_SCORE] = bundle.blobs[ENGINE_TIER];
    assert_int_equal(engine_open_memory(blobs, &wrong, &err), STATUS_CORRUPT);
    assert_string_equal(err.message, "score.blob: header: is not a score model");
}

/* ---- parity ---- */

static void vectors_hold_and_a_changed_answer_is_named(void **state)
{
    (void)state;
    struct profile profiles[SMALL_BUNDLE_ROWS];
    for (size_t i = 0; i < SMALL_BUNDLE_ROWS; i++)
        small_bundle_profile(i, &profiles[i]);
    struct buffer text = {0};
    struct error err = {0};
    size_t n = 99;
    char dir[] = "/tmp/parity-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/" PARITY_FILE, dir);
    assert_int_equal(parity_replay(engine, dir, &n, &err), STATUS_OK);
    assert_int_equal(n, 0); /* a bundle of earlier days */

    assert_int_equal(parity_write(engine, profiles, SMALL_BUNDLE_ROWS, &text, &err), STATUS_OK);
    assert_null(strstr(text.at, "harbour_ok"));
    assert_null(strstr(text.at, "Bake Day"));
    assert_int_equal(file_write_atomic(path, text.at, text.length, &err), STATUS_OK);
    assert_int_equal(parity_replay(engine, dir, &n, &err), STATUS_OK);
    assert_int_equal(n, SMALL_BUNDLE_ROWS);

    /* The first digit behind the third score's point. */
    char *at = text.at;
    for (int i = 0; i < 3; i++)
        at = strstr(at, "\"score\": ") + 9;
    at = strchr(at, '.') + 1;
    *at = *at == '1' ? '2' : '1';
    assert_int_equal(file_write_atomic(path, text.at, text.length, &err), STATUS_OK);
    assert_int_equal(parity_replay(engine, dir, &n, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "vector 3: score is "));

    assert_int_equal(file_write_atomic(path, "{}", 2, &err), STATUS_OK);
    assert_int_equal(parity_replay(engine, dir, &n, &err), STATUS_CORRUPT);
    buffer_deinit(&text);
    assert_int_equal(file_remove_tree(dir, &err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold_and_a_changed_answer_is_named),
        cmocka_unit_test(a_score_is_the_sum_of_its_leaves),
        cmocka_unit_test(missing_fields_are_listed_and_scored),
        cmocka_unit_test(what_can_be_derived_is_not_missing),
        cmocka_unit_test(novelty_rises_with_the_distance_from_the_middle),
        cmocka_unit_test(a_composite_is_exact_or_bounded_by_what_is_missing),
        cmocka_unit_test(percentiles_rise_with_the_value_and_stay_within_bounds),
        cmocka_unit_test(probabilities_sum_to_one_and_follow_the_closed_form),
        cmocka_unit_test(the_audience_check_compares_claim_and_behaviour),
        cmocka_unit_test(softmax_is_stable_and_sharpens_with_a_low_temperature),
        cmocka_unit_test(the_nearest_centroid_is_the_cluster),
        cmocka_unit_test(a_profile_is_never_similar_to_itself),
        cmocka_unit_test(filters_select_and_never_shorten_the_list),
        cmocka_unit_test(bad_queries_name_the_field),
        cmocka_unit_test(handles_are_found_however_they_are_written),
        cmocka_unit_test(a_catalogued_profile_comes_back_as_it_went_in),
        cmocka_unit_test(searching_puts_beginnings_first_then_the_large),
        cmocka_unit_test(misspelt_handles_have_close_ones),
        cmocka_unit_test(growth_is_a_fraction_with_the_interval_of_its_size),
        cmocka_unit_test(an_absent_model_fails_its_calls_only),
        cmocka_unit_test(a_blob_in_another_ones_place_is_refused),
    };
    return cmocka_run_group_tests(tests, open_bundle, close_bundle);
}
