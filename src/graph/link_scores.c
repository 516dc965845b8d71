/* SPDX-License-Identifier: Apache-2.0 */

/* The scores of links.h. All but popularity and the spectral one are sums over short paths,
 * gathered for one source at a time in a dense array of which only the touched places are cleared.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/link_layout.h"

#define RESTART 0.15
#define WALK_STEPS 6
#define WALK_LEAST 1e-4 /* smaller shares are not followed */

const char *const link_method_names[LINK_N_METHODS] = {
    [LINK_POPULARITY] = "popularity",   [LINK_COMMON] = "common_neighbours",
    [LINK_RECIPROCAL] = "reciprocal",   [LINK_ITEM_COSINE] = "item_cosine",
    [LINK_USER_COSINE] = "user_cosine", [LINK_RESOURCE] = "resource",
    [LINK_HYBRID] = "hybrid",           [LINK_WALK] = "walk",
    [LINK_SPECTRAL] = "spectral",
};

const char *const link_method_help[LINK_N_METHODS] = {
    [LINK_POPULARITY] = "how many link to the target: the baseline",
    [LINK_COMMON] = "common neighbours, rare ones count more (Adamic-Adar)",
    [LINK_RECIPROCAL] = "the target links back, then user_cosine",
    [LINK_ITEM_COSINE] = "the target is linked by the same sources as its targets",
    [LINK_USER_COSINE] = "sources with the same targets link to it",
    [LINK_RESOURCE] = "resource passed along source, target, source, target",
    [LINK_HYBRID] = "the same, with popular targets damped",
    [LINK_WALK] = "random walk with restart from the source",
    [LINK_SPECTRAL] = "rank-16 approximation of the adjacency matrix",
};

/* ---- both directions as lists ---- */

static enum status lists_init(struct lists *lists, const struct graph *graph, bool reverse,
                              struct error *err)
{
    size_t m = graph->is_directed ? graph->n_arcs : 2 * graph->n_edges;
    lists->start = calloc(graph->n + 2, sizeof *lists->start);
    lists->node = calloc(m + 1, sizeof *lists->node);
    AUTO(free_slot) size_t *at = calloc(graph->n + 1, sizeof *at);
    if (!lists->start || !lists->node || !at)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (!graph->is_directed) {
        memcpy(lists->start, graph->start, (graph->n + 1) * sizeof graph->start[0]);
        memcpy(lists->node, graph->neighbour, m * sizeof graph->neighbour[0]);
        return STATUS_OK;
    }
    const uint32_t *from = reverse ? graph->to : graph->from;
    const uint32_t *to = reverse ? graph->from : graph->to;
    for (size_t i = 0; i < m; i++)
        lists->start[from[i] + 1]++;
    for (size_t i = 0; i < graph->n; i++) {
        lists->start[i + 1] += lists->start[i];
        at[i] = lists->start[i];
    }
    for (size_t i = 0; i < m; i++)
        lists->node[at[from[i]]++] = to[i];
    return STATUS_OK;
}

static void lists_deinit(struct lists *lists)
{
    free(lists->start);
    free(lists->node);
}

static double count_of(const struct lists *lists, uint32_t node)
{
    return (double)(lists->start[node + 1] - lists->start[node]);
}

/* ---- sums ---- */

