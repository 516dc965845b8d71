/* SPDX-License-Identifier: Apache-2.0 */

/* Real edges in a bundle: an account that the catalogue knows is answered by those it is linked to
 * besides those it resembles; anybody else by likeness alone. */
#include "unit.h"

#include "base/cleanup.h"
#include "runtime/engine.h"

enum {
    N = 4
};

/* Found by ln(1 + followers) alone: 0, 1, 2 and 10. */
static const float rows[N] = {0, 1, 2, 10};
static const char *const handles[N] = {"ann", "ben", "cleo", "dora"};
/* ann - dora, weight 0.5; ben is linked to nobody; cleo - dora, weight 2. */
static uint64_t start[N + 1] = {0, 1, 1, 2, 4};
static uint32_t node[] = {3, 3, 0, 2};
static float weight[] = {0.5F, 2, 0.5F, 2};

static struct engine_blob blobs[ENGINE_N_BLOBS];

static void finish(struct artifact_writer *writer, enum engine_model model)
{
    void *bytes = NULL;
    free((void *)(uintptr_t)blobs[model].bytes);
    assert_int_equal(artifact_finish(writer, &bytes, &blobs[model].n_bytes, NULL), STATUS_OK);
    blobs[model].bytes = bytes;
    artifact_writer_free(writer);
}

static struct feature_spec *make_spec(void)
{
    static const char *const columns[] = {"ln_followers"};
    static const float zero = 0;
    static const float one = 1;
    struct feature_spec *spec = NULL;
    assert_int_equal(feature_spec_new(columns, &zero, &zero, &one, 1, &spec, NULL), STATUS_OK);
    return spec;
}

static void write_similar(void)
{
    struct artifact_writer *writer = NULL;
    struct feature_spec *spec = make_spec();
    const struct catalogue_columns catalogue = {.n = N, .text = {[PROFILE_handle] = handles}};
    const struct links links = {N, start, node, weight};
    assert_int_equal(artifact_writer_new(ARTIFACT_SIMILAR, &writer, NULL), STATUS_OK);
    assert_int_equal(similar_spec_write(writer, spec, NULL), STATUS_OK);
    assert_int_equal(neighbours_write(writer, rows, N, 1, 7, NULL), STATUS_OK);
    assert_int_equal(catalogue_write(writer, &catalogue, NULL), STATUS_OK);
    assert_int_equal(links_write(writer, &links, NULL), STATUS_OK);
    finish(writer, ENGINE_SIMILAR);
    feature_spec_free(spec);
}

/* The model has seen all but cleo: its row i is the catalogue's nodes[i]. */
static void write_score(const uint32_t *nodes)
{
    static const float seen[] = {0, 1, 10};
    static const double of[] = {40, 50, 90};
    static const double prior = 0;
    static float grid[COMPOSITE_GRID];
    static float novelty[NOVELTY_GRID];
    const struct nearest_model model = {
        .n_inputs = 1,
        .n_outputs = 1,
        .n_rows = 3,
        .k = 2,
        .answer = NEAREST_WEIGHTED,
        .rows = seen,
        .values = of,
        .prior = &prior,
        .nodes = nodes,
        .link_weight = 3,
    };
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
    struct feature_spec *spec = make_spec();
    assert_int_equal(artifact_writer_new(ARTIFACT_SCORE, &writer, NULL), STATUS_OK);
    assert_int_equal(predictor_write(writer, "score", spec, "nearest", NULL), STATUS_OK);
    assert_int_equal(nearest_write(writer, "score", &model, NULL), STATUS_OK);
    assert_int_equal(score_extra_write(writer, &extra, NULL), STATUS_OK);
    finish(writer, ENGINE_SCORE);
    feature_spec_free(spec);
}

static const uint32_t ascending[] = {0, 1, 3};

static int write_blobs(void **state)
{
    (void)state;
    write_similar();
    write_score(ascending);
    return 0;
}

static int free_blobs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++)
        free((void *)(uintptr_t)blobs[i].bytes);
    return 0;
}

static double score_of(const char *handle, double ln_followers)
{
    AUTO(engine_close_slot) struct engine *engine = NULL;
    struct error err = {0};
    if (engine_open_memory(blobs, &engine, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    void *scratch = aligned_alloc(64, (engine_scratch_bytes(engine) + 64) / 64 * 64);
    struct profile profile;
    struct score_answer score;
    profile_init(&profile);
    profile.text[PROFILE_handle] = handle;
    profile.number[PROFILE_followers] = expm1(ln_followers);
    assert_int_equal(engine_score(engine, &profile, true, scratch, &score, NULL), STATUS_OK);
    assert_near(score.base + score.contributions[0], score.score, 1e-9);
    free(scratch);
    return score.score;
}

static void a_known_account_is_answered_by_its_links_too(void **state)
{
    (void)state;
    /* At 2: the nearest two are 1 away (50) and 2 away (40). */
    double likeness = (50.0 / 2 + 40.0 / 3) / (1.0 / 2 + 1.0 / 3);
    assert_near(score_of(NULL, 2), likeness, 1e-5);
    assert_near(score_of("nobody", 2), likeness, 1e-5);
    assert_near(score_of("ben", 2), likeness, 1e-5);
    /* cleo's link to dora (90) weighs 3 times 2. */
    double linked = (50.0 / 2 + 40.0 / 3 + 6 * 90.0) / (1.0 / 2 + 1.0 / 3 + 6);
    assert_near(score_of("cleo", 2), linked, 1e-5);
    assert_near(score_of("@Cleo", 2), linked, 1e-5);
}

/* dora's links are ann (40), and cleo whom the model has not seen: she says nothing. */
static void links_to_what_the_model_has_not_seen_are_left_out(void **state)
{
    (void)state;
    double likeness = 50.0 / 2 + 40.0 / 3;
    assert_near(score_of("dora", 2), (likeness + 1.5 * 40) / (1.0 / 2 + 1.0 / 3 + 1.5), 1e-5);
}

static void wrong_links_are_refused(void **state)
{
    (void)state;
    static const uint32_t twice[] = {0, 3, 3};
    AUTO(engine_close_slot) struct engine *engine = NULL;
    write_score(twice);
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_CORRUPT);
    write_score(ascending);
    start[1] = 3; /* more than what follows begins with */
    write_similar();
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_CORRUPT);
    start[1] = 1;
    node[1] = N;
    write_similar();
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_CORRUPT);
    node[1] = 3;
    weight[1] = 0;
    write_similar();
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_CORRUPT);
    weight[1] = 2;
    write_similar();
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_account_is_answered_by_its_links_too),
        cmocka_unit_test(links_to_what_the_model_has_not_seen_are_left_out),
        cmocka_unit_test(wrong_links_are_refused),
    };
    return cmocka_run_group_tests(tests, write_blobs, free_blobs);
}
