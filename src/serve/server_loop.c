/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "serve/listen.h"
#include "serve/problem.h"
#include "serve/refuse.h"
#include "serve/server_loop.h"

#define NS_PER_MS UINT64_C(1000000)
#define TICK_MS 1000

void server_listen(struct loop *loop, bool listens)
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
        if (loop->service->tls)
            shutdown(fd, SHUT_WR); /* a handshake would cost what there is not */
        else
            refuse_connection((struct wire){fd, NULL}, 503, "too_many_connections",
                              "too many connections");
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
        struct sockaddr_storage peer = {0};
        socklen_t bytes = sizeof peer;
        int fd = accept4(loop->listen_fd, (struct sockaddr *)&peer, &bytes,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(loop, fd, (const struct sockaddr *)&peer, bytes);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* Without descriptors the socket stays readable: look away for a tick. */
            log_warning("accept: %s", strerror(errno));
            server_listen(loop, false);
            loop->away_ns = loop->now_ns;
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

/* The library tells of a request when its line is whole. A line of which a byte comes now and then
 * has as long as other heads, from when it is noticed. */
static bool may_stay_idle(struct loop *loop, struct connection *connection)
{
    uint64_t limit_ns = (uint64_t)loop->service->config->server_idle_timeout_ms * NS_PER_MS;
    if (connection->phase != PHASE_IDLE || connection->has_begun ||
        loop->now_ns - connection->idle_ns >= limit_ns - NS_PER_MS)
        return false;
    uint64_t bytes = listen_received_bytes(connection->fd);
    connection->has_begun = connection->received_bytes > 0 && bytes != connection->received_bytes;
    connection->received_bytes = bytes;
    connection_move(&loop->connections, connection, PHASE_IDLE, loop->now_ns);
    return true;
}

static void refuse_late(struct connection *connection)
{
    static const char message[] = "the request took too long";
    struct wire wire = {connection->fd, connection->tls};
    struct request *request = connection->request;
    if (!request) {
        refuse_connection(wire, 408, "timeout", message);
        return;
    }
    problem_reply_http(request, 408, "timeout", message);
    request->is_sent = refuse_request(wire, request);
}

static void expire(struct loop *loop)
{
    struct connection *connection;
    while ((connection = connection_expired(&loop->connections, loop->now_ns))) {
        if (may_stay_idle(loop, connection))
            continue;
        bool is_late = connection->phase == PHASE_NEW || connection->phase == PHASE_HEAD ||
                       connection->phase == PHASE_BODY ||
                       (connection->phase == PHASE_IDLE && connection->has_begun);
        if (is_late)
            refuse_late(connection);
        /* The library sees the end of the connection at its next turn and cleans up. */
        shutdown(connection->fd, SHUT_RDWR);
        connection_move(&loop->connections, connection, PHASE_WAIT, loop->now_ns);
    }
}

/* In the order in which they wait: those whose row is on disk, and those who waited too long. */
static void resume_logged(struct loop *loop)
{
    uint64_t committed = reqlog_committed(loop->service->log, loop->lane);
    uint64_t limit_ns = (uint64_t)loop->service->config->log_acknowledge_ms * NS_PER_MS;
    struct request *request;
    while ((request = loop->waiting_first)) {
        bool is_late = loop->now_ns - request->connection->since_ns >= limit_ns;
        if (request->log_position > committed && !is_late)
            return;
        if (request->log_position > committed)
            problem_reply_http(request, 503, "not_logged",
                               "the request log did not take the row in time");
        loop->waiting_first = request->next_pending;
        if (!loop->waiting_first)
            loop->waiting_last = NULL;
        MHD_resume_connection(request->connection->library);
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
    if (loop->waiting_first)
        resume_logged(loop);
}

/* One a turn of the loop, so that those who have short questions wait for no more than one. */
static void give_turn(struct loop *loop)
{
    struct request *request = loop->turns_first;
    loop->turn.ends_ns = 0;
    if (!request)
        return;
    loop->turns_first = request->next_pending;
    if (!loop->turns_first)
        loop->turns_last = NULL;
    loop->turn.n_waiting--;
    request->has_turn = true;
    MHD_resume_connection(request->connection->library);
}

static void take_turn(struct loop *loop)
{
    MHD_UNSIGNED_LONG_LONG library_ms;
    int wait_ms = connection_wait_ms(&loop->connections, loop->now_ns, TICK_MS);
    if (MHD_get_timeout(loop->library, &library_ms) == MHD_YES &&
        library_ms < (MHD_UNSIGNED_LONG_LONG)wait_ms)
        wait_ms = (int)library_ms;
    if (loop->turns_first)
        wait_ms = 0;
    struct epoll_event events[16];
    int n = epoll_wait(loop->epoll_fd, events, ARRAY_LENGTH(events), wait_ms);
    loop->now_ns = clock_monotonic_ns();
    atomic_store_explicit(&loop->turned_ns, loop->now_ns, memory_order_relaxed);
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
    /* By the clock: those who have a connection may leave no quiet turn. */
    if (!loop->listens && loop->now_ns - loop->away_ns >= TICK_MS * NS_PER_MS)
        server_listen(loop, true);
    resume_all(loop);
    give_turn(loop);
    MHD_run(loop->library);
    expire(loop);
    if (loop->service->log)
        reqlog_flush(loop->service->log, loop->lane);
}

/* No new connections; those that wait for a request get an end of input behind what has arrived. */
static void close_door(struct loop *loop)
{
    accept_all(loop);
    server_listen(loop, false);
    if (loop->listen_fd >= 0)
        close(loop->listen_fd);
    loop->listen_fd = -1;
    MHD_run(loop->library);
}

/* Those whose rows are on their way, without waiting for them. */
static void resume_waiting(struct loop *loop)
{
    for (; loop->waiting_first; loop->waiting_first = loop->waiting_first->next_pending)
        MHD_resume_connection(loop->waiting_first->connection->library);
    loop->waiting_last = NULL;
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
    resume_waiting(loop);
    MHD_run(loop->library);
    /* Requests that came meanwhile are cut off, wherever they wait. */
    loop->ends = true;
    resume_waiting(loop);
    while (loop->turns_first)
        give_turn(loop);
    MHD_run(loop->library);
}

void *server_run_loop(void *user)
{
    struct loop *loop = user;
    loop->now_ns = clock_monotonic_ns();
    atomic_store_explicit(&loop->turned_ns, loop->now_ns, memory_order_relaxed);
    while (!atomic_load_explicit(&loop->server->stops, memory_order_acquire))
        take_turn(loop);
    drain(loop);
    return NULL;
}
