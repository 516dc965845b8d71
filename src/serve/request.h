/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One request on its way through the rooms of serve: the server fills in what came, dispatch.c
 * leads it from room to room, a handler writes the reply. A request belongs to one event loop and
 * is only touched in its thread, but while it is PENDING (see below). Everything it points to lives
 * in its arena, its buffers, or the model it holds, until the completion callback ends it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"
#include "serve/guard.h"
#include "serve/http.h"
#include "serve/slot.h"
#include "serve/spool.h"
#include "serve/turn.h"

struct sheet;
struct packing;
struct connection;
struct json_parser;
struct route;
struct service;

#define REQUEST_MADE_ID 16 /* characters of an id of ours */
#define REQUEST_ID_BYTES 65

/* One query parameter, unescaped; value: "" when there is none. */
struct parameter {
    const char *name, *value;
    struct parameter *next;
};

enum request_stage {
    REQUEST_LINE,      /* headers are coming */
    REQUEST_READING,   /* the body is coming */
    REQUEST_ANSWERING, /* the handler was called */
};

#define REQUEST_MAX_EXTRA 16
struct reply_header {
    const char *name, *value;
};

struct request {
    struct service *service; /* borrowed */
    unsigned lane;           /* the event loop's number */
    struct arena arena;
    struct buffer body, reply;
    struct buffer packed; /* the body as it came or the reply as it goes, when compressed; of a CSV
                             body what is not answered yet */
    uint64_t held_bytes;  /* of all these, as memory.h has counted them */
    uint64_t kept_bytes;  /* of them, from its last use */
    struct spool spool;   /* the reply goes on there, if it is long */

    /* What came. */
    char id[REQUEST_ID_BYTES];
    uint64_t start_ns; /* monotonic: the request line was read */
    int64_t start_utc_us;
    const char *target;     /* as it came: path and query, still escaped; copied to the arena */
    const char *raw_target; /* where it lies in the library's buffer, which decodes it in place */
    const char *version;    /* "HTTP/1.1" */
    const char *path;       /* unescaped, without the query */
    const char *trace;      /* traceparent of the reply, or NULL */
    const char *trace_id;   /* its 32 digits, or NULL */
    uint64_t client_key;    /* whose rate it counts to: the token's, or the address's */
    const char *caller;     /* the client's address or its hash; borrows the connection */
    uint64_t client_hash;   /* of the client's address */
    uint64_t body_bytes;    /* of the body that came so far */
    struct sheet *sheet;    /* the CSV body whose rows are being answered, or NULL */
    enum http_method method;
    struct guard_head head;
    struct parameter *parameters, *last_parameter;

    /* What became of it. */
    const struct route *route;                    /* never NULL after dispatch_head() */
    struct model *model;                          /* acquired, or NULL */
    bool is_canary;                               /* the model is the canary's */
    unsigned status;                              /* of the reply; 0: none yet */
    const char *content_type;                     /* of the reply */
    struct reply_header extra[REQUEST_MAX_EXTRA]; /* further headers of the reply */
    size_t n_extra;
    const char *allow;      /* value of the Allow header, or NULL */
    unsigned retry_after_s; /* 0: no Retry-After header */
    bool must_close;        /* the connection cannot be used any more */
    bool has_no_room;       /* memory_refuse() answered it */
    bool is_turned_away;    /* no token opens it, or it came too often: its row has no text */
    bool is_logged;

    /* PENDING: the answer comes later, from another thread, which fills `outcome` and gives the
     * request back through server_resume(). Until then the loop leaves it alone. */
    bool pending;
    bool resumed; /* the handler is called for the second time */
    struct error outcome;
    const char *version_wanted;   /* of a reload; NULL: what is current */
    struct request *next_pending; /* of the list that holds it meanwhile */
    uint64_t log_position;        /* acknowledged: where its row ends in the lane */

    /* UNFINISHED: the handler wants to be called again, when others had their turn: see turn.h. */
    bool unfinished;
    bool has_turn;              /* it waited, and is on */
    void *work;                 /* the handler's own, where it was; NULL: its first turn */
    struct json_parser *parser; /* of the body, under way; or NULL */
    struct packing *packing;    /* of the reply, under way; or NULL */
    bool is_packed;             /* the reply is in `packed` */
    struct turn *turn;          /* the loop's; NULL: turns have no end */

    /* The server's own. */
    struct connection *connection; /* borrowed */
    enum request_stage stage;
    bool is_sent; /* answered beside the library */
    struct request *next_free;
};

/* Of the reply, in memory and on disk, before it is packed. */
static inline uint64_t request_reply_bytes(const struct request *request)
{
    return request->reply.length + request->spool.bytes;
}

/* A header of the reply; both texts live as long as the request. */
void request_add_header(struct request *request, const char *name, const char *value);

/* The value of a query parameter, or NULL. */
const char *request_parameter(const struct request *request, const char *name);
