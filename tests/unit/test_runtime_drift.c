/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>

#include "runtime/drift.h"

/* Training: ln_posts is 1, 2, ... 1000; nine in ten have a country, of which 600 Norway, 200 Chile,
 * 100 others; the score is half of ln_posts. */
#define N 1000
#define COLUMNS 4
static const char *const names[COLUMNS] = {"ln_posts", "country=Norway", "country=(other)",
                                           "country=(missing)"};

static struct feature_spec *spec;
static void *blob;
static struct artifact *artifact;
static struct arena arena;
static const struct drift_reference *reference;
static struct drift_window *window;

static void fill_row(float *raw, double number, int level)
{
    raw[0] = (float)number;
    for (int i = 0; i < 3; i++)
        raw[1 + i] = level == i;
}

static int level_of(size_t i)
{
    return i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
}

static int open_reference(void **state)
{
    (void)state;
    static const float zero[COLUMNS] = {0};
    static const float one[COLUMNS] = {1, 1, 1, 1};
    static float raw[N][COLUMNS];
    static double output[N];
    struct error err = {0};
    struct artifact_writer *writer = NULL;
    size_t n_bytes = 0;
    for (size_t i = 0; i < N; i++) {
        fill_row(raw[i], (double)(i + 1), level_of(i));
        output[i] = (double)(i + 1) / 2;
    }
    arena_init(&arena, 4096);
    if (feature_spec_new(names, zero, zero, one, COLUMNS, &spec, &err) != STATUS_OK)
        return -1;
    struct drift_sample sample = {.spec = spec,
                                  .raw = raw[0],
                                  .n = N,
                                  .output_name = "score",
                                  .output = output,
                                  .n_output = N};
    if (artifact_writer_new(ARTIFACT_SCORE, &writer, &err) != STATUS_OK ||
        drift_write(writer, "score", &sample, &err) != STATUS_OK ||
        artifact_finish(writer, &blob, &n_bytes, &err) != STATUS_OK ||
        artifact_open_memory(blob, n_bytes, "test", &artifact, &err) != STATUS_OK ||
        drift_open(artifact, "score", spec, 0, &arena, &reference, &err) != STATUS_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    artifact_writer_free(writer);
    return 0;
}

static int close_reference(void **state)
{
    (void)state;
    artifact_close(artifact);
    feature_spec_free(spec);
    arena_deinit(&arena);
    free(blob);
    return 0;
}

static int new_window(void **state)
{
    (void)state;
    return drift_window_new(reference, 600, &window, NULL) == STATUS_OK ? 0 : -1;
}

static int free_window(void **state)
{
    (void)state;
    drift_window_free(window);
    return 0;
}

static void observe(int64_t now_s, double number, int level, double output)
{
    float raw[COLUMNS];
    fill_row(raw, number, level);
    drift_observe(window, now_s, raw, output);
}

static struct drift_figures measure(int64_t now_s, size_t feature)
{
    struct drift_figures figures;
    drift_measure(&window, 1, now_s, feature, &figures);
    return figures;
}

enum {
    POSTS,
    COUNTRY,
    OUTPUT
};

static void the_reference_knows_features_and_output(void **state)
{
    (void)state;
    assert_int_equal(reference->n_features, 3);
    assert_string_equal(reference->features[POSTS].name, "ln_posts");
    assert_string_equal(reference->features[COUNTRY].name, "country");
    assert_string_equal(reference->features[OUTPUT].name, "score");
    assert_int_equal(reference->features[POSTS].n_bins, DRIFT_BINS);
    assert_near(reference->features[POSTS].high, 1000, 0);
    assert_near(reference->features[POSTS].spread, sqrt((1e6 - 1) / 12), 1e-9);
    assert_near(reference->features[COUNTRY].missing, 0.1, 1e-12);
    assert_near(reference->features[COUNTRY].unseen, 1.0 / 3, 1e-12);
    assert_near(reference->rows, N, 0);
}

static void the_training_rows_themselves_have_not_drifted(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        observe(0, (double)(i + 1), level_of(i), (double)(i + 1) / 2);
    for (size_t f = 0; f < 3; f++) {
        struct drift_figures figures = measure(0, f);
        assert_near(figures.rows, N, 0);
        assert_near(figures.psi, 0, 1e-12);
        assert_near(figures.js, 0, 1e-6);
        assert_near(figures.out_of_range, 0, 0);
        if (f != COUNTRY)
            assert_near(figures.wasserstein, 0, 1e-12);
    }
    assert_near(measure(0, COUNTRY).missing, 0.1, 1e-12);
    assert_near(measure(0, COUNTRY).unseen, 1.0 / 3, 1e-12);
}

/* The lower half alone: five bins have .2 instead of .1, five nothing. */
static void half_of_the_range_gives_the_closed_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < 500; i++)
        observe(0, (double)(i + 1), 0, NAN);
    struct drift_figures figures = measure(0, POSTS);
    double psi = 5 * 0.1 * log(2) + 5 * (DRIFT_FLOOR - 0.1) * log(DRIFT_FLOOR / 0.1);
    double js = (log2(0.2 / 0.15) + 0.5 * log2(0.1 / 0.15) + 0.5 * log2(0.1 / 0.05)) / 2;
    assert_near(figures.psi, psi, 1e-12);
    assert_near(figures.js, sqrt(js), 1e-12);
    /* The distance of the means, since one distribution function is above the other: exact for
     * distributions even within their bins. The first bin begins at 1, not at 0: hence the slack.
     */
    assert_near(figures.wasserstein, 250 / reference->features[POSTS].spread, 2e-3);
    assert_near(measure(0, OUTPUT).missing, 1, 0);
    assert_true(isnan(measure(0, OUTPUT).psi));
    /* All of them in Norway, where 2 in 3 were. */
    figures = measure(0, COUNTRY);
    assert_near(figures.psi, (1.0 / 3) * log(1.5) + (DRIFT_FLOOR - 1.0 / 3) * log(DRIFT_FLOOR * 3),
                1e-12);
    assert_true(isnan(figures.wasserstein));
}

