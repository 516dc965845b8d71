/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How far a request log has been delivered to somewhere else. Once there is such a mark, retention
 * leaves the rows behind it alone, however old and many they are, until it is forgotten. */
#include <stdint.h>

#include "base/status.h"

#define DELIVERY_ORIGIN_BYTES 33

struct delivery {
    char
        origin[DELIVERY_ORIGIN_BYTES]; /* names this log among all: 32 hex digits, made at random */
    int64_t last_id; /* rows up to here are delivered; 0: none is; below: forgotten */
};

/* Read the mark, and make one where there is none. Statuses of reqlog_read(). */
enum status delivery_open(const char *path, struct delivery *ret_delivery, struct error *err);

/* Move the mark forward, if the log at `path` is still that of `origin`: another one may have been
 * begun in its place. STATUS_UNAVAILABLE: the log is locked for long. */
enum status delivery_move(const char *path, const char *origin, int64_t last_id, struct error *err);

/* Let go of the rows that wait: retention goes by age and size alone. The origin stays, and the
 * next delivery_move() holds rows again. *ret_rows: how many waited, at most. STATUS_NOT_FOUND:
 * nothing was ever delivered of it, or it was let go already. */
enum status delivery_forget(const char *path, int64_t *ret_rows, struct error *err);
