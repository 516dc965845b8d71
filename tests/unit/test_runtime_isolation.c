/* SPDX-License-Identifier: Apache-2.0 */

/* How far a profile is from the catalogue, against brute force. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/rng.h"
#include "runtime/engine.h"

enum {
    N = 80
};

/* Two crowds on a line, far apart. */
static float rows[N];
static char names[N][8];
static const char *handles[N];
static struct engine_blob blobs[ENGINE_N_BLOBS];
static struct engine *engine;
static void *scratch;

static int open_engine(void **state)
{
    (void)state;
    static const char *const columns[] = {"ln_followers"};
    static const float zero = 0;
    static const float one = 1;
    struct rng rng = rng_seed(6);
    for (size_t i = 0; i < N; i++) {
        rows[i] = (float)(i % 2 ? 4 + 0.2 * rng_normal(&rng) : 16 + 0.2 * rng_normal(&rng));
        snprintf(names[i], sizeof names[i], "a%zu", i);
        handles[i] = names[i];
    }
    const struct catalogue_columns catalogue = {.n = N, .text = {[PROFILE_handle] = handles}};
    const struct neighbour_rows indexed = {rows, N, 1};
    struct artifact_writer *writer = NULL;
    struct feature_spec *spec = NULL;
    void *bytes = NULL;
    assert_int_equal(feature_spec_new(columns, &zero, &zero, &one, 1, &spec, NULL), STATUS_OK);
    assert_int_equal(artifact_writer_new(ARTIFACT_SIMILAR, &writer, NULL), STATUS_OK);
    assert_int_equal(similar_spec_write(writer, spec, NULL), STATUS_OK);
    struct own_neighbours own = {0};
    assert_int_equal(own_neighbours_init(&own, &indexed, 7, NULL), STATUS_OK);
    assert_int_equal(own_neighbours_write(&own, writer, NULL), STATUS_OK);
    assert_int_equal(catalogue_write(writer, &catalogue, NULL), STATUS_OK);
    assert_int_equal(isolation_write(writer, &own, &indexed, NULL), STATUS_OK);
    own_neighbours_deinit(&own);
    assert_int_equal(artifact_finish(writer, &bytes, &blobs[ENGINE_SIMILAR].n_bytes, NULL),
                     STATUS_OK);
    blobs[ENGINE_SIMILAR].bytes = bytes;
    artifact_writer_free(writer);
    feature_spec_free(spec);
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_OK);
    scratch = aligned_alloc(64, (engine_scratch_bytes(engine) + 64) / 64 * 64);
    return scratch ? 0 : -1;
}

static int close_engine(void **state)
{
    (void)state;
    engine_close(engine);
    free(scratch);
    free((void *)(uintptr_t)blobs[ENGINE_SIMILAR].bytes);
    return 0;
}

/* Mean distance to the nearest five; `own` is left out, N: nobody. */
static double by_hand(double x, size_t own)
{
    bool taken[N] = {false};
    double sum = 0;
    for (size_t k = 0; k < ISOLATION_NEIGHBOURS; k++) {
        size_t best = N;
        for (size_t i = 0; i < N; i++)
            if (i != own && !taken[i] &&
                (best == N || fabs((double)rows[i] - x) < fabs((double)rows[best] - x)))
                best = i;
        taken[best] = true;
        sum += fabs((double)rows[best] - x);
    }
    return sum / ISOLATION_NEIGHBOURS;
}

static struct similar_answer ask(double x, const char *handle, size_t k, const char *country)
{
    struct profile profile;
    struct similar_answer answer;
    const struct similar_query query = {
        .k = k, .country = country, .min_followers = NAN, .max_followers = NAN};
    profile_init(&profile);
    profile.number[PROFILE_followers] = expm1(x);
    profile.text[PROFILE_handle] = handle;
    assert_int_equal(engine_similar(engine, &profile, &query, scratch, &answer, NULL), STATUS_OK);
    assert_true(answer.has_isolation);
    return answer;
}

static void distances_are_those_to_the_nearest_five(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) {
        double x = (double)rows[i];
        assert_near(ask(x, handles[i], 10, NULL).isolation.distance, by_hand(x, i), 1e-5);
        assert_near(ask(x, NULL, 10, NULL).isolation.distance, by_hand(x, N), 1e-5);
    }
}

/* Filters and few neighbours asked for change the list, not how far the profile is. */
static void what_is_asked_for_makes_no_difference(void **state)
{
    (void)state;
    double distance = by_hand(9, N);
    assert_near(ask(9, NULL, 10, NULL).isolation.distance, distance, 1e-5);
    assert_near(ask(9, NULL, 1, NULL).isolation.distance, distance, 1e-5);
    assert_near(ask(9, NULL, 10, "Atlantis").isolation.distance, distance, 1e-5);
}

/* The share of accounts that are nearer to theirs; between the crowds is beyond all, and so is far
 * outside. */
static void percentiles_are_among_the_accounts_own(void **state)
{
    (void)state;
    double own[N];
    for (size_t i = 0; i < N; i++)
        own[i] = by_hand((double)rows[i], i);
    for (size_t i = 0; i < N; i += 7) {
        size_t n_nearer = 0;
        for (size_t j = 0; j < N; j++)
            n_nearer += own[j] < own[i];
        assert_near(ask((double)rows[i], handles[i], 10, NULL).isolation.percentile,
                    100.0 * (double)n_nearer / (N - 1), 1.5);
    }
    assert_near(ask(10, NULL, 10, NULL).isolation.percentile, 100, 1e-9);
    assert_near(ask(22, NULL, 10, NULL).isolation.percentile, 100, 1e-9);
    assert_true(ask(4, NULL, 10, NULL).isolation.percentile < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_to_the_nearest_five),
        cmocka_unit_test(what_is_asked_for_makes_no_difference),
        cmocka_unit_test(percentiles_are_among_the_accounts_own),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
