/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Trees between trees_section.c (the blob), trees_layout.c (the layout that runs fast), trees.c
 * (the run) and shap.c (explanations). Everybody else sees predictor.h. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "runtime/predictor.h"

/* The nodes as they stand in the blob, one array a member. */
struct tree_nodes {
    size_t n_inputs, n_outputs, n_trees, n_nodes;
    const double *base;           /* [n_outputs] */
    const uint32_t *start;        /* [n_trees + 1] */
    const uint32_t *output;       /* [n_trees] < n_outputs */
    const int32_t *feature;       /* [n_nodes] -1 (leaf) .. n_inputs - 1 */
    const float *value;           /* [n_nodes] */
    const uint32_t *left, *right; /* [n_nodes] within the tree; one parent each; 0 for leaves */
    const uint8_t *missing_left;  /* [n_nodes] 0 or 1 */
    const float *cover;           /* [n_nodes] > 0, a child's at most its parent's */
};

/* Views of the sections under the prefix; n_inputs is the caller's. */
enum status trees_read(const struct artifact *artifact, const char *prefix,
                       struct tree_nodes *ret_nodes, struct error *err);

/* Everything that running and explaining rely on: indices in range, every node reached once, depth,
 * covers. ret_depth: [n_trees]. name: of the file, for messages. */
enum status trees_check(const struct tree_nodes *nodes, const char *name, const char *prefix,
                        uint32_t *ret_depth, struct error *err);

/* One split or leaf of the fast layouts. x has 2 n_inputs values: a missing one is NaN in the first
 * half, so that `x < value` is false and the way goes right, and -inf in the second, so that it
 * goes left. A split whose default is left reads the second half: no test for NaN on the way. */
struct fast_node {
    float value;
    uint32_t feature; /* of 2 n_inputs */
};

/* A node of trees too deep or too uneven to be filled up; a leaf has left == 0. */
struct linked_node {
    float value;
    uint32_t feature;
    uint32_t left, right;
};

#define TREES_LANES 8      /* trees walked side by side */
#define TREES_FULL_DEPTH 8 /* deeper trees are linked, not filled up */

/* Up to TREES_LANES trees in a row. Filled up to the same depth and interleaved: node i of the heap
 * (its root is 1) of tree `lane` is nodes[i * TREES_LANES + lane], so that the roots and their
 * children share cache lines; its leaf j is leaves[j * TREES_LANES + lane]. Or linked: `roots` are
 * indices into the layout's linked nodes, and `nodes` is NULL. */
struct tree_group {
    uint32_t n_trees;
    uint32_t depth;
    struct fast_node *nodes;
    float *leaves;
    uint32_t *roots;
};

struct trees_layout {
    struct tree_group *groups;
    size_t n_groups;
    struct fast_node *nodes;    /* of all groups, 64-byte aligned */
    float *leaves;              /* of all groups, 64-byte aligned */
    struct linked_node *linked; /* of all groups; children are indices into it */
    uint32_t *roots;            /* of all groups */
};

/* Never fails but for memory; the nodes have been checked. depth: [n_trees]. */
enum status trees_layout_build(const struct tree_nodes *nodes, const uint32_t *depth,
                               struct trees_layout *ret_layout, struct error *err);
void trees_layout_deinit(struct trees_layout *layout);

/* Leaves of trees in a row, one after the other, to what they belong to. Of one output the sum
 * stays in a register: through memory each addition would wait for the one before to be stored. */
static inline void trees_add_leaves(const float *leaf, uint32_t n_trees, const uint32_t *output,
                                    float *sum)
{
    uint32_t lane = 0;
    while (lane < n_trees) {
        uint32_t o = output[lane];
        float total = sum[o];
        do
            total += leaf[lane++];
        while (lane < n_trees && output[lane] == o);
        sum[o] = total;
    }
}

#define SHAP_MAX_POINTS 32

/* Quadrature points for trees up to a depth. */
struct shap_rule {
    size_t n_points;
    bool is_four; /* shap_four.c takes it */
    double y[SHAP_MAX_POINTS];
    double rest[SHAP_MAX_POINTS], rest_inverse[SHAP_MAX_POINTS]; /* 1 - y, and its inverse */
    double weight[SHAP_MAX_POINTS];
};
void shap_rule_init(struct shap_rule *rule, uint32_t max_depth);

size_t shap_scratch_bytes(const struct shap_rule *rule, size_t n_inputs, uint32_t max_depth);

struct shap_question {
    const float *x; /* [n_inputs] raw */
    size_t output;
};
/* Add the contributions of all trees of an output to ret_contribution [n_inputs]. */
void shap_add_trees(const struct tree_nodes *nodes, const struct shap_rule *rule,
                    const struct shap_question *question, void *scratch, double *ret_contribution);

/* The sweep of shap.c for four points, which are enough up to a depth of eight, in AVX2 registers:
 * the same steps in the same order, so the same claims to the last bit.
 * claims: [n_inputs][SHAP_FOUR], 64-byte aligned, zeroed. */
#define SHAP_FOUR 4
bool shap_four_runs_here(void);
size_t shap_four_scratch_bytes(size_t n_inputs);
void shap_four_sweep(const struct tree_nodes *nodes, const struct shap_rule *rule,
                     const struct shap_question *question, void *scratch, double *claims);
