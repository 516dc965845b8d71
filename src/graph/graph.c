/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/graph.h"

#include <math.h>
#include <stdlib.h>

struct arc {
    uint32_t from, to;
    double weight;
};

static int by_ends(const void *a, const void *b)
{
    const struct arc *x = a;
    const struct arc *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    /* Weights too: repeated arcs are then added in one order, whatever the input's. */
    return (x->weight > y->weight) - (x->weight < y->weight);
}

/* Sort, and add the repeated ones together. Returns how many are left. */
static size_t merge(struct arc *arcs, size_t n)
{
    qsort(arcs, n, sizeof arcs[0], by_ends);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && arcs[kept - 1].from == arcs[i].from && arcs[kept - 1].to == arcs[i].to)
            arcs[kept - 1].weight += arcs[i].weight;
        else
            arcs[kept++] = arcs[i];
    }
    return kept;
}

/* Three arrays of what is in `arcs`; the caller frees them. */
static enum status unpack(const struct arc *arcs, size_t n, uint32_t **ret_from, uint32_t **ret_to,
                          double **ret_weight, struct error *err)
{
    *ret_from = calloc(n + 1, sizeof **ret_from);
    *ret_to = calloc(n + 1, sizeof **ret_to);
    *ret_weight = calloc(n + 1, sizeof **ret_weight);
    if (!*ret_from || !*ret_to || !*ret_weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        (*ret_from)[i] = arcs[i].from;
        (*ret_to)[i] = arcs[i].to;
        (*ret_weight)[i] = arcs[i].weight;
    }
    return STATUS_OK;
}

/* Edges are in order of (low, high), so each list comes out ascending when the lower neighbours are
 * put before the higher ones. */
static enum status list_neighbours(struct graph *graph, struct error *err)
{
    graph->start = calloc(graph->n + 2, sizeof *graph->start);
    graph->neighbour = calloc(2 * graph->n_edges + 1, sizeof *graph->neighbour);
    graph->neighbour_weight = calloc(2 * graph->n_edges + 1, sizeof *graph->neighbour_weight);
    AUTO(free_slot) size_t *at = calloc(graph->n + 1, sizeof *at);
    if (!graph->start || !graph->neighbour || !graph->neighbour_weight || !at)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t e = 0; e < graph->n_edges; e++) {
        graph->start[graph->low[e] + 1]++;
        graph->start[graph->high[e] + 1]++;
    }
    for (size_t i = 0; i < graph->n; i++) {
        graph->start[i + 1] += graph->start[i];
        at[i] = graph->start[i];
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t e = 0; e < graph->n_edges; e++) {
            uint32_t node = pass == 0 ? graph->high[e] : graph->low[e];
            graph->neighbour[at[node]] = pass == 0 ? graph->low[e] : graph->high[e];
            graph->neighbour_weight[at[node]++] = graph->edge_weight[e];
        }
    }
    return STATUS_OK;
}

static enum status check(const struct graph_edges *edges, struct error *err)
{
    if (edges->n >= UINT32_MAX)
        return fail(err, STATUS_LIMIT, "graph: %zu nodes are too many", edges->n);
    for (size_t i = 0; i < edges->m; i++) {
        if (edges->from[i] >= edges->n || edges->to[i] >= edges->n)
            return fail(err, STATUS_INVALID, "graph: edge %zu joins node %u and %u of %zu", i,
                        edges->from[i], edges->to[i], edges->n);
        if (edges->weight && !(edges->weight[i] > 0 && isfinite(edges->weight[i])))
            return fail(err, STATUS_INVALID, "graph: edge %zu has the weight %g", i,
                        edges->weight[i]);
    }
    return STATUS_OK;
}

enum status graph_new(const struct graph_edges *edges, bool is_directed, struct graph **ret_graph,
                      struct error *err)
{
    TRY(check(edges, err));
    AUTO(graph_free_slot) struct graph *graph = calloc(1, sizeof *graph);
    AUTO(free_slot) struct arc *arcs = calloc(edges->m + 1, sizeof *arcs);
    if (!graph || !arcs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    graph->n = edges->n;
    graph->is_directed = is_directed;
    size_t n = 0;
    for (size_t i = 0; i < edges->m; i++)
        if (edges->from[i] != edges->to[i])
            arcs[n++] =
                (struct arc){edges->from[i], edges->to[i], edges->weight ? edges->weight[i] : 1.0};
    graph->n_arcs = n = merge(arcs, n);
    TRY(unpack(arcs, n, &graph->from, &graph->to, &graph->weight, err));
    for (size_t i = 0; i < n; i++)
        if (arcs[i].from > arcs[i].to)
            arcs[i] = (struct arc){arcs[i].to, arcs[i].from, arcs[i].weight};
    graph->n_edges = n = merge(arcs, n);
    TRY(unpack(arcs, n, &graph->low, &graph->high, &graph->edge_weight, err));
    TRY(list_neighbours(graph, err));
    *ret_graph = STEAL(graph);
    return STATUS_OK;
}

void graph_free(struct graph *graph)
{
    if (!graph)
        return;
    free(graph->from);
    free(graph->to);
    free(graph->weight);
    free(graph->low);
    free(graph->high);
    free(graph->edge_weight);
    free(graph->start);
    free(graph->neighbour);
    free(graph->neighbour_weight);
    free(graph);
}

bool graph_has_edge(const struct graph *graph, uint32_t a, uint32_t b)
{
    size_t low = graph->start[a];
    size_t high = graph->start[a + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->neighbour[middle] < b)
            low = middle + 1;
        else
            high = middle;
    }
    return low < graph->start[a + 1] && graph->neighbour[low] == b;
}

enum status graph_induced(const struct graph *graph, const uint32_t *nodes, size_t n,
                          struct graph **ret_graph, struct error *err)
{
    AUTO(free_slot) uint32_t *number = calloc(graph->n + 1, sizeof *number); /* 0: not taken */
    AUTO(free_slot) struct arc *arcs = calloc(graph->n_arcs + 1, sizeof *arcs);
    if (!number || !arcs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        number[nodes[i]] = (uint32_t)i + 1;
    size_t m = 0;
    for (size_t i = 0; i < graph->n_arcs; i++)
        if (number[graph->from[i]] && number[graph->to[i]])
            arcs[m++] = (struct arc){number[graph->from[i]] - 1, number[graph->to[i]] - 1,
                                     graph->weight[i]};
    AUTO(free_slot) uint32_t *from = NULL;
    AUTO(free_slot) uint32_t *to = NULL;
    AUTO(free_slot) double *weight = NULL;
    TRY(unpack(arcs, m, &from, &to, &weight, err));
    struct graph_edges edges = {n, m, from, to, weight};
    return graph_new(&edges, graph->is_directed, ret_graph, err);
}
