/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is to be said of nodes and of whole graphs. Everything but the layout is exact unless it
 * says so; random choices come from the seed alone. The centralities, communities and the layout
 * come from igraph, whose generator is global: one thread at a time. */
#include "graph/graph.h"

#define GRAPH_DAMPING 0.85
/* Betweenness from all nodes while nodes x edges stay below this; from sampled ones beyond. */
#define GRAPH_EXACT_WORK 2e8
#define GRAPH_SAMPLED_NODES 256

/* [n] each; owned. */
struct graph_measures {
    double *pagerank;    /* sums to 1; weighted; along the arcs when they have a direction */
    double *core;        /* largest k such that it is in a subgraph of degrees >= k */
    double *clustering;  /* share of pairs of neighbours that are neighbours; 0 below degree 2 */
    double *betweenness; /* share of the shortest paths of other pairs that lead through it, 0..1 */
    bool is_sampled;     /* betweenness: paths from GRAPH_SAMPLED_NODES nodes, scaled up */
};

/* Page et al. 1999; Batagelj and Zaversnik 2003; Watts and Strogatz 1998; Brandes 2001, and for
 * samples Brandes and Pich 2007. Core, clustering and betweenness disregard direction and weights.
 */
enum status graph_measure(const struct graph *graph, uint64_t seed,
                          struct graph_measures *ret_measures, struct error *err);
void graph_measures_deinit(struct graph_measures *measures);

/* Leiden (Traag, Waltman and van Eck 2019) on weighted modularity. ret_community: [n], numbered by
 * size, the largest first; nodes without an edge are communities of their own. ret_modularity may
 * be NULL; it is 0 without edges. */
enum status graph_communities(const struct graph *graph, uint64_t seed, uint32_t *ret_community,
                              size_t *ret_n, double *ret_modularity, struct error *err);

/* Fruchterman-Reingold (1991; on a grid of cells above 1,000 nodes), ret_x, ret_y: [n] in 0..1. */
enum status graph_layout(const struct graph *graph, uint64_t seed, double *ret_x, double *ret_y,
                         struct error *err);

/* How much edges keep within classes: assortativity (Newman 2003, eq. 2), 1 all within, 0 as by
 * chance. The interval holds 95 % of what `label` shuffled among the nodes gives: outside it the
 * preference is no accident. */
struct graph_homophily {
    double assortativity;
    double low, high; /* of chance */
    double within;    /* share of edges within a class */
    double expected;  /* of chance */
    size_t n_edges;   /* with a label on both ends */
};
#define GRAPH_NO_LABEL UINT32_MAX
/* label: [n] below n_labels, or GRAPH_NO_LABEL. STATUS_INVALID: no edge has labels, or one label
 * only. */
enum status graph_homophily(const struct graph *graph, const uint32_t *label, size_t n_labels,
                            uint64_t seed, struct graph_homophily *ret_homophily,
                            struct error *err);

/* How a node's edges spread over communities (Guimera and Amaral 2005): 0 all in one, towards 1
 * evenly over many. ret_spread: [n], 0 without edges. */
void graph_participation(const struct graph *graph, const uint32_t *community, size_t n_communities,
                         double *scratch, double *ret_spread);