static void what_lies_out_of_the_range_counts_with_its_distance(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++)
        observe(0, 3000, 2, 1e6);
    struct drift_figures figures = measure(0, POSTS);
    assert_near(figures.out_of_range, 1, 0);
    assert_near(figures.wasserstein, (3000 - 500.5) / reference->features[POSTS].spread, 2e-3);
    assert_near(measure(0, COUNTRY).missing, 1, 0);
    assert_true(isnan(measure(0, COUNTRY).psi));
    assert_string_equal(drift_verdict(&reference->features[POSTS], &figures), "major");
}

/* Rows without a feature are in no bin: psi says nothing of them, or of few, and the verdict must.
 */
static void what_is_missing_counts_beyond_the_training(void **state)
{
    (void)state;
    struct drift_feature feature = {.missing = 0.2};
    struct drift_figures figures = {.rows = 100, .psi = MISSING, .missing = 1};
    assert_string_equal(drift_verdict(&feature, &figures), "major");
    figures.psi = 0.01;
    figures.missing = 0.4;
    assert_string_equal(drift_verdict(&feature, &figures), "moderate");
    figures.missing = 0.25;
    assert_string_equal(drift_verdict(&feature, &figures), "none");
    figures.missing = 0; /* more is known than was */
    assert_string_equal(drift_verdict(&feature, &figures), "none");
    figures.psi = 0.2;
    assert_string_equal(drift_verdict(&feature, &figures), "moderate");
    figures = (struct drift_figures){.psi = MISSING}; /* nobody has asked */
    assert_string_equal(drift_verdict(&feature, &figures), "none");
}

/* The definition, over the bins of two windows: what a reader of the counts will compute. */
static void bins_of_windows_sum_to_the_psi_of_all(void **state)
{
    (void)state;
    struct drift_window *other = NULL;
    assert_int_equal(drift_window_new(reference, 600, &other, NULL), STATUS_OK);
    float raw[COLUMNS];
    for (size_t i = 0; i < 300; i++) {
        fill_row(raw, i % 7 == 0 ? (double)NAN : (double)(5 * i), (int)(i % 4) - 1);
        drift_observe(i < 100 ? window : other, 0, raw, (double)i);
    }
    struct drift_window *both[] = {window, other};
    for (size_t f = 0; f < 3; f++) {
        const struct drift_feature *feature = &reference->features[f];
        double one[FEATURE_MAX_COLUMNS + 1];
        double two[FEATURE_MAX_COLUMNS + 1];
        drift_bins(both, 1, 0, f, one);
        drift_bins(both + 1, 1, 0, f, two);
        struct drift_figures figures;
        drift_measure(both, 2, 0, f, &figures);
        double n = 0;
        for (size_t i = 0; i <= feature->n_bins; i++)
            n += one[i] + two[i];
        assert_near(n, figures.rows * (1 - figures.missing), 1e-9);
        double psi = 0;
        for (size_t i = 0; i <= feature->n_bins; i++) {
            double share = i < feature->n_bins ? reference->share[feature->first_bin + i] : 0;
            double p = fmax((one[i] + two[i]) / n, DRIFT_FLOOR);
            double q = fmax(share, DRIFT_FLOOR);
            psi += (p - q) * log(p / q);
        }
        assert_true(psi > 0.1);
        assert_near(figures.psi, psi, 1e-12);
    }
    drift_window_free(other);
}

