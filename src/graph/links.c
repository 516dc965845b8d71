/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/links.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define MIN_LINKS 40
#define MAX_DRAWS 200 /* for one pair that is no link */

/* ---- AUC ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double links_auc(double *positive, size_t n_positive, double *negative, size_t n_negative)
{
    qsort(positive, n_positive, sizeof positive[0], ascending);
    qsort(negative, n_negative, sizeof negative[0], ascending);
    double right = 0;
    size_t below = 0;
    size_t up_to = 0;
    for (size_t i = 0; i < n_positive; i++) {
        while (below < n_negative && negative[below] < positive[i])
            below++;
        while (up_to < n_negative && negative[up_to] <= positive[i])
            up_to++;
        right += (double)below + 0.5 * (double)(up_to - below);
    }
    return right / ((double)n_positive * (double)n_negative);
}

/* ---- a split ---- */

struct pair {
    uint32_t from, to;
    bool is_link;
    double score;
};

struct split {
    struct graph *train;
    struct pair *pairs; /* [n_pairs] in order of their source: half links, half not */
    size_t n_pairs, n_unseen;
};

static void split_deinit(struct split *split)
{
    graph_free(split->train);
    free(split->pairs);
}

static int by_source(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static bool is_arc(const struct graph *graph, uint32_t from, uint32_t to)
{
    if (!graph->is_directed)
        return graph_has_edge(graph, from, to);
    size_t low = 0;
    size_t high = graph->n_arcs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->from[middle] < from || (graph->from[middle] == from && graph->to[middle] < to))
            low = middle + 1;
        else
            high = middle;
    }
    return low < graph->n_arcs && graph->from[low] == from && graph->to[low] == to;
}

/* Links are arcs of a directed graph and edges of an undirected one. */
struct links {
    const uint32_t *from, *to;
    const double *weight;
    size_t n;
};

static struct links links_of(const struct graph *graph)
{
    if (graph->is_directed)
        return (struct links){graph->from, graph->to, graph->weight, graph->n_arcs};
    return (struct links){graph->low, graph->high, graph->edge_weight, graph->n_edges};
}

/* The nodes that have a training link on that side, ascending. */
static size_t list_ends(const struct graph *train, bool sources, uint32_t *ret_nodes, bool *seen)
{
    memset(seen, 0, train->n);
    for (size_t i = 0; i < train->n_arcs; i++) {
        seen[sources ? train->from[i] : train->to[i]] = true;
        if (!train->is_directed)
            seen[sources ? train->to[i] : train->from[i]] = true;
    }
    size_t n = 0;
    for (uint32_t i = 0; i < train->n; i++)
        if (seen[i])
            ret_nodes[n++] = i;
    return n;
}

static enum status draw_no_links(const struct graph *graph, struct split *split, size_t n_held,
                                 struct rng *rng, struct error *err)
{
    size_t n = graph->n;
    AUTO(free_slot) uint32_t *sources = calloc(n + 1, sizeof *sources);
    AUTO(free_slot) uint32_t *targets = calloc(n + 1, sizeof *targets);
    AUTO(free_slot) bool *is_source = calloc(n + 1, sizeof *is_source);
    AUTO(free_slot) bool *is_target = calloc(n + 1, sizeof *is_target);
    if (!sources || !targets || !is_source || !is_target)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n_sources = list_ends(split->train, true, sources, is_source);
    size_t n_targets = list_ends(split->train, false, targets, is_target);
    for (size_t i = 0; i < n_held; i++)
        split->n_unseen += !is_source[split->pairs[i].from] || !is_target[split->pairs[i].to];
    while (split->n_pairs < 2 * n_held) {
        int draws = 0;
        uint32_t from;
        uint32_t to;
        do {
            if (draws++ == MAX_DRAWS)
                return fail(err, STATUS_INVALID,
                            "links: nearly all accounts are linked: nothing to tell apart");
            from = sources[rng_below(rng, n_sources)];
            to = targets[rng_below(rng, n_targets)];
        } while (from == to || is_arc(graph, from, to));
        split->pairs[split->n_pairs++] = (struct pair){from, to, false, 0};
    }
    return STATUS_OK;
}

