/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "serve/access_lines.h"
#include "serve/dispatch.h"
#include "serve/encoding.h"
#include "serve/memory.h"
#include "serve/problem.h"
#include "serve/router.h"
#include "serve/service.h"

/* ---- packing ---- */

static bool has_encoding(const struct request *request)
{
    for (size_t i = 0; i < request->n_extra; i++)
        if (strcmp(request->extra[i].name, "Content-Encoding") == 0)
            return true;
    return false;
}

static struct packing *begin_packing(struct request *request)
{
    int64_t least = request->service->config->server_gzip_min_bytes;
    if (least == 0 || request->spool.is_open || (int64_t)request->reply.length < least ||
        has_encoding(request))
        return NULL;
    request_add_header(request, "Vary", "Accept-Encoding");
    buffer_clear(&request->packed);
    if (!http_accepts_gzip(request->head.accept_encoding))
        return NULL;
    return encoding_pack(request->reply.at, request->reply.length, &request->packed,
                         &request->arena);
}

bool dispatch_pack(struct request *request)
{
    if (!request->packing && !(request->packing = begin_packing(request)))
        return true;
    enum packed packed;
    while ((packed = encoding_pack_on(request->packing)) == PACKED_IN_PART)
        if (turn_is_over(request))
            return false;
    encoding_pack_end(request->packing);
    request->packing = NULL;
    (void)memory_take(request); /* it is about to be sent: no reason to refuse it */
    request->is_packed = packed == PACKED_WHOLE;
    if (request->is_packed)
        request_add_header(request, "Content-Encoding", "gzip");
    return true;
}

const struct buffer *dispatch_reply(const struct request *request)
{
    return request->is_packed ? &request->packed : &request->reply;
}

/* ---- the end ---- */

/* False: the row is lost, and counted. */
static bool put_row(struct request *request, uint64_t latency_ns)
{
    const struct route *route = request->route;
    struct reqlog_row row = {
        .time_us = request->start_utc_us,
        .latency_us = latency_ns / 1000,
        .request_id = request->id,
        .trace_id = request->trace_id,
        .route = route->path,
        .model = request->model ? engine_version(request->model->engine) : NULL,
        .caller = request->caller,
        .status = request->status,
    };
    /* Strangers do not fill the log. */
    if (route->keeps_text && !request->is_turned_away) {
        bool has_body = request->body.length > 0;
        row.input = has_body ? request->body.at : request->target;
        row.input_bytes = has_body ? request->body.length : strlen(request->target);
        row.output = request->reply.at;
        row.output_bytes = request->reply.length;
    }
    request->is_logged = true;
    return reqlog_put(request->service->log, request->lane, &row, &request->log_position);
}

bool dispatch_must_wait(struct request *request)
{
    struct service *service = request->service;
    /* Probes and figures must tell that the log fails. */
    if (!service->log || service->config->log_durability != DURABILITY_ACKNOWLEDGED ||
        request->is_logged || request->route->is_operators)
        return false;
    if (put_row(request, clock_monotonic_ns() - request->start_ns))
        return true;
    problem_reply_http(request, 503, "not_logged", "the request log takes no rows");
    return false;
}

void dispatch_done(struct request *request, bool sent)
{
    struct service *service = request->service;
    struct metrics_lane *lane = &service->metrics.lanes[request->lane];
    if (sent && request->status != 0) {
        uint64_t latency_ns = clock_monotonic_ns() - request->start_ns;
        metrics_request(lane, request->route->id, request->status, latency_ns);
        if (service->config->log_access != ACCESS_OFF && !access_lines_write(request, latency_ns))
            counter_add(&lane->lines_dropped, 1);
        if (request->is_canary)
            counter_add(&lane->canary[request->status >= 500], 1);
        if (service->log && !request->is_logged)
            put_row(request, latency_ns);
    } else {
        counter_add(&lane->aborted, 1);
    }
    counter_add(&lane->finished, 1);
    slot_release(request->model);
    request->model = NULL;
    encoding_pack_end(request->packing);
    request->packing = NULL;
    spool_close(&request->spool);
    memory_settle(request);
}
