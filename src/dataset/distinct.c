/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/distinct.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REGISTER_BITS 10
#define N_REGISTERS (1U << REGISTER_BITS)

static_assert(DISTINCT_EXACT * sizeof(uint32_t) == N_REGISTERS, "registers replace the hashes");

void distinct_deinit(struct distinct *distinct)
{
    free(distinct->hashes);
    *distinct = (struct distinct){0};
}

static void note(uint8_t *registers, uint32_t hash)
{
    uint32_t rest = hash << REGISTER_BITS;
    uint8_t rank = (uint8_t)(rest ? __builtin_clz(rest) + 1 : 32 - REGISTER_BITS + 1);
    uint8_t *at = &registers[hash >> (32 - REGISTER_BITS)];
    if (rank > *at)
        *at = rank;
}

static void to_registers(struct distinct *distinct)
{
    uint32_t hashes[DISTINCT_EXACT];
    memcpy(hashes, distinct->hashes, sizeof hashes);
    memset(distinct->hashes, 0, N_REGISTERS);
    for (size_t i = 0; i < DISTINCT_EXACT; i++)
        note((uint8_t *)distinct->hashes, hashes[i]);
    distinct->n = DISTINCT_EXACT + 1;
}

static enum status grow(struct distinct *distinct, struct error *err)
{
    size_t wanted = distinct->capacity ? 2U * distinct->capacity : 4U;
    uint32_t *hashes = realloc(distinct->hashes, wanted * sizeof *hashes);
    if (!hashes)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    distinct->hashes = hashes;
    distinct->capacity = (uint16_t)wanted;
    return STATUS_OK;
}

enum status distinct_add(struct distinct *distinct, uint32_t hash, struct error *err)
{
    if (distinct->n <= DISTINCT_EXACT) {
        for (size_t i = 0; i < distinct->n; i++)
            if (distinct->hashes[i] == hash)
                return STATUS_OK;
        if (distinct->n < DISTINCT_EXACT) {
            if (distinct->n == distinct->capacity)
                TRY(grow(distinct, err));
            distinct->hashes[distinct->n++] = hash;
            return STATUS_OK;
        }
        to_registers(distinct);
    }
    note((uint8_t *)distinct->hashes, hash);
    return STATUS_OK;
}

double distinct_count(const struct distinct *distinct)
{
    if (distinct->n <= DISTINCT_EXACT)
        return distinct->n;
    const uint8_t *registers = (const uint8_t *)distinct->hashes;
    const double m = N_REGISTERS;
    double sum = 0;
    double n_zero = 0;
    for (size_t i = 0; i < N_REGISTERS; i++) {
        sum += ldexp(1.0, -registers[i]);
        n_zero += registers[i] == 0;
    }
    double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    const double all = 4294967296.0;
    if (estimate <= 2.5 * m && n_zero > 0)
        estimate = m * log(m / n_zero);
    else if (estimate > all / 30)
        estimate = -all * log(fmax(1 - estimate / all, 1e-9));
    return round(estimate);
}
