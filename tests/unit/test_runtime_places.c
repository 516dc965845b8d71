/* SPDX-License-Identifier: Apache-2.0 */

/* A place in the network that a profile lacks, from its nearest catalogued neighbours. */
#include "unit.h"

#include "base/rng.h"
#include "runtime/engine.h"

enum {
    N = 60
};

static double followers[N], pagerank[N];
static struct engine_blob blobs[ENGINE_N_BLOBS];

static void finish(struct artifact_writer *writer, enum engine_model model)
{
    void *bytes = NULL;
    assert_int_equal(artifact_finish(writer, &bytes, &blobs[model].n_bytes, NULL), STATUS_OK);
    blobs[model].bytes = bytes;
    artifact_writer_free(writer);
}

static struct feature_spec *spec_of(const char *const *columns, size_t n)
{
    static const float zeros[2] = {0, 0};
    static const float ones[2] = {1, 1};
    struct feature_spec *spec = NULL;
    assert_int_equal(feature_spec_new(columns, zeros, zeros, ones, n, &spec, NULL), STATUS_OK);
    return spec;
}

/* Found by ln(1 + followers) alone; every fifth account has no place. */
static void write_similar(void)
{
    static const char *const columns[] = {"ln_followers"};
    struct rng rng = rng_seed(4);
    float rows[N];
    for (size_t i = 0; i < N; i++) {
        followers[i] = floor(exp(5 + 10 * rng_uniform(&rng)));
        pagerank[i] = i % 5 == 0 ? MISSING : rng_normal(&rng);
        rows[i] = (float)log1p(followers[i]);
    }
    struct artifact_writer *writer = NULL;
    struct feature_spec *spec = spec_of(columns, 1);
    const struct catalogue_columns catalogue = {
        .n = N,
        .number = {[PROFILE_followers] = followers, [PROFILE_net_pagerank] = pagerank},
    };
    assert_int_equal(artifact_writer_new(ARTIFACT_SIMILAR, &writer, NULL), STATUS_OK);
    assert_int_equal(similar_spec_write(writer, spec, NULL), STATUS_OK);
    assert_int_equal(neighbours_write(writer, rows, N, 1, 7, NULL), STATUS_OK);
    assert_int_equal(catalogue_write(writer, &catalogue, NULL), STATUS_OK);
    finish(writer, ENGINE_SIMILAR);
    feature_spec_free(spec);
}

static const char *const seen[] = {"ln_followers", "net_pagerank"};

/* 50 + ln(1 + followers) + 3 net_pagerank */
static void write_score(void)
{
    static const double weights[] = {1, 3, 50};
    static float grid[COMPOSITE_GRID];
    static float novelty[NOVELTY_GRID];
    const struct linear_model model = {2, 1, weights};
    struct score_extra extra = {
        .target = "influence_score",
        .interval_coverage = 0.9,
        .clip_low = -1e300,
        .clip_high = 1e300,
        .score_grid = grid,
        .novelty_grid = novelty,
    };
    extra.composite.weight[COMPOSITE_reach] = 1;
    struct artifact_writer *writer = NULL;
    struct feature_spec *spec = spec_of(seen, 2);
    assert_int_equal(artifact_writer_new(ARTIFACT_SCORE, &writer, NULL), STATUS_OK);
    assert_int_equal(predictor_write(writer, "score", spec, "linear", NULL), STATUS_OK);
    assert_int_equal(linear_write(writer, "score", &model, NULL), STATUS_OK);
    assert_int_equal(score_extra_write(writer, &extra, NULL), STATUS_OK);
    finish(writer, ENGINE_SCORE);
    feature_spec_free(spec);
}

static void write_tier(void)
{
    static const double weights[2][3] = {{0, 1, 0}, {0, -1, 0}};
    static const char *const names[] = {"hub", "leaf"};
    static const double cuts[] = {1000};
    const struct linear_model model = {2, 2, weights[0]};
    const struct tier_extra extra = {
        .target = "column:kind",
        .n_tiers = 2,
        .names = names,
        .temperature = 1,
        .n_sizes = 2,
        .size_names = names,
        .size_cuts = cuts,
    };
    struct artifact_writer *writer = NULL;
    struct feature_spec *spec = spec_of(seen, 2);
    assert_int_equal(artifact_writer_new(ARTIFACT_TIER, &writer, NULL), STATUS_OK);
    assert_int_equal(predictor_write(writer, "tier", spec, "linear", NULL), STATUS_OK);
    assert_int_equal(linear_write(writer, "tier", &model, NULL), STATUS_OK);
    assert_int_equal(tier_extra_write(writer, &extra, NULL), STATUS_OK);
    finish(writer, ENGINE_TIER);
    feature_spec_free(spec);
}

