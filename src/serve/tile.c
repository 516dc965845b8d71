/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/tile.h"

/* All of them at once; false: not all have an answer, or the kind does not offer it. */
static bool answer_together(const struct asker *asker, const struct answer_kind *kind,
                            struct tile *tile)
{
    const struct profile *asked[ENGINE_ROWS];
    size_t place[ENGINE_ROWS];
    union answer answers[ENGINE_ROWS];
    size_t n = 0;
    for (size_t i = 0; i < tile->n; i++) {
        if (tile->status[i] != STATUS_OK)
            continue;
        place[n] = i;
        asked[n++] = &tile->profiles[i];
    }
    struct error err;
    if (!kind->compute_rows || !asker->rows_scratch ||
        kind->compute_rows(asker, asked, n, answers, &err) != STATUS_OK)
        return false;
    for (size_t k = 0; k < n; k++)
        tile->answers[place[k]] = answers[k];
    return true;
}

bool tile_is_full(const struct asker *asker, const struct answer_kind *kind,
                  const struct tile *tile)
{
    enum {
        ALONE = 4
    };
    return tile->n >= (kind->compute_rows && asker->rows_scratch ? ENGINE_ROWS : ALONE);
}

void tile_answer(const struct asker *asker, const struct answer_kind *kind, struct tile *tile,
                 tile_emit emit, void *user)
{
    for (size_t i = 0; i < tile->n; i++)
        if (tile->status[i] == STATUS_OK)
            tile->status[i] = answer_complete(asker, &tile->profiles[i], &tile->problems[i]);
    bool together = answer_together(asker, kind, tile);
    for (size_t i = 0; i < tile->n; i++) {
        union answer *answer = &tile->answers[i];
        if (tile->status[i] == STATUS_OK && !together)
            tile->status[i] = kind->compute(asker, &tile->profiles[i], answer, &tile->problems[i]);
        emit(user, i, tile->status[i] == STATUS_OK ? answer : NULL);
    }
    tile->n = 0;
}
