/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What requests hold, over all loops, and its bound: server.max_body_memory. Bodies, their unpacked
 * form, what was read of them, and replies; each request knows with how many bytes it is counted,
 * also while it waits for its next use, so that the sum is touched only when a request grows or
 * gives back. What lies in a spool is on disk and does not count. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct request;

struct memory {
    _Atomic uint64_t held;
    uint64_t most; /* 0: no bound */
};

static inline uint64_t memory_held(const struct memory *memory)
{
    return atomic_load_explicit(&memory->held, memory_order_relaxed);
}

/* Count what the request has grown to. False: it is not a small one, and beyond the bound; it wants
 * memory_refuse(). */
bool memory_take(struct request *request);

/* Whether a body of so many bytes may come, as far as can be told beforehand. */
bool memory_has_room(const struct request *request, uint64_t body_bytes);

/* Give back what the request holds: 503 is the reply, and closes the connection. */
void memory_refuse(struct request *request);

/* The request is over: give back all but a little, and count what is kept for the next. */
void memory_settle(struct request *request);

/* All its buffers are gone. */
void memory_forget(struct request *request);
