/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Reading the request log, and erasing from it, while a daemon may write it. Each call opens the
 * file and closes it. STATUS_NOT_FOUND: there is no such file; STATUS_CORRUPT: it is no request
 * log.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct reqlog_filter {
    int64_t since_us, until_us; /* since <= time < until; 0: no bound */
    const char *route;          /* "/score"; NULL: any */
    int status;                 /* 404; 4 is all of 400 to 499; 0: any */
    const char *handle;         /* rows that mention it; NULL: any */
    int64_t after_id;           /* rows with a higher id only */
    int64_t newest;             /* the newest so many; 0: all */
    bool past_damage;           /* read on behind what is damaged, and fail at the end */
};

struct reqlog_record {
    int64_t id, time_us, latency_us;
    int status;
    const char *request_id, *route, *caller;
    const char *trace_id, *model; /* NULL: none */
    const char *input, *output;   /* NULL: none; not always text: use the lengths */
    size_t input_bytes, output_bytes;
};

/* False: no more. The record is borrowed for the call. */
typedef bool (*reqlog_visit)(void *user, const struct reqlog_record *record);

/* Rows that pass the filter, in the order of their commits; the newest ones by time. */
enum status reqlog_read(const char *path, const struct reqlog_filter *filter, reqlog_visit visit,
                        void *user, struct error *err);

#define REQLOG_MAX_GROUPS 256
/* Rows of one route and status. */
struct reqlog_group {
    char route[64];
    int status;
    int64_t rows;
    int64_t p50_us, p90_us, p99_us, max_us;
};
struct reqlog_summary {
    int64_t rows, first_us, last_us; /* times are 0 when there are no rows */
    size_t n_groups;
    struct reqlog_group groups[REQLOG_MAX_GROUPS];
};
enum status reqlog_summarise(const char *path, const struct reqlog_filter *filter,
                             struct reqlog_summary *ret_summary, struct error *err);

/* Whether the file can be read as a request log. Writes nothing. */
enum status reqlog_probe(const char *path, struct error *err);

/* Delete every row that mentions the handle, overwrite what was deleted, rebuild the file without
 * it. STATUS_CORRUPT: the file is damaged and may hold it still; the message says what to do. */
enum status reqlog_erase(const char *path, const char *handle, int64_t *ret_rows,
                         struct error *err);