/* whole: what must not be drawn as "no link"; graph: whose links are dealt. */
static enum status split_init(struct split *split, const struct graph *graph,
                              const struct graph *whole, double holdout, uint64_t seed,
                              struct error *err)
{
    struct links links = links_of(graph);
    if (links.n < MIN_LINKS)
        return fail(err, STATUS_INVALID, "links: %zu are too few to hold some out: at least %d",
                    links.n, MIN_LINKS);
    size_t n_held = (size_t)((double)links.n * holdout + 0.5);
    n_held = n_held ? n_held : 1;
    AUTO(free_slot) size_t *order = calloc(links.n, sizeof *order);
    AUTO(free_slot) uint32_t *from = calloc(links.n, sizeof *from);
    AUTO(free_slot) uint32_t *to = calloc(links.n, sizeof *to);
    AUTO(free_slot) double *weight = calloc(links.n, sizeof *weight);
    split->pairs = calloc(2 * n_held, sizeof *split->pairs);
    if (!order || !from || !to || !weight || !split->pairs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(seed);
    rng_permutation(&rng, order, links.n);
    size_t n_train = 0;
    for (size_t i = 0; i < links.n; i++) {
        size_t e = order[i];
        if (i < n_held) {
            split->pairs[split->n_pairs++] = (struct pair){links.from[e], links.to[e], true, 0};
            continue;
        }
        from[n_train] = links.from[e];
        to[n_train] = links.to[e];
        weight[n_train++] = links.weight[e];
    }
    struct graph_edges edges = {graph->n, n_train, from, to, weight};
    TRY(graph_new(&edges, graph->is_directed, &split->train, err));
    TRY(draw_no_links(whole, split, n_held, &rng, err));
    qsort(split->pairs, split->n_pairs, sizeof split->pairs[0], by_source);
    return STATUS_OK;
}

/* ---- scoring it ---- */

static enum status score_split(struct split *split, enum link_method method, uint64_t seed,
                               struct error *err)
{
    AUTO(link_scorer_free_slot) struct link_scorer *scorer = NULL;
    TRY(link_scorer_new(split->train, method, seed, &scorer, err));
    AUTO(free_slot) uint32_t *targets = calloc(split->n_pairs, sizeof *targets);
    AUTO(free_slot) double *scores = calloc(split->n_pairs, sizeof *scores);
    if (!targets || !scores)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t begin = 0, end; begin < split->n_pairs; begin = end) {
        for (end = begin;
             end < split->n_pairs && split->pairs[end].from == split->pairs[begin].from; end++)
            targets[end - begin] = split->pairs[end].to;
        link_scorer_run(scorer, split->pairs[begin].from, targets, end - begin, scores);
        for (size_t i = begin; i < end; i++)
            split->pairs[i].score = scores[i - begin];
    }
    return STATUS_OK;
}

static int best_first(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return by_source(a, b);
}

/* AUC and, of the first half of the pairs, the share of links. */
static enum status judge(const struct split *split, double *ret_auc, double *ret_precision,
                         struct error *err)
{
    size_t n = split->n_pairs / 2;
    AUTO(free_slot) double *scores = calloc(2 * n, sizeof *scores);
    AUTO(free_slot) struct pair *pairs = calloc(2 * n, sizeof *pairs);
    if (!scores || !pairs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n_links = 0;
    size_t n_others = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        if (split->pairs[i].is_link)
            scores[n_links++] = split->pairs[i].score;
        else
            scores[n + n_others++] = split->pairs[i].score;
    }
    *ret_auc = links_auc(scores, n, scores + n, n);
    memcpy(pairs, split->pairs, 2 * n * sizeof pairs[0]);
    qsort(pairs, 2 * n, sizeof pairs[0], best_first);
    size_t n_right = 0;
    for (size_t i = 0; i < n; i++)
        n_right += pairs[i].is_link;
    *ret_precision = (double)n_right / (double)n;
    return STATUS_OK;
}

static enum status judge_methods(struct split *split, uint64_t seed, double *ret_auc,
                                 double *ret_precision, struct error *err)
{
    for (size_t method = 0; method < LINK_N_METHODS; method++) {
        TRY(score_split(split, (enum link_method)method, seed, err));
        TRY(judge(split, &ret_auc[method], &ret_precision[method], err));
    }
    return STATUS_OK;
}

static enum link_method best_of(const double *auc)
{
    size_t best = 0;
    for (size_t method = 1; method < LINK_N_METHODS; method++)
        if (auc[method] > auc[best])
            best = method;
    return (enum link_method)best;
}

