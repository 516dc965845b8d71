/* SPDX-License-Identifier: Apache-2.0 */

/* Models on the graph of the rows: against brute force, and what they must not know. Groups of
 * eight accounts are linked among themselves; what a group has in common shows in no feature. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/crossval.h"
#include "learn/neighbour_scores.h"
#include "learn/shipped.h"
#include "learn/tune.h"

enum {
    N = 160,
    GROUP = 8,
    P = 2,
    K = 3
};

struct data {
    double followers[N], posts[N], score[N];
    float x[N * P]; /* scaled */
    uint32_t label[N], nodes[N];
    struct table table;
    struct feature_spec *spec;
    struct links links;
    uint64_t start[N + 1];
    uint32_t node[N * GROUP];
    float weight[N * GROUP];
};

static void link_groups(struct data *data)
{
    size_t n = 0;
    for (uint32_t i = 0; i < N; i++) {
        data->start[i] = n;
        for (uint32_t j = i - i % GROUP; j < i - i % GROUP + GROUP; j++) {
            if (j == i)
                continue;
            data->weight[n] = 0.5F + (float)((i + j) % 3);
            data->node[n++] = j;
        }
    }
    data->start[N] = n;
    data->links = (struct links){N, data->start, data->node, data->weight};
}

static int make_data(void **state)
{
    static const char *const names[P] = {"ln_followers", "ln_posts"};
    static const float fill[P] = {8, 5};
    static const float ones[P] = {1, 1};
    struct data *data = calloc(1, sizeof *data);
    if (!data)
        return -1;
    struct rng rng = rng_seed(21);
    double effect = 0;
    for (size_t i = 0; i < N; i++) {
        if (i % GROUP == 0)
            effect = 6 * rng_normal(&rng);
        data->x[i * P] = (float)rng_normal(&rng);
        data->x[i * P + 1] = (float)rng_normal(&rng);
        data->followers[i] = expm1(8 + (double)data->x[i * P]);
        data->posts[i] = expm1(5 + (double)data->x[i * P + 1]);
        data->score[i] = 50 + 2 * (double)data->x[i * P] + effect + 0.5 * rng_normal(&rng);
        data->label[i] = effect < -2 ? 0 : effect < 2 ? 1 : 2;
        data->nodes[i] = (uint32_t)i;
    }
    data->table.n_rows = N;
    data->table.number[PROFILE_followers] = data->followers;
    data->table.number[PROFILE_posts] = data->posts;
    data->table.number[PROFILE_influence_score] = data->score;
    link_groups(data);
    *state = data;
    return feature_spec_new(names, fill, fill, ones, P, &data->spec, NULL);
}

static int free_data(void **state)
{
    struct data *data = *state;
    feature_spec_free(data->spec);
    free(data);
    return 0;
}

/* The rows as the engine gets them. */
static void make_raw(const struct data *data, float *ret_raw)
{
    for (size_t i = 0; i < N; i++) {
        ret_raw[i * P] = data->x[i * P] + 8;
        ret_raw[i * P + 1] = data->x[i * P + 1] + 5;
    }
}

/* The first n rows with default settings. */
static struct problem problem_of(const struct data *data, const float *raw, size_t n)
{
    return (struct problem){.task = TASK_CLASSIFICATION,
                            .n = n,
                            .p = P,
                            .raw = raw,
                            .scaled = data->x,
                            .y = data->score,
                            .label = data->label,
                            .n_classes = K,
                            .spec = data->spec,
                            .links = &data->links,
                            .nodes = data->nodes,
                            .n_fits = 1,
                            .seed = 3,
                            .n_threads = 1};
}

/* ---- against brute force ---- */

/* Shares that the k nearest of the first n rows and the links of a row have, as propagation says
 * without alpha; `row` is no row of the model. */
static void answer_by_hand(const struct data *data, const struct nearest_model *model, size_t row,
                           double *ret_logit)
{
    bool taken[N] = {false};
    double sum[K] = {0};
    double total = 0;
    size_t n = 0;
    for (size_t k = 0; k < model->k; k++, n++) {
        size_t best = N;
        double nearest = HUGE_VAL;
        for (size_t i = 0; i < model->n_rows; i++) {
            double distance = hypot((double)(data->x[i * P] - data->x[row * P]),
                                    (double)(data->x[i * P + 1] - data->x[row * P + 1]));
            if (taken[i] || distance >= nearest)
                continue;
            nearest = distance;
            best = i;
        }
        taken[best] = true;
        for (size_t c = 0; c < K; c++)
            sum[c] += model->values[best * K + c] / (1 + nearest);
        total += 1 / (1 + nearest);
    }
    struct link_list list = links_of(&data->links, row);
    for (size_t i = 0; i < list.n; i++) {
        if (list.node[i] >= model->n_rows)
            continue;
        double weight = model->link_weight * (double)list.weight[i];
        for (size_t c = 0; c < K; c++)
            sum[c] += weight * model->values[list.node[i] * K + c];
        total += weight;
        n++;
    }
    for (size_t c = 0; c < K; c++)
        ret_logit[c] = log((model->prior[c] + (double)n * sum[c] / total) / ((double)n + 1));
}

