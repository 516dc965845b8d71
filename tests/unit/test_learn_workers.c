/* SPDX-License-Identifier: Apache-2.0 */

/* Several processes over loopback: what they find together is what one finds alone. */
#include "learn/collective.h"
#include "learn/tracker.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/rng.h"
#include "learn/kmeans.h"
#include "learn/metrics.h"
#include "learn/shipped.h"
#include "learn/trainer.h"

#define JOIN_SECONDS 300 /* only keeps a hang from lasting for ever */

/* What a process of a group does; zero: all is as it should be. */
typedef int worker_function(struct collective *group, void *user);

static int run_worker(uint16_t port, size_t task, worker_function *work, void *user)
{
    char text[16];
    snprintf(text, sizeof text, "%zu", task);
    struct collective_options options = {
        .host = "127.0.0.1", .port = port, .task = text, .join_seconds = JOIN_SECONDS};
    AUTO(collective_close_slot) struct collective *group = NULL;
    struct error err = {0};
    if (collective_open(&options, &group, &err) != STATUS_OK) {
        fprintf(stderr, "worker %zu: %s\n", task, err.message);
        return 100;
    }
    if (collective_rank(group) != task)
        return 101;
    int result = work(group, user);
    if (result == 0 && collective_leave(group, &err) != STATUS_OK)
        return 102;
    return result;
}

/* The workers as processes of their own; ret_result: [n] what each ended with, 128 + the signal
 * that ended it. */
