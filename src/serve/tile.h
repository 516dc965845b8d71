/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The profiles of a batch, so many at a time: those of a kind that has it go through the models
 * together, with the answers that each would get alone. */
#include "serve/answers.h"

struct tile {
    size_t n;
    struct profile profiles[ENGINE_ROWS];
    enum status status[ENGINE_ROWS];    /* of reading the profile, then of its answer */
    struct error problems[ENGINE_ROWS]; /* where the status is not OK */
    union answer answers[ENGINE_ROWS];
};

/* Told of each profile in turn, answered or with a problem. answer: valid until it returns; NULL:
 * there is a problem. */
typedef void (*tile_emit)(void *user, size_t i, const union answer *answer);

/* It is to be answered: it holds all it can, or what is not much work where each is asked alone. */
bool tile_is_full(const struct asker *asker, const struct answer_kind *kind,
                  const struct tile *tile);

/* Answer the profiles whose status is OK, emit all, and empty the tile. */
void tile_answer(const struct asker *asker, const struct answer_kind *kind, struct tile *tile,
                 tile_emit emit, void *user);
