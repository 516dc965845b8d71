/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/monotone.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* ---- reading ---- */

static enum status parse_one(const char *word, size_t length, struct arena *arena,
                             struct monotone_constraint *ret_constraint, struct error *err)
{
    const char *equals = memchr(word, '=', length);
    size_t name_length = equals ? (size_t)(equals - word) : 0;
    const char *sign = equals ? equals + 1 : word;
    size_t sign_length = length - (size_t)(sign - word);
    bool rises = (sign_length == 2 && memcmp(sign, "+1", 2) == 0) ||
                 (sign_length == 1 && (sign[0] == '+' || sign[0] == '1'));
    bool falls =
        (sign_length == 2 && memcmp(sign, "-1", 2) == 0) || (sign_length == 1 && sign[0] == '-');
    if (name_length == 0 || (!rises && !falls))
        return fail(err, STATUS_INVALID,
                    "--monotone: '%.*s' is not of the form ln_followers=+1 or ln_followers=-1",
                    (int)length, word);
    const char *name = arena_strndup(arena, word, name_length);
    if (!name)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_constraint = (struct monotone_constraint){name, rises ? 1 : -1};
    return STATUS_OK;
}

enum status monotone_parse(const char *text, struct arena *arena, struct monotone *ret_monotone,
                           struct error *err)
{
    struct monotone_constraint *items =
        ARENA_ARRAY(arena, struct monotone_constraint, strlen(text) / 2 + 1);
    if (!items)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    for (;;) {
        text += strspn(text, ", ");
        size_t length = strcspn(text, ", ");
        if (length == 0)
            break;
        TRY(parse_one(text, length, arena, &items[n], err));
        for (size_t i = 0; i < n; i++)
            if (strcmp(items[i].name, items[n].name) == 0)
                return fail(err, STATUS_INVALID, "--monotone: '%s' stands there twice",
                            items[n].name);
        n++;
        text += length;
    }
    if (n == 0)
        return fail(err, STATUS_INVALID, "--monotone: names no feature");
    *ret_monotone = (struct monotone){items, n};
    return STATUS_OK;
}

/* ---- columns ---- */

bool monotone_names(const struct monotone_constraint *constraint, const struct feature_spec *spec,
                    size_t column)
{
    const struct feature_column *own = &spec->columns[column];
    if (feature_is_level(own))
        return false;
    return strcmp(own->name, constraint->name) == 0 ||
           (own->extra != SIZE_MAX && strcmp(spec->extras[own->extra].name, constraint->name) == 0);
}

static bool is_there(const struct feature_spec *spec, const struct monotone_constraint *constraint)
{
    for (size_t c = 0; c < spec->n_columns; c++)
        if (monotone_names(constraint, spec, c))
            return true;
    return false;
}

enum status monotone_check(const struct monotone *monotone, const struct feature_spec *spec,
                           struct error *err)
{
    for (size_t i = 0; i < monotone->n; i++) {
        if (is_there(spec, &monotone->items[i]))
            continue;
        char known[400] = "";
        size_t used = 0;
        for (size_t c = 0; c < spec->n_columns && used < sizeof known - 80; c++)
            if (!feature_is_level(&spec->columns[c]))
                used += (size_t)snprintf(known + used, sizeof known - used, " %.60s",
                                         spec->columns[c].name);
        return fail(err, STATUS_NOT_FOUND,
                    "--monotone: no number called '%s' is seen; there are:%s",
                    monotone->items[i].name, known);
    }
    return STATUS_OK;
}

enum status monotone_for(const char *text, enum task task, const struct feature_spec *spec,
                         struct arena *arena, struct monotone *ret_monotone, struct error *err)
{
    if (task != TASK_REGRESSION)
        return fail(err, STATUS_INVALID, "--monotone: the target must be a number");
    TRY(monotone_parse(text, arena, ret_monotone, err));
    return monotone_check(ret_monotone, spec, err);
}

void monotone_signs(const struct monotone *monotone, const struct feature_spec *spec,
                    signed char *ret_sign)
{
    for (size_t c = 0; c < spec->n_columns; c++) {
        ret_sign[c] = 0;
        for (size_t i = 0; i < monotone->n; i++)
            if (monotone_names(&monotone->items[i], spec, c))
                ret_sign[c] = (signed char)monotone->items[i].sign;
    }
}

/* ---- models ---- */

static bool linear_keeps(const struct linear_model *model, size_t column, int sign)
{
    for (size_t o = 0; o < model->n_outputs; o++)
        if (model->weights[o * (model->n_inputs + 1) + column] * sign < 0)
            return false;
    return true;
}

/* The least and the greatest leaf below a node. Nodes stand behind their parents. */
static void find_range(const struct tree_node *nodes, uint32_t node, float *low, float *high)
{
    if (nodes[node].feature < 0) {
        *low = fminf(*low, nodes[node].value);
        *high = fmaxf(*high, nodes[node].value);
        return;
    }
    find_range(nodes, nodes[node].left, low, high);
    find_range(nodes, nodes[node].right, low, high);
}

static bool split_keeps(const struct tree_node *nodes, uint32_t node, int sign)
{
    float low[2] = {INFINITY, INFINITY};
    float high[2] = {-INFINITY, -INFINITY};
    find_range(nodes, nodes[node].left, &low[0], &high[0]);
    find_range(nodes, nodes[node].right, &low[1], &high[1]);
    return sign > 0 ? high[0] <= low[1] : low[0] >= high[1];
}

static bool trees_keep(const struct tree_model *model, size_t column, int sign)
{
    for (size_t t = 0; t < model->n_trees; t++) {
        const struct tree_node *nodes = model->nodes + model->tree_start[t];
        uint32_t n = model->tree_start[t + 1] - model->tree_start[t];
        for (uint32_t i = 0; i < n; i++)
            if (nodes[i].feature == (int32_t)column && !split_keeps(nodes, i, sign))
                return false;
    }
    return true;
}

static bool keeps(const struct fitted *fitted, size_t column, int sign)
{
    if (strcmp(fitted->family, "linear") == 0)
        return linear_keeps(&fitted->linear, column, sign);
    if (strcmp(fitted->family, "trees") == 0)
        return trees_keep(&fitted->trees, column, sign);
    if (strcmp(fitted->family, "blend") != 0)
        return false;
    for (size_t m = 0; m < fitted->blend.n_members; m++)
        if (fitted->blend.weights[m] < 0 || !fitted->members[m] ||
            !keeps(fitted->members[m], column, sign))
            return false;
    return true;
}

size_t monotone_broken(const struct fitted *fitted, const signed char *sign, size_t n_columns)
{
    for (size_t c = 0; c < n_columns; c++)
        if (sign[c] != 0 && !keeps(fitted, c, sign[c]))
            return c;
    return SIZE_MAX;
}
