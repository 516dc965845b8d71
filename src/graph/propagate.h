/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Values that spread over the edges of a graph. */
#include "graph/graph.h"

struct graph_spread {
    double alpha;      /* 0 .. 0.99: how much a node takes from its neighbours at each step */
    bool is_symmetric; /* divide an edge by the roots of both strengths, as for classes: a hub tells
                        * each of its many neighbours less; otherwise by the node's own, as for
                        * numbers: each takes the mean of its neighbours */
    size_t n_values;   /* of a node */
};

/* Local and global consistency (Zhou, Bousquet, Lal, Weston, Schoelkopf 2004): the fixed point of
 * F = alpha S F + (1 - alpha) Y, by iteration to within 1e-6 of the largest |Y|. Nodes without
 * edges keep their Y; alpha 0 gives Y, which is the clamping of Zhu and Ghahramani (2002) where all
 * nodes are labelled. y, ret: [n][n_values], not the same memory. Cost: edges times values,
 * ln(1e-6) / ln(alpha) times. STATUS_INVALID: alpha is out of range. */
enum status graph_propagate(const struct graph *graph, const struct graph_spread *spread,
                            const double *y, double *ret, struct error *err);
