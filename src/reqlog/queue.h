/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A lane: rows in a ring of bytes, from one thread to one other, without locks.
 *
 * Positions count bytes from the beginning of time; a position modulo the size is a place. A record
 * never wraps: what is left at the end of the ring is skipped. Rows stay in the ring until the
 * reader gives them up, which it does after their commit. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "reqlog/reqlog.h"

struct queue {
    unsigned char *memory; /* owns */
    uint64_t size;
    /* Written by the one who puts; on lines of their own, as both sides write all the time. */
    _Alignas(64) _Atomic uint64_t head; /* the reader sees what is before it */
    uint64_t end;                       /* of what was put */
    _Atomic uint64_t n_put, n_dropped;
    uint64_t known_tail; /* spares a look at the other's line */
    /* Written by the one who takes. */
    _Alignas(64) _Atomic uint64_t tail;
    _Atomic uint64_t n_taken;
};

enum status queue_init(struct queue *queue, size_t bytes, struct error *err);
void queue_deinit(struct queue *queue);

/* False: no room; counted in n_dropped. *ret_position: the row's end. The reader sees the row after
 * queue_publish(). */
bool queue_put(struct queue *queue, const struct reqlog_row *row, uint64_t *ret_position);

/* What was put is there for the reader. False: nothing new. */
bool queue_publish(struct queue *queue);

/* The row at *position, which moves behind it; false when there is none. The row points into the
 * ring until queue_give_up(). Its texts are not NUL-terminated but for the route: use the lengths.
 */
struct queue_row {
    int64_t time_us;
    uint64_t latency_us;
    unsigned status;
    const char *route;
    const char *request_id, *trace_id, *model, *caller, *input, *output; /* NULL: none */
    uint32_t request_id_bytes, trace_id_bytes, model_bytes, caller_bytes, input_bytes, output_bytes;
};
bool queue_next(const struct queue *queue, uint64_t *position, struct queue_row *ret_row);

/* Everything before `position`, n_rows of them, is done with. */
void queue_give_up(struct queue *queue, uint64_t position, uint64_t n_rows);
