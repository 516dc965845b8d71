/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/admit.h"

#include <string.h>

#include "base/token.h"
#include "serve/problem.h"
#include "serve/router.h"
#include "serve/service.h"

/* ---- id and trace ---- */

static bool is_hex(const char *text, size_t n)
{
    bool some = false;
    for (size_t i = 0; i < n; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
        some = some || text[i] != '0';
    }
    return some;
}

/* "00-" 32 digits "-" 16 digits "-" 2 digits; later versions may have more behind. */
static bool is_trace(const char *text)
{
    enum {
        LENGTH = 55
    };
    if (strnlen(text, LENGTH) < LENGTH || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return false;
    bool is_first = text[0] == '0' && text[1] == '0';
    bool is_later = is_hex(text, 2) && memcmp(text, "ff", 2) != 0 &&
                    (text[LENGTH] == '\0' || text[LENGTH] == '-');
    if (is_first ? text[LENGTH] != '\0' : !is_later)
        return false;
    bool flags = is_hex(text + 53, 2) || memcmp(text + 53, "00", 2) == 0;
    return is_hex(text + 3, 32) && is_hex(text + 36, 16) && flags;
}

void admit_identify(struct request *request)
{
    const struct guard_head *head = &request->head;
    if (head->traceparent && is_trace(head->traceparent)) {
        request->trace = arena_printf(&request->arena, "00-%.32s-%.16s-%.2s", head->traceparent + 3,
                                      request->id, head->traceparent + 53);
        request->trace_id = arena_printf(&request->arena, "%.32s", head->traceparent + 3);
        if (request->trace_id)
            memcpy(request->id, request->trace_id, 33);
    }
    size_t length = head->request_id ? strnlen(head->request_id, REQUEST_ID_BYTES) : 0;
    if (length > 0 && length < REQUEST_ID_BYTES && http_is_token(head->request_id, length))
        memcpy(request->id, head->request_id, length + 1);
}

/* ---- origins ---- */

/* Whether `origin` is one of `list` ("https://a.example,https://b.example", or "*"). */
static bool is_listed(const char *list, const char *origin)
{
    size_t length = strlen(origin);
    while (*list) {
        list += strspn(list, ", ");
        size_t item = strcspn(list, ", ");
        if ((item == 1 && list[0] == '*') || (item == length && memcmp(list, origin, item) == 0))
            return true;
        list += item;
    }
    return false;
}

/* The Fetch standard, 3.2. True: it was a preflight, and the reply is ready. */
static bool heed_origin(struct request *request)
{
    const char *list = request->service->config->access_cors_origins;
    const char *origin = request->head.origin;
    if (list[0] == '\0')
        return false;
    request_add_header(request, "Vary", "Origin");
    if (!origin || !is_listed(list, origin))
        return false;
    request_add_header(request, "Access-Control-Allow-Origin", origin);
    if (request->method != HTTP_OPTIONS) {
        request_add_header(request, "Access-Control-Expose-Headers",
                           "X-Request-Id, X-Model, X-Unknown-Fields, traceparent, Retry-After");
        return false;
    }
    request_add_header(request, "Access-Control-Allow-Methods", request->route->allow);
    request_add_header(request, "Access-Control-Allow-Headers",
                       "Authorization, Content-Type, X-Request-Id, traceparent");
    request_add_header(request, "Access-Control-Max-Age", "600");
    request->status = 204;
    return true;
}

/* ---- token and rate ---- */

static bool check_token(struct request *request, unsigned needed)
{
    struct access *access = &request->service->access;
    if (!access_is_on(access) || needed == 0)
        return true;
    unsigned scopes = access_scopes(access, request->head.authorization, &request->client_key);
    if (scopes & needed)
        return true;
    request->is_turned_away = true;
    if (scopes == 0) {
        request_add_header(request, "WWW-Authenticate", "Bearer realm=\"influenced\"");
        problem_reply_http(request, 401, "unauthorized",
                           "a token is needed: Authorization: Bearer TOKEN");
    } else {
        request_add_header(request, "WWW-Authenticate",
                           "Bearer realm=\"influenced\", error=\"insufficient_scope\"");
        problem_reply_http(request, 403, "forbidden", "the token's scopes do not open this path");
    }
    return false;
}

/* Clients without a token that opens anything are counted by address, wrong tokens too. */
static bool check_rate(struct request *request)
{
    struct limiter *limiter = &request->service->limiter;
    unsigned wait_s;
    if (!limiter->places || request->route->is_operators ||
        limiter_take(limiter, request->client_key, request->start_ns, &wait_s))
        return true;
    request->is_turned_away = true;
    problem_reply_http(request, 429, "too_many_requests",
                       "more requests than limit.requests_per_s allows");
    request->retry_after_s = wait_s;
    return false;
}

bool admit(struct request *request)
{
    if (heed_origin(request))
        return false;
    bool opens = check_token(request, request->route->scope);
    return check_rate(request) && opens;
}

bool admit_nowhere(struct request *request)
{
    bool opens = check_token(request, TOKEN_PREDICT | TOKEN_METRICS | TOKEN_ADMIN);
    return check_rate(request) && opens;
}