static void run_group(size_t n, worker_function *work, void *user, int *ret_result)
{
    AUTO(tracker_stop_slot) struct tracker *tracker = NULL;
    pid_t children[16];
    assert_int_equal(tracker_start("127.0.0.1", 0, n, &tracker, NULL), STATUS_OK);
    for (size_t task = 0; task < n; task++) {
        children[task] = fork();
        assert_true(children[task] >= 0);
        if (children[task] == 0)
            _exit(run_worker(tracker_port(tracker), task, work, user));
    }
    for (size_t task = 0; task < n; task++) {
        int status;
        assert_int_equal(waitpid(children[task], &status, 0), children[task]);
        ret_result[task] = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

static void assert_all_well(size_t n, worker_function *work, void *user)
{
    int result[16];
    run_group(n, work, user, result);
    for (size_t task = 0; task < n; task++)
        assert_int_equal(result[task], 0);
}

/* ---- messages ---- */

static enum status check_piece(void *user, size_t rank, const void *bytes, size_t n_bytes,
                               struct error *err)
{
    size_t *n_right = user;
    const unsigned char *at = bytes;
    bool right = n_bytes == 1000 * rank + 1 && at[0] == rank && at[n_bytes - 1] == rank;
    *n_right += right;
    return right ? STATUS_OK : fail(err, STATUS_INTERNAL, "%zu bytes of rank %zu", n_bytes, rank);
}

static int exchange(struct collective *group, void *user)
{
    size_t n = *(const size_t *)user;
    double rank = (double)collective_rank(group);
    double values[] = {rank, 1, -rank};
    if (collective_size(group) != n || collective_sum(group, values, 3, NULL) != STATUS_OK)
        return 1;
    double triangle = (double)n * (double)(n - 1) / 2;
    if (values[0] != triangle || values[1] != (double)n || values[2] != -triangle)
        return 2;
    if (collective_max(group, &rank, 1, NULL) != STATUS_OK || rank != (double)(n - 1))
        return 3;
    char text[8] = "";
    if (collective_rank(group) == n - 1)
        memcpy(text, "hello", 6);
    if (collective_broadcast(group, text, sizeof text, n - 1, NULL) != STATUS_OK ||
        strcmp(text, "hello") != 0)
        return 4;
    unsigned char piece[16000];
    memset(piece, (int)collective_rank(group), sizeof piece);
    size_t n_right = 0;
    if (collective_gather(group, piece, 1000 * collective_rank(group) + 1, check_piece, &n_right,
                          NULL) != STATUS_OK)
        return 5;
    return collective_rank(group) > 0 || n_right == n ? 0 : 6;
}

static void groups_of_any_size_add_up_and_pass_on(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 6; n++)
        assert_all_well(n, exchange, &n);
}

static void one_process_is_a_group(void **state)
{
    (void)state;
    double value = 3;
    size_t n_right = 0;
    assert_int_equal(collective_size(NULL), 1);
    assert_int_equal(collective_rank(NULL), 0);
    assert_int_equal(collective_sum(NULL, &value, 1, NULL), STATUS_OK);
    assert_near(value, 3, 0);
    assert_int_equal(collective_broadcast(NULL, &value, sizeof value, 0, NULL), STATUS_OK);
    assert_int_equal(collective_gather(NULL, "", 1, check_piece, &n_right, NULL), STATUS_OK);
    assert_int_equal(n_right, 1);
    assert_int_equal(collective_leave(NULL, NULL), STATUS_OK);
}

/* ---- fitting together ---- */

enum {
    N = 900, /* rows that are fitted to, and as many that are predicted */
    P = 4,
    K = 3,
    N_WORKERS = 3,
    N_SEEDS = 5
};

struct data {
    float x[2 * N * P]; /* raw and scaled alike */
    double y[2 * N];
    uint32_t label[2 * N];
    struct feature_spec *spec;
};

/* The rows of one process: by a rule that leaves the processes unlike in number and in order. */
struct shard {
    float x[N * P];
    double y[N];
    uint32_t label[N];
    size_t n;
};

static int make_data(void **state)
{
    static const char *const names[P] = {"ln_followers", "ln_posts", "ln_avg_likes", "verified"};
    static const float zeros[P] = {0};
    static const float ones[P] = {1, 1, 1, 1};
    struct data *data = calloc(1, sizeof *data);
    if (!data)
        return -1;
    struct rng rng = rng_seed(5);
    for (size_t i = 0; i < 2 * N; i++) {
        float *x = data->x + i * P;
        for (size_t j = 0; j < P; j++)
            x[j] = (float)(rng_normal(&rng) + (i % 3 == 0 ? 4 : 0));
        double bend = sin(2 * (double)x[0]);
        data->y[i] = 10 + 4 * bend + (double)x[1] + rng_normal(&rng);
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

static void take_shard(const struct data *data, const struct collective *group, struct shard *shard)
{
    size_t last = collective_size(group) - 1;
    shard->n = 0;
    for (size_t i = N; i-- > 0;) {
        size_t owner = i % 7 < 4 ? 0 : i % 7 < 6 ? 1 : 2;
        if ((owner < last ? owner : last) != collective_rank(group))
            continue;
        memcpy(shard->x + shard->n * P, data->x + i * P, P * sizeof(float));
        shard->y[shard->n] = data->y[i];
        shard->label[shard->n++] = data->label[i];
    }
}

static struct problem problem_of(const struct data *data, enum task task, uint64_t seed)
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
                            .n_fits = 6,
                            .seed = seed,
                            .n_threads = 1};
}

/* Fit to all rows, each process to its own. */
static enum status fit_together(struct collective *group, const struct data *data,
                                const struct trainer *trainer, struct fitted **ret_fitted)
{
    static struct shard shard;
    take_shard(data, group, &shard);
    struct problem all = problem_of(data, trainer->task, 1);
    struct problem own = all;
    own.n = shard.n;
    own.raw = own.scaled = shard.x;
    own.y = shard.y;
    own.label = shard.label;
    own.group = group;
    own.n_all = N;
    own.deciding = collective_rank(group) == 0 ? &all : NULL;
    return trainer->fit(&own, ret_fitted, NULL);
}

static int fit_linear(struct collective *group, void *user)
{
    const struct data *data = user;
    const struct trainer *const trainers_tried[] = {&trainer_ridge, &trainer_elastic_net};
    for (size_t t = 0; t < 2; t++) {
        AUTO(fitted_free_slot) struct fitted *alone = NULL;
        AUTO(fitted_free_slot) struct fitted *together = NULL;
        struct problem all = problem_of(data, TASK_REGRESSION, 1);
        if (trainers_tried[t]->fit(&all, &alone, NULL) != STATUS_OK ||
            fit_together(group, data, trainers_tried[t], &together) != STATUS_OK)
            return 10;
        if (strcmp(alone->settings, together->settings) != 0)
            return 11;
        for (size_t i = 0; i <= P; i++)
            if (!(fabs(alone->linear.weights[i] - together->linear.weights[i]) <= 1e-9))
                return 12;
    }
    return 0;
}

static void linear_models_fitted_together_are_those_fitted_alone(void **state)
{
    assert_all_well(N_WORKERS, fit_linear, *state);
}

static int find_clusters(struct collective *group, void *user)
{
    const struct data *data = user;
    static struct shard shard;
    static uint32_t cluster[N];
    take_shard(data, group, &shard);
    for (size_t k = 1; k <= 6; k++) {
        float alone[6 * P];
        float together[6 * P];
        double inertia[2];
        struct kmeans_input input = {
            .rows = data->x, .n = N, .p = P, .k = k, .n_starts = 3, .seed = k};
        if (kmeans_fit(&input, alone, cluster, &inertia[0], NULL) != STATUS_OK)
            return 10;
        input.rows = shard.x;
        input.n = shard.n;
        input.group = group;
        if (collective_rank(group) == 0) {
            input.first = data->x;
            input.n_first = N;
        }
        if (kmeans_fit(&input, together, cluster, &inertia[1], NULL) != STATUS_OK)
            return 11;
        if (!(fabs(inertia[0] - inertia[1]) <= 1e-9 * inertia[0]))
            return 12;
        for (size_t i = 0; i < k * P; i++)
            if (!(fabs((double)alone[i] - (double)together[i]) <= 1e-9))
                return 13;
    }
    return 0;
}

static void clusters_found_together_are_those_found_alone(void **state)
{
    assert_all_well(N_WORKERS, find_clusters, *state);
}

/* Rows that coincide leave clusters without rows, which go to the farthest row of all: by the rank
 * that has it. */
static int find_lone_rows(struct collective *group, void *user)
{
    (void)user;
    size_t rank = collective_rank(group);
    const float first[] = {0, 0, 0, 9, 5};
    const float rows[3][2] = {{0, 0}, {0, 9}, {5, 5}};
    float centroids[3];
    uint32_t cluster[2];
    double inertia;
    struct kmeans_input input = {
        .rows = rows[rank], .n = 2, .p = 1, .k = 3, .n_starts = 5, .seed = 1, .group = group};
    if (rank == 0) {
        input.first = first;
        input.n_first = 5;
    }
    if (kmeans_fit(&input, centroids, cluster, &inertia, NULL) != STATUS_OK)
        return 10;
    return inertia == 0 && centroids[0] == 0 && centroids[1] == 5 && centroids[2] == 9 ? 0 : 11;
}

static void clusters_without_rows_go_to_the_farthest_row_of_all(void **state)
{
    (void)state;
    assert_all_well(3, find_lone_rows, NULL);
}

/* The mean loss on rows that were not fitted to: absolute error, or log loss. */
static double loss_of(const struct data *data, const struct trainer *trainer,
                      const struct fitted *fitted)
{
    static double output[N * K];
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    if (shipped_open(fitted, data->spec, &shipped, NULL) != STATUS_OK)
        return NAN;
    shipped_run(shipped, data->x + N * P, N, output);
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        if (trainer->task == TASK_REGRESSION) {
            sum += fabs(output[i] - data->y[N + i]);
            continue;
        }
        double total = 0;
        for (size_t c = 0; c < K; c++)
            total += exp(output[i * K + c]);
        sum += log(total) - output[i * K + data->label[N + i]];
    }
    return sum / N;
}

