/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was asked and answered, read back out of the request log: one call a prediction, also for
 * those of a batch. What cannot be asked again is counted by reason. */
#include <stdint.h>

#include "cli/log_rows.h"

/* Why a prediction could not be made again. */
enum log_failed {
    FAILED_HANDLE,  /* the bundle does not know it */
    FAILED_HASHED,  /* the log has its hash */
    FAILED_FIGURES, /* they are none, or none that the bundle takes */
    N_FAILED
};

struct log_asking {
    enum log_question question;
    const struct profile *profile;
    struct log_answer answer; /* what was answered */
    const struct reqlog_record *record;
};

struct log_asked {
    const struct engine *engine; /* whose catalogue knows handles */
    const char *only_model;      /* rows that it answered; NULL: any */
    bool compares;               /* rows whose answer is not told are passed over */
    /* False: the engine does not take the profile. */
    bool (*take)(void *user, const struct log_asking *asking);
    /* A prediction of that question cannot be asked; may be NULL. */
    void (*on_failure)(void *user, enum log_question question);
    void *user;
    int64_t rows;  /* requests that were read */
    int64_t taken; /* of them, those with a prediction that was made again */
    int64_t passed_over[N_PASSED], failed[N_FAILED];
};

/* What was passed over and what failed: members of an object, "passed_over", "failed" for all and
 * "passed_over_by", "failed_by" for each reason; and as text, ", 7 passed over (4 cut by
 * log.max_body_bytes, 3 answered by an error), 1 failed (1 of handles that it does not know)". */
void log_asked_put_counts(const struct log_asked *asked, struct json_writer *w);
void log_asked_print_counts(const struct log_asked *asked, struct buffer *out);

/* Read the log's requests that were answered. */
enum status log_asked_read(struct log_asked *asked, const char *path,
                           const struct reqlog_filter *filter, struct error *err);
