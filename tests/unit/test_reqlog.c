/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "reqlog/mention.h"
#include "reqlog/queue.h"
#include "reqlog/reader.h"

static struct reqlog_row row_of(uint64_t n, const char *input, size_t input_bytes)
{
    static const char id[] = "0123456789abcdef";
    return (struct reqlog_row){
        .time_us = (int64_t)n,
        .request_id = id,
        .route = "/score",
        .caller = "c",
        .status = 200,
        .input = input,
        .input_bytes = input_bytes,
    };
}

static void rows_come_out_of_a_ring_as_they_went_in(void **state)
{
    (void)state;
    static const char text[300] = "some text of any length";
    struct queue queue;
    struct rng rng = rng_seed(1);
    assert_int_equal(queue_init(&queue, 2048, NULL), STATUS_OK);
    uint64_t n_in = 0;
    uint64_t n_out = 0;
    uint64_t at = 0;
    size_t lengths[64] = {0};
    while (n_out < 10000) {
        size_t length = rng_below(&rng, sizeof text);
        struct reqlog_row row = row_of(n_in, length % 7 ? text : NULL, length);
        uint64_t end;
        if (n_in - n_out < ARRAY_LENGTH(lengths) && queue_put(&queue, &row, &end))
            lengths[n_in++ % ARRAY_LENGTH(lengths)] = length;
        if (rng_below(&rng, 4) > 0)
            queue_publish(&queue);
        if (rng_below(&rng, 2))
            continue;
        struct queue_row out;
        if (!queue_next(&queue, &at, &out))
            continue;
        length = lengths[n_out % ARRAY_LENGTH(lengths)];
        assert_int_equal(out.time_us, n_out);
        assert_int_equal(out.request_id_bytes, 16);
        assert_memory_equal(out.request_id, "0123456789abcdef", 16);
        assert_null(out.model);
        if (length % 7) {
            assert_int_equal(out.input_bytes, length);
            assert_memory_equal(out.input, text, length);
        } else {
            assert_null(out.input);
        }
        n_out++;
        queue_give_up(&queue, at, 1);
    }
    assert_int_equal(atomic_load(&queue.n_put), n_in);
    assert_int_equal(atomic_load(&queue.n_taken), n_out);
    queue_deinit(&queue);
}

static void a_full_ring_refuses_and_counts(void **state)
{
    (void)state;
    static const char text[2000];
    struct queue queue;
    uint64_t end;
    assert_int_equal(queue_init(&queue, 1024, NULL), STATUS_OK);
    struct reqlog_row large = row_of(0, text, sizeof text);
    assert_false(queue_put(&queue, &large, &end));
    struct reqlog_row small = row_of(0, text, 100);
    size_t n = 0;
    while (queue_put(&queue, &small, &end))
        n++;
    assert_in_range(n, 3, 6);
    assert_int_equal(atomic_load(&queue.n_dropped), 2);
    queue_deinit(&queue);
}

