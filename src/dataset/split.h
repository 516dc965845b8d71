/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The seeded folds of the evaluation protocol: a Fisher-Yates permutation by splitmix64, dealt out
 * like cards. Equal arguments give equal folds everywhere, so that figures compare. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Each sets ret_fold: [n], the fold (0 .. n_folds-1) of every row; O(n).
 * STATUS_INVALID: fewer than two folds, fewer rows (or groups) than folds, or a label or group that
 * is not below n. */
enum status split_plain(size_t n, size_t n_folds, uint64_t seed, uint32_t *ret_fold,
                        struct error *err);

/* Every fold gets its share of every class. label: [n], class numbers. */
enum status split_stratified(const uint32_t *label, size_t n, size_t n_folds, uint64_t seed,
                             uint32_t *ret_fold, struct error *err);

/* Rows of a group stay together: the groups, in the order in which they first appear, are permuted
 * instead of the rows. group: [n]. */
enum status split_grouped(const uint32_t *group, size_t n, size_t n_folds, uint64_t seed,
                          uint32_t *ret_fold, struct error *err);
