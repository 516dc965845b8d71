/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Connections of one event loop, in lists by what they wait for, oldest first: the head of a list
 * is the next to run out of time, so that deadlines cost nothing while they hold. All times are the
 * loop's clock. Belongs to one thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reqlog/reqlog.h"

struct loop;
struct request;

enum phase {
    PHASE_NEW,   /* nothing was understood yet */
    PHASE_IDLE,  /* between two requests; looked at now and then, whether one has begun */
    PHASE_HEAD,  /* the request line was read, headers are coming */
    PHASE_BODY,  /* the body is coming */
    PHASE_REPLY, /* the reply is going */
    PHASE_WAIT,  /* the answer comes from another thread: no deadline */
    N_PHASES
};

struct connection {
    int fd; /* borrows the library's */
    enum phase phase;
    uint64_t since_ns;
    struct connection *previous, *next;
    struct request *request; /* NULL: none under way */
    void *tls;               /* its session, or NULL: see tls.h */
    void *library;           /* the library's connection */
    struct loop *loop;       /* borrowed: whose it is */
    uint64_t idle_ns;        /* IDLE: since when */
    uint64_t received_bytes; /* IDLE: when it was looked at last; 0: not yet */
    bool has_begun;          /* IDLE: bytes came, of a request line that is not whole */
    bool lingers;            /* it was refused while it sent: see linger.h */
    uint64_t client_key;     /* of the address, for its rate */
    char caller[REQLOG_CALLER_BYTES];
    uint64_t client_hash; /* of its address */
};

struct connection_lists {
    struct connection *first[N_PHASES], *last[N_PHASES];
    uint64_t limit_ns[N_PHASES]; /* 0: none */
    size_t n;
};

void connection_add(struct connection_lists *lists, struct connection *connection, enum phase phase,
                    uint64_t now_ns);
void connection_remove(struct connection_lists *lists, struct connection *connection);
void connection_move(struct connection_lists *lists, struct connection *connection,
                     enum phase phase, uint64_t now_ns);

/* A connection whose time is over, or NULL. */
struct connection *connection_expired(const struct connection_lists *lists, uint64_t now_ns);

/* Milliseconds until the next deadline, at most `most`. */
int connection_wait_ms(const struct connection_lists *lists, uint64_t now_ns, int most);
