/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/rng.h"

static enum status check_size(size_t n, size_t n_folds, const char *what, struct error *err)
{
    if (n_folds < 2 || n_folds > UINT32_MAX)
        return fail(err, STATUS_INVALID, "folds: must be at least 2, got %zu", n_folds);
    if (n < n_folds || n > UINT32_MAX)
        return fail(err, STATUS_INVALID, "%zu %s cannot be split into %zu folds", n, what, n_folds);
    return STATUS_OK;
}

static enum status check_below(const uint32_t *values, size_t n, const char *what,
                               struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] >= n)
            return fail(err, STATUS_INVALID, "%s of row %zu: must be below %zu, got %u", what, i, n,
                        values[i]);
    return STATUS_OK;
}

/* A permutation of 0..n-1, which the caller frees; NULL: out of memory. */
static size_t *permute(size_t n, uint64_t seed)
{
    size_t *permutation = calloc(n, sizeof *permutation);
    struct rng rng = rng_seed(seed);
    if (permutation)
        rng_permutation(&rng, permutation, n);
    return permutation;
}

static void deal(const size_t *permutation, size_t n, size_t n_folds, uint32_t *ret_fold)
{
    for (size_t position = 0; position < n; position++)
        ret_fold[permutation[position]] = (uint32_t)(position % n_folds);
}

enum status split_plain(size_t n, size_t n_folds, uint64_t seed, uint32_t *ret_fold,
                        struct error *err)
{
    TRY(check_size(n, n_folds, "rows", err));
    AUTO(free_slot) size_t *permutation = permute(n, seed);
    if (!permutation)
        return fail(err, STATUS_NO_MEMORY, "folds: out of memory");
    deal(permutation, n, n_folds, ret_fold);
    return STATUS_OK;
}

enum status split_stratified(const uint32_t *label, size_t n, size_t n_folds, uint64_t seed,
                             uint32_t *ret_fold, struct error *err)
{
    TRY(check_size(n, n_folds, "rows", err));
    TRY(check_below(label, n, "label", err));
    AUTO(free_slot) size_t *permutation = permute(n, seed);
    AUTO(free_slot) size_t *sorted = calloc(n, sizeof *sorted);
    AUTO(free_slot) size_t *start = calloc(n + 1, sizeof *start);
    if (!permutation || !sorted || !start)
        return fail(err, STATUS_NO_MEMORY, "folds: out of memory");
    /* A stable counting sort of the permutation by label. */
    for (size_t i = 0; i < n; i++)
        start[label[i] + 1]++;
    for (size_t i = 0; i < n; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < n; i++)
        sorted[start[label[permutation[i]]]++] = permutation[i];
    deal(sorted, n, n_folds, ret_fold);
    return STATUS_OK;
}

enum status split_grouped(const uint32_t *group, size_t n, size_t n_folds, uint64_t seed,
                          uint32_t *ret_fold, struct error *err)
{
    TRY(check_size(n, n_folds, "rows", err));
    TRY(check_below(group, n, "group", err));
    AUTO(free_slot) uint32_t *first_seen = calloc(n, sizeof *first_seen); /* group -> 1 + order */
    AUTO(free_slot) uint32_t *fold = calloc(n, sizeof *fold);
    if (!first_seen || !fold)
        return fail(err, STATUS_NO_MEMORY, "folds: out of memory");
    uint32_t n_groups = 0;
    for (size_t i = 0; i < n; i++)
        if (first_seen[group[i]] == 0)
            first_seen[group[i]] = ++n_groups;
    TRY(check_size(n_groups, n_folds, "groups", err));
    TRY(split_plain(n_groups, n_folds, seed, fold, err));
    for (size_t i = 0; i < n; i++)
        ret_fold[i] = fold[first_seen[group[i]] - 1];
    return STATUS_OK;
}
