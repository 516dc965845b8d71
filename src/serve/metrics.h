/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The daemon's figures, in Prometheus' text format.
 *
 * Each event loop counts in a lane of its own: one writer, so that an increment is a plain load and
 * store (relaxed atomics keep the reader's view whole). A scrape adds the lanes up. Figures by tier
 * and cluster belong to the model that gave them; see struct model_tally. */
#include <stdatomic.h>
#include <stdint.h>

#include "artifact/bundle.h"
#include "base/status.h"
#include "base/text.h"
#include "reqlog/reqlog.h"
#include "runtime/engine.h"
#include "serve/http.h"
#include "serve/models.h"
#include "serve/router.h"

#define METRICS_LATENCY_BUCKETS 16
#define METRICS_SCORE_BUCKETS 10

typedef _Atomic uint64_t counter;

/* What the Open Inference Protocol asked of one model. */
struct metrics_inference {
    counter requests[2], ns[2]; /* answered, failed */
    counter rows;
};

struct metrics_lane {
    _Alignas(64) counter requests[N_ROUTES][HTTP_N_STATUSES];
    counter latency[N_ROUTES][METRICS_LATENCY_BUCKETS + 1]; /* not cumulative; the last is +Inf */
    counter latency_sum_ns[N_ROUTES];
    counter score[METRICS_SCORE_BUCKETS]; /* not cumulative: (0..10], (10..20], ... */
    counter score_sum_micro;              /* millionths of a point */
    struct metrics_inference inference[ENGINE_N_MODELS];
    counter started, finished; /* requests; the difference is in flight */
    counter aborted;           /* the client left before its answer */
    counter lines_dropped;     /* of log.access */
    counter turns;             /* times that a large answer waited so that others were served */
    counter canary[2];         /* answered by the canary: without and with a 5xx */
    counter connections_opened, connections_closed, connections_refused;
    counter memory_refused; /* requests for which server.max_body_memory had no room */
    counter spool_refused;  /* the same of server.max_spool_bytes */
};

struct metrics {
    struct metrics_lane *lanes; /* owns */
    unsigned n_lanes;
    double start_time_s;
    /* Written by one thread, the one that reloads. */
    counter reloads_ok, reloads_failed;
    counter reload_failures[STATUS_INTERNAL + 1]; /* of any role, by reason */
    _Atomic double loaded_s;                      /* when the main model was loaded, UTC */
};

/* Predictions of one model in one lane. The tiers' names come with the first answer. */
struct model_tally {
    _Atomic(const char *const *) tier_names; /* borrows the engine's; NULL: no answer yet */
    _Atomic size_t n_tiers;                  /* written before tier_names */
    counter tier[TIERS_MAX];
    counter cluster[CLUSTERS_MAX];
};

enum status metrics_init(struct metrics *metrics, unsigned n_lanes, struct error *err);
void metrics_deinit(struct metrics *metrics);

/* For the one thread that writes this counter. */
static inline void counter_add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline uint64_t counter_get(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

void metrics_request(struct metrics_lane *lane, enum route_id route, unsigned status,
                     uint64_t latency_ns);
void metrics_score(struct metrics_lane *lane, double score);
void metrics_tier(struct model_tally *tally, const struct tier_answer *answer);
void metrics_cluster(struct model_tally *tally, size_t cluster);

/* What a scrape shows besides: taken at that moment by the caller. */
struct metrics_outside {
    const char *model_version; /* NULL: none is loaded */
    const struct engine *engine;
    const struct model_tally *tally;            /* [n_lanes] */
    char roles[N_MODEL_ROLES][BUNDLE_ID_BYTES]; /* versions; "": none */
    uint64_t held_bytes;                        /* by requests: see memory.h */
    uint64_t spool_bytes;
    bool log_enabled;
    struct reqlog_stats log;
};

/* The value of a label, escaped. */
void metrics_put_label(struct buffer *out, const char *text);

void metrics_write(const struct metrics *metrics, const struct metrics_outside *outside,
                   struct buffer *out);
