/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Seeded folds, by the evaluation protocol: Fisher-Yates over splitmix64, then position modulo the
 * number of folds. Same n, seed and labels, same folds, on every machine. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* ret_fold: [n], below n_folds. STATUS_INVALID: n_folds below 2 or above n. */
enum status folds_plain(size_t n, size_t n_folds, uint64_t seed, uint32_t *ret_fold,
                        struct error *err);

/* As above, with the permutation stably sorted by label first: each class is spread evenly. */
enum status folds_by_class(const uint32_t *label, size_t n, size_t n_folds, uint64_t seed,
                           uint32_t *ret_fold, struct error *err);

/* Whole groups go to one fold: the groups, in first-seen order, are permuted. group: [n], below
 * n_groups, numbered in first-seen order. */
enum status folds_by_group(const uint32_t *group, size_t n, size_t n_groups, size_t n_folds,
                           uint64_t seed, uint32_t *ret_fold, struct error *err);

/* Split 0..n-1 into the rows outside `fold` and those in it, in order. ret_train, ret_held: [n]. */
void folds_split(const uint32_t *fold_of_row, size_t n, uint32_t fold, size_t *ret_train,
                 size_t *ret_n_train, size_t *ret_held, size_t *ret_n_held);
