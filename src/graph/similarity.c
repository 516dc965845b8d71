/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "graph/graph.h"
#include "runtime/own_neighbours.h"

static bool has_neighbour(const uint32_t *nearest, size_t k, uint32_t wanted)
{
    for (size_t i = 0; i < k; i++)
        if (nearest[i] == wanted)
            return true;
    return false;
}

/* Arc i -> j: j is among the k nearest of i. Kept once a pair: from the lower end, or from the only
 * end that names the other. */
struct pairs {
    uint32_t *nearest, *from, *to; /* [n][k] each */
    float *distance;               /* [n][k] */
    double *weight;
    size_t m;
};

static void pairs_deinit(struct pairs *pairs)
{
    free(pairs->nearest);
    free(pairs->from);
    free(pairs->to);
    free(pairs->distance);
    free(pairs->weight);
}

static void join(struct pairs *pairs, size_t n, size_t k, bool mutual)
{
    for (uint32_t i = 0; i < n; i++) {
        for (size_t at = i * k; at < (i + 1) * k; at++) {
            uint32_t j = pairs->nearest[at];
            bool back = has_neighbour(pairs->nearest + j * k, k, i);
            if ((mutual && !back) || (back && j < i))
                continue;
            pairs->from[pairs->m] = i;
            pairs->to[pairs->m] = j;
            pairs->weight[pairs->m++] = 1.0 / (1.0 + (double)pairs->distance[at]);
        }
    }
}

enum status graph_similarity(const struct graph_rows *rows,
                             const struct graph_similarity_options *options,
                             struct graph **ret_graph, struct error *err)
{
    if (rows->n < 2 || rows->dim == 0 || options->k == 0)
        return fail(err, STATUS_INVALID, "similarity graph: %zu rows, %zu columns, %zu neighbours",
                    rows->n, rows->dim, options->k);
    size_t n = rows->n;
    size_t k = options->k < n ? options->k : n - 1;
    const struct neighbour_rows indexed = {rows->x, n, rows->dim};
    AUTO(own_neighbours_deinit) struct own_neighbours index = {0};
    TRY(own_neighbours_init(&index, &indexed, options->seed, err));
    AUTO(pairs_deinit)
    struct pairs pairs = {
        .nearest = calloc(n * k, sizeof *pairs.nearest),
        .from = calloc(n * k, sizeof *pairs.from),
        .to = calloc(n * k, sizeof *pairs.to),
        .distance = calloc(n * k, sizeof *pairs.distance),
        .weight = calloc(n * k, sizeof *pairs.weight),
    };
    AUTO(free_slot) struct neighbour *found = calloc(k, sizeof *found);
    if (!pairs.nearest || !pairs.from || !pairs.to || !pairs.distance || !pairs.weight || !found)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        size_t n_found = own_neighbours_of_row(&index, &indexed, i, k, found);
        if (n_found != k)
            return fail(err, STATUS_INTERNAL, "similarity graph: %zu of %zu neighbours", n_found,
                        k);
        for (size_t j = 0; j < k; j++) {
            pairs.nearest[i * k + j] = found[j].row;
            pairs.distance[i * k + j] = found[j].distance;
        }
    }
    join(&pairs, n, k, options->mutual);
    struct graph_edges edges = {n, pairs.m, pairs.from, pairs.to, pairs.weight};
    return graph_new(&edges, false, ret_graph, err);
}
