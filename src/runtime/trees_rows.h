/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Many rows through filled-up trees at once. A tree of depth d has few more nodes than a row meets
 * on its way times the lanes of a wide register, and looking a node up by lane costs far more than
 * a comparison: so every node is compared with all rows, and the leaves are picked from the bottom
 * up. No branch and no gather; the comparisons, and the order of the sums, are those of one row, so
 * that the answers are equal to the last bit. */
#include <stddef.h>

#include "runtime/trees.h"

#define TREES_ROWS 64      /* rows side by side */
#define TREES_ROWS_DEPTH 6 /* deeper trees are faster one row at a time: nodes double a level */

/* Add a group's leaves, tree by tree.
 * x: [2 n_inputs][TREES_ROWS], see struct fast_node; 64-byte aligned.
 * output: [group->n_trees]; sum: [n_outputs][TREES_ROWS]; 64-byte aligned. */
typedef void (*trees_rows_function)(const struct tree_group *group, const float *x,
                                    const uint32_t *output, float *sum);

enum trees_rows_version {
    TREES_ROWS_PORTABLE,
    TREES_ROWS_AVX2,
    TREES_ROWS_AVX512,
    TREES_ROWS_VERSIONS
};

/* NULL: this machine cannot run it. */
trees_rows_function trees_rows_get(enum trees_rows_version version);

/* The widest that this machine can run. */
trees_rows_function trees_rows_widest(void);
