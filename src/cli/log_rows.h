/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The accounts that one logged request asked for, each with what was answered, whichever protocol
 * it came by: the daemon's own JSON, the Open Inference Protocol and MLflow in JSON, and CSV.
 * Everything lives in the arena or borrows the record. */
#include "base/arena.h"
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
    PASSED_PROTOCOL, /* of v2 or MLflow, in a form that is not read here */
    PASSED_CUT,      /* by log.max_body_bytes, or withheld by log.hash_handles */
    PASSED_REFUSED,  /* answered by an error */
    PASSED_LIST,     /* of all archetypes: no account was asked for */
    PASSED_MODEL,    /* answered by another model than is asked about */
    PASSED_ANSWER,   /* the answer that would be compared was not wanted */
    N_PASSED
};

struct log_cell {
    const struct json *json; /* or */
    const char *text;        /* of CSV */
};

struct log_rows {
    enum log_question question;
    size_t n;
    /* Profiles as objects, or as a table. */
    const struct json **objects; /* [n] */
    size_t n_columns;
    const char **names;     /* [n_columns] */
    struct log_cell *cells; /* [n][n_columns] */
    /* What was answered: [n] each; NULL: not told. */
    const struct json **answers;      /* own: the object */
    const struct json **values;       /* others: the score, the tier's or archetype's name */
    const char **texts, **complaints; /* of CSV */
    const struct engine *engine;      /* whose columns and features are known */
    bool takes_features;              /* computed by the client, by name: v2 alone */
    struct arena *arena;
};

/* False: *ret_passed says why not. The record's status is 200 and its route one that predicts. */
bool log_rows_read(const struct reqlog_record *record, const struct engine *engine,
                   struct arena *arena, struct log_rows *ret_rows, enum log_passed *ret_passed);

/* Whether rows of that route are predictions of one of the questions. */
bool log_rows_is_prediction(const char *route);

/* The i-th profile; *ret_handle_alone: whom it is to be looked up by, NULL where there are figures.
 * False: it is none. */
bool log_rows_profile(const struct log_rows *rows, size_t i, struct profile *ret_profile,
                      const char **ret_handle_alone);

struct log_answer {
    bool is_refused;
    double score;     /* NaN: not told */
    const char *name; /* the tier, the archetype; NULL: not told */
};
struct log_answer log_rows_answer(const struct log_rows *rows, size_t i);
