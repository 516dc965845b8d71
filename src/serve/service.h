/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the event loops share: configuration, model, figures, request log. Made before the loops and
 * freed after them. Reloading belongs to the main thread. */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "reqlog/key.h"
#include "reqlog/reqlog.h"
#include "serve/access.h"
#include "serve/config.h"
#include "serve/limiter.h"
#include "serve/memory.h"
#include "serve/metrics.h"
#include "serve/models.h"
#include "serve/slot.h"
#include "serve/spool.h"
#include "serve/tls.h"

struct request;
struct server;
struct shadow;

struct service {
    const struct serve_config *config; /* borrowed */
    unsigned n_lanes;
    struct slot slots[N_MODEL_ROLES];
    struct metrics metrics;
    struct memory memory; /* held by requests */
    struct spool_room spools;
    struct reqlog *log;    /* owns; NULL: durability is off */
    struct key caller_key; /* hashes addresses when there is no log */
    struct shadow *shadow; /* owns; NULL: none is configured */
    struct access access;
    struct tls *tls; /* owns; NULL: none */
    struct limiter limiter;
    atomic_uint unloaded; /* bits of enum engine_model: an administrator wants no answers of it */
    atomic_bool is_stopping;
    pthread_mutex_t access_lines_lock; /* who writes to stderr; no other lock is taken meanwhile */

    /* Requests that wait for a reload. `lock` guards the list; `reload_fd` (an eventfd) tells the
     * main thread. No other lock is taken while it is held. */
    pthread_mutex_t lock;
    struct request *reload_waiters;
    int reload_fd;

    /* Why a bundle was not taken, the last time; the main thread's. */
    char last_failure[512];
    int64_t last_failure_us; /* 0: never */

    /* Gives a pending request back to its loop; set by the server, as is its argument. Any thread.
     */
    void (*resume)(struct request *request);
    struct server *server;
};

/* n_lanes: event loops. The model is loaded and the log opened. on_commit: see reqlog.h. */
enum status service_init(struct service *service, const struct serve_config *config,
                         unsigned n_lanes, struct error *err);
void service_deinit(struct service *service);

/* Open the log and start the shadow; apart from service_init() because acknowledged rows need the
 * loops to be there. */
enum status service_open_log(struct service *service, void (*on_commit)(void *user, unsigned lane),
                             void *user, struct error *err);

/* Rows that were put are committed, and on_commit is not called any more. May be called twice. */
void service_close_log(struct service *service);

/* Where the log is: log.path, with what stands in it replaced. */
void service_log_path(const struct serve_config *config, char ret_path[static PATH_MAX]);

/* Load `version` (see models_load) and what stands beside it, and exchange them for those in
 * service, which stay when that fails. Main thread. */
enum status service_reload(struct service *service, const char *version, struct error *err);

/* Read tokens and certificate again, whether they changed or not; what is wrong goes to the log,
 * and what was in force stays. Main thread. */
void service_reload_access(struct service *service);

/* The main thread's turn, when reload_fd is readable or time has passed: reload for those who
 * asked, list the versions, close retired models. */
void service_tend(struct service *service);

/* Have the main thread do what `request` asks: its route lists the versions or reloads, to
 * request->version_wanted. The request becomes pending. False: the daemon is stopping. */
bool service_ask_main(struct service *service, struct request *request);

/* Not ready any more; nobody waits for a reload after this. Main thread. */
void service_stop(struct service *service);
