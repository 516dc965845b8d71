/* SPDX-License-Identifier: Apache-2.0 */

/* Several processes over loopback: what they find together is what one finds alone. */
#include "learn/collective.h"
#include "learn/tracker.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"

#define JOIN_SECONDS 60

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
    double triangle = (double)(n * (n - 1) / 2);
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
        cmocka_unit_test(a_lost_process_fails_the_others),
        cmocka_unit_test(a_busy_process_learns_that_another_has_gone),
        cmocka_unit_test(a_group_that_does_not_come_about_is_an_error),
        cmocka_unit_test(a_port_that_is_taken_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