static void a_level_that_nobody_knows_is_unseen(void **state)
{
    (void)state;
    observe(0, 1, 0, 1);
    observe(0, 1, 1, 1);  /* other */
    observe(0, 1, -1, 1); /* no column at all */
    observe(0, 1, 2, 1);  /* missing */
    struct drift_figures figures = measure(0, COUNTRY);
    assert_near(figures.missing, 0.25, 0);
    assert_near(figures.unseen, 2.0 / 3, 1e-12);
    assert_true(figures.psi > 1);
}

static void old_slices_fall_out_of_the_window(void **state)
{
    (void)state;
    observe(0, 1, 0, 1);
    observe(599, 1, 0, 1);
    observe(600, 1, 0, 1);
    assert_near(measure(600, POSTS).rows, 3, 0);
    assert_near(measure(6 * 600 - 1, POSTS).rows, 3, 0);
    assert_near(measure(6 * 600, POSTS).rows, 1, 0);
    observe(6 * 600, 1, 0, 1); /* takes the place of the first slice */
    assert_near(measure(6 * 600, POSTS).rows, 2, 0);
    assert_near(measure(7 * 600, POSTS).rows, 1, 0);
    assert_near(measure(100 * 600, POSTS).rows, 0, 0);
}

static void windows_of_several_lanes_add_up(void **state)
{
    (void)state;
    struct drift_window *other = NULL;
    assert_int_equal(drift_window_new(reference, 600, &other, NULL), STATUS_OK);
    float raw[COLUMNS];
    for (size_t i = 0; i < N; i++) {
        fill_row(raw, (double)(i + 1), level_of(i));
        drift_observe(i < 400 ? window : other, 0, raw, 1);
    }
    struct drift_window *both[] = {window, other};
    struct drift_figures figures;
    drift_measure(both, 2, 0, POSTS, &figures);
    assert_near(figures.psi, 0, 1e-12);
    assert_near(figures.rows, N, 0);
    drift_window_free(other);
}

static void a_reference_that_does_not_fit_the_model_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    const struct drift_reference *wrong = NULL;
    assert_int_equal(drift_open(artifact, "score", spec, 4, &arena, &wrong, &err), STATUS_CORRUPT);
    assert_int_equal(drift_open(artifact, "tier", spec, 0, &arena, &wrong, &err), STATUS_NOT_FOUND);
    assert_null(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_knows_features_and_output),
        cmocka_unit_test_setup_teardown(the_training_rows_themselves_have_not_drifted, new_window,
                                        free_window),
        cmocka_unit_test_setup_teardown(half_of_the_range_gives_the_closed_forms, new_window,
                                        free_window),
        cmocka_unit_test_setup_teardown(what_lies_out_of_the_range_counts_with_its_distance,
                                        new_window, free_window),
        cmocka_unit_test(what_is_missing_counts_beyond_the_training),
        cmocka_unit_test_setup_teardown(bins_of_windows_sum_to_the_psi_of_all, new_window,
                                        free_window),
        cmocka_unit_test_setup_teardown(a_level_that_nobody_knows_is_unseen, new_window,
                                        free_window),
        cmocka_unit_test_setup_teardown(old_slices_fall_out_of_the_window, new_window, free_window),
        cmocka_unit_test_setup_teardown(windows_of_several_lanes_add_up, new_window, free_window),
        cmocka_unit_test(a_reference_that_does_not_fit_the_model_is_refused),
    };
    return cmocka_run_group_tests(tests, open_reference, close_reference);
}
