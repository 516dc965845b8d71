/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The request log: one row a request, in an SQLite file.
 *
 * Each event loop has a lane, a bounded ring of rows with one writer (the loop) and one reader (the
 * log's own thread), so that putting a row takes one copy and no lock. The thread commits what lies
 * in the lanes as one transaction (group commit), at the latest batch_ms after a row was put, and
 * keeps the file within its bounds. When the disk fails, rows stay in the lanes and are tried
 * again; when a lane is full, rows are dropped and counted: serving never waits. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

#define REQLOG_CALLER_BYTES 48 /* an address, or 16 hex digits of its hash; and a NUL */

struct reqlog_options {
    const char *path;
    unsigned n_lanes;
    size_t queue_bytes;            /* of a lane */
    uint64_t batch_ms;             /* longest wait of a row for its commit */
    size_t max_body_bytes;         /* input and output are cut at this */
    int64_t max_age_us;            /* 0: rows are kept */
    int64_t max_bytes;             /* 0: no bound */
    int64_t max_undelivered_bytes; /* beyond it rows go undelivered; 0: no bound */
    bool hash_callers;
    bool hash_handles;      /* rows name nobody: see redact.h */
    int64_t max_key_age_us; /* 0: the key stays */
    /* After each commit, for each lane that had rows in it: wakes who waits for
     * reqlog_committed(). NULL: nobody does. Called in the log's thread. */
    void (*on_commit)(void *user, unsigned lane);
    void *user;
};

struct reqlog;

/* Open or create the file, check its schema, start the thread. A full or read-only disk, or a file
 * that is locked, is no failure: rows wait in memory for it. A damaged file whose
 * key lies beside it is set aside, and another begun. STATUS_CORRUPT: no database, and nothing says
 * that it was ours; STATUS_INVALID: another one's. STATUS_UNSUPPORTED: written by a later version.
 */
enum status reqlog_open(const struct reqlog_options *options, struct reqlog **ret_log,
                        struct error *err);

/* Commit what lies in the lanes (trying for some seconds when the disk fails) and close. Nobody
 * puts rows any more. */
void reqlog_close(struct reqlog *log);
DEFINE_SLOT(reqlog_close, struct reqlog)

struct reqlog_row {
    int64_t time_us; /* clock_utc_us() */
    uint64_t latency_us;
    const char *request_id;
    const char *trace_id; /* NULL: none */
    const char *route;
    const char *model;          /* version; NULL: none took part */
    const char *caller;         /* from reqlog_caller() */
    const char *input, *output; /* NULL: not kept */
    size_t input_bytes, output_bytes;
    unsigned status;
};

/* Put a row; it is copied. Only from the lane's own thread. *ret_position (may be NULL): what
 * reqlog_committed() must reach for the row to be on disk. False: the lane is full; the row is
 * counted as dropped. */
bool reqlog_put(struct reqlog *log, unsigned lane, const struct reqlog_row *row,
                uint64_t *ret_position);

/* Acknowledged: rows put since the last call are committed from here on, together, so that a turn
 * of the loop is one transaction and not as many as its first row finds time for. Only from the
 * lane's own thread. */
void reqlog_flush(struct reqlog *log, unsigned lane);

/* How far the lane is committed. Any thread. */
uint64_t reqlog_committed(const struct reqlog *log, unsigned lane);

/* What stands for a client's address in the rows: a keyed hash, or the address itself. The key is
 * made when the log is, beside it, readable by its owner only. */
void reqlog_caller(const struct reqlog *log, const char *address,
                   char ret_caller[static REQLOG_CALLER_BYTES]);

struct reqlog_stats {
    uint64_t queue_rows, queue_bytes; /* wait for the writer */
    uint64_t rows;                    /* committed by this process */
    uint64_t dropped;                 /* lost */
    uint64_t failed_commits;
    uint64_t set_aside;        /* files that were damaged */
    uint64_t file_bytes;       /* in use, of the main file */
    uint64_t undelivered_rows; /* wait for their delivery to somewhere else (delivery.h) */
    int64_t undelivered_us;    /* when the oldest of them came; 0: none waits */
    uint64_t undelivered_deleted;
    bool is_failing; /* the last commit failed */
};
void reqlog_stats(const struct reqlog *log, struct reqlog_stats *ret_stats);
