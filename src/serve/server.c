/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "serve/connection.h"
#include "serve/dispatch.h"
#include "serve/linger.h"
#include "serve/refuse.h"

#define NS_PER_MS UINT64_C(1000000)
#define TICK_MS 1000
#define KEEP_REQUESTS 256 /* warm requests that a loop keeps */

struct loop {
    struct server *server;
    struct service *service;
    struct metrics_lane *figures;
    struct MHD_Daemon *library;
    pthread_t thread;
    bool has_thread;
    unsigned lane;
    int epoll_fd;  /* owns: the library's epoll set, the listening socket, wake_fd */
    int listen_fd; /* owns; -1 once closed */
    int wake_fd;   /* owns: an eventfd, written by other threads */
    bool listens;  /* listen_fd is in the epoll set */
    uint64_t now_ns;
    struct rng ids;
    struct connection_lists connections;
    struct lingerers lingerers;
    struct request *free_requests;
    size_t n_free;
    struct request *waiting_first, *waiting_last; /* for their rows to be committed, in order */
    _Atomic(struct request *) resumed;            /* pushed by other threads, taken by this one */
};

struct server {
    struct service *service; /* borrowed */
    struct listen_address address;
    struct loop *loops; /* [n_loops] owns */
    unsigned n_loops;
    atomic_size_t n_connections;
    atomic_bool stops;
};

/* ---- requests ---- */

static struct request *take_request(struct loop *loop)
{
    struct request *request = loop->free_requests;
    if (request) {
        loop->free_requests = request->next_free;
        loop->n_free--;
        return request;
    }
    request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->service = loop->service;
    request->lane = loop->lane;
    arena_init(&request->arena, 16u << 10);
    return request;
}

static void free_request(struct request *request)
{
    arena_deinit(&request->arena);
    buffer_deinit(&request->body);
    buffer_deinit(&request->reply);
    free(request);
}

static void give_request(struct loop *loop, struct request *request)
{
    if (loop->n_free >= KEEP_REQUESTS) {
        free_request(request);
        return;
    }
    request->next_free = loop->free_requests;
    loop->free_requests = request;
    loop->n_free++;
}

/* ---- what the library calls ---- */

static struct connection *connection_of(struct MHD_Connection *library)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
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
    connection->library = library;
    char address[REQLOG_CALLER_BYTES];
    listen_format_peer(peer->client_addr, address, sizeof address);
    if (loop->service->log)
        reqlog_caller(loop->service->log, address, connection->caller);
    connection_add(&loop->connections, connection, PHASE_NEW, loop->now_ns);
    counter_add(&loop->figures->connections_opened, 1);
    *context = connection;
}

