/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tracker.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#define MAGIC 0xff99
#define MAX_TEXT 256
#define MAX_WORKERS 1024
#define ANSWER_S 10   /* a worker that says nothing for so long is not one */
#define FAREWELL_MS 5 /* between looks at who has gone */
#define FAREWELL_LOOKS 1000
#define NO_RANK (-1)

/* A process that has asked for a rank. */
struct guest {
    int fd; /* -1: none, or sent on its way */
    char task[MAX_TEXT];
    char host[NI_MAXHOST]; /* as others reach it */
    int32_t port;          /* on which it waits for those of higher rank */
};

struct tracker {
    int listen_fd, stop_fd;
    uint16_t port;
    size_t n_workers;
    pthread_t thread;
    bool is_running;
    struct guest *guests;     /* [n_workers]; the thread's */
    size_t n_guests;          /* the thread's */
    _Atomic(size_t) n_joined; /* written by the thread */
    _Atomic(size_t) n_gone;   /* likewise: those that said goodbye */
    atomic_bool is_full;      /* likewise: all have come and have their ranks */
};

/* ---- words of the protocol: integers as the machine has them, texts after their length ---- */

static bool send_all(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool receive_all(int fd, void *bytes, size_t n)
{
    for (char *at = bytes; n > 0;) {
        ssize_t got = recv(fd, at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static bool send_integer(int fd, size_t value)
{
    int32_t word = (int32_t)value;
    return send_all(fd, &word, sizeof word);
}

/* -1 is nobody. */
static bool send_rank(int fd, bool is_there, size_t rank)
{
    int32_t word = is_there ? (int32_t)rank : NO_RANK;
    return send_all(fd, &word, sizeof word);
}

static bool receive_integer(int fd, int32_t *ret_value)
{
    return receive_all(fd, ret_value, sizeof *ret_value);
}

static bool receive_text(int fd, char ret_text[static MAX_TEXT])
{
    int32_t length;
    if (!receive_integer(fd, &length) || length < 0 || length >= MAX_TEXT)
        return false;
    ret_text[length] = '\0';
    return receive_all(fd, ret_text, (size_t)length);
}

/* ---- who is whose neighbour: a binary tree and a ring ---- */

static bool is_tree_edge(size_t a, size_t b)
{
    return (a > 0 && (a - 1) / 2 == b) || (b > 0 && (b - 1) / 2 == a);
}

static size_t before(size_t rank, size_t n)
{
    return rank > 0 ? rank - 1 : n - 1;
}

static bool are_linked(size_t a, size_t b, size_t n)
{
    return is_tree_edge(a, b) || before(a, n) == b || before(b, n) == a;
}

/* ---- sending on their way ---- */

static bool tell_place(int fd, size_t rank, size_t n)
{
    size_t n_neighbours = 0;
    for (size_t other = 0; other < n; other++)
        n_neighbours += is_tree_edge(rank, other);
    bool good = send_integer(fd, rank) && send_rank(fd, rank > 0, rank > 0 ? (rank - 1) / 2 : 0) &&
                send_integer(fd, n) && send_integer(fd, n_neighbours);
    for (size_t other = 0; good && other < n; other++)
        if (is_tree_edge(rank, other))
            good = send_integer(fd, other);
    return good && send_rank(fd, n > 1, before(rank, n)) &&
           send_rank(fd, n > 1, rank + 1 < n ? rank + 1 : 0);
}

/* The worker tells which links it has (none yet); connects to those of lower rank, who wait for it,
 * and will be connected to by the others. */
static bool tell_links(const struct tracker *tracker, size_t rank)
{
    const struct guest *guest = &tracker->guests[rank];
    size_t n = tracker->n_workers;
    size_t n_lower = 0;
    size_t n_higher = 0;
    for (size_t other = 0; other < n; other++) {
        n_lower += other < rank && are_linked(rank, other, n);
        n_higher += other > rank && are_linked(rank, other, n);
    }
    int32_t n_links;
    bool good = receive_integer(guest->fd, &n_links) && n_links == 0 &&
                send_integer(guest->fd, n_lower) && send_integer(guest->fd, n_higher);
    for (size_t other = 0; good && other < rank; other++) {
        const struct guest *peer = &tracker->guests[other];
        if (are_linked(rank, other, n))
            good = send_integer(guest->fd, strlen(peer->host)) &&
                   send_all(guest->fd, peer->host, strlen(peer->host)) &&
                   send_all(guest->fd, &peer->port, sizeof peer->port) &&
                   send_integer(guest->fd, other);
    }
    return good;
}

static bool send_on(struct tracker *tracker, size_t rank)
{
    struct guest *guest = &tracker->guests[rank];
    int32_t n_failed;
    return tell_place(guest->fd, rank, tracker->n_workers) && tell_links(tracker, rank) &&
           receive_integer(guest->fd, &n_failed) && n_failed == 0 &&
           receive_integer(guest->fd, &guest->port);
}

static int compare_guests(const void *a, const void *b)
{
    const struct guest *x = a;
    const struct guest *y = b;
    char *end_x;
    char *end_y;
    long number_x = strtol(x->task, &end_x, 10);
    long number_y = strtol(y->task, &end_y, 10);
    bool numbers = *end_x == '\0' && *end_y == '\0' && end_x != x->task && end_y != y->task;
    if (numbers && number_x != number_y)
        return number_x < number_y ? -1 : 1;
    return strcmp(x->task, y->task);
}

static void drop(struct tracker *tracker, size_t i)
{
    close(tracker->guests[i].fd);
    tracker->guests[i] = tracker->guests[--tracker->n_guests];
    tracker->n_joined = tracker->n_guests;
}

/* All are there. If one fails now, all links are cut: the others then fail, and say so. */
static void send_all_on(struct tracker *tracker)
{
    qsort(tracker->guests, tracker->n_guests, sizeof tracker->guests[0], compare_guests);
    bool good = true;
    for (size_t rank = 0; good && rank < tracker->n_workers; rank++)
        good = send_on(tracker, rank);
    for (size_t i = 0; i < tracker->n_guests; i++)
        close(tracker->guests[i].fd);
    tracker->n_guests = 0;
    tracker->is_full = good;
}

/* ---- the door ---- */

/* The newest process of a task stands: an earlier one was started again. */
static void take_in(struct tracker *tracker, int fd, const struct guest *guest)
{
    for (size_t i = 0; i < tracker->n_guests; i++)
        if (strcmp(guest->task, "NULL") != 0 && strcmp(tracker->guests[i].task, guest->task) == 0)
            drop(tracker, i);
    tracker->guests[tracker->n_guests] = *guest;
    tracker->guests[tracker->n_guests++].fd = fd;
    tracker->n_joined = tracker->n_guests;
    if (tracker->n_guests == tracker->n_workers)
        send_all_on(tracker);
}

/* False: the connection is done with. */
static bool hear(struct tracker *tracker, int fd, struct guest *guest)
{
    char command[MAX_TEXT];
    int32_t magic;
    int32_t rank;
    int32_t n_workers;
    if (!receive_integer(fd, &magic) || magic != MAGIC || !send_integer(fd, MAGIC) ||
        !receive_integer(fd, &rank) || !receive_integer(fd, &n_workers) ||
        !receive_text(fd, guest->task) || !receive_text(fd, command))
        return false;
    if (strcmp(command, "shutdown") == 0)
        tracker->n_gone++;
    return strcmp(command, "start") == 0 && !tracker->is_full &&
           (n_workers < 0 || (size_t)n_workers == tracker->n_workers);
}

static void answer_door(struct tracker *tracker)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int fd = accept4(tracker->listen_fd, (struct sockaddr *)&address, &length, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct timeval patience = {.tv_sec = ANSWER_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    struct guest guest = {0};
    if (getnameinfo((struct sockaddr *)&address, length, guest.host, sizeof guest.host, NULL, 0,
                    NI_NUMERICHOST) == 0 &&
        hear(tracker, fd, &guest))
        take_in(tracker, fd, &guest);
    else
        close(fd);
}

/* [0] the door, [1] the call to stop, then those who wait. Returns how many. */
static nfds_t list_fds(const struct tracker *tracker, struct pollfd *ret_fds)
{
    ret_fds[0] = (struct pollfd){.fd = tracker->listen_fd, .events = POLLIN};
    ret_fds[1] = (struct pollfd){.fd = tracker->stop_fd, .events = POLLIN};
    for (size_t i = 0; i < tracker->n_guests; i++)
        ret_fds[2 + i] = (struct pollfd){.fd = tracker->guests[i].fd, .events = POLLRDHUP};
    return (nfds_t)(2 + tracker->n_guests);
}

static void *run(void *user)
{
    struct tracker *tracker = user;
    struct pollfd fds[2 + MAX_WORKERS];
    for (;;) {
        nfds_t n = list_fds(tracker, fds);
        if (poll(fds, n, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        /* From the end, because the last takes the place of one that has left. */
        for (size_t i = n; i-- > 2;)
            if (fds[i].revents)
                drop(tracker, i - 2);
        if (fds[0].revents)
            answer_door(tracker);
    }
}

static enum status listen_on(struct tracker *tracker, const char *host, uint16_t port,
                             struct error *err)
{
    char service[16];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed)
        return fail(err, STATUS_INVALID, "%s: %s", host, gai_strerror(failed));
    int on = 1;
    tracker->listen_fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = tracker->listen_fd >= 0 &&
                setsockopt(tracker->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(tracker->listen_fd, found->ai_addr, found->ai_addrlen) == 0 &&
                listen(tracker->listen_fd, MAX_WORKERS) == 0;
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    good = good && getsockname(tracker->listen_fd, (struct sockaddr *)&address, &length) == 0 &&
           getnameinfo((struct sockaddr *)&address, length, NULL, 0, service, sizeof service,
                       NI_NUMERICSERV) == 0;
    freeaddrinfo(found);
    if (!good)
        return fail_errno(err, "%s:%u: cannot listen", host, port);
    tracker->port = (uint16_t)strtoul(service, NULL, 10);
    return STATUS_OK;
}

enum status tracker_start(const char *host, uint16_t port, size_t n_workers,
                          struct tracker **ret_tracker, struct error *err)
{
    if (n_workers == 0 || n_workers > MAX_WORKERS)
        return fail(err, STATUS_INVALID, "between 1 and %d workers, not %zu", MAX_WORKERS,
                    n_workers);
    AUTO(tracker_stop_slot) struct tracker *tracker = calloc(1, sizeof *tracker);
    if (!tracker)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    tracker->listen_fd = -1;
    tracker->n_workers = n_workers;
    tracker->stop_fd = eventfd(0, EFD_CLOEXEC);
    tracker->guests = calloc(n_workers, sizeof *tracker->guests);
    if (!tracker->guests || tracker->stop_fd < 0)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(listen_on(tracker, host, port, err));
    if (pthread_create(&tracker->thread, NULL, run, tracker) != 0)
        return fail(err, STATUS_NO_MEMORY, "cannot start a thread");
    tracker->is_running = true;
    *ret_tracker = STEAL(tracker);
    return STATUS_OK;
}

uint16_t tracker_port(const struct tracker *tracker)
{
    return tracker->port;
}

size_t tracker_n_joined(const struct tracker *tracker)
{
    return tracker->n_joined;
}

void tracker_wait(const struct tracker *tracker)
{
    const struct timespec pause = {.tv_nsec = FAREWELL_MS * 1000000L};
    for (int i = 0; i < FAREWELL_LOOKS && tracker->is_full && tracker->n_gone < tracker->n_workers;
         i++)
        nanosleep(&pause, NULL);
}

void tracker_stop(struct tracker *tracker)
{
    if (!tracker)
        return;
    const uint64_t one = 1;
    if (tracker->is_running && write(tracker->stop_fd, &one, sizeof one) == sizeof one)
        pthread_join(tracker->thread, NULL);
    for (size_t i = 0; i < tracker->n_guests; i++)
        close(tracker->guests[i].fd);
    close_slot(&tracker->listen_fd);
    close_slot(&tracker->stop_fd);
    free(tracker->guests);
    free(tracker);
}
