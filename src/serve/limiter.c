/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/limiter.h"

#include <stdlib.h>

#define NS_PER_S UINT64_C(1000000000)
#define WAYS 7

struct limiter_place {
    pthread_spinlock_t lock;   /* guards the rest */
    uint64_t key[WAYS];        /* 0: free */
    uint64_t full_at_ns[WAYS]; /* when the bucket will be full again */
};

enum status limiter_init(struct limiter *limiter, uint64_t per_s, uint64_t burst, struct error *err)
{
    *limiter = (struct limiter){0};
    if (per_s == 0)
        return STATUS_OK;
    limiter->interval_ns = NS_PER_S / per_s;
    limiter->burst_ns = limiter->interval_ns * burst;
    limiter->places = calloc(LIMITER_PLACES, sizeof *limiter->places);
    if (!limiter->places)
        return fail(err, STATUS_NO_MEMORY, "limit: out of memory");
    for (size_t i = 0; i < LIMITER_PLACES; i++)
        pthread_spin_init(&limiter->places[i].lock, PTHREAD_PROCESS_PRIVATE);
    return STATUS_OK;
}

void limiter_deinit(struct limiter *limiter)
{
    for (size_t i = 0; limiter->places && i < LIMITER_PLACES; i++)
        pthread_spin_destroy(&limiter->places[i].lock);
    free(limiter->places);
    limiter->places = NULL;
}

/* The client's way in its place, or the one longest quiet. */
static size_t find_way(const struct limiter_place *place, uint64_t key)
{
    size_t oldest = 0;
    for (size_t i = 0; i < WAYS; i++) {
        if (place->key[i] == key)
            return i;
        if (place->full_at_ns[i] < place->full_at_ns[oldest])
            oldest = i;
    }
    return oldest;
}

bool limiter_take(struct limiter *limiter, uint64_t key, uint64_t now_ns, unsigned *ret_wait_s)
{
    struct limiter_place *place = &limiter->places[key % LIMITER_PLACES];
    key |= 1; /* 0 is a free way */
    pthread_spin_lock(&place->lock);
    size_t way = find_way(place, key);
    uint64_t full_at_ns = place->key[way] == key ? place->full_at_ns[way] : 0;
    if (full_at_ns < now_ns)
        full_at_ns = now_ns;
    full_at_ns += limiter->interval_ns;
    bool passes = full_at_ns - now_ns <= limiter->burst_ns;
    if (passes) {
        place->key[way] = key;
        place->full_at_ns[way] = full_at_ns;
    }
    pthread_spin_unlock(&place->lock);
    if (!passes)
        *ret_wait_s =
            (unsigned)((full_at_ns - now_ns - limiter->burst_ns + NS_PER_S - 1) / NS_PER_S);
    return passes;
}
