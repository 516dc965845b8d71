/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "serve/codec.h"
#include "serve/connection.h"
#include "serve/guard.h"
#include "serve/http.h"
#include "serve/listen.h"
#include "serve/metrics.h"
#include "serve/process.h"
#include "serve/request.h"
#include "serve/router.h"
#include "serve/slot.h"

/* ---- http ---- */

static void content_types_are_told_apart(void **state)
{
    (void)state;
    bool utf8 = false;
    assert_true(http_type_is("application/json", HTTP_JSON, &utf8) && utf8);
    assert_true(http_type_is(" Application/JSON ; charset=UTF-8", HTTP_JSON, &utf8) && utf8);
    assert_true(http_type_is("application/json;a=b;charset=\"utf-8\"", HTTP_JSON, &utf8) && utf8);
    assert_true(http_type_is("application/json; charset=latin1", HTTP_JSON, &utf8) && !utf8);
    assert_false(http_type_is("application/jsonp", HTTP_JSON, &utf8));
    assert_false(http_type_is("text/json", HTTP_JSON, &utf8));
    assert_false(http_type_is("", HTTP_JSON, &utf8));
}

static void accept_admits_ranges_and_heeds_a_refusal(void **state)
{
    (void)state;
    assert_true(http_accepts(NULL, HTTP_JSON));
    assert_true(http_accepts("", HTTP_JSON));
    assert_true(http_accepts("*/*", HTTP_JSON));
    assert_true(http_accepts("text/html, application/*;q=0.2", HTTP_JSON));
    assert_true(http_accepts("application/json;q=0.001", HTTP_JSON));
    assert_false(http_accepts("application/json;q=0.0", HTTP_JSON));
    assert_false(http_accepts("text/html", HTTP_JSON));
    assert_false(http_accepts("application/xml, text/*", HTTP_JSON));
}

static void every_status_has_its_own_label(void **state)
{
    (void)state;
    assert_string_equal(http_status_label(http_status_index(422)), "422");
    assert_string_equal(http_status_label(http_status_index(599)), "other");
}

/* ---- guard ---- */

static enum status judge(const char *const *headers, const char *version, const char *target)
{
    struct guard_head head;
    struct error err;
    guard_init(&head);
    for (; headers[0]; headers += 2)
        guard_header(&head, headers[0], strlen(headers[0]), headers[1], strlen(headers[1]));
    return guard_check(&head, version, target, &err);
}

#define HEADERS(...)      \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static void heads_that_smuggle_are_refused(void **state)
{
    (void)state;
    const char *v = "HTTP/1.1";
    assert_int_equal(judge(HEADERS("Host", "x"), v, "/"), STATUS_OK);
    assert_int_equal(judge(HEADERS("host", "[::1]:80", "content-length", "0"), v, "/"), STATUS_OK);
    assert_int_equal(judge(HEADERS("X", "y"), v, "/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("X", "y"), "HTTP/1.0", "/"), STATUS_OK);
    assert_int_equal(judge(HEADERS("Host", "x", "HOST", "x"), v, "/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x y"), v, "/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x:123456"), v, "/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x", "A b", "y"), v, "/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x", "A", "y\x7F"), v, "/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x"), v, "http://X/"), STATUS_OK);
    assert_int_equal(judge(HEADERS("Host", "x"), v, "http://y/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x"), v, "http://xy/"), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x"), v, "/a b"), STATUS_INVALID);
    const char *const needless[] = {"/%61", "/%5A", "/%30", "/%2d", "/%2E", "/%5f",
                                    "/%7E", "/%2f", "/%00", "/%1F", "/%7f", "/a%20%62?c"};
    for (size_t i = 0; i < sizeof needless / sizeof needless[0]; i++)
        assert_int_equal(judge(HEADERS("Host", "x"), v, needless[i]), STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x"), v, "/%20%25%C3%A9%zz%?%61%2F"), STATUS_OK);
    assert_int_equal(judge(HEADERS("Host", "x"), "HTTP/2.0", "/"), STATUS_INVALID);
    assert_int_equal(
        judge(HEADERS("Host", "x", "Content-Length", "5", "Content-Length", "5"), v, "/"),
        STATUS_INVALID);
    assert_int_equal(
        judge(HEADERS("Host", "x", "Content-Length", "5", "Transfer-Encoding", "chunked"), v, "/"),
        STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Host", "x", "Transfer-Encoding", "gzip"), v, "/"),
                     STATUS_INVALID);
    assert_int_equal(judge(HEADERS("Transfer-Encoding", "chunked"), "HTTP/1.0", "/"),
                     STATUS_INVALID);
}

