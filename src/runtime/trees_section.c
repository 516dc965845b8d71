/* SPDX-License-Identifier: Apache-2.0 */

/* Trees in a blob: the rules they keep, and their sections.
 *
 * All "<prefix>.tree.<name>": base f64 [n_outputs], start u32 [n_trees + 1], output u32 [n_trees],
 * and by node: feature i32, value f32, left u32, right u32, missing u8, cover f32. */
#include "runtime/trees.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A child's cover may exceed its parent's by this: both are sums of floats. */
#define COVER_SLACK 1.01

/* ---- the rules that writing and reading share ---- */

static const char *check_split(const struct tree_nodes *nodes, size_t tree, size_t i)
{
    uint32_t self = (uint32_t)(i - nodes->start[tree]);
    uint32_t n = nodes->start[tree + 1] - nodes->start[tree];
    uint32_t left = nodes->left[i];
    uint32_t right = nodes->right[i];
    if ((size_t)nodes->feature[i] >= nodes->n_inputs)
        return "feature index out of range";
    /* Children behind their parent: there can be no cycle. */
    if (left <= self || left >= n || right <= self || right >= n || left == right)
        return "child index out of range";
    double most = COVER_SLACK * (double)nodes->cover[i];
    if ((double)nodes->cover[i - self + left] > most ||
        (double)nodes->cover[i - self + right] > most)
        return "a child's cover exceeds its parent's";
    return NULL;
}

static const char *check_node(const struct tree_nodes *nodes, size_t tree, size_t i)
{
    if (!isfinite(nodes->value[i]))
        return "value is not finite";
    if (!isfinite(nodes->cover[i]) || !(nodes->cover[i] > 0))
        return "cover is not above 0";
    if (nodes->missing_left[i] > 1)
        return "missing is neither 0 nor 1";
    if (nodes->feature[i] >= 0)
        return check_split(nodes, tree, i);
    if (nodes->feature[i] != -1)
        return "feature index out of range";
    if (nodes->left[i] != 0 || nodes->right[i] != 0)
        return "a leaf has children";
    return NULL;
}

/* level: [nodes of the tree] zeroed, 1 + depth once reached. */
static const char *check_tree(const struct tree_nodes *nodes, size_t tree, uint32_t *level,
                              size_t *ret_node, uint32_t *ret_depth)
{
    size_t start = nodes->start[tree];
    size_t n = nodes->start[tree + 1] - start;
    uint32_t depth = 1;
    level[0] = 1;
    for (size_t i = 0; i < n; i++) {
        *ret_node = start + i;
        const char *wrong = check_node(nodes, tree, start + i);
        if (wrong)
            return wrong;
        if (level[i] == 0)
            return "no node leads to it";
        if (level[i] > depth)
            depth = level[i];
        if (nodes->feature[start + i] < 0)
            continue;
        uint32_t *left = &level[nodes->left[start + i]];
        uint32_t *right = &level[nodes->right[start + i]];
        if (*left != 0 || *right != 0)
            return "two nodes lead to its child";
        *left = *right = level[i] + 1;
    }
    if (depth - 1 > TREES_MAX_DEPTH)
        return "the tree is too deep";
    *ret_depth = depth - 1;
    return NULL;
}

