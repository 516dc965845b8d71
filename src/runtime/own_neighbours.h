/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An index over rows, built, opened and searched in memory: as it ships, before it does. Owns its
 * bytes and the scratch of its searches: one thread at a time. Zeros are a valid one to deinit. */
#include "runtime/neighbours.h"

struct own_neighbours {
    void *bytes;
    struct artifact *artifact;
    struct neighbours *neighbours;
    void *scratch;
};

/* Deterministic by seed. */
enum status own_neighbours_init(struct own_neighbours *own, const struct neighbour_rows *rows,
                                uint64_t seed, struct error *err);
void own_neighbours_deinit(struct own_neighbours *own);

/* The index, as sections of a blob that ships it. */
enum status own_neighbours_write(const struct own_neighbours *own, struct artifact_writer *writer,
                                 struct error *err);

/* The k nearest to row `row` of the rows [dim], itself left out. ret: [k]; returns how many. */
size_t own_neighbours_of_row(const struct own_neighbours *own, const struct neighbour_rows *rows,
                             uint32_t row, size_t k, struct neighbour *ret);
