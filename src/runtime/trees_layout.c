/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Counts, of which the first pass takes the sizes and the second the positions. */
struct extent {
    size_t groups, full, linked, roots;
};

/* The trees from `tree` on that share a group, and their depth. */
static struct tree_group next_group(const struct tree_nodes *nodes, const uint32_t *depth,
                                    size_t tree)
{
    struct tree_group group = {0};
    bool is_deep = depth[tree] > TREES_FULL_DEPTH;
    while (tree < nodes->n_trees && group.n_trees < TREES_LANES &&
           is_deep == (depth[tree] > TREES_FULL_DEPTH)) {
        if (depth[tree] > group.depth)
            group.depth = depth[tree];
        group.n_trees++;
        tree++;
    }
    return group;
}

static bool is_linked(const struct tree_group *group)
{
    return group->depth > TREES_FULL_DEPTH;
}

/* Move `at` behind the group. */
static void pass_group(const struct tree_nodes *nodes, const struct tree_group *group, size_t tree,
                       struct extent *at)
{
    at->groups++;
    if (is_linked(group)) {
        at->roots += group->n_trees;
        at->linked += nodes->start[tree + group->n_trees] - nodes->start[tree];
    } else {
        /* All lanes are there, also where the last trees leave some empty. */
        at->full += (size_t)TREES_LANES << group->depth;
    }
}

static uint32_t fast_feature(const struct tree_nodes *nodes, size_t node)
{
    uint32_t feature = (uint32_t)nodes->feature[node];
    return nodes->missing_left[node] ? feature + (uint32_t)nodes->n_inputs : feature;
}

struct filling {
    const struct tree_nodes *nodes;
    uint32_t start;           /* of the tree, in nodes */
    struct fast_node *splits; /* of the lane, TREES_LANES apart */
    float *leaves;            /* likewise */
    uint32_t depth;
};

/* A leaf above the full depth becomes a split with the same leaf on both sides. */
static void fill(const struct filling *to, uint32_t node, uint32_t at, uint32_t levels)
{
    const struct tree_nodes *nodes = to->nodes;
    size_t i = (size_t)to->start + node;
    int is_leaf = nodes->feature[i] < 0;
    if (levels == 0) {
        to->leaves[(at - (1U << to->depth)) * TREES_LANES] = nodes->value[i];
        return;
    }
    if (!is_leaf)
        to->splits[at * TREES_LANES] = (struct fast_node){nodes->value[i], fast_feature(nodes, i)};
    fill(to, is_leaf ? node : nodes->left[i], 2 * at, levels - 1);
    fill(to, is_leaf ? node : nodes->right[i], 2 * at + 1, levels - 1);
}

static void fill_group(const struct tree_nodes *nodes, const struct tree_group *group, size_t tree)
{
    for (uint32_t lane = 0; lane < group->n_trees; lane++) {
        const struct filling to = {
            .nodes = nodes,
            .start = nodes->start[tree + lane],
            .splits = group->nodes + lane,
            .leaves = group->leaves + lane,
            .depth = group->depth,
        };
        fill(&to, 0, 1, group->depth);
    }
}

/* at: of the group's first node in `linked`. */
static void link_group(const struct tree_nodes *nodes, const struct tree_group *group, size_t tree,
                       struct linked_node *linked, size_t at)
{
    for (uint32_t lane = 0; lane < group->n_trees; lane++) {
        uint32_t root = (uint32_t)at;
        group->roots[lane] = root;
        for (size_t i = nodes->start[tree + lane]; i < nodes->start[tree + lane + 1]; i++) {
            struct linked_node *node = &linked[at++];
            node->value = nodes->value[i];
            if (nodes->feature[i] < 0)
                continue;
            node->feature = fast_feature(nodes, i);
            node->left = root + nodes->left[i];
            node->right = root + nodes->right[i];
        }
    }
}

static void *zeroed_lines(size_t bytes)
{
    size_t whole = (bytes / 64 + 1) * 64;
    void *lines = aligned_alloc(64, whole);
    return lines ? memset(lines, 0, whole) : NULL;
}

static enum status allocate(const struct extent *extent, struct trees_layout *ret_layout,
                            struct error *err)
{
    *ret_layout = (struct trees_layout){
        .groups = calloc(extent->groups + 1, sizeof(struct tree_group)),
        .nodes = zeroed_lines(extent->full * sizeof(struct fast_node)),
        .leaves = zeroed_lines(extent->full * sizeof(float)),
        .linked = calloc(extent->linked + 1, sizeof(struct linked_node)),
        .roots = calloc(extent->roots + 1, sizeof(uint32_t)),
    };
    if (ret_layout->groups && ret_layout->nodes && ret_layout->leaves && ret_layout->linked &&
        ret_layout->roots)
        return STATUS_OK;
    trees_layout_deinit(ret_layout);
    return fail(err, STATUS_NO_MEMORY, "trees: out of memory");
}

enum status trees_layout_build(const struct tree_nodes *nodes, const uint32_t *depth,
                               struct trees_layout *ret_layout, struct error *err)
{
    struct extent extent = {0};
    for (size_t tree = 0; tree < nodes->n_trees;) {
        struct tree_group group = next_group(nodes, depth, tree);
        pass_group(nodes, &group, tree, &extent);
        tree += group.n_trees;
    }
    struct trees_layout layout;
    TRY(allocate(&extent, &layout, err));
    struct extent at = {0};
    for (size_t tree = 0; tree < nodes->n_trees;) {
        struct tree_group group = next_group(nodes, depth, tree);
        if (is_linked(&group)) {
            group.roots = layout.roots + at.roots;
            link_group(nodes, &group, tree, layout.linked, at.linked);
        } else {
            group.nodes = layout.nodes + at.full;
            group.leaves = layout.leaves + at.full;
            fill_group(nodes, &group, tree);
        }
        layout.groups[layout.n_groups++] = group;
        pass_group(nodes, &group, tree, &at);
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
