/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <math.h>

uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    return rng_next(rng) % bound;
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_uniform(rng)));
    return radius * cos(2.0 * M_PI * rng_uniform(rng));
}

void rng_shuffle(struct rng *rng, size_t *items, size_t n)
{
    for (size_t i = n; i-- > 1;) {
        size_t j = (size_t)rng_below(rng, i + 1);
        size_t swap = items[i];
        items[i] = items[j];
        items[j] = swap;
    }
}

void rng_permutation(struct rng *rng, size_t *ret_permutation, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret_permutation[i] = i;
    rng_shuffle(rng, ret_permutation, n);
}
