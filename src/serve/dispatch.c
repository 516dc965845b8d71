/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/dispatch.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "serve/admit.h"
#include "serve/encoding.h"
#include "serve/handlers.h"
#include "serve/memory.h"
#include "serve/models.h"
#include "serve/problem.h"
#include "serve/router.h"
#include "serve/service.h"

/* CSV bodies beyond this are answered as they come. */
#define ROWS_FROM_BYTES (256u << 10)

const char *request_parameter(const struct request *request, const char *name)
{
    for (const struct parameter *p = request->parameters; p; p = p->next)
        if (strcmp(p->name, name) == 0)
            return p->value;
    return NULL;
}

void request_add_header(struct request *request, const char *name, const char *value)
{
    assert(request->n_extra < REQUEST_MAX_EXTRA);
    request->extra[request->n_extra++] = (struct reply_header){name, value};
}

void request_begin(struct request *request, uint64_t id)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < REQUEST_MADE_ID; i++)
        request->id[i] = hex[id >> (60 - 4 * i) & 15];
    request->id[REQUEST_MADE_ID] = '\0';
    request->start_ns = clock_monotonic_ns();
    request->start_utc_us = clock_utc_us();
    request->body_bytes = 0;
    request->sheet = NULL;
    request->work = NULL;
    request->parser = NULL;
    request->packing = NULL;
    request->unfinished = request->has_turn = request->is_packed = false;
    request->target = request->version = request->path = request->caller = "";
    request->trace = request->trace_id = NULL;
    request->client_key = 0;
    request->method = HTTP_OTHER;
    guard_init(&request->head);
    request->parameters = request->last_parameter = NULL;
    request->route = &routes[ROUTE_OTHER];
    request->model = NULL;
    request->is_canary = false;
    request->version_wanted = NULL;
    request->status = 0;
    request->content_type = HTTP_JSON;
    request->allow = NULL;
    request->n_extra = 0;
    request->retry_after_s = 0;
    request->must_close = request->has_no_room = request->is_turned_away = request->is_logged =
        request->pending = request->resumed = false;
    request->outcome.status = STATUS_OK;
    request->stage = REQUEST_LINE;
    request->is_sent = false;
    counter_add(&request->service->metrics.lanes[request->lane].started, 1);
}

/* ---- the head ---- */

static void refuse_path(struct request *request)
{
    struct error err;
    fail(&err, STATUS_NOT_FOUND, "no such path: %.200s; GET / lists what there is", request->path);
    problem_reply(request, &err);
}

/* JSON, or what curl -d says of any body: the text itself then has to be JSON. */
static bool is_json_body(const char *content_type)
{
    bool is_utf8 = true;
    return !content_type || (http_type_is(content_type, HTTP_JSON, &is_utf8) && is_utf8) ||
           http_type_is(content_type, "application/x-www-form-urlencoded", &is_utf8);
}

static bool is_csv_body(const char *content_type)
{
    bool is_utf8 = true;
    return content_type && http_type_is(content_type, HTTP_CSV, &is_utf8) && is_utf8;
}

static bool is_gzip(const char *content_encoding)
{
    return strcasecmp(content_encoding, "gzip") == 0 || strcasecmp(content_encoding, "x-gzip") == 0;
}

/* The types that the body has and the reply may have. */
static void check_types(struct request *request)
{
    const struct guard_head *head = &request->head;
    bool has_body = head->content_length > 0 || head->chunked;
    if (has_body && head->content_encoding && !is_gzip(head->content_encoding) &&
        strcasecmp(head->content_encoding, "identity") != 0) {
        problem_reply_http(request, 415, "content_encoding",
                           "Content-Encoding must be gzip or identity");
        return;
    }
    /* The Open Inference Protocol asks for no Content-Type, and its bodies are read as what they
     * are. */
    bool predicts = request->route->needs_model && request->route->id != ROUTE_INDEX &&
                    request->route->dialect != DIALECT_V2;
    bool is_csv = has_body && is_csv_body(head->content_type);
    if (has_body && predicts && !is_csv && !is_json_body(head->content_type)) {
        problem_reply_http(request, 415, "content_type",
                           "Content-Type must be application/json or text/csv, in UTF-8");
        return;
    }
    if (predicts && !http_accepts(head->accept, is_csv ? HTTP_CSV : HTTP_JSON))
        problem_reply_http(request, 406, "not_acceptable",
                           is_csv ? "the reply is text/csv, which Accept does not admit"
                                  : "the reply is application/json, which Accept does not admit");
}

/* A body of CSV rows that are answered as they come, if there are many. */
static bool has_rows(const struct request *request)
{
    const struct guard_head *head = &request->head;
    enum route_id route = request->route->id;
    return request->method == HTTP_POST && is_csv_body(head->content_type) &&
           !(head->content_encoding && is_gzip(head->content_encoding)) &&
           (route == ROUTE_SCORE || route == ROUTE_TIER || route == ROUTE_CLUSTER ||
            route == ROUTE_SIMILAR);
}

static int64_t most_body_bytes(const struct request *request)
{
    const struct serve_config *config = request->service->config;
    return has_rows(request) ? config->server_max_csv_bytes : config->server_max_body_bytes;
}

static void refuse_large_body(struct request *request)
{
    struct error err;
    fail(&err, STATUS_LIMIT, "the body must have at most %lld bytes",
         (long long)most_body_bytes(request));
    problem_reply_http(request, 413, "too_large", err.message);
    request->must_close = true;
}