/* Rows are drawn and binned by process, so that trees differ as they do by seed: the loss lies
 * where those of other seeds lie. */
static int boost(struct collective *group, void *user)
{
    const struct data *data = user;
    const struct trainer *const tried[] = {&trainer_boosting_squared, &trainer_boosting_absolute,
                                           &trainer_boosting_huber,   &trainer_boosting_quantile,
                                           &trainer_forest,           &trainer_boosting_classes,
                                           &trainer_boosting_balanced};
    for (size_t t = 0; t < ARRAY_LENGTH(tried); t++) {
        double loss[N_SEEDS];
        for (size_t seed = 0; seed < N_SEEDS && collective_rank(group) == 0; seed++) {
            AUTO(fitted_free_slot) struct fitted *alone = NULL;
            struct problem all = problem_of(data, tried[t]->task, seed);
            if (tried[t]->fit(&all, &alone, NULL) != STATUS_OK)
                return 10;
            loss[seed] = loss_of(data, tried[t], alone);
        }
        AUTO(fitted_free_slot) struct fitted *together = NULL;
        if (fit_together(group, data, tried[t], &together) != STATUS_OK)
            return 11;
        if (collective_rank(group) > 0)
            continue;
        double here = loss_of(data, tried[t], together);
        double mean = metrics_mean(loss, N_SEEDS);
        double sd = metrics_sd(loss, N_SEEDS);
        print_message("%s: %.4f together, %.4f +- %.4f alone\n", tried[t]->name, here, mean, sd);
        if (!(fabs(here - mean) <= 3 * sd + 0.02 * mean))
            return 20 + (int)t;
    }
    return 0;
}

static void trees_fitted_together_are_as_good_as_those_of_another_seed(void **state)
{
    assert_all_well(2, boost, *state);
}

