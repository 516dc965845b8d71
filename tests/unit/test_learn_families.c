/* SPDX-License-Identifier: Apache-2.0 */

/* The families beside ridge, softmax and boosting: against closed forms, optimality conditions and
 * brute force, and their sections against damage. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "artifact/format.h"
#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/boosting_losses.h"
#include "learn/crossval.h"
#include "learn/least_squares.h"
#include "learn/shipped.h"
#include "learn/tune.h"

enum {
    N = 150,
    P = 4,
    K = 3
};

struct data {
    float x[N * P]; /* raw and scaled alike */
    double y[N];
    uint32_t label[N];
    struct feature_spec *spec;
};

static int make_data(void **state)
{
    static const char *const names[P] = {"ln_followers", "ln_posts", "ln_avg_likes", "verified"};
    static const float zeros[P] = {0};
    static const float ones[P] = {1, 1, 1, 1};
    struct data *data = calloc(1, sizeof *data);
    if (!data)
        return -1;
    struct rng rng = rng_seed(11);
    for (size_t i = 0; i < N; i++) {
        float *x = data->x + i * P;
        for (size_t j = 0; j < P; j++)
            x[j] = (float)rng_normal(&rng);
        double bend = sin(2 * (double)x[0]);
        data->y[i] = 10 + 4 * bend + (double)x[1] + 0.2 * rng_normal(&rng);
        data->label[i] = data->y[i] < 9 ? 0 : data->y[i] < 12 ? 1 : 2;
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
                            .n = N,
                            .p = P,
                            .raw = data->x,
                            .scaled = data->x,
                            .y = data->y,
                            .label = data->label,
                            .n_classes = K,
                            .is_ordered = true,
                            .spec = data->spec,
                            .n_fits = 12,
                            .seed = 3,
                            .n_threads = 1};
}

static struct fitted *fit(const struct trainer *trainer, const struct problem *problem)
{
    struct fitted *fitted = NULL;
    struct error err = {0};
    if (trainer->fit(problem, &fitted, &err) != STATUS_OK)
        fail_msg("%s: %s", trainer->name, err.message);
    return fitted;
}

/* ---- elastic net ---- */

/* The conditions of Karush, Kuhn and Tucker: the gradient of a weight is l1 against its sign, or
 * within l1 where the weight is 0. */
static void elastic_net_weights_are_optimal(void **state)
{
    const struct data *data = *state;
    const struct linear_rows rows = {data->x, data->y, NULL, N, P, NULL};
    const double l1 = 60;
    const double l2 = 20;
    double weights[P + 1] = {0};
    assert_int_equal(elastic_net_solve(&rows, l1, l2, weights, NULL), STATUS_OK);
    double gradient[P + 1] = {0};
    for (size_t i = 0; i < N; i++) {
        double residual = data->y[i] - linear_value(weights, data->x + i * P, P);
        for (size_t j = 0; j < P; j++)
            gradient[j] -= residual * (double)data->x[i * P + j];
        gradient[P] -= residual;
    }
    size_t n_zero = 0;
    for (size_t j = 0; j < P; j++) {
        n_zero += weights[j] == 0;
        if (weights[j] == 0)
            assert_true(fabs(gradient[j]) <= l1);
        else
            assert_near(gradient[j] + l2 * weights[j] + copysign(l1, weights[j]), 0, 1e-3);
    }
    assert_near(gradient[P], 0, 1e-6);
    assert_true(n_zero >= 1 && n_zero < P);
}

static void elastic_net_without_l1_is_ridge(void **state)
{
    const struct data *data = *state;
    const struct linear_rows rows = {data->x, data->y, NULL, N, P, NULL};
    double net[P + 1] = {0};
    double ridge[P + 1];
    assert_int_equal(elastic_net_solve(&rows, 0, 7, net, NULL), STATUS_OK);
    assert_int_equal(ridge_solve(&rows, 7, ridge, NULL), STATUS_OK);
    for (size_t j = 0; j <= P; j++)
        assert_near(net[j], ridge[j], 1e-5);
}

/* ---- ordinal ---- */

