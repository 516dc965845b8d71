/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/family.h"
#include "runtime/scratch.h"
#include "runtime/trees_ranks.h"
#include "runtime/trees_rows.h"

/* Sums are taken in float, tree by tree, starting from the base: exactly what XGBoost's CPU
 * predictor does, so that answers are equal to the last bit, one row or many. */

struct trees {
    struct tree_nodes nodes; /* borrows the artifact */
    struct trees_layout layout;
    uint32_t max_depth;
    struct shap_rule rule;
    trees_rows_function add_rows;
    struct trees_ranks *ranks; /* owns; NULL: a row walks */
};

static void trees_close(void *model)
{
    struct trees *trees = model;
    if (!trees)
        return;
    trees_layout_deinit(&trees->layout);
    trees_ranks_free(trees->ranks);
    free(trees);
}
DEFINE_SLOT(trees_close, struct trees)

static enum status trees_open(const struct artifact *artifact, const char *prefix,
                              const struct feature_spec *spec, void **ret_model, struct error *err)
{
    AUTO(trees_close_slot) struct trees *trees = calloc(1, sizeof *trees);
    if (!trees)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    trees->nodes.n_inputs = spec->n_columns;
    TRY(trees_read(artifact, prefix, &trees->nodes, err));
    size_t n_trees = trees->nodes.n_trees;
    AUTO(free_slot) uint32_t *depth = calloc(n_trees + 1, sizeof *depth);
    if (!depth)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    TRY(trees_check(&trees->nodes, artifact_name(artifact), prefix, depth, err));
    for (size_t tree = 0; tree < n_trees; tree++)
        if (depth[tree] > trees->max_depth)
            trees->max_depth = depth[tree];
    trees->add_rows = trees_rows_widest();
    shap_rule_init(&trees->rule, trees->max_depth);
    TRY(trees_layout_build(&trees->nodes, depth, &trees->layout, err));
    TRY(trees_ranks_build(&trees->layout, trees->nodes.n_inputs, &trees->ranks, err));
    *ret_model = STEAL(trees);
    return STATUS_OK;
}

/* ---- running ---- */

static size_t trees_n_outputs(const void *model)
{
    return ((const struct trees *)model)->nodes.n_outputs;
}

static size_t doubled_bytes(const struct tree_nodes *nodes)
{
    return 2 * nodes->n_inputs * sizeof(float);
}

static size_t trees_scratch_bytes(const void *model)
{
    const struct trees *trees = model;
    size_t doubled = doubled_bytes(&trees->nodes);
    size_t sums = trees->nodes.n_outputs * sizeof(float);
    size_t one = scratch_align(doubled) + scratch_align(sums) +
                 scratch_align(trees->nodes.n_outputs * sizeof(double)) +
                 shap_scratch_bytes(&trees->rule, trees->nodes.n_inputs, trees->max_depth);
    size_t many = scratch_align(TREES_ROWS * doubled) + scratch_align(TREES_ROWS * sums) +
                  scratch_align(doubled);
    return one > many ? one : many;
}

/* See struct fast_node. */
static void double_row(const float *raw, size_t n, float *ret_x)
{
    for (size_t i = 0; i < n; i++) {
        ret_x[i] = raw[i];
        ret_x[n + i] = isnan(raw[i]) ? -INFINITY : raw[i];
    }
}

/* The leaves of all lanes of a filled-up group. The lanes do not depend on each other, so that the
 * processor walks them at the same time. */
static inline void walk_full(const struct tree_group *group, const float *x,
                             float ret_leaf[static TREES_LANES])
{
    const struct fast_node *nodes = group->nodes;
    /* Heap indices times TREES_LANES: what the address needs. */
    size_t at[TREES_LANES] = {8, 8, 8, 8, 8, 8, 8, 8};
    static_assert(TREES_LANES == 8, "the roots");
    for (uint32_t level = 0; level < group->depth; level++) {
#pragma GCC unroll 8
        for (size_t lane = 0; lane < TREES_LANES; lane++) {
            const struct fast_node *node = &nodes[at[lane] + lane];
            at[lane] = 2 * at[lane] + TREES_LANES * !(x[node->feature] < node->value);
        }
    }
    size_t first_leaf = (size_t)TREES_LANES << group->depth;
#pragma GCC unroll 8
    for (size_t lane = 0; lane < TREES_LANES; lane++)
        ret_leaf[lane] = group->leaves[at[lane] - first_leaf + lane];
}

static inline void walk_linked(const struct linked_node *linked, const struct tree_group *group,
                               const float *x, float ret_leaf[static TREES_LANES])
{
    for (uint32_t lane = 0; lane < group->n_trees; lane++) {
        const struct linked_node *node = &linked[group->roots[lane]];
        while (node->left != 0)
            node = &linked[x[node->feature] < node->value ? node->left : node->right];
        ret_leaf[lane] = node->value;
    }
}

/* sum: [n_outputs], holding the base. */
static void sum_trees(const struct trees *trees, const float *x, float *sum)
{
    const uint32_t *output = trees->nodes.output;
    for (size_t g = 0; g < trees->layout.n_groups; g++) {
        const struct tree_group *group = &trees->layout.groups[g];
        float leaf[TREES_LANES];
        if (group->nodes)
            walk_full(group, x, leaf);
        else
            walk_linked(trees->layout.linked, group, x, leaf);
        trees_add_leaves(leaf, group->n_trees, output, sum);
        output += group->n_trees;
    }
}

