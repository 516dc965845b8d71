/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* splitmix64 (Steele, Lea, Flood 2014): 8 bytes of state, any seed, and the generator of the
 * evaluation protocol. First output for seed 0: 0xe220a8397b1dcdaf. The state is passed, never
 * global. */
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline struct rng rng_seed(uint64_t seed)
{
    return (struct rng){seed};
}

uint64_t rng_next(struct rng *rng);

/* next() % bound, as the protocol has it (biased by less than bound / 2^64). bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* Uniform in [0, 1), 53 bits. */
double rng_uniform(struct rng *rng);

/* Standard normal (Box-Muller, one of the pair). */
double rng_normal(struct rng *rng);

/* Fisher-Yates of the protocol: i = n-1..1, j = next() % (i+1), swap. */
void rng_shuffle(struct rng *rng, size_t *items, size_t n);

/* Fill 0..n-1 and shuffle. */
void rng_permutation(struct rng *rng, size_t *ret_permutation, size_t n);