/* ---- router ---- */

static void each_route_is_found_by_its_path_and_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROUTES; i++)
        assert_int_equal(routes[i].id, i);
    assert_int_equal(router_find("/score")->id, ROUTE_SCORE);
    assert_int_equal(router_find("/-/ready")->id, ROUTE_READY);
    assert_int_equal(router_find("/scores")->id, ROUTE_OTHER);
    assert_int_equal(router_find("")->id, ROUTE_OTHER);
}

/* ---- listen ---- */

static void addresses_are_read(void **state)
{
    (void)state;
    struct listen_address address;
    struct error err;
    assert_int_equal(listen_parse("127.0.0.1:8080", &address, &err), STATUS_OK);
    assert_string_equal(address.text, "127.0.0.1:8080");
    assert_int_equal(listen_parse("[::1]:0", &address, &err), STATUS_OK);
    assert_string_equal(address.text, "[::1]:0");
    assert_int_equal(listen_parse("*:80", &address, &err), STATUS_OK);
    assert_string_equal(address.text, "0.0.0.0:80");
    static const char *const bad[] = {"",     ":",       "80",         "::1:80",        "[::1]",
                                      "x:80", "1.2.3:4", "1.2.3.4:-1", "1.2.3.4:65536", "[x]:1",
                                      "[]:1"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (listen_parse(bad[i], &address, &err) != STATUS_INVALID)
            fail_msg("%s was taken", bad[i]);
}

/* ---- connections ---- */

static void the_oldest_of_a_phase_expires_first(void **state)
{
    (void)state;
    struct connection_lists lists = {.limit_ns = {[PHASE_HEAD] = 100, [PHASE_IDLE] = 1000}};
    struct connection a = {0};
    struct connection b = {0};
    struct connection c = {0};
    connection_add(&lists, &a, PHASE_HEAD, 10);
    connection_add(&lists, &b, PHASE_HEAD, 20);
    connection_add(&lists, &c, PHASE_WAIT, 0);
    assert_null(connection_expired(&lists, 109));
    assert_ptr_equal(connection_expired(&lists, 110), &a);
    connection_move(&lists, &a, PHASE_IDLE, 110);
    assert_ptr_equal(connection_expired(&lists, 120), &b);
    connection_remove(&lists, &b);
    assert_null(connection_expired(&lists, 1109));
    assert_ptr_equal(connection_expired(&lists, 1110), &a);
    connection_remove(&lists, &a);
    connection_remove(&lists, &c);
    assert_int_equal(lists.n, 0);
    assert_null(connection_expired(&lists, UINT64_MAX));
}

static void the_wait_ends_with_the_next_deadline(void **state)
{
    (void)state;
    struct connection_lists lists = {.limit_ns = {[PHASE_HEAD] = 5000000}};
    struct connection a = {0};
    assert_int_equal(connection_wait_ms(&lists, 0, 1000), 1000);
    connection_add(&lists, &a, PHASE_HEAD, 1000000);
    assert_int_equal(connection_wait_ms(&lists, 1000000, 1000), 5);
    assert_int_equal(connection_wait_ms(&lists, 5900000, 1000), 1);
    assert_int_equal(connection_wait_ms(&lists, 9000000, 1000), 0);
}

/* ---- codec ---- */

static enum status read_body(const char *text, struct arena *arena, struct codec_options *options,
                             struct profile *profile, struct error *err)
{
    const struct json *body;
    *err = (struct error){0};
    codec_options_init(options, CODEC_NEIGHBOURS);
    assert_int_equal(json_parse(text, strlen(text), arena, &body, err), STATUS_OK);
    TRY(codec_read_options(body, arena, options, err));
    static const struct own_columns none;
    struct own_values own = {.own = &none, .arena = arena};
    return codec_read_profile(body, true, &own, profile, &options->unknown, err);
}

static void a_body_holds_a_profile_and_its_options(void **state)
{
    (void)state;
    struct arena arena;
    struct codec_options options;
    struct profile profile;
    struct error err;
    profile_init(&profile);
    arena_init(&arena, 1024);
    assert_int_equal(
        read_body("{\"followers\":\"1.5k\",\"is_verified\":true,\"posts\":null,\"k\":3,"
                  "\"filter\":{\"tier\":\"mid\",\"color\":1},\"hue\":2}",
                  &arena, &options, &profile, &err),
        STATUS_OK);
    assert_true(profile.number[PROFILE_followers] == 1500);
    assert_true(profile.number[PROFILE_is_verified] == 1);
    assert_false(profile_has(&profile, PROFILE_posts));
    assert_int_equal(options.similar.k, 3);
    assert_string_equal(options.similar.tier, "mid");
    assert_int_equal(options.unknown.n, 2);
    assert_string_equal(options.unknown.name[0], "color");
    assert_string_equal(options.unknown.name[1], "hue");
    assert_int_equal(codec_refuse_unknown(&options.unknown, &err), STATUS_INVALID);
    assert_string_equal(err.field, "color");
    arena_deinit(&arena);
}

static void a_wrong_body_names_its_field(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"{\"followers\":-1}", "followers"},
        {"{\"followers\":[1]}", "followers"},
        {"{\"country\":1}", "country"},
        {"{\"snapshot\":2022}", "snapshot"},
        {"{\"is_verified\":\"2\"}", "is_verified"},
        {"{\"followers\":1,\"k\":1001}", "k"},
        {"{\"folower\":1}", "folower"},
    };
    struct arena arena;
    struct codec_options options;
    struct profile profile;
    struct error err;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (read_body(cases[i].text, &arena, &options, &profile, &err) != STATUS_INVALID)
            fail_msg("%s was taken", cases[i].text);
        assert_string_equal(err.field, cases[i].field);
    }
    arena_deinit(&arena);
}

