/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees.h"

#include <stdlib.h>
#include <string.h>

/* Counts, of which the first pass takes the sizes and the second the positions. */
struct extent {
    size_t groups, full, linked, roots;
};

/* How many trees from `tree` on share a group, and of what depth. */
static struct tree_group next_group(const struct tree_nodes *nodes, const uint32_t *depth,
                                    size_t tree)
{
    struct tree_group group = {.linked = depth[tree] > TREES_FULL_DEPTH};
    while (tree < nodes->n_trees && group.n_trees < TREES_LANES &&
           group.linked == (depth[tree] > TREES_FULL_DEPTH)) {
        if (!group.linked && depth[tree] > group.depth)
            group.depth = depth[tree];
        group.n_trees++;
        tree++;
    }
    return group;
}

/* Where the group begins, moving `at` behind it. */
static uint32_t place_group(const struct tree_nodes *nodes, const struct tree_group *group,
                            size_t tree, struct extent *at)
{
    at->groups++;
    if (!group->linked) {
        /* All lanes are there, also where the last trees leave some empty. */
        uint32_t first = (uint32_t)at->full;
        at->full += (size_t)TREES_LANES << group->depth;
        return first;
    }
    uint32_t first = (uint32_t)at->roots;
    at->roots += group->n_trees;
    at->linked += nodes->start[tree + group->n_trees] - nodes->start[tree];
    return first;
}

static uint32_t fast_feature(const struct tree_nodes *nodes, size_t node)
{
    uint32_t feature = (uint32_t)nodes->feature[node];
    return nodes->missing_left[node] ? feature + (uint32_t)nodes->n_inputs : feature;
}

struct filling {
    const struct tree_nodes *nodes;
    uint32_t start; /* of the tree, in nodes */
    struct fast_node *splits;
    float *leaves;
    uint32_t depth;
};

/* A leaf above the full depth becomes a split with the same leaf on both sides. */
static void fill(const struct filling *to, uint32_t node, uint32_t at, uint32_t levels)
{
    const struct tree_nodes *nodes = to->nodes;
    size_t i = (size_t)to->start + node;
    int is_leaf = nodes->feature[i] < 0;
    if (levels == 0) {
        to->leaves[at - (1U << to->depth)] = nodes->value[i];
        return;
    }
    if (!is_leaf)
        to->splits[at] = (struct fast_node){nodes->value[i], fast_feature(nodes, i)};
    fill(to, is_leaf ? node : nodes->left[i], 2 * at, levels - 1);
    fill(to, is_leaf ? node : nodes->right[i], 2 * at + 1, levels - 1);
}

static void fill_group(const struct tree_nodes *nodes, const struct tree_group *group, size_t tree,
                       struct trees_layout *layout)
{
    for (uint32_t lane = 0; lane < group->n_trees; lane++) {
        size_t at = group->first + ((size_t)lane << group->depth);
        const struct filling to = {
            .nodes = nodes,
            .start = nodes->start[tree + lane],
            .splits = layout->nodes + at,
            .leaves = layout->leaves + at,
            .depth = group->depth,
        };
        fill(&to, 0, 1, group->depth);
    }
}

static void link_group(const struct tree_nodes *nodes, const struct tree_group *group, size_t tree,
                       struct trees_layout *layout, size_t *at)
{
    for (uint32_t lane = 0; lane < group->n_trees; lane++) {
        uint32_t root = (uint32_t)*at;
        layout->roots[group->first + lane] = root;
        for (size_t i = nodes->start[tree + lane]; i < nodes->start[tree + lane + 1]; i++) {
            struct linked_node *node = &layout->linked[(*at)++];
            node->value = nodes->value[i];
            if (nodes->feature[i] < 0)
                continue;
            node->feature = fast_feature(nodes, i);
            node->left = root + nodes->left[i];
            node->right = root + nodes->right[i];
        }
    }
}

static enum status allocate(const struct extent *extent, struct trees_layout *ret_layout,
                            struct error *err)
{
    size_t node_bytes = (extent->full + TREES_LANES) * sizeof(struct fast_node);
    *ret_layout = (struct trees_layout){
        .groups = calloc(extent->groups + 1, sizeof(struct tree_group)),
        .nodes = aligned_alloc(64, node_bytes),
        .leaves = calloc(extent->full + 1, sizeof(float)),
        .linked = calloc(extent->linked + 1, sizeof(struct linked_node)),
        .roots = calloc(extent->roots + 1, sizeof(uint32_t)),
    };
    if (!ret_layout->groups || !ret_layout->nodes || !ret_layout->leaves || !ret_layout->linked ||
        !ret_layout->roots) {
        trees_layout_deinit(ret_layout);
        return fail(err, STATUS_NO_MEMORY, "trees: out of memory");
    }
    memset(ret_layout->nodes, 0, node_bytes);
    return STATUS_OK;
}

enum status trees_layout_build(const struct tree_nodes *nodes, const uint32_t *depth,
                               struct trees_layout *ret_layout, struct error *err)
{
    struct extent extent = {0};
    for (size_t tree = 0; tree < nodes->n_trees;) {
        struct tree_group group = next_group(nodes, depth, tree);
        place_group(nodes, &group, tree, &extent);
        tree += group.n_trees;
    }
    if (extent.full > UINT32_MAX)
        return fail(err, STATUS_LIMIT, "trees: %zu of them are too many", nodes->n_trees);
    struct trees_layout layout;
    TRY(allocate(&extent, &layout, err));
    struct extent at = {0};
    size_t linked = 0;
    for (size_t tree = 0; tree < nodes->n_trees;) {
        struct tree_group group = next_group(nodes, depth, tree);
        group.first = place_group(nodes, &group, tree, &at);
        if (group.linked)
            link_group(nodes, &group, tree, &layout, &linked);
        else
            fill_group(nodes, &group, tree, &layout);
        layout.groups[layout.n_groups++] = group;
        tree += group.n_trees;
    }
    *ret_layout = layout;
    return STATUS_OK;
}

void trees_layout_deinit(struct trees_layout *layout)
{
    free(layout->groups);
    free(layout->nodes);
    free(layout->leaves);
    free(layout->linked);
    free(layout->roots);
    *layout = (struct trees_layout){0};
}