/* ret_depth: [n_trees]. name: of the file, for messages. */
enum status trees_check(const struct tree_nodes *nodes, const char *name, const char *prefix,
                        uint32_t *ret_depth, struct error *err)
{
    if (nodes->n_inputs == 0 || nodes->n_outputs == 0 || nodes->n_trees == 0)
        return fail(err, STATUS_CORRUPT,
                    "%s: section '%s.tree.start': %zu trees, %zu inputs, %zu outputs", name, prefix,
                    nodes->n_trees, nodes->n_inputs, nodes->n_outputs);
    for (size_t tree = 0; tree < nodes->n_trees; tree++) {
        if (nodes->output[tree] >= nodes->n_outputs)
            return fail(err, STATUS_CORRUPT,
                        "%s: section '%s.tree.output': tree %zu: output %u of %zu", name, prefix,
                        tree, nodes->output[tree], nodes->n_outputs);
        if (nodes->start[tree] >= nodes->start[tree + 1] || nodes->start[tree + 1] > nodes->n_nodes)
            return fail(err, STATUS_CORRUPT,
                        "%s: section '%s.tree.start': tree %zu has no nodes or ones outside", name,
                        prefix, tree);
    }
    if (nodes->start[0] != 0 || nodes->start[nodes->n_trees] != nodes->n_nodes)
        return fail(err, STATUS_CORRUPT,
                    "%s: section '%s.tree.start': the trees do not cover all %zu nodes", name,
                    prefix, nodes->n_nodes);
    AUTO(free_slot) uint32_t *level = calloc(nodes->n_nodes, sizeof *level);
    if (!level)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    for (size_t tree = 0; tree < nodes->n_trees; tree++) {
        size_t node = 0;
        const char *wrong =
            check_tree(nodes, tree, level + nodes->start[tree], &node, &ret_depth[tree]);
        if (wrong)
            return fail(err, STATUS_CORRUPT, "%s: sections '%s.tree': tree %zu, node %zu: %s", name,
                        prefix, tree, node - nodes->start[tree], wrong);
    }
    return STATUS_OK;
}

/* ---- writing ---- */

struct node_columns {
    int32_t *feature;
    float *value, *cover;
    uint32_t *left, *right;
    uint8_t *missing_left;
};

static void deinit_columns(struct node_columns *columns)
{
    free(columns->feature);
    free(columns->value);
    free(columns->cover);
    free(columns->left);
    free(columns->right);
    free(columns->missing_left);
}

static enum status split_columns(const struct tree_node *nodes, size_t n,
                                 struct node_columns *ret_columns, struct error *err)
{
    *ret_columns = (struct node_columns){
        .feature = calloc(n + 1, sizeof(int32_t)),
        .value = calloc(n + 1, sizeof(float)),
        .cover = calloc(n + 1, sizeof(float)),
        .left = calloc(n + 1, sizeof(uint32_t)),
        .right = calloc(n + 1, sizeof(uint32_t)),
        .missing_left = calloc(n + 1, sizeof(uint8_t)),
    };
    struct node_columns *to = ret_columns;
    if (!to->feature || !to->value || !to->cover || !to->left || !to->right || !to->missing_left)
        return fail(err, STATUS_NO_MEMORY, "trees: out of memory");
    for (size_t i = 0; i < n; i++) {
        bool is_leaf = nodes[i].feature < 0;
        to->feature[i] = is_leaf ? -1 : nodes[i].feature;
        to->value[i] = nodes[i].value;
        to->cover[i] = nodes[i].cover;
        to->left[i] = is_leaf ? 0 : nodes[i].left;
        to->right[i] = is_leaf ? 0 : nodes[i].right;
        to->missing_left[i] = is_leaf ? 0 : nodes[i].missing_left;
    }
    return STATUS_OK;
}

static enum status add_columns(struct artifact_writer *writer, const char *prefix,
                               const struct tree_nodes *nodes, struct error *err)
{
    const struct {
        const char *name;
        enum artifact_type type;
        size_t rows;
        const void *data;
    } sections[] = {
        {"tree.base", ARTIFACT_F64, nodes->n_outputs, nodes->base},
        {"tree.start", ARTIFACT_U32, nodes->n_trees + 1, nodes->start},
        {"tree.output", ARTIFACT_U32, nodes->n_trees, nodes->output},
        {"tree.feature", ARTIFACT_I32, nodes->n_nodes, nodes->feature},
        {"tree.value", ARTIFACT_F32, nodes->n_nodes, nodes->value},
        {"tree.left", ARTIFACT_U32, nodes->n_nodes, nodes->left},
        {"tree.right", ARTIFACT_U32, nodes->n_nodes, nodes->right},
        {"tree.missing", ARTIFACT_U8, nodes->n_nodes, nodes->missing_left},
        {"tree.cover", ARTIFACT_F32, nodes->n_nodes, nodes->cover},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(sections); i++)
        TRY(artifact_add(writer, artifact_join(prefix, sections[i].name).text, sections[i].type,
                         sections[i].rows, 1, sections[i].data, err));
    return STATUS_OK;
}

