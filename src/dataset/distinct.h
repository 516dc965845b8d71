/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How many different things were seen, in at most 1 KiB: exact up to DISTINCT_EXACT, beyond by a
 * HyperLogLog of 1,024 registers (Flajolet et al. 2007), whose relative error has a standard
 * deviation of 3.3 %. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define DISTINCT_EXACT 256

struct distinct {
    uint32_t *hashes; /* [n], or the registers once n is above DISTINCT_EXACT; owned */
    uint16_t n, capacity;
};

void distinct_deinit(struct distinct *distinct);

/* hash: of the thing, well mixed. */
enum status distinct_add(struct distinct *distinct, uint32_t hash, struct error *err);

double distinct_count(const struct distinct *distinct);
