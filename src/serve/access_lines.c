/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/access_lines.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "serve/dispatch.h"
#include "serve/request.h"
#include "serve/router.h"
#include "serve/service.h"

static const char *method_of(const struct request *request)
{
    switch (request->method) {
    case HTTP_GET:
        return "GET";
    case HTTP_HEAD:
        return "HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_OPTIONS:
        return "OPTIONS";
    case HTTP_OTHER:
        break;
    }
    return "other";
}

/* Of the body as it went out. */
static uint64_t sent_bytes(const struct request *request)
{
    return dispatch_reply(request)->length + request->spool.bytes;
}

static void put_json(const struct request *request, const char *time, double seconds,
                     struct buffer *line)
{
    struct json_writer w = json_writer(line);
    json_begin_object(&w);
    json_member_string(&w, "time", time);
    json_member_string(&w, "request_id", request->id);
    json_member_string(&w, "trace_id", request->trace_id);
    json_member_string(&w, "method", method_of(request));
    json_member_string(&w, "route", request->route->path);
    json_member_integer(&w, "status", request->status);
    json_member_integer(&w, "bytes", (int64_t)sent_bytes(request));
    json_member_fixed(&w, "seconds", seconds, 6);
    json_member_string(&w, "client", request->caller);
    json_member_string(&w, "model", request->model ? engine_version(request->model->engine) : NULL);
    json_end_object(&w);
    buffer_put_char(line, '\n');
}

static void put_logfmt(const struct request *request, const char *time, double seconds,
                       struct buffer *line)
{
    buffer_printf(
        line,
        "time=%s request_id=%s trace_id=%s method=%s route=%s status=%u bytes=%llu seconds=%.6f "
        "client=%s model=%s\n",
        time, request->id, request->trace_id ? request->trace_id : "-", method_of(request),
        request->route->path, request->status, (unsigned long long)sent_bytes(request), seconds,
        request->caller[0] ? request->caller : "-",
        request->model ? engine_version(request->model->engine) : "-");
}

bool access_lines_write(const struct request *request, uint64_t latency_ns)
{
    struct service *service = request->service;
    char time[28];
    AUTO(buffer_deinit) struct buffer line = {0};
    clock_format_utc(request->start_utc_us, time);
    if (service->config->log_access == ACCESS_JSON)
        put_json(request, time, (double)latency_ns * 1e-9, &line);
    else
        put_logfmt(request, time, (double)latency_ns * 1e-9, &line);
    if (line.failed || line.length > PIPE_BUF)
        return false;
    /* A pipe that can be written takes PIPE_BUF bytes whole: with one writer at a time, none waits.
     */
    pthread_mutex_lock(&service->access_lines_lock);
    struct pollfd wait = {.fd = STDERR_FILENO, .events = POLLOUT};
    bool ok = poll(&wait, 1, 0) == 1 && (wait.revents & POLLOUT) &&
              write(STDERR_FILENO, line.at, line.length) == (ssize_t)line.length;
    pthread_mutex_unlock(&service->access_lines_lock);
    return ok;
}
