/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "serve/server_loop.h"

#define NS_PER_MS UINT64_C(1000000)
#define STALL_MS 10000 /* a loop turns each second when nothing happens */

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
    if (lane < server->n_loops) /* for the shadow's rows nobody waits */
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

static void set_limits(struct connection_lists *lists, const struct serve_config *config)
{
    lists->limit_ns[PHASE_NEW] = (uint64_t)config->server_header_timeout_ms * NS_PER_MS;
    lists->limit_ns[PHASE_HEAD] = (uint64_t)config->server_header_timeout_ms * NS_PER_MS;
    lists->limit_ns[PHASE_BODY] = (uint64_t)config->server_body_timeout_ms * NS_PER_MS;
    lists->limit_ns[PHASE_REPLY] = (uint64_t)config->server_idle_timeout_ms * NS_PER_MS;
    /* In equal parts, none longer than a head may take. */
    int64_t parts = (config->server_idle_timeout_ms + config->server_header_timeout_ms - 1) /
                    config->server_header_timeout_ms;
    lists->limit_ns[PHASE_IDLE] =
        (uint64_t)config->server_idle_timeout_ms * NS_PER_MS / (uint64_t)parts;
}

/* A socket of its own for each loop, or a copy of the one that was handed to us. */
static enum status open_socket(struct server *server, int *ret_fd, struct error *err)
{
    if (server->inherited_fd < 0)
        return listen_open(&server->address, ret_fd, err);
    *ret_fd = fcntl(server->inherited_fd, F_DUPFD_CLOEXEC, 0);
    return *ret_fd < 0 ? fail_errno(err, "LISTEN_FDS") : STATUS_OK;
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
    TRY(open_socket(server, &loop->listen_fd, err));
    TRY(watch(loop, loop->wake_fd, err));
    return server_start_library(loop, err);
}

static void loop_stop(struct loop *loop)
{
    if (loop->library)
        MHD_stop_daemon(loop->library);
    loop->library = NULL;
}

static void loop_deinit(struct loop *loop)
{
    loop_stop(loop);
    linger_expire(&loop->lingerers, UINT64_MAX);
    server_free_requests(loop);
    close_slot(&loop->listen_fd);
    close_slot(&loop->wake_fd);
    close_slot(&loop->epoll_fd);
}

static void warn_of_open_door(const struct server *server)
{
    const struct serve_config *config = server->service->config;
    if (listen_is_loopback(&server->address))
        return;
    if (!access_is_on(&server->service->access))
        log_warning("server.listen: %s can be reached from other machines, and everybody there may "
                    "ask: set access.tokens, or let a proxy ask who it is",
                    server->address.text);
    else if (config->access_tls_certificate[0] == '\0')
        log_warning("server.listen: %s can be reached from other machines, and tokens travel "
                    "unencrypted: set access.tls_certificate, or let a proxy speak TLS",
                    server->address.text);
}

enum status server_new(struct service *service, struct server **ret_server, struct error *err)
{
    AUTO(server_free_slot) struct server *server = calloc(1, sizeof *server);
    if (!server)
        return fail(err, STATUS_NO_MEMORY, "server: out of memory");
    server->service = service;
    server->inherited_fd = -1;
    const char *library = MHD_get_version();
    server->library_keeps_place = strncmp(library, "0.9.7", 5) == 0 && library[5] >= '5';
    if (!server_errors_init())
        return fail(err, STATUS_INTERNAL, "libmicrohttpd: no MHD_queue_response");
    TRY(listen_inherit(&server->address, &server->inherited_fd, err));
    if (server->inherited_fd < 0) {
        TRY(listen_parse(service->config->server_listen, &server->address, err));
        TRY(listen_probe(&server->address, err));
    }
    warn_of_open_door(server);
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
        loop_stop(&server->loops[i]);
    /* The log's thread wakes the loops: it ends before they do, and after their last rows. */
    service_close_log(server->service);
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
        server_listen(loop, true);
        errno = pthread_create(&loop->thread, NULL, server_run_loop, loop);
        if (errno != 0)
            return fail_errno(err, "thread");
        loop->has_thread = true;
    }
    return STATUS_OK;
}

bool server_is_alive(const struct server *server)
{
    uint64_t now_ns = clock_monotonic_ns();
    for (unsigned i = 0; i < server->n_loops; i++) {
        uint64_t turned_ns =
            atomic_load_explicit(&server->loops[i].turned_ns, memory_order_relaxed);
        if (now_ns > turned_ns && now_ns - turned_ns > STALL_MS * NS_PER_MS)
            return false;
    }
    return true;
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
