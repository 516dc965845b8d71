/* SPDX-License-Identifier: Apache-2.0 */

/* Monotone constraints: what they make of a target that is not monotone, and what is proven of a
 * model by walking along the feature. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/monotone.h"
#include "learn/shipped.h"

enum {
    N = 300,
    P = 3,
    STEPS = 60,
    SPOTS = 20
};

struct data {
    float x[N * P]; /* raw and scaled alike */
    double y[N];
    struct feature_spec *spec;
};

/* Up and down again along the first feature, down along the second. */
static int make_data(void **state)
{
    static const char *const names[P] = {"ln_followers", "extra:rank", "country=Brazil"};
    static const float zeros[P] = {0};
    static const float ones[P] = {1, 1, 1};
    struct data *data = calloc(1, sizeof *data);
    if (!data)
        return -1;
    struct rng rng = rng_seed(4);
    for (size_t i = 0; i < N; i++) {
        float *x = data->x + i * P;
        x[0] = (float)rng_normal(&rng);
        x[1] = (float)rng_normal(&rng);
        x[2] = rng_uniform(&rng) < 0.5 ? 0.0F : 1.0F;
        data->y[i] =
            4 * sin(2 * (double)x[0]) - (double)x[1] + (double)x[2] + 0.3 * rng_normal(&rng);
    }
    *state = data;
    return feature_spec_new(names, zeros, zeros, ones, P, &data->spec, NULL);
}

static int free_data(void **state)
{
    struct data *data = *state;
    feature_spec_free(data->spec);
    free(data);
    return 0;
}

static struct fitted *fit(const struct data *data, const struct trainer *trainer,
                          const signed char *sign)
{
    const struct problem problem = {.task = TASK_REGRESSION,
                                    .n = N,
                                    .p = P,
                                    .raw = data->x,
                                    .scaled = data->x,
                                    .y = data->y,
                                    .monotone = sign,
                                    .spec = data->spec,
                                    .n_fits = 1,
                                    .seed = 3,
                                    .n_threads = 1};
    struct fitted *fitted = NULL;
    struct error err = {0};
    if (trainer->fit(&problem, &fitted, &err) != STATUS_OK)
        fail_msg("%s: %s", trainer->name, err.message);
    return fitted;
}

/* The largest step against the sign on walks along a column from some of the rows, by the engine's
 * own answers. */
static double worst_step(const struct data *data, const struct fitted *fitted, size_t column,
                         int sign)
{
    AUTO(shipped_close_slot) struct shipped *model = NULL;
    struct error err = {0};
    if (shipped_open(fitted, data->spec, &model, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    double worst = 0;
    for (size_t spot = 0; spot < SPOTS; spot++) {
        float x[P];
        double before = NAN;
        memcpy(x, data->x + spot * P, sizeof x);
        for (size_t step = 0; step < STEPS; step++) {
            double now;
            x[column] = -3.0F + 6.0F * (float)step / (STEPS - 1);
            shipped_run(model, x, 1, &now);
            if (step > 0)
                worst = fmax(worst, (before - now) * sign);
            before = now;
        }
    }
    return worst;
}

static void trees_under_a_constraint_never_go_against_it(void **state)
{
    static const struct trainer *const trainers_of_trees[] = {
        &trainer_boosting_squared, &trainer_boosting_huber, &trainer_boosting_quantile,
        &trainer_forest};
    static const signed char sign[P] = {1, -1, 0};
    const struct data *data = *state;
    for (size_t t = 0; t < ARRAY_LENGTH(trainers_of_trees); t++) {
        AUTO(fitted_free_slot) struct fitted *free_one = fit(data, trainers_of_trees[t], NULL);
        AUTO(fitted_free_slot) struct fitted *bound = fit(data, trainers_of_trees[t], sign);
        /* The target falls by 8 on the way. */
        assert_true(worst_step(data, free_one, 0, 1) > 0.5);
        assert_int_equal(monotone_broken(free_one, sign, P), 0);
        assert_true(worst_step(data, bound, 0, 1) <= 0);
        assert_true(worst_step(data, bound, 1, -1) <= 0);
        assert_int_equal(monotone_broken(bound, sign, P), SIZE_MAX);
    }
}

/* Its leaves are set anew as medians, behind the constraint's back: whatever comes of it, what is
 * proven must hold. */
static void what_is_proven_of_trees_of_medians_holds(void **state)
{
    static const signed char sign[P] = {1, 0, 0};
    const struct data *data = *state;
    AUTO(fitted_free_slot) struct fitted *fitted = fit(data, &trainer_boosting_absolute, sign);
    if (monotone_broken(fitted, sign, P) == SIZE_MAX)
        assert_true(worst_step(data, fitted, 0, 1) <= 0);
    else
        assert_int_equal(monotone_broken(fitted, sign, P), 0);
}

static void linear_models_keep_the_sign_of_their_weights(void **state)
{
    const struct data *data = *state;
    AUTO(fitted_free_slot) struct fitted *fitted = fit(data, &trainer_ridge, NULL);
    for (int s = -1; s <= 1; s += 2) {
        const signed char sign[P] = {0, (signed char)s, 0};
        bool keeps = monotone_broken(fitted, sign, P) == SIZE_MAX;
        assert_int_equal(keeps, s < 0); /* the target falls along it */
        assert_int_equal(keeps, worst_step(data, fitted, 1, s) <= 0);
    }
}

static void of_models_without_a_proof_nothing_is_believed(void **state)
{
    static const signed char sign[P] = {0, -1, 0};
    static const signed char none[P] = {0};
    const struct data *data = *state;
    AUTO(fitted_free_slot) struct fitted *fitted = fit(data, &trainer_nearest, NULL);
    assert_int_equal(monotone_broken(fitted, sign, P), 1);
    assert_int_equal(monotone_broken(fitted, none, P), SIZE_MAX);
}

static void constraints_are_read_and_refused_by_name(void **state)
{
    static const struct {
        const char *text, *message;
    } refused[] = {
        {"ln_followers", "not of the form"},
        {"ln_followers=2", "not of the form"},
        {"=+1", "not of the form"},
        {", ", "names no feature"},
        {"rank=-1, rank=+1", "stands there twice"},
        {"country=Brazil=+1", "not of the form"},
        {"followers=+1", "ln_followers"},
    };
    const struct data *data = *state;
    struct arena arena;
    arena_init(&arena, 1024);
    struct monotone monotone;
    signed char sign[P];
    assert_int_equal(monotone_for("rank=-1, ln_followers=+1", TASK_REGRESSION, data->spec, &arena,
                                  &monotone, NULL),
                     STATUS_OK);
    monotone_signs(&monotone, data->spec, sign);
    assert_memory_equal(sign, ((const signed char[P]){1, -1, 0}), P);
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct error err = {0};
        assert_true(monotone_for(refused[i].text, TASK_REGRESSION, data->spec, &arena, &monotone,
                                 &err) != STATUS_OK);
        if (!strstr(err.message, refused[i].message))
            fail_msg("%s: %s", refused[i].text, err.message);
    }
    struct error err = {0};
    assert_true(monotone_for("rank=-1", TASK_CLASSIFICATION, data->spec, &arena, &monotone, &err) !=
                STATUS_OK);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_under_a_constraint_never_go_against_it),
        cmocka_unit_test(what_is_proven_of_trees_of_medians_holds),
        cmocka_unit_test(linear_models_keep_the_sign_of_their_weights),
        cmocka_unit_test(of_models_without_a_proof_nothing_is_believed),
        cmocka_unit_test(constraints_are_read_and_refused_by_name),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