static void what_ships_answers_as_its_neighbours_and_links_say(void **state)
{
    const struct data *data = *state;
    float raw[N * P];
    make_raw(data, raw);
    const size_t n = N - GROUP / 2; /* half of the last group is not seen */
    struct problem problem = problem_of(data, raw, n);
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    assert_int_equal(trainer_propagation.fit(&problem, &fitted, NULL), STATUS_OK);
    assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
    assert_non_null(fitted->nearest.nodes);
    for (size_t row = n; row < N; row++) {
        const uint32_t node = (uint32_t)row;
        const struct shipped_rows rows = {
            .n = 1, .raw = raw + row * P, .links = &data->links, .nodes = &node};
        double logit[K];
        double expected[K];
        shipped_run_rows(shipped, &rows, logit);
        answer_by_hand(data, &fitted->nearest, row, expected);
        for (size_t c = 0; c < K; c++)
            assert_near(logit[c], expected[c], 1e-5);
    }
}

/* Labels spread as propagate.h has it: two rows, each the other's only neighbour. */
static void two_rows_take_from_each_other(void **state)
{
    const struct data *data = *state;
    float raw[N * P];
    make_raw(data, raw);
    const uint32_t label[] = {0, 1};
    struct problem problem = problem_of(data, raw, 2);
    problem.label = label;
    problem.n_classes = 2;
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    assert_int_equal(trainer_propagation.fit(&problem, &fitted, NULL), STATUS_OK);
    /* (1 - a) / (1 - a^2) of its own and a times that of the other's: 2/3 and 1/3 with a = 1/2. */
    static const double expected[] = {2.0 / 3, 1.0 / 3, 1.0 / 3, 2.0 / 3};
    for (size_t i = 0; i < 4; i++)
        assert_near(fitted->nearest.values[i], expected[i], 1e-5);
}

/* ---- cross-validated ---- */

struct run {
    struct crossval *crossval;
    struct target *target;
};

static void run_deinit(struct run *run)
{
    crossval_free(run->crossval);
    target_free(run->target);
}

