/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* PostgreSQL, and by their documentation others that speak its protocol, through libpq, whose only
 * user this room is. Rows come out of a query as CSV and go into a table from CSV, so that the
 * importer and the writers of the commands need not know where they come from and go to.
 *
 *     TRY(database_open(uri, &options, &database, err));
 *     TRY(database_read(database, "SELECT * FROM creators", file, &n_rows, err));
 *
 * A build without libpq has the same functions; they fail with STATUS_UNSUPPORTED. Passwords stand
 * in no message. One thread at a time. */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/status.h"

struct database;

/* True for postgresql://... and postgres://... */
bool database_is_uri(const char *name);

#define DATABASE_NAME_BYTES 200
/* Where a URI points, without user, password and options: "db.example:5432/creators". What it
 * leaves open is as the environment and the service of PGSERVICE have it. */
void database_name(const char *uri, char ret_name[static DATABASE_NAME_BYTES]);

struct database_options {
    unsigned max_attempts;               /* of connecting, while the server is not there; 0: 4 */
    unsigned connect_timeout_s;          /* 0: 10 */
    bool by_rows;                        /* never COPY out, also where the server knows it */
    const volatile sig_atomic_t *cancel; /* not 0: cancel what the server is doing; may be NULL */
};

/* Connect. What the URI leaves open comes from the environment, the service file and the password
 * file, as with psql. STATUS_INVALID: not a URI. STATUS_DENIED: user or password is not accepted.
 * STATUS_UNAVAILABLE: no server there, after all attempts. STATUS_CANCELLED. */
enum status database_open(const char *uri, const struct database_options *options,
                          struct database **ret_database, struct error *err);
void database_close(struct database *database);
DEFINE_SLOT(database_close, struct database)

/* Write the rows of one SELECT to `out` as CSV with a header: by COPY, or row by row where the
 * server knows no COPY TO. In a read-only transaction, so that it can be tried again: a connection
 * that is lost on the way gives STATUS_UNAVAILABLE, and `out` then holds part of the rows. Memory
 * does not grow with the rows.
 *
 * NULL becomes an empty field, true and false 1 and 0, money and intervals (seconds) plain numbers,
 * lists of texts words with spaces between them, times ISO 8601 in UTC.
 *
 * STATUS_INVALID: the server does not accept the query, it is no SELECT, or has no columns.
 * STATUS_DENIED: it writes, or the user may not.
 * STATUS_CANCELLED: the server was told to stop. */
enum status database_read(struct database *database, const char *query, FILE *out,
                          uint64_t *ret_rows, struct error *err);

enum database_mode {
    DATABASE_CREATE,  /* the table must not be there yet */
    DATABASE_APPEND,  /* rows are added; the table is made where there is none */
    DATABASE_ADD,     /* rows are added; the table must be there */
    DATABASE_REPLACE, /* its rows give way; the table is made where there is none */
};

struct database_table {
    const char *name; /* TABLE or SCHEMA.TABLE, as it is: not folded to lower case */
    enum database_mode mode;
    /* Whether a column holds numbers (double precision) or texts. */
    bool (*is_number)(const char *column);
    const char *with; /* a statement that belongs to the rows: done when they are; or NULL */
};

/* TABLE or SCHEMA.TABLE as it stands in a statement, quoted; a text likewise. */
struct buffer;
enum status database_put_table(const struct database *database, const char *table,
                               struct buffer *sql, struct error *err);
enum status database_put_text(const struct database *database, const char *text, struct buffer *sql,
                              struct error *err);

enum status database_has_table(struct database *database, const char *table, bool *ret_is_there,
                               struct error *err);

/* Make the table unless it is there. columns: " (id bigint, ...)". */
enum status database_make(struct database *database, const char *table, const char *columns,
                          struct error *err);

/* The whole number that a query gives. STATUS_NOT_FOUND: no row. */
enum status database_number(struct database *database, const char *query, int64_t *ret_number,
                            struct error *err);

/* Begin to write a table: CSV with a header that is written to *ret_out goes there by COPY, all in
 * one transaction. Readers see the rows at the commit, all or none of them. The stream is closed by
 * database_commit() or database_abort(). Errors of the server show as EIO on it and are told by
 * these two. */
enum status database_begin(struct database *database, const struct database_table *table,
                           FILE **ret_out, struct error *err);

/* Takes `out`. STATUS_EXISTS: the table is there. STATUS_INVALID: its columns are others.
 * STATUS_UNAVAILABLE: the connection was lost; no row is there, unless the message says that this
 * is not known. */
enum status database_commit(struct database *database, FILE *out, uint64_t *ret_rows,
                            struct error *err);

/* Give up what was written to `out`, and take it. Returns the failure that the server reported, or
 * STATUS_OK. */
enum status database_abort(struct database *database, FILE *out, struct error *err);
