/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/boosting.h"
#include "learn/shipped.h"

/* A made-up problem over real feature names: y depends on the first three columns. */
enum {
    N = 400,
    P = 5,
    K = 3
};

struct data {
    float raw[N * P], scaled[N * P];
    double y[N];
    uint32_t label[N];
    struct feature_spec *spec;
};

static int make_data(void **state)
{
    static const char *const names[P] = {"ln_followers", "ln_posts", "ln_avg_likes", "verified",
                                         "bio_length"};
    static const float zeros[P] = {0};
    static const float ones[P] = {1, 1, 1, 1, 1};
    struct data *data = calloc(1, sizeof *data);
    if (!data)
        return -1;
    struct rng rng = rng_seed(4);
    for (size_t i = 0; i < N; i++) {
        float *x = data->raw + i * P;
        for (size_t j = 0; j < P; j++)
            x[j] = (float)rng_normal(&rng);
        data->y[i] = 80 + 3 * (double)x[0] + 2 * sin(3 * (double)x[1]) +
                     (x[2] > 0 ? (double)x[0] : 0) + 0.3 * rng_normal(&rng);
        data->label[i] = data->y[i] < 79 ? 0 : data->y[i] < 82 ? 1 : 2;
        for (size_t j = 0; j < P; j++)
            if (rng_uniform(&rng) < 0.1)
                x[j] = NAN;
        for (size_t j = 0; j < P; j++)
            data->scaled[i * P + j] = isnan(x[j]) ? 0 : x[j];
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

static struct problem problem_of(const struct data *data, enum task task)
{
    return (struct problem){.task = task,
                            .loss = LOSS_ABSOLUTE,
                            .n = N,
                            .p = P,
                            .raw = data->raw,
                            .scaled = data->scaled,
                            .y = data->y,
                            .label = data->label,
                            .n_classes = K,
                            .is_ordered = true,
                            .spec = data->spec,
                            .n_fits = 6,
                            .seed = 7,
                            .n_threads = 2};
}

static void engine_equals_xgboost(const struct data *data, enum boosting_loss loss)
{
    struct problem problem =
        problem_of(data, loss == BOOSTING_CLASSES ? TASK_CLASSIFICATION : TASK_REGRESSION);
    size_t k = loss == BOOSTING_CLASSES ? K : 1;
    struct boosting_settings settings = boosting_settings_for(loss, N);
    settings.inner_folds = 0;
    settings.max_rounds = 100;
    AUTO(free_slot) double *own = calloc(N * k, sizeof *own);
    AUTO(free_slot) double *contribution = calloc(N * k * (P + 1), sizeof *contribution);
    AUTO(free_slot) double *output = calloc(N * k, sizeof *output);
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    struct error err = {0};
    struct boosting_own xgboost = {own, contribution};
    if (boosting_fit(&problem, &settings, &xgboost, &fitted, &err) != STATUS_OK ||
        shipped_open(fitted, data->spec, &shipped, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(fitted->trees.n_trees, 100 * k);
    shipped_run(shipped, data->raw, N, output);
    double spread = 0;
    for (size_t i = 0; i < N * k; i++) {
        assert_near(output[i], own[i], 1e-6 * fmax(1.0, fabs(own[i])));
        spread = fmax(spread, fabs(output[i] - output[0]));
    }
    assert_true(spread > 1);
    for (size_t i = 0; i < N * k; i++) {
        double ours[P];
        double base = shipped_explain(shipped, data->raw + i / k * P, i % k, ours);
        double sum = base;
        for (size_t c = 0; c < P; c++) {
            assert_near(ours[c], contribution[i * (P + 1) + c], 1e-4);
            sum += ours[c];
        }
        assert_near(base, contribution[i * (P + 1) + P], 1e-4);
        assert_near(sum, output[i], 1e-4);
    }
}

static void trees_of_squared_loss_answer_as_xgboost_does(void **state)
{
    engine_equals_xgboost(*state, BOOSTING_SQUARED);
}

static void trees_of_absolute_loss_answer_as_xgboost_does(void **state)
{
    engine_equals_xgboost(*state, BOOSTING_ABSOLUTE);
}

static void trees_of_classes_answer_as_xgboost_does(void **state)
{
    engine_equals_xgboost(*state, BOOSTING_CLASSES);
}

/* Every trainer: beats or equals the baseline in-sample, ships, and gives the same blob again. */
static void every_trainer_ships_and_repeats_itself(void **state)
{
    const struct data *data = *state;
    for (size_t t = 0; t < n_trainers; t++) {
        if (trainers[t]->needs_words)
            continue; /* test_learn_text.c */
        struct problem problem = problem_of(data, trainers[t]->task);
        double first[N * K];
        double second[N * K];
        double *outputs[] = {first, second};
        size_t k = trainers[t]->task == TASK_CLASSIFICATION ? K : 1;
        for (size_t run = 0; run < 2; run++) {
            AUTO(fitted_free_slot) struct fitted *fitted = NULL;
            AUTO(shipped_close_slot) struct shipped *shipped = NULL;
            assert_int_equal(trainers[t]->fit(&problem, &fitted, NULL), STATUS_OK);
            assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
            shipped_run(shipped, data->raw, N, outputs[run]);
        }
        assert_memory_equal(first, second, N * k * sizeof *first);
        double right = 0;
        double error = 0;
        for (size_t i = 0; i < N && k == K; i++) {
            const double *o = first + i * K;
            size_t best = o[0] >= o[1] && o[0] >= o[2] ? 0 : o[1] >= o[2] ? 1 : 2;
            right += best == data->label[i];
        }
        for (size_t i = 0; i < N && k == 1; i++)
            error += fabs(first[i] - data->y[i]) / N;
        bool baseline = trainers[t] == &trainer_constant || trainers[t] == &trainer_prior;
        if (!baseline && k == K && right / N <= 0.6)
            fail_msg("%s: %g are right", trainers[t]->name, right / N);
        if (!baseline && k == 1 && error >= 2.0)
            fail_msg("%s: mean error %g", trainers[t]->name, error);
    }
}

/* A column that never falls with y gets a prediction that never falls: the linear law. */
static void ridge_is_monotone_in_a_column_of_positive_weight(void **state)
{
    const struct data *data = *state;
    struct problem problem = problem_of(data, TASK_REGRESSION);
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    assert_int_equal(trainer_ridge.fit(&problem, &fitted, NULL), STATUS_OK);
    assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
    assert_true(fitted->linear.weights[0] > 0);
    double last = -HUGE_VAL;
    for (int i = -20; i <= 20; i++) {
        float x[P] = {(float)i / 4.0F, 0, 0, 0, 0};
        double value;
        shipped_run(shipped, x, 1, &value);
        assert_true(value > last);
        last = value;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_of_squared_loss_answer_as_xgboost_does),
        cmocka_unit_test(trees_of_absolute_loss_answer_as_xgboost_does),
        cmocka_unit_test(trees_of_classes_answer_as_xgboost_does),
        cmocka_unit_test(every_trainer_ships_and_repeats_itself),
        cmocka_unit_test(ridge_is_monotone_in_a_column_of_positive_weight),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