/* ---- a process that goes ---- */

/* Rank 1 is gone before the second sum: the others fail, in words. */
static int lose_one(struct collective *group, void *user)
{
    (void)user;
    struct error err = {0};
    double value = 1;
    if (collective_sum(group, &value, 1, NULL) != STATUS_OK)
        return 1;
    if (collective_rank(group) == 1)
        raise(SIGKILL);
    enum status status = STATUS_OK;
    /* A message may go out before it is known that nobody reads it. */
    for (int i = 0; i < 3 && status == STATUS_OK; i++)
        status = collective_sum(group, &value, 1, &err);
    if (status != STATUS_UNAVAILABLE || strcmp(err.message, COLLECTIVE_LOST) != 0)
        return 2;
    return collective_leave(group, NULL) == STATUS_UNAVAILABLE ? 42 : 3;
}

static void a_lost_process_fails_the_others(void **state)
{
    (void)state;
    int result[4];
    run_group(4, lose_one, NULL, result);
    for (size_t task = 0; task < 4; task++)
        assert_int_equal(result[task], task == 1 ? 128 + SIGKILL : 42);
}

/* One that is busy by itself is told. */
static void be_told(void *user)
{
    (void)user;
    _exit(43);
}

static int be_busy(uint16_t port, size_t task)
{
    char text[16];
    snprintf(text, sizeof text, "%zu", task);
    struct collective_options options = {.host = "127.0.0.1",
                                         .port = port,
                                         .task = text,
                                         .join_seconds = JOIN_SECONDS,
                                         .on_lost = be_told};
    struct collective *group = NULL;
    double value = 1;
    if (collective_open(&options, &group, NULL) != STATUS_OK ||
        collective_sum(group, &value, 1, NULL) != STATUS_OK)
        return 1;
    if (task == 1)
        raise(SIGKILL);
    sleep(JOIN_SECONDS);
    return 2;
}

static void a_busy_process_learns_that_another_has_gone(void **state)
{
    (void)state;
    AUTO(tracker_stop_slot) struct tracker *tracker = NULL;
    pid_t children[3];
    assert_int_equal(tracker_start("127.0.0.1", 0, 3, &tracker, NULL), STATUS_OK);
    for (size_t task = 0; task < 3; task++)
        if ((children[task] = fork()) == 0)
            _exit(be_busy(tracker_port(tracker), task));
    for (size_t task = 0; task < 3; task++) {
        int status;
        assert_int_equal(waitpid(children[task], &status, 0), children[task]);
        if (task != 1)
            assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 43);
    }
}

static void a_group_that_does_not_come_about_is_an_error(void **state)
{
    (void)state;
    AUTO(tracker_stop_slot) struct tracker *tracker = NULL;
    assert_int_equal(tracker_start("127.0.0.1", 0, 2, &tracker, NULL), STATUS_OK);
    pid_t child = fork();
    if (child == 0) {
        struct collective_options options = {
            .host = "127.0.0.1", .port = tracker_port(tracker), .task = "0", .join_seconds = 1};
        struct collective *group = NULL;
        struct error err = {0};
        enum status status = collective_open(&options, &group, &err);
        _exit(status == STATUS_UNAVAILABLE && strstr(err.message, "not all workers") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

static void a_port_that_is_taken_is_an_error(void **state)
{
    (void)state;
    AUTO(tracker_stop_slot) struct tracker *tracker = NULL;
    AUTO(tracker_stop_slot) struct tracker *second = NULL;
    assert_int_equal(tracker_start("127.0.0.1", 0, 2, &tracker, NULL), STATUS_OK);
    assert_int_equal(tracker_start("127.0.0.1", tracker_port(tracker), 2, &second, NULL),
                     STATUS_IO);
    assert_int_equal(tracker_start("no such host", 0, 2, &second, NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_is_a_group),
        cmocka_unit_test(groups_of_any_size_add_up_and_pass_on),
        cmocka_unit_test(linear_models_fitted_together_are_those_fitted_alone),
        cmocka_unit_test(clusters_found_together_are_those_found_alone),
        cmocka_unit_test(clusters_without_rows_go_to_the_farthest_row_of_all),
        cmocka_unit_test(trees_fitted_together_are_as_good_as_those_of_another_seed),
        cmocka_unit_test(a_lost_process_fails_the_others),
        cmocka_unit_test(a_busy_process_learns_that_another_has_gone),
        cmocka_unit_test(a_group_that_does_not_come_about_is_an_error),
        cmocka_unit_test(a_port_that_is_taken_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
