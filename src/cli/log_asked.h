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

struct log_asked {
    const struct engine *engine; /* whose catalogue knows handles */
    /* profile: NULL when it cannot be had any more: its handle is not catalogued. output: what was
     * answered. */
    void (*take)(void *user, enum log_question question, const struct profile *profile,
                 const struct json *output);
    void *user;
    int64_t rows;        /* requests that were read */
    int64_t passed_over; /* bodies cut short, in CSV or of v2 and MLflow, answers that are errors */
};

/* Read the log's requests that were answered. */
enum status log_asked_read(struct log_asked *asked, const char *path,
                           const struct reqlog_filter *filter, struct error *err);