/* ---- metrics ---- */

static void figures_of_all_lanes_add_up(void **state)
{
    (void)state;
    struct metrics metrics;
    struct buffer text = {0};
    assert_int_equal(metrics_init(&metrics, 2, NULL), STATUS_OK);
    metrics_request(&metrics.lanes[0], ROUTE_SCORE, 200, 4000);
    metrics_request(&metrics.lanes[1], ROUTE_SCORE, 200, 4000000);
    metrics_score(&metrics.lanes[0], 0);
    metrics_score(&metrics.lanes[0], 10);
    metrics_score(&metrics.lanes[1], 100);
    metrics_write(&metrics, &(struct metrics_outside){0}, &text);
    assert_non_null(
        strstr(text.at, "influenced_requests_total{route=\"/score\",status=\"200\"} 2\n"));
    assert_non_null(strstr(text.at, "{route=\"/score\",le=\"5e-06\"} 1\n"));
    assert_non_null(strstr(text.at, "{route=\"/score\",le=\"0.002\"} 1\n"));
    assert_non_null(strstr(text.at, "{route=\"/score\",le=\"0.005\"} 2\n"));
    assert_non_null(strstr(text.at, "influenced_score_points_bucket{le=\"10\"} 2\n"));
    assert_non_null(strstr(text.at, "influenced_score_points_bucket{le=\"90\"} 2\n"));
    assert_non_null(strstr(text.at, "influenced_score_points_bucket{le=\"100\"} 3\n"));
    assert_non_null(strstr(text.at, "influenced_score_points_sum 110\n"));
    buffer_deinit(&text);
    metrics_deinit(&metrics);
}

/* ---- slot ---- */

static struct engine *new_engine(void)
{
    /* Without any model: an engine all the same. */
    struct engine_blob blobs[ENGINE_N_BLOBS] = {0};
    struct engine *engine = NULL;
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_OK);
    return engine;
}

static void a_model_is_closed_when_its_last_request_lets_go(void **state)
{
    (void)state;
    static struct slot slot;
    assert_null(slot_acquire(&slot));
    assert_int_equal(
        slot_exchange(&slot, &(struct model_parts){.engine = new_engine(), .n_lanes = 1}, NULL),
        STATUS_OK);
    struct model *first = slot_acquire(&slot);
    struct model *again = slot_acquire(&slot);
    assert_ptr_equal(first, again);
    assert_int_equal(
        slot_exchange(&slot, &(struct model_parts){.engine = new_engine(), .n_lanes = 1}, NULL),
        STATUS_OK);
    struct model *second = slot_acquire(&slot);
    assert_ptr_not_equal(first, second);
    slot_release(first);
    slot_collect(&slot);
    assert_true(first->in_use);
    slot_release(again);
    slot_collect(&slot);
    assert_false(first->in_use);
    assert_true(second->in_use);
    slot_release(second);
    slot_collect(&slot);
    assert_true(second->in_use); /* still the current one */
    slot_deinit(&slot);
}

