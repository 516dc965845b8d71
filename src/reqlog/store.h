/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The file behind the request log: schema, rows, retention. One thread at a time.
 *
 * Table request, one row a request:
 *   id          in the order of commits
 *   time_us     when the request line was read, microseconds since 1970, UTC
 *   request_id  as in X-Request-Id
 *   trace_id    of its traceparent; NULL: it had none
 *   route, status, model (version; NULL: none took part), latency_us
 *   caller      hash or address of the client
 *   input       the body, or path and query where there was none; NULL: not kept
 *   output      the reply's body; NULL: not kept
 * Texts that are not UTF-8 are stored as BLOB. PRAGMA user_version is the schema's version. A
 * column that came later than the first version (trace_id) is added to older files when they are
 * opened for writing, and the version stays: the program before goes on with the file, and leaves
 * it empty. */
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "reqlog/queue.h"

#define STORE_VERSION 1
/* The columns of a file that has not been opened by this version lack the trace. */
#define STORE_HAS_TRACE "SELECT count(*) FROM pragma_table_info('request') WHERE name = 'trace_id'"
/* Not more than one row: how far the log has been delivered (delivery.h). Below 0, as -1 - last_id:
 * nothing waits for it any more. */
#define DELIVERY_TABLE \
    "CREATE TABLE IF NOT EXISTS delivery (origin TEXT NOT NULL, last_id INTEGER NOT NULL)"
#define STORE_APPLICATION_ID 0x49464C47 /* "IFLG" */

struct store {
    sqlite3 *db; /* owns, as the statements */
    sqlite3_stmt *begin, *commit, *rollback, *insert;
};

/* Open or create for writing. STATUS_CORRUPT: no database; STATUS_INVALID: not ours;
 * STATUS_UNSUPPORTED: a later version's. */
enum status store_open(const char *path, struct store *ret_store, struct error *err);
void store_close(struct store *store);

/* Open for reading; STATUS_NOT_FOUND: there is no such file. */
enum status store_open_reader(const char *path, sqlite3 **ret_db, struct error *err);

/* The same for a file that may be damaged, to read what is left of it, and nothing else. */
enum status store_open_damaged(const char *path, sqlite3 **ret_db, struct error *err);

/* The ids of a file of the first version could come twice, once their row was deleted, and whoever
 * ships rows goes by ids: from here on none does. Nothing to do for other files. */
enum status store_keep_ids(sqlite3 *db, struct error *err);

enum status store_begin(struct store *store, struct error *err);
enum status store_insert(struct store *store, const struct queue_row *row, struct error *err);
enum status store_commit(struct store *store, struct error *err);
void store_rollback(struct store *store);

/* Bring everything out of the write-ahead log into the file. SQLite does so when it closes, but not
 * for a file that was moved, to whose name the write-ahead log no longer belongs. */
enum status store_flush(struct store *store, struct error *err);

/* The file of that name is not the one that is open. */
bool store_has_moved(const struct store *store);

/* Bytes in use in the main file. */
uint64_t store_bytes(const struct store *store);

/* Rows that wait for their delivery, at most: those that were erased meanwhile count too. And when
 * the oldest of them came, 0 without any. */
struct store_undelivered {
    uint64_t n_rows;
    int64_t oldest_us;
};
enum status store_undelivered(const struct store *store, struct store_undelivered *ret_waiting,
                              struct error *err);

struct store_bounds {
    int64_t before_us;             /* rows from before go; 0: none by age */
    int64_t max_bytes;             /* 0: no bound */
    int64_t max_undelivered_bytes; /* the same also for rows that wait for their delivery */
};
struct store_retained {
    uint64_t n_undelivered; /* rows that went before they were delivered */
    bool is_behind;         /* there are more to delete */
};

/* Delete rows by age and, beyond max_bytes, as many of the oldest as hold what is too much; for
 * some 25 ms at most. Rows that wait for their delivery are left alone up to a bound of their own.
 */
enum status store_retain(struct store *store, const struct store_bounds *bounds,
                         struct store_retained *ret_retained, struct error *err);