static void write_cluster(void)
{
    static const float centroids[2][2] = {{10, -1}, {10, 1}};
    static const char *const names[] = {"outside", "inside"};
    static const char *const traits[] = {"[]", "[]"};
    static const uint32_t sizes[] = {30, 30};
    static float grid[2 * CLUSTERS_GRID];
    const struct clusters_model model = {2, 2, centroids[0], names, traits, sizes, grid, 0.5};
    struct artifact_writer *writer = NULL;
    struct feature_spec *spec = spec_of(seen, 2);
    assert_int_equal(artifact_writer_new(ARTIFACT_CLUSTER, &writer, NULL), STATUS_OK);
    assert_int_equal(clusters_write(writer, spec, &model, NULL), STATUS_OK);
    finish(writer, ENGINE_CLUSTER);
    feature_spec_free(spec);
}

struct fixture {
    struct engine *engine;
    void *scratch;
};

static void open_engine(struct fixture *f)
{
    struct error err = {0};
    if (engine_open_memory(blobs, &f->engine, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    f->scratch = aligned_alloc(64, (engine_scratch_bytes(f->engine) + 64) / 64 * 64);
    assert_non_null(f->scratch);
}

static void close_engine(struct fixture *f)
{
    engine_close(f->engine);
    free(f->scratch);
}

static int write_blobs(void **state)
{
    (void)state;
    write_similar();
    write_score();
    write_tier();
    write_cluster();
    return 0;
}

static int free_blobs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ENGINE_N_MODELS; i++)
        free((void *)(uintptr_t)blobs[i].bytes);
    return 0;
}

/* The nearest taken one by one; the mean over those that have a place. */
static double mean_of_nearest(double of)
{
    bool taken[N] = {false};
    double sum = 0;
    size_t n = 0;
    for (size_t k = 0; k < ENGINE_PLACE_NEIGHBOURS; k++) {
        size_t best = N;
        for (size_t i = 0; i < N; i++)
            if (!taken[i] && (best == N || fabs(log1p(followers[i]) - log1p(of)) <
                                               fabs(log1p(followers[best]) - log1p(of))))
                best = i;
        taken[best] = true;
        if (isnan(pagerank[best]))
            continue;
        sum += pagerank[best];
        n++;
    }
    return sum / (double)n;
}

/* ---- communities and scores of neighbours ---- */

/* Accounts at 1, 2, ... 12 on a line, scores 10, 20, ... 120; the fifth has none. The first is
 * linked to the last two. */
enum {
    LINE = 12
};

static struct engine_blob line_blob(void)
{
    static const char *const columns[] = {"ln_followers"};
    static const char *const handles[LINE] = {"a", "b", "c", "d", "e", "f",
                                              "g", "h", "i", "j", "k", "l"};
    static const char *const communities[LINE] = {NULL,   "red",  "red",  "blue", "blue", "blue",
                                                  "blue", "grey", "grey", "red",  "red",  "red"};
    static const uint64_t start[LINE + 1] = {0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 4};
    static const uint32_t node[] = {10, 11, 0, 0};
    static const float weight[] = {1, 3, 1, 3};
    const struct links links = {LINE, start, node, weight};
    float line[LINE];
    double scores[LINE];
    for (size_t i = 0; i < LINE; i++) {
        line[i] = (float)(i + 1);
        scores[i] = i == 4 ? MISSING : 10 * (double)(i + 1);
    }
    struct artifact_writer *writer = NULL;
    struct feature_spec *spec = spec_of(columns, 1);
    const struct catalogue_columns catalogue = {
        .n = LINE,
        .number = {[PROFILE_influence_score] = scores},
        .text = {[PROFILE_handle] = handles, [PROFILE_community] = communities},
    };
    struct engine_blob blob = {0};
    void *bytes = NULL;
    assert_int_equal(artifact_writer_new(ARTIFACT_SIMILAR, &writer, NULL), STATUS_OK);
    assert_int_equal(similar_spec_write(writer, spec, NULL), STATUS_OK);
    assert_int_equal(neighbours_write(writer, line, LINE, 1, 7, NULL), STATUS_OK);
    assert_int_equal(catalogue_write(writer, &catalogue, NULL), STATUS_OK);
    assert_int_equal(links_write(writer, &links, NULL), STATUS_OK);
    assert_int_equal(artifact_finish(writer, &bytes, &blob.n_bytes, NULL), STATUS_OK);
    blob.bytes = bytes;
    artifact_writer_free(writer);
    feature_spec_free(spec);
    return blob;
}

/* What a profile of that handle at x on the line is told. */
static void place_of(const struct engine *engine, const char *handle, double x,
                     struct profile *ret_profile)
{
    static const char *const columns[] = {"net_neighbour_score", "community=red"};
    struct feature_spec *spec = spec_of(columns, 2);
    void *scratch = aligned_alloc(64, (engine_places_scratch(engine) + 64) / 64 * 64);
    profile_init(ret_profile);
    ret_profile->number[PROFILE_followers] = expm1(x);
    ret_profile->text[PROFILE_handle] = handle;
    engine_fill_places(engine, spec, ret_profile, scratch);
    free(scratch);
    feature_spec_free(spec);
}