static void trees_run(const void *model, const float *raw, void *scratch, double *ret_output)
{
    const struct trees *trees = model;
    size_t n_outputs = trees->nodes.n_outputs;
    float *x = scratch_take(&scratch, doubled_bytes(&trees->nodes));
    float *sum = scratch_take(&scratch, n_outputs * sizeof *sum);
    for (size_t o = 0; o < n_outputs; o++)
        sum[o] = (float)trees->nodes.base[o];
    if (trees->ranks) {
        trees_ranks_sum(trees->ranks, &trees->layout, trees->nodes.output, raw, sum);
    } else {
        double_row(raw, trees->nodes.n_inputs, x);
        sum_trees(trees, x, sum);
    }
    for (size_t o = 0; o < n_outputs; o++)
        ret_output[o] = (double)sum[o];
}

/* ---- many rows ---- */

/* One block of TREES_ROWS rows. */
struct block {
    float *x;   /* [2 n_inputs][TREES_ROWS] */
    float *sum; /* [n_outputs][TREES_ROWS] */
    float *row; /* [2 n_inputs] one of them, for trees that go row by row */
};

/* Rows behind the last stay as they were: what becomes of them is not read. */
static void fill_block(const struct tree_nodes *nodes, const float *raw, size_t n,
                       const struct block *block)
{
    size_t n_inputs = nodes->n_inputs;
    for (size_t i = 0; i < n_inputs; i++) {
        for (size_t row = 0; row < n; row++) {
            float value = raw[row * n_inputs + i];
            block->x[i * TREES_ROWS + row] = value;
            block->x[(n_inputs + i) * TREES_ROWS + row] = isnan(value) ? -INFINITY : value;
        }
    }
    for (size_t o = 0; o < nodes->n_outputs; o++)
        for (size_t row = 0; row < TREES_ROWS; row++)
            block->sum[o * TREES_ROWS + row] = (float)nodes->base[o];
}

static void add_row_by_row(const struct trees *trees, const struct tree_group *group, size_t n,
                           const uint32_t *output, const struct block *block)
{
    for (size_t row = 0; row < n; row++) {
        float leaf[TREES_LANES];
        for (size_t i = 0; i < 2 * trees->nodes.n_inputs; i++)
            block->row[i] = block->x[i * TREES_ROWS + row];
        if (group->nodes)
            walk_full(group, block->row, leaf);
        else
            walk_linked(trees->layout.linked, group, block->row, leaf);
        for (uint32_t lane = 0; lane < group->n_trees; lane++)
            block->sum[output[lane] * TREES_ROWS + row] += leaf[lane];
    }
}

static void sum_block(const struct trees *trees, size_t n, const struct block *block)
{
    const uint32_t *output = trees->nodes.output;
    for (size_t g = 0; g < trees->layout.n_groups; g++) {
        const struct tree_group *group = &trees->layout.groups[g];
        if (group->nodes && group->depth <= TREES_ROWS_DEPTH)
            trees->add_rows(group, block->x, output, block->sum);
        else
            add_row_by_row(trees, group, n, output, block);
        output += group->n_trees;
    }
}

static void trees_run_rows(const void *model, const float *raw, size_t n, void *scratch,
                           double *ret_output)
{
    enum {
        FEW = TREES_ROWS / 3 /* rows: with wide registers, a block costs as much as so many */
    };
    const struct trees *trees = model;
    const struct tree_nodes *nodes = &trees->nodes;
    void *rest = scratch;
    struct block block;
    block.x = scratch_take(&rest, TREES_ROWS * doubled_bytes(nodes));
    block.sum = scratch_take(&rest, TREES_ROWS * nodes->n_outputs * sizeof(float));
    block.row = scratch_take(&rest, doubled_bytes(nodes));
    if (n >= FEW)
        memset(block.x, 0, TREES_ROWS * doubled_bytes(nodes));
    size_t done = 0;
    for (size_t n_block; n - done >= FEW; done += n_block) {
        n_block = n - done < TREES_ROWS ? n - done : TREES_ROWS;
        fill_block(nodes, raw + done * nodes->n_inputs, n_block, &block);
        sum_block(trees, n_block, &block);
        for (size_t row = 0; row < n_block; row++)
            for (size_t o = 0; o < nodes->n_outputs; o++)
                ret_output[(done + row) * nodes->n_outputs + o] =
                    (double)block.sum[o * TREES_ROWS + row];
    }
    for (; done < n; done++)
        trees_run(model, raw + done * nodes->n_inputs, scratch,
                  ret_output + done * nodes->n_outputs);
}

static double trees_explain(const void *model, const float *raw, size_t output, void *scratch,
                            double *ret_contribution)
{
    const struct trees *trees = model;
    const struct tree_nodes *nodes = &trees->nodes;
    void *rest = scratch;
    scratch_take(&rest, doubled_bytes(nodes));
    scratch_take(&rest, nodes->n_outputs * sizeof(float));
    double *outputs = scratch_take(&rest, nodes->n_outputs * sizeof *outputs);
    trees_run(model, raw, scratch, outputs);
    memset(ret_contribution, 0, nodes->n_inputs * sizeof *ret_contribution);
    const struct shap_question question = {raw, output};
    shap_add_trees(nodes, &trees->rule, &question, rest, ret_contribution);
    /* The expectation over the training data, and the rounding of the float sums. */
    double base = outputs[output];
    for (size_t i = 0; i < nodes->n_inputs; i++)
        base -= ret_contribution[i];
    return base;
}

const struct family trees_family = {
    .name = "trees",
    .open = trees_open,
    .close = trees_close,
    .n_outputs = trees_n_outputs,
    .scratch_bytes = trees_scratch_bytes,
    .run = trees_run,
    .explain = trees_explain,
    .run_rows = trees_run_rows,
};
