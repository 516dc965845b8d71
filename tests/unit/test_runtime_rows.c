/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "runtime/engine.h"
#include "small_bundle.h"

#define N_COLUMNS 3

static struct small_bundle bundle;
static struct engine *engine;
static void *scratch, *rows_scratch;

static void *aligned(size_t bytes)
{
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static int open_bundle(void **state)
{
    (void)state;
    struct error err = {0};
    if (small_bundle_make(&bundle, &err) != STATUS_OK ||
        engine_open_memory(bundle.blobs, &engine, &err) != STATUS_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    scratch = aligned(engine_scratch_bytes(engine));
    rows_scratch = aligned(engine_rows_scratch_bytes(engine));
    return scratch && rows_scratch ? 0 : -1;
}

static int close_bundle(void **state)
{
    (void)state;
    engine_close(engine);
    small_bundle_free(&bundle);
    free(scratch);
    free(rows_scratch);
    return 0;
}

static bool same(double a, double b)
{
    uint64_t bits_a;
    uint64_t bits_b;
    memcpy(&bits_a, &a, sizeof a);
    memcpy(&bits_b, &b, sizeof b);
    return bits_a == bits_b;
}

/* The bundle's accounts over and over, each time with other figures, some of them missing. */
static void make_profiles(struct profile profiles[static ENGINE_ROWS],
                          const struct profile *ret_each[static ENGINE_ROWS])
{
    struct rng rng = rng_seed(11);
    for (size_t i = 0; i < ENGINE_ROWS; i++) {
        small_bundle_profile(i % SMALL_BUNDLE_ROWS, &profiles[i]);
        for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
            profiles[i].number[f] *= exp(rng_normal(&rng));
        if (rng_below(&rng, 5) == 0)
            profiles[i].number[PROFILE_avg_likes] = MISSING;
        ret_each[i] = &profiles[i];
    }
}

static void scores_together_are_those_of_each_alone(void **state)
{
    (void)state;
    struct profile profiles[ENGINE_ROWS];
    const struct profile *each[ENGINE_ROWS];
    struct score_answer together[ENGINE_ROWS];
    make_profiles(profiles, each);
    for (size_t n = 0; n <= ENGINE_ROWS; n++) {
        assert_int_equal(engine_score_rows(engine, each, n, rows_scratch, together, NULL),
                         STATUS_OK);
        for (size_t i = 0; i < n; i++) {
            struct score_answer alone;
            assert_int_equal(engine_score(engine, each[i], false, scratch, &alone, NULL),
                             STATUS_OK);
            assert_true(same(together[i].score, alone.score));
            assert_true(same(together[i].low, alone.low));
            assert_true(same(together[i].high, alone.high));
            assert_true(same(together[i].percentile, alone.percentile));
            assert_true(same(together[i].novelty, alone.novelty));
            assert_memory_equal(&together[i].composite, &alone.composite, sizeof alone.composite);
            assert_true(together[i].imputed == alone.imputed);
            assert_true(together[i].has_growth && alone.has_growth);
            assert_true(same(together[i].growth.forecast, alone.growth.forecast));
            assert_true(same(together[i].growth.high, alone.growth.high));
            assert_int_equal(together[i].n_contributions, 0);
            assert_memory_equal(together[i].raw, alone.raw,
                                engine_spec(engine, ENGINE_SCORE)->n_columns * sizeof(float));
        }
    }
}

static void tiers_together_are_those_of_each_alone(void **state)
{
    (void)state;
    struct profile profiles[ENGINE_ROWS];
    const struct profile *each[ENGINE_ROWS];
    struct tier_answer together[ENGINE_ROWS];
    make_profiles(profiles, each);
    for (size_t n = 0; n <= ENGINE_ROWS; n += 7) {
        assert_int_equal(engine_tier_rows(engine, each, n, rows_scratch, together, NULL),
                         STATUS_OK);
        for (size_t i = 0; i < n; i++) {
            struct tier_answer alone;
            assert_int_equal(engine_tier(engine, each[i], scratch, &alone, NULL), STATUS_OK);
            assert_int_equal(together[i].tier, alone.tier);
            assert_memory_equal(together[i].probabilities, alone.probabilities,
                                alone.n_tiers * sizeof(double));
            assert_ptr_equal(together[i].size_claimed, alone.size_claimed);
            assert_ptr_equal(together[i].size_predicted, alone.size_predicted);
            assert_true(same(together[i].size_confidence, alone.size_confidence));
            assert_int_equal(together[i].size_disagrees, alone.size_disagrees);
            assert_int_equal(together[i].has_audience, alone.has_audience);
            assert_true(together[i].imputed == alone.imputed);
        }
    }
}

/* A stump beside a line: one of the members predicts rows together, the other one after the other.
 */
static struct predictor *open_blend(struct artifact **ret_artifact, void **ret_bytes)
{
    static const char *const columns[N_COLUMNS] = {"ln_followers", "ln_posts", "ln_avg_likes"};
    static const char *const families[] = {"trees", "linear"};
    static const float zeros[N_COLUMNS];
    static const float ones[N_COLUMNS] = {1, 1, 1};
    static const double shares[] = {0.3, 0.7};
    static const double weights[] = {0.5, -1.25, 0.1, 3};
    static const double base[] = {1.5};
    static const uint32_t start[] = {0, 3};
    static const uint32_t output[] = {0};
    static const struct tree_node nodes[] = {
        {.feature = 2, .value = 0.5F, .left = 1, .right = 2, .missing_left = 1, .cover = 12},
        {.feature = -1, .value = -4.3F, .cover = 5},
        {.feature = -1, .value = 6.1F, .cover = 7},
    };
    const struct tree_model trees = {N_COLUMNS, 1, 1, base, start, output, nodes};
    const struct linear_model line = {N_COLUMNS, 1, weights};
    const struct blend_model blend = {2, shares, families};
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    struct predictor *predictor = NULL;
    size_t n_bytes = 0;
    assert_int_equal(feature_spec_new(columns, zeros, zeros, ones, N_COLUMNS, &spec, NULL), 0);
    assert_int_equal(artifact_writer_new(ARTIFACT_SCORE, &writer, NULL), STATUS_OK);
    assert_int_equal(predictor_write(writer, "score", spec, "blend", NULL), STATUS_OK);
    assert_int_equal(blend_write(writer, "score", &blend, NULL), STATUS_OK);
    assert_int_equal(trees_write(writer, blend_prefix("score", 0).text, &trees, NULL), STATUS_OK);
    assert_int_equal(linear_write(writer, blend_prefix("score", 1).text, &line, NULL), STATUS_OK);
    assert_int_equal(artifact_finish(writer, ret_bytes, &n_bytes, NULL), STATUS_OK);
    assert_int_equal(artifact_open_memory(*ret_bytes, n_bytes, "blend", ret_artifact, NULL), 0);
    assert_int_equal(predictor_open(*ret_artifact, "score", &predictor, NULL), STATUS_OK);
    return predictor;
}

static void a_blend_of_many_rows_is_that_of_each(void **state)
{
    (void)state;
    enum {
        N = 150
    };
    float raw[N][N_COLUMNS];
    double together[N];
    struct artifact *artifact = NULL;
    void *bytes = NULL;
    struct predictor *blend = open_blend(&artifact, &bytes);
    void *own = aligned(predictor_scratch_bytes(blend));
    struct rng rng = rng_seed(5);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < N_COLUMNS; c++)
            raw[i][c] = rng_below(&rng, 6) == 0 ? NAN : (float)rng_normal(&rng);
    for (size_t n = 0; n <= N; n += 25) {
        predictor_run_rows(blend, raw[0], n, own, together);
        for (size_t i = 0; i < n; i++) {
            double alone;
            predictor_run(blend, raw[i], own, &alone);
            assert_true(same(together[i], alone));
        }
    }
    predictor_close(blend);
    artifact_close(artifact);
    free(bytes);
    free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_together_are_those_of_each_alone),
        cmocka_unit_test(tiers_together_are_those_of_each_alone),
        cmocka_unit_test(a_blend_of_many_rows_is_that_of_each),
    };
    return cmocka_run_group_tests(tests, open_bundle, close_bundle);
}
