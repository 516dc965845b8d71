/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was asked and answered, read back out of the request log: one call a prediction, also for
 * those of a batch. */
#include <stdint.h>

#include "base/json.h"
#include "reqlog/reader.h"
#include "runtime/engine.h"

enum log_question {
    ASKED_SCORE,
    ASKED_TIER,
    ASKED_CLUSTER,
    N_ASKED
};
extern const char *const log_question_routes[N_ASKED]; /* "/score", ... */

/* Why a request, or a row of one, cannot be asked again. */
enum log_passed {
    PASSED_PROTOCOL, /* of v2 or MLflow: bodies are tensors, or do not say which model was asked */
    PASSED_CSV,
    PASSED_CUT,     /* by log.max_body_bytes */
    PASSED_REFUSED, /* answered by an error */
    PASSED_LIST,    /* of all archetypes: no account was asked for */
    N_PASSED
};

struct log_asked {
    const struct engine *engine; /* whose catalogue knows handles */
    /* profile: NULL when it cannot be had any more: its handle is not catalogued. output: what was
     * answered. */
    void (*take)(void *user, enum log_question question, const struct profile *profile,
                 const struct json *output);
    void *user;
    int64_t rows; /* requests that were read */
    int64_t passed_over[N_PASSED];
};

/* What was passed over: members of an object, "passed_over" for all and "passed_over_by" for each
 * reason; and as text, ", 7 passed over (4 of /v2 or /invocations, 3 in CSV)". */
void log_asked_put_passed(const struct log_asked *asked, struct json_writer *w);
void log_asked_print_passed(const struct log_asked *asked, struct buffer *out);

/* Read the log's requests that were answered. */
enum status log_asked_read(struct log_asked *asked, const char *path,
                           const struct reqlog_filter *filter, struct error *err);
