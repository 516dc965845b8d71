/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The inside of the server: the state of an event loop, shared by
 *
 *   server.c         making, starting and stopping; what other threads call
 *   server_loop.c    one turn of a loop: accepting, deadlines, resuming, draining
 *   server_http.c    what libmicrohttpd calls: requests and replies
 *   server_errors.c  our replies in place of libmicrohttpd's own
 *
 * A loop's members belong to its thread, but for wake_fd, turned_ns and `resumed`. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <microhttpd.h>

#include "base/rng.h"
#include "serve/connection.h"
#include "serve/linger.h"
#include "serve/listen.h"
#include "serve/server.h"

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
    uint64_t away_ns;           /* since when listen_fd is not, for want of descriptors */
    _Atomic uint64_t turned_ns; /* now_ns, for other threads */
    struct rng ids;
    struct connection_lists connections;
    struct lingerers lingerers;
    struct request *free_requests;
    size_t n_free;
    struct request *waiting_first, *waiting_last; /* for their rows to be committed, in order */
    struct turn turn;
    struct request *turns_first, *turns_last; /* who waits for a turn, in order */
    bool ends;                                /* there will be no more turns */
    _Atomic(struct request *) resumed;        /* pushed by other threads, taken by this one */
};

struct server {
    struct service *service; /* borrowed */
    struct listen_address address;
    struct loop *loops; /* [n_loops] owns */
    unsigned n_loops;
    atomic_size_t n_connections;
    atomic_bool stops;
    /* The library leaves request line and headers where it received them: see guard.h. So do 0.9.75
     * to 0.9.77; with another one the guard sees what it is shown and no more. */
    bool library_keeps_place;
    int inherited_fd; /* the service manager's socket; -1: none */
};

/* server_loop.c: the thread's function; user is the loop. */
void *server_run_loop(void *user);
/* Whether the listening socket is watched. */
void server_listen(struct loop *loop, bool listens);

/* server_http.c */
enum status server_start_library(struct loop *loop, struct error *err);
struct request *server_take_request(struct loop *loop);
void server_give_request(struct loop *loop, struct request *request);
void server_free_requests(struct loop *loop);
struct connection *server_connection_of(struct MHD_Connection *library);

/* server_errors.c: once before the rest; false when the library has no such function. */
bool server_errors_init(void);
/* Queue a reply of ours. */
enum MHD_Result server_queue(struct MHD_Connection *library, unsigned status,
                             struct MHD_Response *response);
