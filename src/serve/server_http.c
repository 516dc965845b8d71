/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/hash.h"
#include "base/log.h"
#include "serve/dispatch.h"
#include "serve/query.h"
#include "serve/refuse.h"
#include "serve/server_loop.h"

/* TLS 1.2 and 1.3. The library takes a pointer that is not const. */
static char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* ---- what the library calls ---- */

struct connection *server_connection_of(struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void *session_of(struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

static void on_connection(void *user, struct MHD_Connection *library, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct loop *loop = user;
    struct connection *connection = *context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (!connection)
            return;
        connection_remove(&loop->connections, connection);
        /* The library closes its descriptor after this; a copy keeps the socket open. */
        int copy = connection->lingers ? fcntl(connection->fd, F_DUPFD_CLOEXEC, 0) : -1;
        if (copy >= 0)
            linger_add(&loop->lingerers, copy, loop->now_ns);
        free(connection);
        *context = NULL;
        atomic_fetch_sub_explicit(&loop->server->n_connections, 1, memory_order_relaxed);
        counter_add(&loop->figures->connections_closed, 1);
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    connection = fd && peer ? calloc(1, sizeof *connection) : NULL;
    if (!connection)
        return; /* its requests will find no context and be cut off */
    atomic_fetch_add_explicit(&loop->server->n_connections, 1, memory_order_relaxed);
    connection->fd = fd->connect_fd;
    connection->tls = loop->service->tls ? session_of(library) : NULL;
    connection->library = library;
    connection->loop = loop;
    connection->client_key = listen_peer_key(peer->client_addr);
    char address[REQLOG_CALLER_BYTES];
    listen_format_peer(peer->client_addr, address, sizeof address);
    connection->client_hash = hash_xxh3(address, strlen(address));
    if (loop->service->log)
        reqlog_caller(loop->service->log, address, connection->caller);
    else if (loop->service->config->log_hash_callers)
        key_hash(&loop->service->caller_key, address, strlen(address), connection->caller);
    else
        memcpy(connection->caller, address, sizeof address);
    connection_add(&loop->connections, connection, PHASE_NEW, loop->now_ns);
    counter_add(&loop->figures->connections_opened, 1);
    *context = connection;
}

/* End the library's query, in its own buffer, before it reads it: see query.h. */
static void hide_query(const char *target)
{
    const char *mark = strchr(target, '?');
    if (mark)
        ((char *)(uintptr_t)mark)[1] = '\0';
}

/* The request line was read: the earliest moment at which there is a request. */
static void *on_request_line(void *user, const char *target, struct MHD_Connection *library)
{
    struct loop *loop = user;
    struct connection *connection = server_connection_of(library);
    struct request *request = connection ? server_take_request(loop) : NULL;
    if (!request)
        return NULL;
    request_begin(request, rng_next(&loop->ids));
    request->target = arena_strdup(&request->arena, target);
    if (!request->target)
        request->target = "";
    request->raw_target = target;
    hide_query(target);
    request->caller = connection->caller;
    request->client_hash = connection->client_hash;
    request->client_key = connection->client_key;
    request->connection = connection;
    connection->request = request;
    connection_move(&loop->connections, connection, PHASE_HEAD, loop->now_ns);
    return request;
}

static enum MHD_Result on_header(void *user, enum MHD_ValueKind kind, const char *name,
                                 size_t name_bytes, const char *value, size_t value_bytes)
{
    (void)kind;
    struct request *request = user;
    guard_header(&request->head, name, name_bytes, value ? value : "", value ? value_bytes : 0);
    return MHD_YES;
}

static void show_place(struct request *request, struct MHD_Connection *library, const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct guard_place place = {
        .method = method,
        .target = request->raw_target,
        .version = request->version,
        .target_bytes = strlen(request->target),
        .head_bytes = info ? info->header_size : 0,
    };
    guard_line(&request->head, &place);
}

static void read_head(struct request *request, struct MHD_Connection *library, const char *path,
                      const char *method, const char *version)
{
    request->path = path;
    request->version = version;
    request->method = http_method_find(method);
    if (request->service->server->library_keeps_place)
        show_place(request, library, method);
    MHD_get_connection_values_n(library, MHD_HEADER_KIND, on_header, request);
    if (path[0] != '/' && guard_absolute_path(&request->head, path)) {
        request->path = guard_absolute_path(&request->head, path);
        if (request->path[0] != '/')
            request->path = "/";
    }
    query_read(request);
}

static bool add_headers(const struct request *request, struct MHD_Response *response)
{
    bool ok = MHD_add_response_header(response, "Content-Type", request->content_type) &&
              MHD_add_response_header(response, "X-Request-Id", request->id) &&
              MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (request->trace)
        ok = ok && MHD_add_response_header(response, "traceparent", request->trace);
    if (request->allow)
        ok = ok && MHD_add_response_header(response, "Allow", request->allow);
    if (request->retry_after_s > 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", request->retry_after_s);
        ok = ok && MHD_add_response_header(response, "Retry-After", seconds);
    }
    for (size_t i = 0; i < request->n_extra; i++)
        ok = ok &&
             MHD_add_response_header(response, request->extra[i].name, request->extra[i].value);
    if (request->must_close)
        ok = ok && MHD_add_response_header(response, "Connection", "close");
    return ok;
}

/* A long reply, piece by piece; each that the client takes gives it time for the next. */
static ssize_t read_reply(void *user, uint64_t at, char *ret_data, size_t bytes)
{
    struct request *request = user;
    const struct buffer *reply = &request->reply;
    struct loop *loop = request->connection->loop;
    connection_move(&loop->connections, request->connection, PHASE_REPLY, loop->now_ns);
    if (at >= reply->length) {
        ssize_t n = spool_read(&request->spool, at - reply->length, ret_data, bytes);
        return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t left = reply->length - (size_t)at;
    size_t n = left < bytes ? left : bytes;
    memcpy(ret_data, reply->at + at, n);
    return (ssize_t)n;
}

/* The buffer is the request's and outlives the response: nothing is copied. */
static struct MHD_Response *make_response(struct request *request)
{
    const struct buffer *reply = dispatch_reply(request);
    if (request->spool.is_open)
        return MHD_create_response_from_callback(request_reply_bytes(request), 64u << 10,
                                                 read_reply, request, NULL);
    return MHD_create_response_from_buffer(reply->length, reply->at, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result suspend(struct loop *loop, struct request *request,
                               struct MHD_Connection *library)
{
    connection_move(&loop->connections, request->connection, PHASE_WAIT, loop->now_ns);
    MHD_suspend_connection(library);
    return MHD_YES;
}

/* Others first. */
static enum MHD_Result wait_for_turn(struct loop *loop, struct request *request,
                                     struct MHD_Connection *library)
{
    request->has_turn = false;
    request->next_pending = NULL;
    if (loop->turns_last)
        loop->turns_last->next_pending = request;
    else
        loop->turns_first = request;
    loop->turns_last = request;
    loop->turn.n_waiting++;
    counter_add(&loop->figures->turns, 1);
    return suspend(loop, request, library);
}

static enum MHD_Result send_reply(struct loop *loop, struct request *request,
                                  struct MHD_Connection *library)
{
    connection_move(&loop->connections, request->connection, PHASE_REPLY, loop->now_ns);
    if (atomic_load_explicit(&loop->server->stops, memory_order_relaxed))
        request->must_close = true;
    if (!dispatch_pack(request))
        return wait_for_turn(loop, request, library);
    struct MHD_Response *response = make_response(request);
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (add_headers(request, response))
        result = server_queue(library, request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* The reply is ready: send it, or wait until its row is on disk. */
static enum MHD_Result answer(struct loop *loop, struct request *request,
                              struct MHD_Connection *library)
{
    if (!dispatch_must_wait(request))
        return send_reply(loop, request, library);
    request->next_pending = NULL;
    if (loop->waiting_last)
        loop->waiting_last->next_pending = request;
    else
        loop->waiting_first = request;
    loop->waiting_last = request;
    return suspend(loop, request, library);
}

/* What the handler left: an answer, or that there is none yet. */
static enum MHD_Result go_on(struct loop *loop, struct request *request,
                             struct MHD_Connection *library)
{
    if (request->pending)
        return suspend(loop, request, library);
    if (request->unfinished)
        return wait_for_turn(loop, request, library);
    return answer(loop, request, library);
}

/* Rows of the pieces before are answered before the next is taken. True: so it is. */
static bool catch_up(struct loop *loop, struct request *request)
{
    if (request->unfinished && request->has_turn) {
        connection_move(&loop->connections, request->connection, PHASE_BODY, loop->now_ns);
        dispatch_turn(request);
    }
    return !request->unfinished;
}

static enum MHD_Result on_body(struct loop *loop, struct request *request,
                               struct MHD_Connection *library, const char *data, size_t *bytes)
{
    if (!catch_up(loop, request))
        return wait_for_turn(loop, request, library);
    uint64_t each = (uint64_t)request->service->config->server_max_body_bytes;
    uint64_t before = request->body_bytes / each;
    dispatch_piece(request, data, *bytes);
    if (request->has_no_room) {
        /* The library takes no reply before the body has ended. */
        request->connection->lingers = true;
        request->is_sent = refuse_request(
            (struct wire){request->connection->fd, request->connection->tls}, request);
        return MHD_NO;
    }
    /* A long body gets its time for each part of it. */
    if (request->body_bytes / each != before)
        connection_move(&loop->connections, request->connection, PHASE_BODY, loop->now_ns);
    *bytes = 0;
    return MHD_YES;
}

/* Called once when the head is complete, for each piece of the body, when the body is complete, and
 * again after a suspension. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *library, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *bytes, void **context)
{
    struct loop *loop = user;
    struct request *request = *context;
    if (!request || request->is_sent || loop->ends)
        return MHD_NO;
    if (*bytes > 0)
        return on_body(loop, request, library, data, bytes);
    switch (request->stage) {
    case REQUEST_LINE:
        request->stage = REQUEST_READING;
        read_head(request, library, path, method, version);
        connection_move(&loop->connections, request->connection, PHASE_BODY, loop->now_ns);
        if (dispatch_head(request))
            return MHD_YES;
        request->connection->lingers = true;
        return send_reply(loop, request, library);
    case REQUEST_READING:
        request->stage = REQUEST_ANSWERING;
        dispatch_body(request);
        return go_on(loop, request, library);
    case REQUEST_ANSWERING:
        if (request->pending)
            dispatch_resumed(request);
        else if (request->unfinished)
            dispatch_turn(request);
        return go_on(loop, request, library);
    }
    return MHD_NO;
}

static void on_completed(void *user, struct MHD_Connection *library, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)library;
    struct loop *loop = user;
    struct request *request = *context;
    if (!request)
        return;
    struct connection *connection = request->connection;
    connection->request = NULL;
    connection->idle_ns = loop->now_ns;
    connection->received_bytes = 0;
    connection->has_begun = false;
    connection_move(&loop->connections, connection, PHASE_IDLE, loop->now_ns);
    dispatch_done(request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK || request->is_sent);
    server_give_request(loop, request);
    *context = NULL;
}

static void on_library_message(void *user, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void on_library_message(void *user, const char *format, va_list args)
{
    (void)user;
    if (log_level() < LOG_DEBUG)
        return;
    char text[512];
    int length = vsnprintf(text, sizeof text, format, args);
    while (length > 0 && length < (int)sizeof text && text[length - 1] == '\n')
        text[--length] = '\0';
    log_debug("http: %s", text);
}

enum status server_start_library(struct loop *loop, struct error *err)
{
    const struct serve_config *config = loop->service->config;
    /* The list ends at once where there is no TLS. */
    bool has_tls = loop->service->tls != NULL;
    struct MHD_OptionItem tls[] = {
        {has_tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, 0, tls_certificate_callback()},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    loop->library = MHD_start_daemon(
        (has_tls ? MHD_USE_TLS : 0u) | MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
            MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, loop, MHD_OPTION_EXTERNAL_LOGGER, on_library_message, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, loop, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, loop, MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)config->server_max_header_bytes,
        /* The bound is ours, over all loops. */
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->server_max_connections + 1,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        loop->library ? MHD_get_daemon_info(loop->library, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info)
        return fail(err, STATUS_INTERNAL, "libmicrohttpd does not start");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = info->epoll_fd};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &event) != 0)
        return fail_errno(err, "epoll");
    return STATUS_OK;
}