static void a_lacking_community_is_that_of_most_and_scores_are_of_others(void **state)
{
    (void)state;
    struct engine_blob only[ENGINE_N_BLOBS] = {[ENGINE_SIMILAR] = line_blob()};
    struct engine *engine = NULL;
    struct profile profile;
    assert_int_equal(engine_open_memory(only, &engine, NULL), STATUS_OK);
    /* The ten nearest to 0 are the first ten: four blue, three red; nine have a score. */
    place_of(engine, NULL, 0, &profile);
    assert_string_equal(profile.text[PROFILE_community], "blue");
    assert_near(profile.number[PROFILE_net_neighbour_score], (550 - 50) / 9.0, 1e-9);
    /* Those nearest to 13 are the last ten: four blue, and four red that are nearer. */
    place_of(engine, "nobody", 13, &profile);
    assert_string_equal(profile.text[PROFILE_community], "red");
    assert_near(profile.number[PROFILE_net_neighbour_score], (750 - 50) / 9.0, 1e-9);
    /* Its own score is not among them; a has links, to scores of 110 and 120. */
    place_of(engine, "b", 0, &profile);
    assert_near(profile.number[PROFILE_net_neighbour_score], (550 - 50 - 20) / 8.0, 1e-9);
    place_of(engine, "a", 0, &profile);
    assert_near(profile.number[PROFILE_net_neighbour_score], (110 + 3 * 120) / 4.0, 1e-9);
    engine_close(engine);
    free((void *)(uintptr_t)only[ENGINE_SIMILAR].bytes);
}

static const uint64_t place = UINT64_C(1) << PROFILE_net_pagerank;

static void a_lacking_place_is_the_mean_of_the_nearest(void **state)
{
    (void)state;
    struct fixture f;
    open_engine(&f);
    struct rng rng = rng_seed(8);
    for (int round = 0; round < 40; round++) {
        struct profile profile;
        struct score_answer score;
        struct tier_answer tier;
        struct cluster_answer cluster;
        profile_init(&profile);
        profile.number[PROFILE_followers] = floor(exp(4 + 12 * rng_uniform(&rng)));
        double ln = log1p(profile.number[PROFILE_followers]);
        double mean = mean_of_nearest(profile.number[PROFILE_followers]);
        assert_int_equal(engine_score(f.engine, &profile, true, f.scratch, &score, NULL),
                         STATUS_OK);
        assert_near(score.score, 50 + ln + 3 * mean, 1e-4);
        assert_near((double)score.raw[1], mean, 1e-6);
        assert_near(score.base + score.contributions[0] + score.contributions[1], score.score,
                    1e-9);
        assert_near(score.contributions[1], 3 * mean, 1e-4);
        assert_true(score.imputed == place);
        assert_int_equal(engine_tier(f.engine, &profile, f.scratch, &tier, NULL), STATUS_OK);
        assert_near(tier.probabilities[0], 1 / (1 + exp(-2 * mean)), 1e-5);
        assert_true(tier.imputed == place);
        assert_int_equal(engine_cluster(f.engine, &profile, f.scratch, &cluster, NULL), STATUS_OK);
        assert_near(cluster.distance, hypot(ln - 10, fabs(mean) - 1), 1e-4);
        assert_true(cluster.imputed == place);
        assert_true(isnan(profile.number[PROFILE_net_pagerank]));
    }
    close_engine(&f);
}

static void a_place_of_its_own_is_kept(void **state)
{
    (void)state;
    struct fixture f;
    struct profile profile;
    struct score_answer score;
    open_engine(&f);
    profile_init(&profile);
    profile.number[PROFILE_followers] = 5000;
    profile.number[PROFILE_net_pagerank] = 0.75;
    assert_int_equal(engine_score(f.engine, &profile, false, f.scratch, &score, NULL), STATUS_OK);
    assert_near(score.score, 50 + log1p(5000) + 3 * 0.75, 1e-4);
    assert_true(score.imputed == 0);
    close_engine(&f);
}

/* Nobody to ask: the model's own fill, 0 here. */
static void without_a_catalogue_a_place_is_imputed_as_ever(void **state)
{
    (void)state;
    struct fixture f;
    struct profile profile;
    struct score_answer score;
    struct engine_blob similar = blobs[ENGINE_SIMILAR];
    blobs[ENGINE_SIMILAR] = (struct engine_blob){0};
    open_engine(&f);
    blobs[ENGINE_SIMILAR] = similar;
    profile_init(&profile);
    profile.number[PROFILE_followers] = 5000;
    assert_int_equal(engine_score(f.engine, &profile, false, f.scratch, &score, NULL), STATUS_OK);
    assert_near(score.score, 50 + log1p(5000), 1e-4);
    assert_true(score.imputed == place);
    close_engine(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lacking_place_is_the_mean_of_the_nearest),
        cmocka_unit_test(a_place_of_its_own_is_kept),
        cmocka_unit_test(a_lacking_community_is_that_of_most_and_scores_are_of_others),
        cmocka_unit_test(without_a_catalogue_a_place_is_imputed_as_ever),
    };
    return cmocka_run_group_tests_name("runtime-places", tests, write_blobs, free_blobs);
}
