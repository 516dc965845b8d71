/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One row through many filled-up trees, without a walk through memory. Each input becomes its rank
 * among all thresholds it is compared with, once a row. A tree is then 63 comparisons of ranks of
 * 16 bits, all made at once by looking the inputs up within registers, and the way down is read off
 * the bits that come out. The comparisons are those of x < threshold, and the sums are taken in the
 * same order, so that answers are equal to the last bit.
 *
 * Needs AVX-512 (BW); elsewhere trees.c walks. Immutable once built; free to share. */
#include <stddef.h>

#include "runtime/trees.h"

#define TREES_RANKS_INPUTS 64
#define TREES_RANKS_DEPTH 6

struct trees_ranks;

/* *ret_ranks stays NULL where walking is as good, or all there is: few trees, deep ones, many
 * inputs, another processor. The layout is borrowed by trees_ranks_sum(). */
enum status trees_ranks_build(const struct trees_layout *layout, size_t n_inputs,
                              struct trees_ranks **ret_ranks, struct error *err);
void trees_ranks_free(struct trees_ranks *ranks);

/* Add the leaves that a row reaches. raw: [n_inputs], missing ones NaN; output: [n_trees]. */
void trees_ranks_sum(const struct trees_ranks *ranks, const struct trees_layout *layout,
                     const uint32_t *output, const float *raw, float *sum);
