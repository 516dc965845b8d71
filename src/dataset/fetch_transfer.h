/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One request and its answer: the body goes into the part file as it comes, and the answer is
 * judged when it is over. Lengths are checked here and not by libcurl, which cuts a body to the
 * announced length without a word. */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "dataset/fetch_http.h"
#include "dataset/fetch_part.h"
#include "dataset/fetch_url.h"

#define LENGTH_UNKNOWN UINT64_MAX

struct transfer {
    const struct http_request *request;                         /* borrowed */
    struct part *part;                                          /* borrowed */
    void *curl;                                                 /* owns: a CURL */
    char etag[VALIDATOR_BYTES], last_modified[VALIDATOR_BYTES]; /* of the last answer with data */
    uint64_t n_promised; /* bytes of the whole by that answer, or LENGTH_UNKNOWN */

    /* of the answer being read: */
    bool refused;         /* neither 200 nor 206 */
    bool begun;           /* the headers were looked at */
    bool keeps;           /* its body goes into the file */
    uint64_t n_declared;  /* bytes of this body, or LENGTH_UNKNOWN */
    uint64_t n_total;     /* bytes of the whole file, or LENGTH_UNKNOWN */
    uint64_t n_body;      /* bytes of this body so far */
    uint64_t complete_ns; /* when all that was declared had come; 0: not yet */
    enum status status;   /* why the body was stopped, with the message in err */
    struct error *err;    /* borrowed for one transfer_run() */
};

/* What to do next. */
struct verdict {
    const char *location; /* redirected there; NULL: it is over */
    bool again;           /* it failed, and another attempt may help */
    uint64_t wait_s;      /* as the server asked; 0: as we see fit */
};

/* STATUS_NO_MEMORY only. */
enum status transfer_init(struct transfer *transfer, const struct http_request *request,
                          struct part *part, struct error *err);
void transfer_deinit(struct transfer *transfer);

/* Ask `url` for what the part lacks. verdict->location, valid until the next run, is where to ask
 * instead; when it is NULL the returned status is about the whole download. */
enum status transfer_run(struct transfer *transfer, const struct url *url, bool with_credentials,
                         struct verdict *ret_verdict, struct error *err);

bool transfer_cancelled(const struct http_request *request);