enum status links_evaluate(const struct graph *graph, double holdout, uint64_t seed,
                           struct link_figures *ret_figures, struct error *err)
{
    struct link_figures figures = {0};
    double precision[LINK_N_METHODS];
    AUTO(split_deinit) struct split outer = {0};
    AUTO(split_deinit) struct split inner = {0};
    TRY(split_init(&outer, graph, graph, holdout, seed, err));
    /* Inside, the links held out are not known to be links: they may be drawn as "no link". */
    TRY(split_init(&inner, outer.train, outer.train, holdout, seed, err));
    TRY(judge_methods(&inner, seed, figures.inside, precision, err));
    figures.chosen = best_of(figures.inside);
    TRY(judge_methods(&outer, seed, figures.auc, precision, err));
    figures.precision = precision[figures.chosen];
    figures.n_held = outer.n_pairs / 2;
    figures.n_unseen = outer.n_unseen;
    *ret_figures = figures;
    return STATUS_OK;
}

enum status links_choose(const struct graph *graph, double holdout, uint64_t seed,
                         enum link_method *ret_method, struct error *err)
{
    double auc[LINK_N_METHODS];
    double precision[LINK_N_METHODS];
    AUTO(split_deinit) struct split split = {0};
    TRY(split_init(&split, graph, graph, holdout, seed, err));
    TRY(judge_methods(&split, seed, auc, precision, err));
    *ret_method = best_of(auc);
    return STATUS_OK;
}

/* ---- suggestions ---- */

static int better_suggestion(const void *a, const void *b)
{
    const struct link_suggestion *x = a;
    const struct link_suggestion *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* Best first, and no account more than per_account times on either side. */
static enum status thin_out(struct link_suggestion *all, size_t n, size_t n_nodes,
                            size_t per_account, size_t limit, struct link_suggestion *ret,
                            size_t *ret_n, struct error *err)
{
    AUTO(free_slot) uint32_t *times = calloc(2 * n_nodes + 1, sizeof *times);
    if (!times)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    qsort(all, n, sizeof all[0], better_suggestion);
    size_t kept = 0;
    for (size_t i = 0; i < n && kept < limit; i++) {
        uint32_t *as_source = &times[all[i].from];
        uint32_t *as_target = &times[n_nodes + all[i].to];
        if (*as_source >= per_account || *as_target >= per_account)
            continue;
        (*as_source)++;
        (*as_target)++;
        ret[kept++] = all[i];
    }
    *ret_n = kept;
    return STATUS_OK;
}

enum status links_suggest(const struct graph *graph, enum link_method method, uint64_t seed,
                          size_t per_account, size_t limit, struct link_suggestion *ret,
                          size_t *ret_n, struct error *err)
{
    AUTO(link_scorer_free_slot) struct link_scorer *scorer = NULL;
    AUTO(free_slot) double *scores = calloc(graph->n + 1, sizeof *scores);
    AUTO(free_slot) struct link_suggestion *own = calloc(graph->n + 1, sizeof *own);
    AUTO(free_slot) struct link_suggestion *all = calloc(graph->n * per_account + 1, sizeof *all);
    AUTO(free_slot) uint32_t *targets = calloc(graph->n + 1, sizeof *targets);
    if (!scores || !own || !all || !targets)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(link_scorer_new(graph, method, seed, &scorer, err));
    size_t n_all = 0;
    for (uint32_t from = 0; from < graph->n; from++) {
        const uint32_t *candidates = NULL;
        size_t n = link_scorer_candidates(scorer, from, &candidates);
        size_t n_own = 0;
        memcpy(targets, candidates, n * sizeof targets[0]);
        if (n == 0)
            continue;
        link_scorer_run(scorer, from, targets, n, scores);
        for (size_t i = 0; i < n; i++)
            /* Of an undirected graph each pair once. */
            if (scores[i] > 0 && (graph->is_directed || from < targets[i]))
                own[n_own++] = (struct link_suggestion){from, targets[i], scores[i]};
        qsort(own, n_own, sizeof own[0], better_suggestion);
        for (size_t i = 0; i < n_own && i < per_account; i++)
            all[n_all++] = own[i];
    }
    return thin_out(all, n_all, graph->n, per_account, limit, ret, ret_n, err);
}
