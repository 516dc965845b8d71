/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The connection from inside, for the files of this room. */
#include <libpq-fe.h>

#include "base/text.h"
#include "database/database.h"

struct database {
    PGconn *connection; /* owns */
    char name[DATABASE_NAME_BYTES];
    const volatile sig_atomic_t *cancel; /* or NULL */
    bool by_rows;
    /* A table that is being written. */
    struct database_table table;
    struct buffer header; /* its first line, until that is whole */
    bool is_copying;
    struct error failure; /* the first one; its status is STATUS_OK when there is none */
};

static inline void result_slot(PGresult **result)
{
    PQclear(*result);
}

/* The first line of a message of the server's or libpq's as an error, by its SQLSTATE; result may
 * be NULL. */
enum status database_fail(const struct database *database, const PGresult *result,
                          struct error *err);

/* A statement without rows. */
enum status database_execute(struct database *database, const char *sql, struct error *err);

/* Send what is to be sent, and wait until the socket can be read (or written); STATUS_CANCELLED
 * after telling the server. */
enum status database_wait(struct database *database, bool for_writing, struct error *err);

/* The next result, waiting for it without blocking a cancel; NULL when there are no more. */
enum status database_result(struct database *database, PGresult **ret_result, struct error *err);
