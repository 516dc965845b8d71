/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The mean influence_score of an account's neighbours, as a feature that knows no score but those
 * of the rows that are trained on, and of a row never its own. Neighbours are the accounts that it
 * has real edges with; where none of them has a score, those nearest by the finder. */
#include "learn/design.h"
#include "runtime/links.h"

struct neighbour_scores {
    const struct table *table;   /* with the column influence_score */
    const struct design *finder; /* what nearness is by; reads no place */
    const struct links *links;   /* among rows of the table; NULL: none */
    const size_t *train;         /* [n_train] rows of the table whose scores are known */
    size_t n_train;
    uint64_t seed;
};

/* ret_score: [n_rows of the table], NaN where no neighbour has a score. */
enum status neighbour_scores_fill(const struct neighbour_scores *scores, double *ret_score,
                                  struct error *err);
