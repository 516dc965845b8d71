/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a model goes by, on rows it has not seen: how much worse it does when one input is shuffled
 * (permutation importance, Breiman 2001), and how much the input moves its answers (mean
 * |contribution|). An input is a numeric feature, or all levels of a text field together: levels
 * shuffled one by one would make accounts of two categories. */
#include <stddef.h>

#include "learn/crossval.h"

struct importance {
    struct arena memory; /* owns everything below */
    size_t n;            /* inputs */
    const char **name;   /* [n] "ln_followers", "category"; the most important first */
    double *mean, *sd;   /* [n] rise of the loss; over folds and shuffles */
    /* [n] mean |sum of the contributions of its columns|; of classes, mean over the outputs too.
     * NULL: the family's contributions do not add up to its answers. */
    double *contribution;
    double loss; /* as it was, mean over folds */
};

#define IMPORTANCE_SHUFFLES 5

/* The loss is the mean absolute error of a regression, and the share of rows told wrong of a
 * classification. Refits `trainer` outside each fold. At most 2,000 rows of a fold are judged. */
enum status importance_run(const struct crossval_input *input, const struct trainer *trainer,
                           const uint32_t *fold_of_row, struct importance **ret_importance,
                           struct error *err);
void importance_free(struct importance *importance);
DEFINE_SLOT(importance_free, struct importance)