static enum status sums_init(struct sums *sums, size_t n, struct error *err)
{
    sums->value = calloc(n + 1, sizeof *sums->value);
    sums->touched = calloc(n + 1, sizeof *sums->touched);
    sums->is_touched = calloc(n + 1, sizeof *sums->is_touched);
    if (!sums->value || !sums->touched || !sums->is_touched)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

static void sums_deinit(struct sums *sums)
{
    free(sums->value);
    free(sums->touched);
    free(sums->is_touched);
}

static void sums_clear(struct sums *sums)
{
    for (size_t i = 0; i < sums->n; i++) {
        sums->value[sums->touched[i]] = 0;
        sums->is_touched[sums->touched[i]] = false;
    }
    sums->n = 0;
}

static void sums_add(struct sums *sums, uint32_t node, double value)
{
    if (!sums->is_touched[node]) {
        sums->is_touched[node] = true;
        sums->touched[sums->n++] = node;
    }
    sums->value[node] += value;
}

/* ---- paths ---- */

/* What a step into or out of a node is worth: 1 / degree ^ power. */
struct damping {
    double middle_in; /* of the shared target */
    double source;    /* of the other source */
    double target;    /* of the candidate */
};

/* Sources that share targets with `source`, by shared targets; then their targets. */
static void gather_paths(struct link_scorer *scorer, uint32_t source, struct damping damping)
{
    const struct lists *out = &scorer->out;
    const struct lists *in = &scorer->in;
    sums_clear(&scorer->alike);
    sums_clear(&scorer->score);
    for (size_t i = out->start[source]; i < out->start[source + 1]; i++) {
        uint32_t shared = out->node[i];
        double worth = pow(count_of(in, shared), -damping.middle_in);
        for (size_t j = in->start[shared]; j < in->start[shared + 1]; j++)
            if (in->node[j] != source)
                sums_add(&scorer->alike, in->node[j], worth);
    }
    for (size_t i = 0; i < scorer->alike.n; i++) {
        uint32_t other = scorer->alike.touched[i];
        double worth = scorer->alike.value[other] * pow(count_of(out, other), -damping.source);
        for (size_t j = out->start[other]; j < out->start[other + 1]; j++)
            sums_add(&scorer->score, out->node[j], worth);
    }
    if (damping.target == 0)
        return;
    for (size_t i = 0; i < scorer->score.n; i++) {
        uint32_t target = scorer->score.touched[i];
        scorer->score.value[target] *= pow(count_of(in, target), -damping.target);
    }
}

static void gather_common(struct link_scorer *scorer, uint32_t source)
{
    const struct graph *graph = scorer->graph;
    sums_clear(&scorer->score);
    for (size_t i = graph->start[source]; i < graph->start[source + 1]; i++) {
        uint32_t common = graph->neighbour[i];
        double worth = 1.0 / log(1.0 + (double)graph_degree(graph, common));
        for (size_t j = graph->start[common]; j < graph->start[common + 1]; j++)
            sums_add(&scorer->score, graph->neighbour[j], worth);
    }
}

static void walk_step(struct link_scorer *scorer)
{
    const struct graph *graph = scorer->graph;
    struct sums next = scorer->next;
    for (size_t i = 0; i < scorer->alike.n; i++) {
        uint32_t node = scorer->alike.touched[i];
        if (scorer->alike.value[node] < WALK_LEAST)
            continue;
        double share = (1.0 - RESTART) * scorer->alike.value[node] /
                       fmax(1.0, (double)graph_degree(graph, node));
        for (size_t j = graph->start[node]; j < graph->start[node + 1]; j++)
            sums_add(&next, graph->neighbour[j], share);
    }
    scorer->next = scorer->alike;
    scorer->alike = next;
    sums_clear(&scorer->next);
}

/* The share of time that walks which stop with probability RESTART at each step spend at a node. */
static void gather_walk(struct link_scorer *scorer, uint32_t source)
{
    sums_clear(&scorer->score);
    sums_clear(&scorer->alike);
    sums_add(&scorer->alike, source, 1.0);
    for (int step = 0; step < WALK_STEPS; step++) {
        walk_step(scorer);
        for (size_t i = 0; i < scorer->alike.n; i++)
            sums_add(&scorer->score, scorer->alike.touched[i],
                     scorer->alike.value[scorer->alike.touched[i]]);
    }
}

static void gather(struct link_scorer *scorer, uint32_t source)
{
    switch (scorer->method) {
    case LINK_COMMON:
        gather_common(scorer, source);
        return;
    case LINK_ITEM_COSINE:
        gather_paths(scorer, source, (struct damping){0.5, 0, 0.5});
        return;
    case LINK_RECIPROCAL:
    case LINK_USER_COSINE: {
        gather_paths(scorer, source, (struct damping){0, 0.5, 0});
        double own = fmax(1.0, sqrt(count_of(&scorer->out, source)));
        for (size_t i = 0; i < scorer->score.n; i++)
            scorer->score.value[scorer->score.touched[i]] /= own;
        return;
    }
    case LINK_RESOURCE:
        gather_paths(scorer, source, (struct damping){1, 1, 0});
        return;
    case LINK_HYBRID:
        gather_paths(scorer, source, (struct damping){1, 1, 0.5});
        return;
    case LINK_WALK:
        gather_walk(scorer, source);
        return;
    case LINK_POPULARITY:
    case LINK_SPECTRAL:
    case LINK_N_METHODS:
        return;
    }
}

static bool links_to(const struct lists *out, uint32_t from, uint32_t to)
{
    size_t low = out->start[from];
    size_t high = out->start[from + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (out->node[middle] < to)
            low = middle + 1;
        else
            high = middle;
    }
    return low < out->start[from + 1] && out->node[low] == to;
}

static double spectral_value(const struct link_scorer *scorer, uint32_t source, uint32_t target)
{
    double sum = 0;
    for (size_t r = 0; r < LINK_RANK; r++)
        sum += scorer->left[source * LINK_RANK + r] * scorer->right[target * LINK_RANK + r];
    return sum;
}

void link_scorer_run(struct link_scorer *scorer, uint32_t source, const uint32_t *targets, size_t n,
                     double *ret_score)
{
    gather(scorer, source);
    for (size_t i = 0; i < n; i++) {
        double value = 0;
        if (scorer->method == LINK_POPULARITY)
            value = count_of(&scorer->in, targets[i]);
        else if (scorer->method == LINK_SPECTRAL)
            value = spectral_value(scorer, source, targets[i]);
        else
            value = scorer->score.value[targets[i]];
        if (scorer->method == LINK_RECIPROCAL)
            value = value / (1.0 + value) + links_to(&scorer->out, targets[i], source);
        ret_score[i] = value;
    }
}

size_t link_scorer_candidates(struct link_scorer *scorer, uint32_t source,
                              const uint32_t **ret_targets)
{
    const struct graph *graph = scorer->graph;
    *ret_targets = scorer->candidates;
    if (count_of(&scorer->out, source) == 0)
        return 0;
    gather_paths(scorer, source, (struct damping){0, 0, 0});
    for (size_t i = graph->start[source]; i < graph->start[source + 1]; i++) {
        uint32_t common = graph->neighbour[i];
        for (size_t j = graph->start[common]; j < graph->start[common + 1]; j++)
            sums_add(&scorer->score, graph->neighbour[j], 0);
    }
    size_t n = 0;
    for (size_t i = 0; i < scorer->score.n; i++) {
        uint32_t target = scorer->score.touched[i];
        if (target != source && count_of(&scorer->in, target) > 0 &&
            !links_to(&scorer->out, source, target))
            scorer->candidates[n++] = target;
    }
    return n;
}

enum status link_scorer_new(const struct graph *graph, enum link_method method, uint64_t seed,
                            struct link_scorer **ret_scorer, struct error *err)
{
    AUTO(link_scorer_free_slot) struct link_scorer *scorer = calloc(1, sizeof *scorer);
    if (!scorer)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    scorer->graph = graph;
    scorer->method = method;
    TRY(lists_init(&scorer->out, graph, false, err));
    TRY(lists_init(&scorer->in, graph, true, err));
    TRY(sums_init(&scorer->alike, graph->n, err));
    TRY(sums_init(&scorer->score, graph->n, err));
    TRY(sums_init(&scorer->next, graph->n, err));
    scorer->candidates = calloc(graph->n + 1, sizeof *scorer->candidates);
    if (!scorer->candidates)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (method == LINK_SPECTRAL)
        TRY(link_factorise(scorer, seed, err));
    *ret_scorer = STEAL(scorer);
    return STATUS_OK;
}

void link_scorer_free(struct link_scorer *scorer)
{
    if (!scorer)
        return;
    lists_deinit(&scorer->out);
    lists_deinit(&scorer->in);
    sums_deinit(&scorer->alike);
    sums_deinit(&scorer->score);
    sums_deinit(&scorer->next);
    free(scorer->candidates);
    free(scorer->left);
    free(scorer->right);
    free(scorer);
}
