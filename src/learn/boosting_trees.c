/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/boosting_trees.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"

/* The columns of one saved tree, as numbers. */
enum column {
    LEFT,
    RIGHT,
    FEATURE,
    VALUE, /* where to split; of a leaf what it adds */
    DEFAULT_LEFT,
    HESSIAN,
    N_COLUMNS
};
static const char *const column_names[N_COLUMNS] = {
    "left_children",    "right_children", "split_indices",
    "split_conditions", "default_left",   "sum_hessian",
};

struct source {
    size_t n;
    double *column[N_COLUMNS]; /* [n] each, one block at column[0] */
};

static void source_deinit(struct source *source)
{
    free(source->column[0]);
}

static enum status bad(struct error *err, const char *what)
{
    return fail(err, STATUS_INTERNAL, "XGBoost: its saved model has %s", what);
}

static double flag_or_number(const struct json *value)
{
    if (json_type(value) == JSON_BOOL)
        return json_bool_or(value, false) ? 1 : 0;
    return json_number_or(value, NAN);
}

static enum status read_source(const struct json *tree, struct source *source, struct error *err)
{
    source->n = json_count(json_get(tree, column_names[0]));
    if (source->n == 0)
        return bad(err, "a tree without nodes");
    double *block = calloc(source->n * N_COLUMNS, sizeof *block);
    if (!block)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t c = 0; c < N_COLUMNS; c++)
        source->column[c] = block + c * source->n;
    for (size_t c = 0; c < N_COLUMNS; c++) {
        const struct json *array = json_get(tree, column_names[c]);
        size_t i = 0;
        for (const struct json *item = json_first(array); item; item = json_next(item), i++) {
            double value = flag_or_number(item);
            if (i >= source->n || !isfinite(value))
                return bad(err, "a tree whose columns do not fit together");
            source->column[c][i] = value;
        }
        if (i != source->n)
            return bad(err, "a tree whose columns do not fit together");
    }
    return STATUS_OK;
}

/* A node to be copied: where it stands and which link of which new node leads to it. */
struct pending {
    size_t from;
    uint32_t parent; /* UINT32_MAX: the root */
    bool is_left;
};

struct target {
    struct tree_node *nodes; /* [n] of one tree */
    uint32_t n;
};

static enum status copy_node(const struct source *source, struct pending at, size_t n_inputs,
                             struct target *target, struct error *err)
{
    struct tree_node node = {
        .feature = -1,
        .value = (float)source->column[VALUE][at.from],
        /* XGBoost may sum a node to 0 where every hessian underflows. */
        .cover = (float)fmax(source->column[HESSIAN][at.from], 1e-12),
    };
    if (source->column[LEFT][at.from] >= 0) {
        double feature = source->column[FEATURE][at.from];
        if (!(feature >= 0 && feature < (double)n_inputs))
            return bad(err, "a split on an unknown column");
        node.feature = (int32_t)feature;
        node.missing_left = source->column[DEFAULT_LEFT][at.from] > 0;
    }
    if (at.parent != UINT32_MAX) {
        if (at.is_left)
            target->nodes[at.parent].left = target->n;
        else
            target->nodes[at.parent].right = target->n;
    }
    target->nodes[target->n++] = node;
    return STATUS_OK;
}

static enum status copy_tree(const struct source *source, size_t n_inputs, struct target *target,
                             struct error *err)
{
    AUTO(free_slot) struct pending *stack = calloc(source->n + 1, sizeof *stack);
    if (!stack)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t depth = 0;
    stack[depth++] = (struct pending){.from = 0, .parent = UINT32_MAX};
    while (depth > 0) {
        struct pending at = stack[--depth];
        if (target->n >= source->n)
            return bad(err, "a tree that goes in circles");
        uint32_t own = target->n;
        TRY(copy_node(source, at, n_inputs, target, err));
        double left = source->column[LEFT][at.from];
        double right = source->column[RIGHT][at.from];
        if (left < 0)
            continue;
        if (!(left < (double)source->n && right >= 0 && right < (double)source->n) ||
            depth + 2 > source->n)
            return bad(err, "a child that is not there");
        stack[depth++] = (struct pending){(size_t)right, own, false};
        stack[depth++] = (struct pending){(size_t)left, own, true};
    }
    return STATUS_OK;
}

static size_t count_nodes(const struct json *trees)
{
    size_t n = 0;
    for (const struct json *tree = json_first(trees); tree; tree = json_next(tree))
        n += json_count(json_get(tree, column_names[0]));
    return n;
}

static enum status read_trees(const struct json *gbtree, struct arena *arena,
                              struct tree_model *model, struct error *err)
{
    const struct json *trees = json_get(gbtree, "trees");
    const struct json *output = json_first(json_get(gbtree, "tree_info"));
    size_t n_trees = json_count(trees);
    struct tree_node *nodes = ARENA_ARRAY(arena, struct tree_node, count_nodes(trees) + 1);
    uint32_t *start = ARENA_ARRAY(arena, uint32_t, n_trees + 1);
    uint32_t *outputs = ARENA_ARRAY(arena, uint32_t, n_trees + 1);
    if (!nodes || !start || !outputs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t t = 0;
    for (const struct json *tree = json_first(trees); tree; tree = json_next(tree), t++) {
        double of = json_number_or(output, -1);
        if (!(of >= 0 && of < (double)model->n_outputs))
            return bad(err, "a tree of no class");
        output = json_next(output);
        outputs[t] = (uint32_t)of;
        AUTO(source_deinit) struct source source = {0};
        TRY(read_source(tree, &source, err));
        struct target target = {nodes + start[t], 0};
        TRY(copy_tree(&source, model->n_inputs, &target, err));
        start[t + 1] = start[t] + target.n;
    }
    model->n_trees = n_trees;
    model->tree_start = start;
    model->tree_output = outputs;
    model->nodes = nodes;
    return STATUS_OK;
}

enum status boosting_trees_read(const char *text, size_t length, struct arena *arena,
                                struct tree_model *model, struct error *err)
{
    struct arena work;
    arena_init(&work, 65536);
    const struct json *root;
    enum status status = json_parse(text, length, &work, &root, err);
    if (status == STATUS_OK) {
        const struct json *booster = json_get(json_get(root, "learner"), "gradient_booster");
        status = read_trees(json_get(booster, "model"), arena, model, err);
    }
    arena_deinit(&work);
    return status;
}
