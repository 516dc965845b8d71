/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A network of accounts, as its parts here see it: the arcs as they were given, and the undirected
 * view with a neighbour list. Nodes are numbered 0..n-1 by the caller. Immutable once built; free
 * to share between threads. Owns its memory. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

/* Arcs from[i] -> to[i]; weight may be NULL: all 1. Borrowed. */
struct graph_edges {
    size_t n, m;          /* nodes, arcs */
    const uint32_t *from; /* [m] below n */
    const uint32_t *to;   /* [m] below n */
    const double *weight; /* [m] finite, > 0 */
};

struct graph {
    size_t n;
    bool is_directed; /* the arcs have a direction that means something */
    size_t n_arcs;    /* distinct, no loops, weights of repeated ones added, by (from, to) */
    uint32_t *from, *to;
    double *weight;
    size_t n_edges; /* pairs of nodes with an arc either way: weights added, by (low, high) */
    uint32_t *low, *high;
    double *edge_weight;
    size_t *start;       /* [n + 1] into the two below */
    uint32_t *neighbour; /* [2 n_edges] of each node, ascending */
    double *neighbour_weight;
};

/* Loops are left out. STATUS_INVALID: a node out of range, a weight that is not finite and > 0. */
enum status graph_new(const struct graph_edges *edges, bool is_directed, struct graph **ret_graph,
                      struct error *err);
void graph_free(struct graph *graph);
DEFINE_SLOT(graph_free, struct graph)

static inline size_t graph_degree(const struct graph *graph, uint32_t node)
{
    return graph->start[node + 1] - graph->start[node];
}

bool graph_has_edge(const struct graph *graph, uint32_t a, uint32_t b);

/* The graph of some nodes and the edges among them; node i of it is nodes[i]. */
enum status graph_induced(const struct graph *graph, const uint32_t *nodes, size_t n,
                          struct graph **ret_graph, struct error *err);

/* ---- the similarity graph ---- */

struct graph_rows {
    const float *x; /* [n][dim], scaled */
    size_t n, dim;
};

struct graph_similarity_options {
    size_t k;    /* nearest neighbours of each row, itself not counted; 1..n-1 are used */
    bool mutual; /* an edge when both are among the other's k nearest; otherwise when either is */
    uint64_t seed;
};

/* Undirected: rows that are near each other, by runtime/neighbours (exact). Weight: 1 / (1 +
 * distance), the similarity that /similar answers. Cost: n searches. STATUS_INVALID: fewer than 2
 * rows, no columns, k is 0. */
enum status graph_similarity(const struct graph_rows *rows,
                             const struct graph_similarity_options *options,
                             struct graph **ret_graph, struct error *err);
