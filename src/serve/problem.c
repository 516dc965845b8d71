/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/problem.h"

#include <string.h>

#include "serve/router.h"

/* Which status answers what:
 *
 *   400  not HTTP as guard.c takes it, or a body that is not JSON (bad_request, not_json)
 *   401, 403  no token, or one of other scopes (unauthorized, forbidden)
 *   404  no such path, or no such handle: the message names the closest
 *   405  the path takes other methods: Allow names them
 *   406  Accept admits no type that we write
 *   408  headers or body took too long
 *   411  a POST without Content-Length or chunks
 *   413  a larger body than server.max_body_bytes
 *   414, 431  a larger request line or larger headers than server.max_header_bytes
 *   415  the body's Content-Type or Content-Encoding is not one that we read
 *   422  JSON, but not what the route takes: shape, names, types, ranges, too many instances
 *   429  beyond limit.requests_per_s
 *   500  a fault of ours      503  too many connections, stopping, or a reload that failed */
static const struct {
    unsigned status;
    const char *code;
} answers[] = {
    [STATUS_INVALID] = {422, "invalid"},
    [STATUS_NOT_FOUND] = {404, "not_found"},
    [STATUS_EXISTS] = {500, "internal"},
    [STATUS_LIMIT] = {422, "too_many"},
    [STATUS_UNSUPPORTED] = {422, "unsupported"},
    [STATUS_CORRUPT] = {500, "corrupt"},
    [STATUS_IO] = {500, "io"},
    [STATUS_NO_MEMORY] = {503, "no_memory"},
    [STATUS_UNAVAILABLE] = {503, "unavailable"},
    [STATUS_DENIED] = {500, "internal"},
    [STATUS_CANCELLED] = {503, "unavailable"},
    [STATUS_INTERNAL] = {500, "internal"},
};

static const char *code_of(const struct error *err)
{
    if (err->status == STATUS_INVALID && err->field[0])
        return "invalid_field";
    return answers[err->status].code;
}

/* Messages quote what the client sent, which need not be UTF-8, and may be cut in mid-character. */
static void member_clean(struct json_writer *w, const char *key, const char *text)
{
    char clean[sizeof((struct error *)0)->message];
    size_t length = strnlen(text, sizeof clean - 1);
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t step = text_utf8_step(text + i, length - i, &code);
        if (step == 0)
            clean[i++] = '?';
        for (; step > 0; step--, i++)
            clean[i] = text[i];
    }
    json_put_key(w, key);
    json_put_string_n(w, clean, length);
}

static void write_error(struct json_writer *w, const char *code, const struct error *err,
                        const char *request_id)
{
    json_begin_object(w);
    json_put_key(w, "error");
    json_begin_object(w);
    json_member_string(w, "code", code);
    member_clean(w, "message", err->message);
    if (err->field[0])
        member_clean(w, "field", err->field);
    if (request_id)
        json_member_string(w, "request_id", request_id);
    json_end_object(w);
    json_end_object(w);
}

static enum dialect dialect_of(const struct request *request)
{
    /* Before its head is whole, a request has but a target. */
    const char *path = request->path[0] ? request->path : request->target;
    bool is_v2 = strncmp(path, "/v2", 3) == 0 && (path[3] == '\0' || strchr("/?", path[3]));
    return is_v2 ? DIALECT_V2 : request->route->dialect;
}

/* {"error":"..."} and {"error_code":"...","message":"..."}: those clients know no more. */
static void write_flat(struct json_writer *w, enum dialect dialect, unsigned status,
                       const struct error *err)
{
    json_begin_object(w);
    if (dialect == DIALECT_MLFLOW)
        json_member_string(w, "error_code", status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR");
    member_clean(w, dialect == DIALECT_MLFLOW ? "message" : "error", err->message);
    json_end_object(w);
}

static void reply(struct request *request, unsigned status, const char *code,
                  const struct error *err)
{
    enum dialect dialect = dialect_of(request);
    /* What the handler had written before it failed is not sent. */
    buffer_clear(&request->reply);
    spool_close(&request->spool);
    struct json_writer w = json_writer(&request->reply);
    if (dialect != DIALECT_OWN && status == 422)
        status = 400;
    if (dialect == DIALECT_OWN)
        write_error(&w, code, err, request->id);
    else
        write_flat(&w, dialect, status, err);
    request->status = status;
    request->content_type = HTTP_JSON;
    if (status == 503)
        request->retry_after_s = 1;
}

void problem_reply(struct request *request, const struct error *err)
{
    reply(request, answers[err->status].status, code_of(err), err);
}

void problem_reply_http(struct request *request, unsigned status, const char *code,
                        const char *message)
{
    struct error err = {.status = STATUS_INVALID};
    size_t length = strnlen(message, sizeof err.message - 1);
    memcpy(err.message, message, length);
    reply(request, status, code, &err);
}

void problem_write(struct json_writer *w, const struct error *err)
{
    write_error(w, code_of(err), err, NULL);
}
