/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which handler answers which path: one table, read-only. */
#include <stdbool.h>

#include "base/status.h"
#include "serve/request.h"

enum route_id {
    ROUTE_SCORE,
    ROUTE_TIER,
    ROUTE_CLUSTER,
    ROUTE_SIMILAR,
    ROUTE_INFLUENCERS,
    ROUTE_INDEX,
    ROUTE_PAGE,
    ROUTE_OPENAPI,
    ROUTE_REPORT,
    ROUTE_HEALTHY,
    ROUTE_READY,
    ROUTE_RELOAD,
    ROUTE_MODELS,
    ROUTE_METRICS,
    ROUTE_DRIFT,
    ROUTE_V2,
    ROUTE_V2_LIVE,
    ROUTE_V2_READY,
    ROUTE_V2_MODELS,
    ROUTE_V2_MODEL,
    ROUTE_V2_VERSION,
    ROUTE_V2_MODEL_READY,
    ROUTE_V2_VERSION_READY,
    ROUTE_V2_MODEL_STATS,
    ROUTE_V2_VERSION_STATS,
    ROUTE_V2_MODEL_INFER,
    ROUTE_V2_VERSION_INFER,
    ROUTE_V2_INDEX,
    ROUTE_V2_LOAD,
    ROUTE_V2_UNLOAD,
    ROUTE_INVOCATIONS,
    ROUTE_PING,
    ROUTE_HEALTH,
    ROUTE_VERSION,
    ROUTE_OTHER, /* no such path, or a request that never came to a path */
    N_ROUTES
};

/* Writes the reply, or returns what is wrong. One that leaves request->pending set is called again,
 * with request->resumed, when the outcome is there. */
typedef enum status (*handler)(struct request *request, struct error *err);

/* Whose shape the errors have. */
enum dialect {
    DIALECT_OWN,
    DIALECT_V2,     /* {"error":"..."} of the Open Inference Protocol; what is wrong is 400 */
    DIALECT_MLFLOW, /* {"error_code":"...","message":"..."}; the same */
};

struct route {
    enum route_id id;
    const char *path;  /* with {name} for a piece between slashes that may be anything */
    unsigned methods;  /* bits of enum http_method */
    const char *allow; /* the same as the value of an Allow header */
    handler handle;
    bool needs_model;  /* a model is acquired before the handler is called */
    unsigned scope;    /* of the token that opens it (base/token.h); 0: open to all */
    bool is_operators; /* no rate counts: probes and scrapes */
    bool keeps_text;   /* the request log stores input and output, not only that it happened */
    enum dialect dialect;
    const char *help; /* one line for the index */
};

/* The piece of the request's path where the route's has {name}; *ret_length 0: the route has none.
 */
const char *router_segment(const struct request *request, const char *name, size_t *ret_length);

/* By enum route_id. */
extern const struct route routes[N_ROUTES];

/* The route of a path; ROUTE_OTHER's when there is none. */
const struct route *router_find(const char *path);