/* The likelihood of a softmax whose weights are c w is not improved by another w or intercept. */
static void ordinal_weights_are_in_line_and_optimal(void **state)
{
    const struct data *data = *state;
    struct problem problem = problem_of(data, TASK_CLASSIFICATION);
    problem.n_fits = 1; /* the default: a penalty of 1 */
    AUTO(fitted_free_slot) struct fitted *fitted = fit(&trainer_ordinal, &problem);
    const double *weights = fitted->linear.weights;
    double slope[P] = {0};
    double intercept[K] = {0};
    for (size_t i = 0; i < N; i++) {
        double logit[K];
        double sum = 0;
        for (size_t c = 0; c < K; c++) {
            logit[c] = exp(linear_value(weights + c * (P + 1), data->x + i * P, P));
            sum += logit[c];
        }
        for (size_t c = 0; c < K; c++) {
            double over = logit[c] / sum - (data->label[i] == c ? 1.0 : 0.0);
            intercept[c] += over;
            for (size_t j = 0; j < P; j++)
                slope[j] += over * (double)c * (double)data->x[i * P + j];
        }
    }
    for (size_t j = 0; j < P; j++) {
        assert_near(weights[2 * (P + 1) + j], 2 * weights[P + 1 + j], 1e-12);
        assert_near(weights[j], 0, 0);
        assert_near(slope[j] + weights[P + 1 + j], 0, 0.01);
    }
    for (size_t c = 0; c < K; c++)
        assert_near(intercept[c], 0, 0.01);
}

static void ordinal_refuses_classes_without_order(void **state)
{
    struct problem problem = problem_of(*state, TASK_CLASSIFICATION);
    struct fitted *fitted = NULL;
    problem.is_ordered = false;
    assert_int_equal(trainer_ordinal.fit(&problem, &fitted, NULL), STATUS_INVALID);
}

/* ---- support vectors ---- */

