/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/folds.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/rng.h"

static enum status new_permutation(size_t n, size_t n_folds, uint64_t seed,
                                   size_t **ret_permutation, struct error *err)
{
    if (n_folds < 2 || n_folds > n)
        return fail(err, STATUS_INVALID, "cannot make %zu folds of %zu", n_folds, n);
    size_t *permutation = calloc(n, sizeof *permutation);
    if (!permutation)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(seed);
    rng_permutation(&rng, permutation, n);
    *ret_permutation = permutation;
    return STATUS_OK;
}

enum status folds_plain(size_t n, size_t n_folds, uint64_t seed, uint32_t *ret_fold,
                        struct error *err)
{
    AUTO(free_slot) size_t *permutation = NULL;
    TRY(new_permutation(n, n_folds, seed, &permutation, err));
    for (size_t at = 0; at < n; at++)
        ret_fold[permutation[at]] = (uint32_t)(at % n_folds);
    return STATUS_OK;
}

enum status folds_by_class(const uint32_t *label, size_t n, size_t n_folds, uint64_t seed,
                           uint32_t *ret_fold, struct error *err)
{
    AUTO(free_slot) size_t *permutation = NULL;
    TRY(new_permutation(n, n_folds, seed, &permutation, err));
    uint32_t n_classes = 0;
    for (size_t i = 0; i < n; i++)
        if (label[i] >= n_classes)
            n_classes = label[i] + 1;
    /* A counting sort is stable: the next place of each class. */
    AUTO(free_slot) size_t *place = calloc((size_t)n_classes + 1, sizeof *place);
    if (!place)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        place[label[i] + 1]++;
    for (uint32_t c = 0; c < n_classes; c++)
        place[c + 1] += place[c];
    for (size_t at = 0; at < n; at++) {
        size_t row = permutation[at];
        ret_fold[row] = (uint32_t)(place[label[row]]++ % n_folds);
    }
    return STATUS_OK;
}

enum status folds_by_group(const uint32_t *group, size_t n, size_t n_groups, size_t n_folds,
                           uint64_t seed, uint32_t *ret_fold, struct error *err)
{
    AUTO(free_slot) uint32_t *fold_of_group = calloc(n_groups + 1, sizeof *fold_of_group);
    if (!fold_of_group)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(folds_plain(n_groups, n_folds, seed, fold_of_group, err));
    for (size_t i = 0; i < n; i++)
        ret_fold[i] = fold_of_group[group[i]];
    return STATUS_OK;
}

void folds_split(const uint32_t *fold_of_row, size_t n, uint32_t fold, size_t *ret_train,
                 size_t *ret_n_train, size_t *ret_held, size_t *ret_n_held)
{
    size_t n_train = 0;
    size_t n_held = 0;
    for (size_t i = 0; i < n; i++) {
        if (fold_of_row[i] == fold)
            ret_held[n_held++] = i;
        else
            ret_train[n_train++] = i;
    }
    *ret_n_train = n_train;
    *ret_n_held = n_held;
}
