/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Held-out rows as the engine will see unseen profiles: without a place in the network of their
 * own, which it fills in from the nearest neighbours among the rows that were trained on. */
#include "learn/design.h"

struct fold_places {
    const struct table *table;
    const struct design *similar; /* what neighbours are found by; reads no place */
    const size_t *train;          /* [n_train] rows of the table: the catalogue */
    size_t n_train;
    uint64_t seed;
};

/* Write over the rows of a matrix of `rows` [matrix->n] of the table. */
enum status fold_places_fill(const struct fold_places *places, const struct feature_spec *spec,
                             const size_t *rows, struct matrix *matrix, struct error *err);