/* The dual's conditions: inside the margin no weight, outside it the full bound. */
static bool are_equal(const float *a, const float *b)
{
    for (size_t i = 0; i < P; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static void support_vectors_meet_their_conditions(void **state)
{
    const struct data *data = *state;
    struct problem problem = problem_of(data, TASK_REGRESSION);
    problem.n_fits = 1;
    AUTO(fitted_free_slot) struct fitted *fitted = fit(&trainer_svr, &problem);
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
    const struct kernel_model *model = &fitted->kernel;
    double bound = 0;
    for (size_t v = 0; v < model->n_rows; v++)
        bound = fmax(bound, fabs(model->weights[v]));
    double output[N];
    shipped_run(shipped, data->x, N, output);
    size_t n_vectors = 0;
    double error = 0;
    double margin = 0;
    for (size_t i = 0; i < N; i++) {
        double weight = 0;
        for (size_t v = 0; v < model->n_rows; v++)
            if (are_equal(model->rows + v * P, data->x + i * P))
                weight = model->weights[v];
        double residual = data->y[i] - output[i];
        error += fabs(residual) / N;
        n_vectors += weight != 0;
        if (weight == 0)
            margin = fmax(margin, fabs(residual)); /* at most the margin */
        else
            assert_true(weight * residual > 0); /* it pulls towards its row */
    }
    for (size_t i = 0; i < N; i++) {
        double residual = data->y[i] - output[i];
        bool is_vector = false;
        for (size_t v = 0; v < model->n_rows; v++)
            is_vector |= are_equal(model->rows + v * P, data->x + i * P);
        if (fabs(residual) > margin + 0.05)
            assert_true(is_vector);
    }
    assert_int_equal(n_vectors, model->n_rows);
    assert_true(n_vectors < N && margin > 0 && bound > 0);
    assert_true(error < 2.0); /* of a constant it is 2.5 */
}

/* ---- contributions ---- */

/* Shapley values by their definition: over all 2^P sets of known columns, the others at the mean.
 */
static void brute_force(const struct shipped *shipped, const float *x, double *ret_value)
{
    static const double factorial[] = {1, 1, 2, 6, 24};
    double value[1 << P];
    for (size_t set = 0; set < 1 << P; set++) {
        float row[P];
        for (size_t j = 0; j < P; j++)
            row[j] = set >> j & 1 ? x[j] : 0;
        shipped_run(shipped, row, 1, &value[set]);
    }
    for (size_t j = 0; j < P; j++) {
        ret_value[j] = 0;
        for (size_t set = 0; set < 1 << P; set++) {
            if (set >> j & 1)
                continue;
            int size = __builtin_popcountll(set);
            double weight = factorial[size] * factorial[P - size - 1] / factorial[P];
            ret_value[j] += weight * (value[set | 1U << j] - value[set]);
        }
    }
}

static void kernel_contributions_are_shapley_values(void **state)
{
    const struct data *data = *state;
    struct problem problem = problem_of(data, TASK_REGRESSION);
    AUTO(fitted_free_slot) struct fitted *fitted = fit(&trainer_svr, &problem);
    for (size_t shape = 0; shape < N_KERNELS; shape++) {
        AUTO(shipped_close_slot) struct shipped *shipped = NULL;
        fitted->kernel.shape = (enum kernel_shape)shape;
        assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
        for (size_t i = 0; i < 20; i++) {
            double ours[P];
            double oracle[P];
            double output;
            const float *x = data->x + i * P;
            double sum = shipped_explain(shipped, x, 0, ours);
            brute_force(shipped, x, oracle);
            shipped_run(shipped, x, 1, &output);
            for (size_t j = 0; j < P; j++) {
                assert_near(ours[j], oracle[j], 1e-9);
                sum += ours[j];
            }
            assert_near(sum, output, 1e-9);
        }
    }
}

/* ---- nearest neighbours ---- */

static int by_distance(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

static void neighbours_answer_as_a_full_sort_does(void **state)
{
    const struct data *data = *state;
    struct problem problem = problem_of(data, TASK_REGRESSION);
    problem.loss = LOSS_SQUARED;
    AUTO(fitted_free_slot) struct fitted *fitted = fit(&trainer_nearest, &problem);
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
    struct rng rng = rng_seed(5);
    for (size_t q = 0; q < 30; q++) {
        float x[P];
        double sorted[N][2];
        for (size_t j = 0; j < P; j++)
            x[j] = (float)rng_normal(&rng);
        for (size_t i = 0; i < N; i++) {
            sorted[i][0] = 0;
            sorted[i][1] = data->y[i];
            for (size_t j = 0; j < P; j++)
                sorted[i][0] += pow((double)(x[j] - data->x[i * P + j]), 2);
        }
        qsort(sorted, N, sizeof sorted[0], by_distance);
        double mean = 0;
        for (size_t i = 0; i < fitted->nearest.k; i++)
            mean += sorted[i][1] / (double)fitted->nearest.k;
        double output;
        shipped_run(shipped, x, 1, &output);
        assert_near(output, mean, 1e-9);
    }
}

static void shares_of_neighbours_are_probabilities(void **state)
{
    const struct data *data = *state;
    struct problem problem = problem_of(data, TASK_CLASSIFICATION);
    AUTO(fitted_free_slot) struct fitted *fitted = fit(&trainer_nearest_classes, &problem);
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
    for (size_t i = 0; i < N; i++) {
        double logit[K];
        double sum = 0;
        shipped_run(shipped, data->x + i * P, 1, logit);
        for (size_t c = 0; c < K; c++)
            sum += exp(logit[c]);
        assert_near(sum, 1, 1e-9);
    }
}

/* ---- losses ---- */

static double loss_at(const struct own_loss *loss, float at)
{
    const float label = 0;
    return own_loss_mean(loss, &label, &at, 1);
}

static void gradients_are_those_of_the_losses(void **state)
{
    const struct data *data = *state;
    for (int tenths = 0; tenths < 10; tenths += 3) {
        double quantile = tenths / 10.0;
        struct own_loss loss;
        assert_int_equal(own_loss_init(&loss, quantile, data->y, N, NULL), STATUS_OK);
        double unit = loss.clip > 0 ? 1 : loss.step;
        for (int step = 0; step < 33; step++) {
            const float at = -40.05F + 2.5F * (float)step;
            const float label = 0;
            float gradient;
            own_loss_gradient(&loss, &label, &at, 1, &gradient);
            double slope = (loss_at(&loss, at + 0.01F) - loss_at(&loss, at - 0.01F)) /
                           ((double)(at + 0.01F) - (double)(at - 0.01F));
            assert_near((double)gradient / unit, slope, 1e-2);
        }
    }
}

/* About half of the rows lie below what is said of them. */
static void boosting_finds_the_median(void **state)
{
    const struct data *data = *state;
    struct problem problem = problem_of(data, TASK_REGRESSION);
    AUTO(fitted_free_slot) struct fitted *fitted = fit(&trainer_boosting_quantile, &problem);
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
    double output[N];
    double below = 0;
    shipped_run(shipped, data->x, N, output);
    for (size_t i = 0; i < N; i++)
        below += data->y[i] < output[i];
    assert_true(below > 0.35 * N && below < 0.65 * N);
}

/* ---- the search ---- */

struct valley {
    double loss[20];
    size_t n_calls;
};

static enum status valley_loss(void *user, size_t candidate, size_t n_folds, double *ret_loss,
                               struct error *err)
{
    (void)err;
    struct valley *valley = user;
    valley->n_calls += n_folds;
    *ret_loss = valley->loss[candidate];
    return STATUS_OK;
}

static size_t search_valley(struct valley *valley, size_t n)
{
    const struct halving halving = {n, 10000, valley_loss, valley};
    size_t best = SIZE_MAX;
    assert_int_equal(tune_halving(&halving, &best, NULL), STATUS_OK);
    return best;
}

static void halving_finds_the_best_within_its_budget(void **state)
{
    (void)state;
    for (size_t fits = 1; fits < 40; fits++) {
        struct valley valley = {.n_calls = 0};
        size_t n = tune_candidates(fits);
        for (size_t i = 0; i < 20; i++)
            valley.loss[i] = i == n - 1 ? 1 : 2 + (double)i;
        assert_int_equal(search_valley(&valley, n), n - 1);
        assert_true(valley.n_calls <= fits + TUNE_LAST_FOLDS);
    }
}

static void halving_keeps_the_default_unless_another_is_clearly_better(void **state)
{
    (void)state;
    struct valley level = {.loss = {1, 0.999, 0.998, 1.2, 0.9999}};
    assert_int_equal(search_valley(&level, 5), 0);
    struct valley alone = {.loss = {1}};
    assert_int_equal(search_valley(&alone, 1), 0);
    assert_int_equal(alone.n_calls, 0);
}

static void two_threads_give_the_same_model(void **state)
{
    const struct data *data = *state;
    for (size_t t = 0; t < n_trainers; t++) {
        if (trainers[t]->needs_words)
            continue; /* test_learn_text.c */
        double output[2][N * K];
        size_t k = trainers[t]->task == TASK_CLASSIFICATION ? K : 1;
        for (int run = 0; run < 2; run++) {
            struct problem problem = problem_of(data, trainers[t]->task);
            problem.n_fits = 4;
            problem.n_threads = 1 + run;
            AUTO(fitted_free_slot) struct fitted *fitted = fit(trainers[t], &problem);
            AUTO(shipped_close_slot) struct shipped *shipped = NULL;
            assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
            shipped_run(shipped, data->x, N, output[run]);
        }
        assert_memory_equal(output[0], output[1], N * k * sizeof(double));
    }
}

/* ---- damage ---- */

/* Open and use what can be opened; returns whether it could. */
static bool use(char *bytes, size_t n_bytes, const float *x)
{
    AUTO(artifact_close_slot) struct artifact *artifact = NULL;
    AUTO(predictor_close_slot) struct predictor *predictor = NULL;
    struct error err = {0};
    if (artifact_open_memory(bytes, n_bytes, "damaged", &artifact, &err) != STATUS_OK ||
        predictor_open(artifact, "m", &predictor, &err) != STATUS_OK)
        return false;
    if (predictor_spec(predictor)->n_columns != P || predictor_n_outputs(predictor) > K)
        return false;
    void *scratch = aligned_alloc(64, (predictor_scratch_bytes(predictor) + 64) / 64 * 64);
    double output[K];
    double contribution[P];
    predictor_run(predictor, x, scratch, output);
    predictor_explain(predictor, x, 0, scratch, contribution);
    free(scratch);
    return true;
}

/* The rows in a row, each linked to the next. */
static struct {
    struct links links;
    uint64_t start[N + 1];
    uint32_t node[2 * N], row[N];
    float weight[2 * N];
} chain;

static void make_chain(void)
{
    size_t n = 0;
    for (uint32_t i = 0; i < N; i++) {
        chain.row[i] = i;
        chain.start[i] = n;
        if (i > 0)
            chain.node[n++] = i - 1;
        if (i + 1 < N)
            chain.node[n++] = i + 1;
    }
    chain.start[N] = n;
    for (size_t i = 0; i < n; i++)
        chain.weight[i] = 1;
    chain.links = (struct links){N, chain.start, chain.node, chain.weight};
}

/* Each byte changed under a good checksum: refused, or used without a crash (address sanitizer). */
static void damaged_sections_are_refused_or_harmless(void **state)
{
    const struct data *data = *state;
    const struct trainer *const damaged[] = {&trainer_svr, &trainer_nearest,
                                             &trainer_nearest_classes, &trainer_smoothing,
                                             &trainer_propagation};
    make_chain();
    for (size_t t = 0; t < ARRAY_LENGTH(damaged); t++) {
        struct problem problem = problem_of(data, damaged[t]->task);
        problem.n = 24;
        problem.n_fits = 1;
        problem.links = &chain.links;
        problem.nodes = chain.row;
        AUTO(fitted_free_slot) struct fitted *fitted = fit(damaged[t], &problem);
        AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
        void *bytes = NULL;
        size_t n = 0;
        assert_int_equal(artifact_writer_new(ARTIFACT_SCORE, &writer, NULL), STATUS_OK);
        assert_int_equal(fitted_write(fitted, data->spec, "m", writer, NULL), STATUS_OK);
        assert_int_equal(artifact_finish(writer, &bytes, &n, NULL), STATUS_OK);
        assert_true(use(bytes, n, data->x));
        size_t n_refused = 0;
        struct artifact_header *header = bytes;
        for (size_t i = 0; i < 2 * n; i++) {
            char mask = (char)(i % 2 ? 0xFF : 0x01);
            ((char *)bytes)[i / 2] ^= mask;
            header->checksum = artifact_checksum(bytes, n);
            n_refused += !use(bytes, n, data->x);
            ((char *)bytes)[i / 2] ^= mask;
        }
        free(bytes);
        assert_true(n_refused > n / 4 && n_refused < 2 * n);
    }
}

/* ---- judging ---- */

static void area_under_the_curve_is_that_of_all_pairs(void **state)
{
    const struct data *data = *state;
    double probability[N * 2];
    uint32_t label[N];
    for (size_t i = 0; i < N; i++) {
        label[i] = data->label[i] > 0;
        /* Coarse, so that there are ties. */
        probability[2 * i + 1] = floor(10 / (1 + exp(-(double)data->x[i * P]))) / 10;
        probability[2 * i] = 1 - probability[2 * i + 1];
    }
    double right = 0;
    double pairs = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            if (label[i] != 1 || label[j] != 0)
                continue;
            double a = probability[2 * i + 1];
            double b = probability[2 * j + 1];
            right += a > b ? 1 : a == b ? 0.5 : 0;
            pairs++;
        }
    struct class_metrics metrics;
    assert_int_equal(metrics_classification(label, probability, N, 2, &metrics, NULL), STATUS_OK);
    assert_near(metrics.auc, right / pairs, 1e-12);
}

/* Of mean 1 over rows, and between no weights and full balance. */
static void tempered_weights_lie_between_none_and_balance(void **state)
{
    (void)state;
    enum {
        ROWS = 110
    };
    uint32_t label[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        label[i] = i < 100 ? 0 : 1;
    const struct problem problem = {
        .task = TASK_CLASSIFICATION, .n = ROWS, .label = label, .n_classes = 2};
    double weight[2];
    struct error err = {0};
    assert_int_equal(class_weights_tempered(&problem, weight, &err), STATUS_OK);
    assert_near(100 * weight[0] + 10 * weight[1], ROWS, 1e-9);
    assert_near(weight[1] / weight[0], pow(10, CLASS_TEMPER), 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elastic_net_weights_are_optimal),
        cmocka_unit_test(elastic_net_without_l1_is_ridge),
        cmocka_unit_test(ordinal_weights_are_in_line_and_optimal),
        cmocka_unit_test(ordinal_refuses_classes_without_order),
        cmocka_unit_test(support_vectors_meet_their_conditions),
        cmocka_unit_test(kernel_contributions_are_shapley_values),
        cmocka_unit_test(neighbours_answer_as_a_full_sort_does),
        cmocka_unit_test(shares_of_neighbours_are_probabilities),
        cmocka_unit_test(gradients_are_those_of_the_losses),
        cmocka_unit_test(boosting_finds_the_median),
        cmocka_unit_test(halving_finds_the_best_within_its_budget),
        cmocka_unit_test(halving_keeps_the_default_unless_another_is_clearly_better),
        cmocka_unit_test(tempered_weights_lie_between_none_and_balance),
        cmocka_unit_test(two_threads_give_the_same_model),
        cmocka_unit_test(damaged_sections_are_refused_or_harmless),
        cmocka_unit_test(area_under_the_curve_is_that_of_all_pairs),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