enum status trees_write(struct artifact_writer *writer, const char *prefix,
                        const struct tree_model *model, struct error *err)
{
    AUTO(deinit_columns) struct node_columns columns = {0};
    size_t n_nodes = model->tree_start[model->n_trees];
    TRY(split_columns(model->nodes, n_nodes, &columns, err));
    const struct tree_nodes nodes = {
        .n_inputs = model->n_inputs,
        .n_outputs = model->n_outputs,
        .n_trees = model->n_trees,
        .n_nodes = n_nodes,
        .base = model->base,
        .start = model->tree_start,
        .output = model->tree_output,
        .feature = columns.feature,
        .value = columns.value,
        .left = columns.left,
        .right = columns.right,
        .missing_left = columns.missing_left,
        .cover = columns.cover,
    };
    AUTO(free_slot) uint32_t *depth = calloc(model->n_trees + 1, sizeof *depth);
    if (!depth)
        return fail(err, STATUS_NO_MEMORY, "trees: out of memory");
    TRY(trees_check(&nodes, "trees to be written", prefix, depth, err));
    return add_columns(writer, prefix, &nodes, err);
}

/* ---- reading ---- */

enum status trees_read(const struct artifact *artifact, const char *prefix,
                       struct tree_nodes *nodes, struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, artifact_join(prefix, "tree.base").text, ARTIFACT_F64, ARTIFACT_ANY,
                      1, &section, err));
    nodes->base = section.data;
    nodes->n_outputs = section.rows;
    TRY(artifact_need(artifact, artifact_join(prefix, "tree.output").text, ARTIFACT_U32,
                      ARTIFACT_ANY, 1, &section, err));
    nodes->output = section.data;
    nodes->n_trees = section.rows;
    TRY(artifact_need(artifact, artifact_join(prefix, "tree.start").text, ARTIFACT_U32,
                      nodes->n_trees + 1, 1, &section, err));
    nodes->start = section.data;
    TRY(artifact_need(artifact, artifact_join(prefix, "tree.feature").text, ARTIFACT_I32,
                      ARTIFACT_ANY, 1, &section, err));
    nodes->feature = section.data;
    nodes->n_nodes = section.rows;
    enum {
        VALUE,
        LEFT,
        RIGHT,
        MISSING_LEFT,
        COVER,
        N_COLUMNS
    };
    static const struct {
        const char *name;
        enum artifact_type type;
    } columns[N_COLUMNS] = {
        [VALUE] = {"tree.value", ARTIFACT_F32}, [LEFT] = {"tree.left", ARTIFACT_U32},
        [RIGHT] = {"tree.right", ARTIFACT_U32}, [MISSING_LEFT] = {"tree.missing", ARTIFACT_U8},
        [COVER] = {"tree.cover", ARTIFACT_F32},
    };
    struct artifact_section found[N_COLUMNS];
    for (size_t i = 0; i < N_COLUMNS; i++)
        TRY(artifact_need(artifact, artifact_join(prefix, columns[i].name).text, columns[i].type,
                          nodes->n_nodes, 1, &found[i], err));
    nodes->value = found[VALUE].data;
    nodes->left = found[LEFT].data;
    nodes->right = found[RIGHT].data;
    nodes->missing_left = found[MISSING_LEFT].data;
    nodes->cover = found[COVER].data;
    return STATUS_OK;
}