static struct slot shared_slot;

static void *take_and_give(void *user)
{
    size_t *n_wrong = user;
    for (size_t i = 0; i < 100000; i++) {
        struct model *model = slot_acquire(&shared_slot);
        if (!model || !model->in_use || !model->engine)
            ++*n_wrong;
        slot_release(model);
    }
    return NULL;
}

static void models_change_under_running_requests(void **state)
{
    (void)state;
    enum {
        THREADS = 2
    };
    pthread_t threads[THREADS];
    size_t n_wrong[THREADS] = {0};
    assert_int_equal(slot_exchange(&shared_slot,
                                   &(struct model_parts){.engine = new_engine(), .n_lanes = 1},
                                   NULL),
                     STATUS_OK);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &n_wrong[i]), 0);
    for (size_t i = 0; i < 300; i++) {
        struct engine *engine = new_engine();
        if (slot_exchange(&shared_slot, &(struct model_parts){.engine = engine, .n_lanes = 1},
                          NULL) != STATUS_OK)
            engine_close(engine); /* all places are held by requests for a moment */
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(n_wrong[i], 0);
    }
    slot_collect(&shared_slot);
    size_t n_in_use = 0;
    for (size_t i = 0; i < SLOT_MODELS; i++)
        n_in_use += shared_slot.models[i].in_use;
    assert_int_equal(n_in_use, 1);
    slot_deinit(&shared_slot);
}

static void put_file(const char *root, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    *strrchr(path, '/') = '\0';
    assert_int_equal(file_make_directories(path, NULL), STATUS_OK);
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), STATUS_OK);
}

static void memory_is_bounded_by_the_strictest_control_group(void **state)
{
    (void)state;
    char root[] = "/tmp/influence-cgroup-XXXXXX";
    assert_non_null(mkdtemp(root));
    assert_int_equal(process_memory_bytes(root), 0);
    put_file(root, "proc/meminfo",
             "MemTotal:  900 kB\nMemFree: 100 kB\nMemAvailable:     700 kB\n");
    assert_int_equal(process_memory_bytes(root), 700 * 1024);
    put_file(root, "proc/self/cgroup", "1:name=systemd:/x\n0::/system.slice/influenced.service\n");
    assert_int_equal(process_memory_bytes(root), 700 * 1024);
    put_file(root, "sys/fs/cgroup/system.slice/influenced.service/memory.max", "max\n");
    put_file(root, "sys/fs/cgroup/system.slice/memory.max", "500000\n");
    assert_int_equal(process_memory_bytes(root), 500000);
    put_file(root, "sys/fs/cgroup/system.slice/influenced.service/memory.max", "400000\n");
    assert_int_equal(process_memory_bytes(root), 400000);
    /* A container sees its own group as the root. */
    put_file(root, "proc/self/cgroup", "0::/\n");
    put_file(root, "sys/fs/cgroup/memory.max", "300000\n");
    assert_int_equal(process_memory_bytes(root), 300000);
    put_file(root, "sys/fs/cgroup/memory.max", "100000000\n");
    assert_int_equal(process_memory_bytes(root), 700 * 1024);
    assert_int_equal(file_remove_tree(root, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_types_are_told_apart),
        cmocka_unit_test(accept_admits_ranges_and_heeds_a_refusal),
        cmocka_unit_test(every_status_has_its_own_label),
        cmocka_unit_test(heads_that_smuggle_are_refused),
        cmocka_unit_test(each_route_is_found_by_its_path_and_has_its_place),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(the_oldest_of_a_phase_expires_first),
        cmocka_unit_test(the_wait_ends_with_the_next_deadline),
        cmocka_unit_test(a_body_holds_a_profile_and_its_options),
        cmocka_unit_test(a_wrong_body_names_its_field),
        cmocka_unit_test(figures_of_all_lanes_add_up),
        cmocka_unit_test(a_model_is_closed_when_its_last_request_lets_go),
        cmocka_unit_test(models_change_under_running_requests),
        cmocka_unit_test(memory_is_bounded_by_the_strictest_control_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
