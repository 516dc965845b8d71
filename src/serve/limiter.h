/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A token bucket for each client: `burst` requests at once, `per_s` more each second. Kept as the
 * time at which the bucket will be full again (the virtual scheduling form of the generic cell rate
 * algorithm, ITU-T I.371, annex A), one word a client, in a table of fixed size: where many clients
 * meet in one place the one longest quiet is forgotten, which lets it through and never refuses one
 * that is within its rate. All loops share it; each place has a lock, held for a few comparisons.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct limiter_place;

struct limiter {
    struct limiter_place *places; /* [LIMITER_PLACES] owns; NULL: off */
    uint64_t interval_ns;         /* between two requests at the rate */
    uint64_t burst_ns;            /* how far ahead a client may be */
};

#define LIMITER_PLACES 4096

/* per_s: 0 is off. */
enum status limiter_init(struct limiter *limiter, uint64_t per_s, uint64_t burst,
                         struct error *err);
void limiter_deinit(struct limiter *limiter);

/* Count a request of the client `key`. False: it is beyond its rate, and may come again after
 * *ret_wait_s (at least 1). Any thread. */
bool limiter_take(struct limiter *limiter, uint64_t key, uint64_t now_ns, unsigned *ret_wait_s);
