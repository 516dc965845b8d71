/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The parameters of synth.def by name, and the generator's streams of random numbers: shared by
 * synth.c and synth_write.c. */
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

static const struct {
#define SYNTH_PARAMETER(name, value, source, help) double name;
#define SYNTH_CATEGORY(name, share, followers, engagement)
#define SYNTH_COUNTRY(name, share)
#include "dataset/synth.def"
#undef SYNTH_PARAMETER
} synth_value = {
#define SYNTH_PARAMETER(name_, value_, source, help) .name_ = (value_),
#include "dataset/synth.def"
#undef SYNTH_PARAMETER
#undef SYNTH_CATEGORY
#undef SYNTH_COUNTRY
};

enum synth_stream {
    SYNTH_STREAM_SIZE = 1, /* category, followers, what was bought */
    SYNTH_STREAM_ACCOUNT,
    SYNTH_STREAM_POSTS,
    SYNTH_STREAM_EDGES,
};

/* Each row draws from its own stream, so that any row can be made without the ones before. */
static inline struct rng synth_rng(uint64_t seed, size_t row, enum synth_stream stream)
{
    struct rng rng = rng_seed(seed);
    rng = rng_seed(rng_next(&rng) ^ ((uint64_t)row * 8 + (uint64_t)stream));
    return rng_seed(rng_next(&rng));
}