/* Of a body, what is kept of it in memory. */
static uint64_t kept_bytes(const struct request *request)
{
    int64_t length = request->head.content_length;
    int64_t most = has_rows(request) ? (int64_t)ROWS_FROM_BYTES : most_body_bytes(request);
    return length < 0 ? 0 : (uint64_t)(length < most ? length : most);
}

bool dispatch_head(struct request *request)
{
    const struct guard_head *head = &request->head;
    request->route = router_find(request->path);
    request->must_close = true;
    struct error err;
    if (guard_check(head, request->version, request->target, &err) != STATUS_OK) {
        request->is_turned_away = access_is_on(&request->service->access);
        problem_reply_http(request, 400, "bad_request", err.message);
        return false;
    }
    admit_identify(request);
    if (head->content_length > most_body_bytes(request)) {
        refuse_large_body(request);
        return false;
    }
    request->must_close = false;

    if (request->route->id == ROUTE_OTHER ||
        (request->route->scope == TOKEN_ADMIN && !request->service->config->server_reload)) {
        if (admit_nowhere(request))
            refuse_path(request);
    } else if (!admit(request)) {
        return true;
    } else if (!(request->route->methods & request->method)) {
        request->allow = request->route->allow;
        problem_reply_http(request, 405, "method_not_allowed",
                           "the path takes other methods: Allow names them");
    } else if (request->method == HTTP_POST && request->route->needs_model &&
               head->content_length < 0 && !head->chunked) {
        problem_reply_http(request, 411, "length_required",
                           "Content-Length or Transfer-Encoding: chunked is needed");
    } else {
        check_types(request);
    }
    if (request->status == 0 && !memory_has_room(request, kept_bytes(request))) {
        memory_refuse(request);
        return false;
    }
    return true;
}

/* ---- the body ---- */

static void run_handler(struct request *request)
{
    struct error err = {0};
    request->unfinished = false;
    enum status status = request->route->handle(request, &err);
    if (request->pending || (request->unfinished && !request->reply.failed))
        return;
    request->unfinished = false;
    if (status != STATUS_OK)
        problem_reply(request, &err);
    else if (request->status == 0)
        request->status = 200;
    if (request->reply.failed || request->body.failed)
        problem_reply_http(request, 503, "no_memory", "out of memory");
}

/* The same, and whether there was room for what it read and wrote. */
static void run_handler_within_bounds(struct request *request)
{
    run_handler(request);
    if (!request->pending && request->status < 400 && !memory_take(request))
        memory_refuse(request);
}

/* False: the reply is ready. */
static bool unpack_body(struct request *request)
{
    size_t most = (size_t)request->service->config->server_max_body_bytes;
    struct error err;
    enum status status =
        encoding_inflate(request->body.at, request->body.length, most, &request->packed, &err);
    if (status == STATUS_LIMIT)
        problem_reply_http(request, 413, "too_large", err.message);
    else if (status == STATUS_INVALID)
        problem_reply_http(request, 400, "not_gzip", err.message);
    else if (status != STATUS_OK)
        problem_reply(request, &err);
    struct buffer plain = request->packed;
    request->packed = request->body;
    request->body = plain;
    buffer_clear(&request->packed);
    if (status == STATUS_OK && !memory_take(request)) {
        memory_refuse(request);
        return false;
    }
    return status == STATUS_OK;
}

static bool acquire_model(struct request *request)
{
    request->model = models_acquire(request);
    if (!request->model)
        problem_reply_http(request, 503, "not_ready", "no model is loaded");
    return request->model != NULL;
}

/* The rows of a piece; problems end in the reply. */
static void answer_rows(struct request *request, const char *data, size_t bytes)
{
    struct error err = {0};
    if (handle_rows(request, data, bytes, &err) != STATUS_OK)
        problem_reply(request, &err);
    if (!memory_take(request))
        memory_refuse(request);
}

/* Enough of the body has come: its rows are answered from here on. Which model answers is decided
 * by its first bytes, always as many. */
static void begin_rows(struct request *request)
{
    size_t length = request->body.length;
    request->body.length = ROWS_FROM_BYTES;
    bool has_model = acquire_model(request);
    request->body.length = length;
    if (!has_model)
        return;
    answer_rows(request, request->body.at, length);
    if (request->has_no_room)
        return;
    /* The request log wants the beginning. */
    size_t most = (size_t)request->service->config->log_max_body_bytes;
    request->body.length = length < most ? length : most;
}

void dispatch_piece(struct request *request, const char *data, size_t bytes)
{
    if (request->status != 0)
        return;
    if (bytes > (uint64_t)most_body_bytes(request) - request->body_bytes) {
        refuse_large_body(request);
        return;
    }
    request->body_bytes += bytes;
    if (request->sheet) {
        answer_rows(request, data, bytes);
        return;
    }
    buffer_put(&request->body, data, bytes);
    if (!memory_take(request))
        memory_refuse(request);
    else if (request->body.length > ROWS_FROM_BYTES && has_rows(request) && !request->body.failed)
        begin_rows(request);
}

void dispatch_body(struct request *request)
{
    if (request->status != 0)
        return; /* refused at the head; the body was read to keep the connection */
    if (request->body.length > 0 && request->head.content_encoding &&
        is_gzip(request->head.content_encoding) && !unpack_body(request))
        return;
    if (request->route->needs_model && !request->model && !acquire_model(request))
        return;
    run_handler_within_bounds(request);
}

void dispatch_resumed(struct request *request)
{
    request->pending = false;
    request->resumed = true;
    run_handler_within_bounds(request);
}

void dispatch_turn(struct request *request)
{
    if (request->stage == REQUEST_ANSWERING) {
        run_handler_within_bounds(request);
        return;
    }
    request->unfinished = false;
    answer_rows(request, "", 0);
}