/* The request line was read: the earliest moment at which there is a request. */
static void *on_request_line(void *user, const char *target, struct MHD_Connection *library)
{
    struct loop *loop = user;
    struct connection *connection = connection_of(library);
    struct request *request = connection ? take_request(loop) : NULL;
    if (!request)
        return NULL;
    request_begin(request, rng_next(&loop->ids));
    request->target = arena_strdup(&request->arena, target);
    if (!request->target)
        request->target = "";
    request->caller = connection->caller;
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

static enum MHD_Result on_parameter(void *user, enum MHD_ValueKind kind, const char *name,
                                    size_t name_bytes, const char *value, size_t value_bytes)
{
    (void)kind;
    struct request *request = user;
    struct parameter *parameter = ARENA_NEW(&request->arena, struct parameter);
    if (!parameter || strlen(name) != name_bytes || (value && strlen(value) != value_bytes)) {
        request->head.fault = parameter ? "the query has a NUL" : "out of memory";
        return MHD_NO;
    }
    parameter->name = name;
    parameter->value = value ? value : "";
    if (request->last_parameter)
        request->last_parameter->next = parameter;
    else
        request->parameters = parameter;
    request->last_parameter = parameter;
    return MHD_YES;
}

static void read_head(struct request *request, struct MHD_Connection *library, const char *path,
                      const char *method, const char *version)
{
    request->path = path;
    request->version = version;
    request->method = http_method_find(method);
    MHD_get_connection_values_n(library, MHD_HEADER_KIND, on_header, request);
    if (strchr(request->target, '?'))
        MHD_get_connection_values_n(library, MHD_GET_ARGUMENT_KIND, on_parameter, request);
}

static bool add_headers(const struct request *request, struct MHD_Response *response)
{
    bool ok = MHD_add_response_header(response, "Content-Type", request->content_type) &&
              MHD_add_response_header(response, "X-Request-Id", request->id);
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

static enum MHD_Result send_reply(struct loop *loop, struct request *request,
                                  struct MHD_Connection *library)
{
    connection_move(&loop->connections, request->connection, PHASE_REPLY, loop->now_ns);
    if (atomic_load_explicit(&loop->server->stops, memory_order_relaxed))
        request->must_close = true;
    /* The buffer is the request's and outlives the response: nothing is copied. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        request->reply.length, request->reply.at, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (add_headers(request, response))
        result = MHD_queue_response(library, request->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result suspend(struct loop *loop, struct request *request,
                               struct MHD_Connection *library)
{
    connection_move(&loop->connections, request->connection, PHASE_WAIT, loop->now_ns);
    MHD_suspend_connection(library);
    return MHD_YES;
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

static enum MHD_Result on_body(struct loop *loop, struct request *request, const char *data,
                               size_t *bytes)
{
    (void)loop;
    size_t most = (size_t)request->service->config->server_max_body_bytes;
    if (request->status == 0) {
        if (*bytes > most - request->body.length)
            dispatch_body_too_large(request);
        else
            buffer_put(&request->body, data, *bytes);
    }
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
    if (!request || request->is_sent)
        return MHD_NO;
    if (*bytes > 0)
        return on_body(loop, request, data, bytes);
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
        return request->pending ? suspend(loop, request, library) : answer(loop, request, library);
    case REQUEST_ANSWERING:
        if (request->pending)
            dispatch_resumed(request);
        return answer(loop, request, library);
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
    connection_move(&loop->connections, connection, PHASE_IDLE, loop->now_ns);
    dispatch_done(request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK || request->is_sent);
    give_request(loop, request);
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

/* ---- one turn of a loop ---- */

static void listen_to(struct loop *loop, bool listens)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = loop->listen_fd};
    if (loop->listens != listens && loop->listen_fd >= 0 &&
        epoll_ctl(loop->epoll_fd, listens ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, loop->listen_fd,
                  &event) == 0)
        loop->listens = listens;
}

static void accept_one(struct loop *loop, int fd, const struct sockaddr *peer, socklen_t bytes)
{
    struct server *server = loop->server;
    size_t most = (size_t)loop->service->config->server_max_connections;
    if (atomic_load_explicit(&server->n_connections, memory_order_relaxed) >= most) {
        counter_add(&loop->figures->connections_refused, 1);
        refuse_connection(fd, 503, "too_many_connections", "too many connections");
        shutdown(fd, SHUT_WR);
        linger_add(&loop->lingerers, fd, loop->now_ns);
        return;
    }
    /* Takes fd, also when it fails. */
    if (MHD_add_connection(loop->library, fd, peer, bytes) != MHD_YES)
        log_debug("http: a connection could not be taken");
}

static void accept_all(struct loop *loop)
{
    enum {
        AT_ONCE = 64 /* then those who have a connection get their turn */
    };
    for (int i = 0; i < AT_ONCE && loop->listen_fd >= 0; i++) {
        struct sockaddr_storage peer;
        socklen_t bytes = sizeof peer;
        int fd = accept4(loop->listen_fd, (struct sockaddr *)&peer, &bytes,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(loop, fd, (const struct sockaddr *)&peer, bytes);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* Without descriptors the socket stays readable: look away until the next tick. */
            log_warning("accept: %s", strerror(errno));
            listen_to(loop, false);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void expire(struct loop *loop)
{
    struct connection *connection;
    while ((connection = connection_expired(&loop->connections, loop->now_ns))) {
        struct request *request = connection->request;
        bool is_late = connection->phase == PHASE_NEW || connection->phase == PHASE_HEAD ||
                       connection->phase == PHASE_BODY;
        if (is_late &&
            refuse_connection(connection->fd, 408, "timeout", "the request took too long") &&
            request) {
            request->status = 408;
            request->is_sent = true;
        }
        /* The library sees the end of the connection at its next turn and cleans up. */
        shutdown(connection->fd, SHUT_RDWR);
        connection_move(&loop->connections, connection, PHASE_WAIT, loop->now_ns);
    }
}

/* Requests whose answer is there, or whose row is on disk, go on. */
static void resume_all(struct loop *loop)
{
    struct request *request = atomic_exchange_explicit(&loop->resumed, NULL, memory_order_acquire);
    while (request) {
        struct request *next = request->next_pending;
        MHD_resume_connection(request->connection->library);
        request = next;
    }
    if (!loop->waiting_first)
        return;
    uint64_t committed = reqlog_committed(loop->service->log, loop->lane);
    while (loop->waiting_first && loop->waiting_first->log_position <= committed) {
        request = loop->waiting_first;
        loop->waiting_first = request->next_pending;
        if (!loop->waiting_first)
            loop->waiting_last = NULL;
        MHD_resume_connection(request->connection->library);
    }
}

static void take_turn(struct loop *loop)
{
    MHD_UNSIGNED_LONG_LONG library_ms;
    int wait_ms = connection_wait_ms(&loop->connections, loop->now_ns, TICK_MS);
    if (MHD_get_timeout(loop->library, &library_ms) == MHD_YES &&
        library_ms < (MHD_UNSIGNED_LONG_LONG)wait_ms)
        wait_ms = (int)library_ms;
    struct epoll_event events[16];
    int n = epoll_wait(loop->epoll_fd, events, ARRAY_LENGTH(events), wait_ms);
    loop->now_ns = clock_monotonic_ns();
    for (int i = 0; i < n; i++) {
        uint64_t count;
        if (events[i].data.fd == loop->listen_fd)
            accept_all(loop);
        else if (events[i].data.fd == loop->wake_fd)
            (void)!read(loop->wake_fd, &count, sizeof count);
        else
            linger_read(&loop->lingerers, events[i].data.fd);
    }
    linger_expire(&loop->lingerers, loop->now_ns);
    if (n == 0)
        listen_to(loop, true);
    resume_all(loop);
    MHD_run(loop->library);
    expire(loop);
}

/* No new connections; those that wait for a request get an end of input behind what has arrived. */
static void close_door(struct loop *loop)
{
    accept_all(loop);
    listen_to(loop, false);
    if (loop->listen_fd >= 0)
        close(loop->listen_fd);
    loop->listen_fd = -1;
    MHD_run(loop->library);
}

static void drain(struct loop *loop)
{
    close_door(loop);
    uint64_t limit_ns = (uint64_t)loop->service->config->server_drain_timeout_ms * NS_PER_MS;
    uint64_t start_ns = clock_monotonic_ns();
    for (;;) {
        for (int phase = PHASE_NEW; phase <= PHASE_IDLE; phase++)
            for (struct connection *c = loop->connections.first[phase]; c; c = c->next)
                shutdown(c->fd, SHUT_RD);
        if (loop->connections.n == 0 || clock_monotonic_ns() - start_ns >= limit_ns)
            break;
        take_turn(loop);
    }
    /* The library must not be stopped with suspended connections. */
    resume_all(loop);
    for (; loop->waiting_first; loop->waiting_first = loop->waiting_first->next_pending)
        MHD_resume_connection(loop->waiting_first->connection->library);
    loop->waiting_last = NULL;
    MHD_run(loop->library);
}

static void *run_loop(void *user)
{
    struct loop *loop = user;
    loop->now_ns = clock_monotonic_ns();
    while (!atomic_load_explicit(&loop->server->stops, memory_order_acquire))
        take_turn(loop);
    drain(loop);
    return NULL;
}

/* ---- other threads ---- */

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    if (write(loop->wake_fd, &one, sizeof one) != sizeof one && errno != EAGAIN)
        log_warning("cannot wake an event loop: %s", strerror(errno));
}

/* service.resume: any thread. */
static void resume(struct request *request)
{
    struct server *server = request->service->server;
    struct loop *loop = &server->loops[request->lane];
    struct request *head = atomic_load_explicit(&loop->resumed, memory_order_relaxed);
    do
        request->next_pending = head;
    while (!atomic_compare_exchange_weak_explicit(&loop->resumed, &head, request,
                                                  memory_order_release, memory_order_relaxed));
    wake(loop);
}

void server_on_commit(void *user, unsigned lane)
{
    struct server *server = user;
    wake(&server->loops[lane]);
}

/* ---- making and ending ---- */

static enum status watch(struct loop *loop, int fd, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno(err, "epoll");
    return STATUS_OK;
}

static enum status start_library(struct loop *loop, struct error *err)
{
    const struct serve_config *config = loop->service->config;
    loop->library = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, on_request, loop, MHD_OPTION_EXTERNAL_LOGGER, on_library_message, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, loop, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, loop, MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)config->server_max_header_bytes,
        /* The bound is ours, over all loops. */
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->server_max_connections + 1,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        loop->library ? MHD_get_daemon_info(loop->library, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info)
        return fail(err, STATUS_INTERNAL, "libmicrohttpd does not start");
    return watch(loop, info->epoll_fd, err);
}

static void set_limits(struct connection_lists *lists, const struct serve_config *config)
{
    lists->limit_ns[PHASE_NEW] = (uint64_t)config->server_header_timeout_ms * NS_PER_MS;
    lists->limit_ns[PHASE_HEAD] = (uint64_t)config->server_header_timeout_ms * NS_PER_MS;
    lists->limit_ns[PHASE_BODY] = (uint64_t)config->server_body_timeout_ms * NS_PER_MS;
    lists->limit_ns[PHASE_REPLY] = (uint64_t)config->server_idle_timeout_ms * NS_PER_MS;
    lists->limit_ns[PHASE_IDLE] = (uint64_t)config->server_idle_timeout_ms * NS_PER_MS;
}

static enum status loop_init(struct loop *loop, struct server *server, unsigned lane,
                             struct error *err)
{
    loop->server = server;
    loop->service = server->service;
    loop->figures = &server->service->metrics.lanes[lane];
    loop->lane = lane;
    loop->now_ns = clock_monotonic_ns();
    set_limits(&loop->connections, server->service->config);
    if (getrandom(&loop->ids.state, sizeof loop->ids.state, 0) != sizeof loop->ids.state)
        return fail_errno(err, "getrandom");
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->lingerers.epoll_fd = loop->epoll_fd;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0)
        return fail_errno(err, "event loop");
    TRY(listen_open(&server->address, &loop->listen_fd, err));
    TRY(watch(loop, loop->wake_fd, err));
    return start_library(loop, err);
}

static void loop_deinit(struct loop *loop)
{
    if (loop->library)
        MHD_stop_daemon(loop->library);
    linger_expire(&loop->lingerers, UINT64_MAX);
    for (struct request *r = loop->free_requests, *next; r; r = next) {
        next = r->next_free;
        free_request(r);
    }
    close_slot(&loop->listen_fd);
    close_slot(&loop->wake_fd);
    close_slot(&loop->epoll_fd);
}

enum status server_new(struct service *service, struct server **ret_server, struct error *err)
{
    AUTO(server_free_slot) struct server *server = calloc(1, sizeof *server);
    if (!server)
        return fail(err, STATUS_NO_MEMORY, "server: out of memory");
    server->service = service;
    TRY(listen_parse(service->config->server_listen, &server->address, err));
    TRY(listen_probe(&server->address, err));
    server->loops = calloc(service->n_lanes, sizeof *server->loops);
    if (!server->loops)
        return fail(err, STATUS_NO_MEMORY, "server: out of memory");
    for (unsigned i = 0; i < service->n_lanes; i++, server->n_loops++)
        server->loops[i].epoll_fd = server->loops[i].wake_fd = server->loops[i].listen_fd = -1;
    for (unsigned i = 0; i < server->n_loops; i++)
        TRY(loop_init(&server->loops[i], server, i, err));
    service->resume = resume;
    service->server = server;
    *ret_server = STEAL(server);
    return STATUS_OK;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    for (unsigned i = 0; i < server->n_loops; i++)
        loop_deinit(&server->loops[i]);
    free(server->loops);
    free(server);
}

const char *server_address(const struct server *server)
{
    return server->address.text;
}

enum status server_start(struct server *server, struct error *err)
{
    for (unsigned i = 0; i < server->n_loops; i++) {
        struct loop *loop = &server->loops[i];
        listen_to(loop, true);
        errno = pthread_create(&loop->thread, NULL, run_loop, loop);
        if (errno != 0)
            return fail_errno(err, "thread");
        loop->has_thread = true;
    }
    return STATUS_OK;
}

void server_stop(struct server *server)
{
    atomic_store_explicit(&server->stops, true, memory_order_release);
    for (unsigned i = 0; i < server->n_loops; i++)
        wake(&server->loops[i]);
    for (unsigned i = 0; i < server->n_loops; i++)
        if (server->loops[i].has_thread)
            pthread_join(server->loops[i].thread, NULL);
}