static void mentions_are_whole_words_in_any_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool found;
    } cases[] = {
        {"{\"handle\":\"jo.doe\"}", true},
        {"/score?handle=JO.DOE", true},
        {"/score?handle=%6ao%2Edoe&k=1", true},
        {"\"\\u006Ao.doe\"", true},
        {"@jo.doe", true},
        {"jo.doe", true},
        {"jo.doe2", false},
        {"xjo.doe", false},
        {"jo.doe.", false},
        {"%78jo.doe", false},
        {"jo doe", false},
        {"", false},
        {"jo.do", false},
        {"\\u00", false},
        {"jo.doejo.doe jo.doe", true},
        {"jojo.doe", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (mention_find(cases[i].text, strlen(cases[i].text), "Jo.Doe") != cases[i].found)
            fail_msg("%s", cases[i].text);
    assert_true(mention_find("\"\\u043c\\u0438\"", 14, "\xD0\xBC\xD0\xB8"));
    assert_false(mention_find(NULL, 0, "x"));
    assert_false(mention_find("x", 1, ""));
}

struct log_fixture {
    char dir[32];
    char path[64];
    struct reqlog *log;
    struct error err;
};

static void open_fixture(struct log_fixture *f)
{
    struct reqlog_options options = {
        .path = f->path, .n_lanes = 2, .queue_bytes = 1 << 16, .batch_ms = 5, .max_body_bytes = 50};
    if (reqlog_open(&options, &f->log, &f->err) != STATUS_OK)
        fail_msg("%s", f->err.message);
}

static int set_up(void **state)
{
    struct log_fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->dir, "/tmp/test-reqlog-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/sub/log.db", f->dir);
    open_fixture(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct log_fixture *f = *state;
    reqlog_close(f->log);
    file_remove_tree(f->dir, NULL);
    free(f);
    return 0;
}

struct putter {
    struct reqlog *log;
    unsigned lane;
    size_t n_put;
};

static void *put_many(void *user)
{
    struct putter *putter = user;
    for (size_t i = 0; i < 20000; i++) {
        struct reqlog_row row = row_of(i + 1, "{}", 2);
        while (!reqlog_put(putter->log, putter->lane, &row, NULL))
            usleep(100);
        putter->n_put++;
    }
    return NULL;
}

static bool count_row(void *user, const struct reqlog_record *record)
{
    size_t *n = user;
    assert_string_equal(record->route, "/score");
    ++*n;
    return true;
}

static void every_row_of_every_lane_is_committed(void **state)
{
    struct log_fixture *f = *state;
    struct putter putters[2] = {{.log = f->log, .lane = 0}, {.log = f->log, .lane = 1}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, &putters[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    reqlog_close(f->log);
    f->log = NULL;
    size_t n = 0;
    struct reqlog_filter filter = {0};
    assert_int_equal(reqlog_read(f->path, &filter, count_row, &n, &f->err), STATUS_OK);
    assert_int_equal(n, 40000);
    struct reqlog_summary summary;
    assert_int_equal(reqlog_summarise(f->path, &filter, &summary, &f->err), STATUS_OK);
    assert_int_equal(summary.rows, 40000);
    assert_int_equal(summary.n_groups, 1);
    assert_int_equal(summary.first_us, 1);
    assert_int_equal(summary.last_us, 20000);
}

static void a_row_is_committed_within_the_window(void **state)
{
    struct log_fixture *f = *state;
    struct reqlog_row row = row_of(1, "{}", 2);
    uint64_t end = 0;
    assert_true(reqlog_put(f->log, 1, &row, &end));
    uint64_t start_ns = clock_monotonic_ns();
    while (reqlog_committed(f->log, 1) < end)
        usleep(1000);
    assert_true(clock_monotonic_ns() - start_ns < 2000000000);
    struct reqlog_stats stats;
    reqlog_stats(f->log, &stats);
    assert_int_equal(stats.rows, 1);
    assert_int_equal(stats.queue_rows, 0);
    assert_int_equal(stats.dropped, 0);
}

static void count_commit(void *user, unsigned lane)
{
    _Atomic unsigned *n_commits = user;
    assert_int_equal(lane, 0);
    atomic_fetch_add(n_commits, 1);
}

static void acknowledged_rows_of_a_turn_are_one_commit(void **state)
{
    struct log_fixture *f = *state;
    _Atomic unsigned n_commits = 0;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/acknowledged.db", f->dir);
    struct reqlog_options options = {.path = path,
                                     .n_lanes = 1,
                                     .queue_bytes = 1 << 16,
                                     .batch_ms = 5,
                                     .max_body_bytes = 100,
                                     .on_commit = count_commit,
                                     .user = &n_commits};
    struct reqlog *log;
    assert_int_equal(reqlog_open(&options, &log, &f->err), STATUS_OK);
    uint64_t end = 0;
    for (size_t i = 0; i < 100; i++) {
        struct reqlog_row row = row_of(i + 1, "{}", 2);
        assert_true(reqlog_put(log, 0, &row, &end));
    }
    reqlog_flush(log, 0);
    while (reqlog_committed(log, 0) < end)
        usleep(1000);
    reqlog_close(log);
    assert_int_equal(atomic_load(&n_commits), 1);
}

static void a_second_process_reads_while_the_first_writes(void **state)
{
    struct log_fixture *f = *state;
    size_t n = 0;
    struct reqlog_filter filter = {.route = "/score"};
    assert_int_equal(reqlog_read(f->path, &filter, count_row, &n, &f->err), STATUS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(reqlog_read("/nonexistent/x", &filter, count_row, &n, &f->err),
                     STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_of_a_ring_as_they_went_in),
        cmocka_unit_test(a_full_ring_refuses_and_counts),
        cmocka_unit_test(mentions_are_whole_words_in_any_spelling),
        cmocka_unit_test_setup_teardown(every_row_of_every_lane_is_committed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_is_committed_within_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(acknowledged_rows_of_a_turn_are_one_commit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_second_process_reads_while_the_first_writes, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
