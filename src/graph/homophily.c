/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "graph/measures.h"

#define PERMUTATIONS 200

/* Share of edges within a class, and what the classes' shares of edge ends make of it. */
struct mixing {
    double within, expected;
    size_t n_edges;
};

/* ends: [n_labels] scratch. */
static struct mixing mix(const struct graph *graph, const uint32_t *label, size_t n_labels,
                         double *ends)
{
    struct mixing mixing = {0};
    memset(ends, 0, n_labels * sizeof ends[0]);
    for (size_t e = 0; e < graph->n_edges; e++) {
        uint32_t a = label[graph->low[e]];
        uint32_t b = label[graph->high[e]];
        if (a == GRAPH_NO_LABEL || b == GRAPH_NO_LABEL)
            continue;
        mixing.n_edges++;
        mixing.within += a == b;
        ends[a]++;
        ends[b]++;
    }
    if (mixing.n_edges == 0)
        return mixing;
    mixing.within /= (double)mixing.n_edges;
    for (size_t c = 0; c < n_labels; c++)
        mixing.expected += pow(ends[c] / (2.0 * (double)mixing.n_edges), 2);
    return mixing;
}

static double assortativity(struct mixing mixing)
{
    return (mixing.within - mixing.expected) / (1.0 - mixing.expected);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

enum status graph_homophily(const struct graph *graph, const uint32_t *label, size_t n_labels,
                            uint64_t seed, struct graph_homophily *ret_homophily, struct error *err)
{
    AUTO(free_slot) double *ends = calloc(n_labels + 1, sizeof *ends);
    AUTO(free_slot) size_t *labelled = calloc(graph->n + 1, sizeof *labelled);
    AUTO(free_slot) uint32_t *shuffled = calloc(graph->n + 1, sizeof *shuffled);
    if (!ends || !labelled || !shuffled)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct mixing seen = mix(graph, label, n_labels, ends);
    if (seen.n_edges == 0)
        return fail(err, STATUS_INVALID, "no edge has a label on both ends");
    if (seen.expected >= 1.0)
        return fail(err, STATUS_INVALID, "all edges have one label");
    /* Shuffled among the nodes that have one, so that degrees and missing labels stay as they are.
     */
    size_t n = 0;
    for (size_t i = 0; i < graph->n; i++) {
        shuffled[i] = GRAPH_NO_LABEL;
        if (label[i] != GRAPH_NO_LABEL)
            labelled[n++] = i;
    }
    AUTO(free_slot) size_t *order = calloc(n + 1, sizeof *order);
    if (!order)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(seed);
    double by_chance[PERMUTATIONS];
    for (size_t p = 0; p < PERMUTATIONS; p++) {
        rng_permutation(&rng, order, n);
        for (size_t i = 0; i < n; i++)
            shuffled[labelled[i]] = label[labelled[order[i]]];
        struct mixing chance = mix(graph, shuffled, n_labels, ends);
        by_chance[p] = chance.expected < 1.0 ? assortativity(chance) : 0.0;
    }
    qsort(by_chance, PERMUTATIONS, sizeof by_chance[0], compare_doubles);
    *ret_homophily = (struct graph_homophily){
        .assortativity = assortativity(seen),
        .low = by_chance[PERMUTATIONS / 40 - 1],
        .high = by_chance[PERMUTATIONS - PERMUTATIONS / 40],
        .within = seen.within,
        .expected = seen.expected,
        .n_edges = seen.n_edges,
    };
    return STATUS_OK;
}

void graph_participation(const struct graph *graph, const uint32_t *community, size_t n_communities,
                         double *scratch, double *ret_spread)
{
    memset(scratch, 0, n_communities * sizeof scratch[0]);
    for (size_t i = 0; i < graph->n; i++) {
        double strength = 0;
        double squares = 0;
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            scratch[community[graph->neighbour[at]]] += graph->neighbour_weight[at];
            strength += graph->neighbour_weight[at];
        }
        /* Each community once: it is cleared as it is counted. */
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            double *share = &scratch[community[graph->neighbour[at]]];
            squares += *share * *share;
            *share = 0;
        }
        ret_spread[i] = strength > 0 ? 1.0 - squares / (strength * strength) : 0.0;
    }
}