static void validate(const struct data *data, const struct links *links,
                     const struct trainer *trainer, struct run *ret_run)
{
    struct design design;
    struct error err = {0};
    assert_int_equal(target_column(&data->table, "influence_score", &ret_run->target, NULL),
                     STATUS_OK);
    if (trainer->task == TASK_CLASSIFICATION)
        assert_int_equal(target_cut(ret_run->target, (const double[]){46, 54}, 2, NULL, NULL),
                         STATUS_OK);
    assert_int_equal(design_choose(&data->table, &(struct design_options){0}, &design, NULL),
                     STATUS_OK);
    const struct crossval_input input = {.table = &data->table,
                                         .design = &design,
                                         .links = links,
                                         .target = ret_run->target,
                                         .trainers = &trainer,
                                         .n_trainers = 1,
                                         .n_folds = 5,
                                         .n_repeats = 1,
                                         .n_threads = 1,
                                         .loss = LOSS_SQUARED,
                                         .stage = ""};
    if (crossval_run(&input, &ret_run->crossval, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static double figure(const struct data *data, const struct links *links,
                     const struct trainer *trainer, enum metric metric)
{
    AUTO(run_deinit) struct run run = {0};
    validate(data, links, trainer, &run);
    return run.crossval->entries[0].mean[metric];
}

/* 4 of 40 parts of the variance are in the features, 36 are the group's. */
static void links_tell_what_features_do_not(void **state)
{
    const struct data *data = *state;
    assert_true(figure(data, &data->links, &trainer_smoothing, METRIC_R2) > 0.8);
    assert_true(figure(data, NULL, &trainer_smoothing, METRIC_R2) < 0.3);
    assert_true(figure(data, &data->links, &trainer_propagation, METRIC_MACRO_F1) > 0.55);
    assert_true(figure(data, NULL, &trainer_propagation, METRIC_MACRO_F1) < 0.45);
}

/* A row's own number moves nothing that is said of it, nor of the rest of its fold. */
static void held_out_numbers_are_not_seen(void **state)
{
    struct data *data = *state;
    AUTO(run_deinit) struct run before = {0};
    AUTO(run_deinit) struct run after = {0};
    validate(data, &data->links, &trainer_smoothing, &before);
    const size_t changed = 13;
    data->score[changed] += 400;
    validate(data, &data->links, &trainer_smoothing, &after);
    data->score[changed] -= 400;
    const uint32_t *fold = before.crossval->fold;
    size_t n_moved = 0;
    for (size_t i = 0; i < N; i++) {
        double moved = after.crossval->entries[0].output[i] - before.crossval->entries[0].output[i];
        if (fold[i] == fold[changed])
            assert_near(moved, 0, 0);
        else
            n_moved += fabs(moved) > 0.1;
    }
    assert_true(n_moved > N / 2);
}

/* ---- the mean score of neighbours, as a feature ---- */

static void choose_finder(const struct data *data, struct design *ret_finder)
{
    assert_int_equal(design_choose(&data->table, &(struct design_options){0}, ret_finder, NULL),
                     STATUS_OK);
}

/* The mean score of the ten nearest among the first n rows, `row` left out. */
static double mean_by_hand(const struct data *data, const struct matrix *rows, size_t n, size_t row)
{
    bool taken[N] = {false};
    double sum = 0;
    for (size_t k = 0; k < 10; k++) {
        size_t best = N;
        double nearest = HUGE_VAL;
        for (size_t i = 0; i < n; i++) {
            double distance = 0;
            for (size_t c = 0; c < rows->p; c++)
                distance += pow(
                    (double)(rows->scaled[i * rows->p + c] - rows->scaled[row * rows->p + c]), 2);
            if (taken[i] || i == row || distance >= nearest)
                continue;
            nearest = distance;
            best = i;
        }
        taken[best] = true;
        sum += data->score[best];
    }
    return sum / 10;
}

static void scores_of_neighbours_are_those_of_others_that_are_known(void **state)
{
    struct data *data = *state;
    const size_t n = N - GROUP - 3;
    size_t all[N];
    double linked[N];
    double near[N];
    struct design finder;
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    AUTO(matrix_deinit) struct matrix rows = {0};
    for (size_t i = 0; i < N; i++)
        all[i] = i;
    choose_finder(data, &finder);
    assert_int_equal(design_fit(&finder, &data->table, all, n, &spec, NULL), STATUS_OK);
    assert_int_equal(matrix_make(spec, &data->table, all, N, &rows, NULL), STATUS_OK);
    struct neighbour_scores scores = {
        .table = &data->table, .finder = &finder, .train = all, .n_train = n, .seed = 5};
    assert_int_equal(neighbour_scores_fill(&scores, near, NULL), STATUS_OK);
    scores.links = &data->links;
    assert_int_equal(neighbour_scores_fill(&scores, linked, NULL), STATUS_OK);
    for (size_t i = 0; i < N; i++) {
        assert_near(near[i], mean_by_hand(data, &rows, n, i), 1e-9);
        struct link_list list = links_of(&data->links, i);
        double sum = 0;
        double weight = 0;
        for (size_t at = 0; at < list.n; at++) {
            if (list.node[at] >= n)
                continue;
            sum += (double)list.weight[at] * data->score[list.node[at]];
            weight += (double)list.weight[at];
        }
        /* Of the last group nobody is known. */
        assert_near(linked[i], weight > 0 ? sum / weight : near[i], 1e-9);
    }
}

static struct run run_ridge(struct data *data, double *column)
{
    struct design finder;
    struct design design;
    struct run run = {0};
    const struct trainer *const ridge = &trainer_ridge;
    choose_finder(data, &finder);
    data->table.number[PROFILE_net_neighbour_score] = column;
    assert_int_equal(design_choose(&data->table, &(struct design_options){0}, &design, NULL),
                     STATUS_OK);
    assert_int_equal(target_column(&data->table, "influence_score", &run.target, NULL), STATUS_OK);
    const struct crossval_input input = {.table = &data->table,
                                         .design = &design,
                                         .finder = &finder,
                                         .links = &data->links,
                                         .target = run.target,
                                         .trainers = &ridge,
                                         .n_trainers = 1,
                                         .n_folds = 5,
                                         .n_repeats = 1,
                                         .n_threads = 1,
                                         .stage = ""};
    assert_int_equal(crossval_run(&input, &run.crossval, NULL), STATUS_OK);
    data->table.number[PROFILE_net_neighbour_score] = NULL;
    return run;
}

/* The column that stands in the table tells each row its own score; folds must not look at it. */
static void folds_compute_it_anew_from_their_training_rows(void **state)
{
    struct data *data = *state;
    double telling[N];
    memcpy(telling, data->score, sizeof telling);
    AUTO(run_deinit) struct run before = run_ridge(data, telling);
    const double r2 = before.crossval->entries[0].mean[METRIC_R2];
    assert_true(r2 > 0.8 && r2 < 0.999);
    const size_t changed = 29;
    data->score[changed] += 400;
    AUTO(run_deinit) struct run after = run_ridge(data, telling);
    data->score[changed] -= 400;
    for (size_t i = 0; i < N; i++)
        if (before.crossval->fold[i] == before.crossval->fold[changed])
            assert_near(after.crossval->entries[0].output[i], before.crossval->entries[0].output[i],
                        0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ships_answers_as_its_neighbours_and_links_say),
        cmocka_unit_test(two_rows_take_from_each_other),
        cmocka_unit_test(links_tell_what_features_do_not),
        cmocka_unit_test(held_out_numbers_are_not_seen),
        cmocka_unit_test(scores_of_neighbours_are_those_of_others_that_are_known),
        cmocka_unit_test(folds_compute_it_anew_from_their_training_rows),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
