/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/propagate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TOLERANCE 1e-6
#define MAX_ALPHA 0.99

/* Entries of S, in the order of graph->neighbour. */
static void normalise(const struct graph *graph, bool is_symmetric, const double *strength,
                      double *ret_entry)
{
    for (size_t i = 0; i < graph->n; i++) {
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            double other = is_symmetric ? strength[graph->neighbour[at]] : strength[i];
            ret_entry[at] = graph->neighbour_weight[at] / sqrt(strength[i] * other);
        }
    }
}

/* One step from `f` to `next`; returns the largest change. */
static double step(const struct graph *graph, const struct graph_spread *spread,
                   const double *entry, const double *y, const double *f, double *next)
{
    size_t k = spread->n_values;
    double change = 0;
    for (size_t i = 0; i < graph->n; i++) {
        double *to = next + i * k;
        if (graph->start[i] == graph->start[i + 1]) {
            memcpy(to, y + i * k, k * sizeof *to);
            continue;
        }
        for (size_t c = 0; c < k; c++)
            to[c] = (1.0 - spread->alpha) * y[i * k + c];
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            const double *from = f + graph->neighbour[at] * k;
            for (size_t c = 0; c < k; c++)
                to[c] += spread->alpha * entry[at] * from[c];
        }
        for (size_t c = 0; c < k; c++)
            change = fmax(change, fabs(to[c] - f[i * k + c]));
    }
    return change;
}

enum status graph_propagate(const struct graph *graph, const struct graph_spread *spread,
                            const double *y, double *ret, struct error *err)
{
    size_t n = graph->n * spread->n_values;
    if (!(spread->alpha >= 0 && spread->alpha <= MAX_ALPHA))
        return fail(err, STATUS_INVALID, "propagation: alpha is %g, not 0 to %g", spread->alpha,
                    MAX_ALPHA);
    memcpy(ret, y, n * sizeof *ret);
    if (spread->alpha <= 0)
        return STATUS_OK;
    AUTO(free_slot) double *strength = calloc(graph->n + 1, sizeof *strength);
    AUTO(free_slot) double *entry = calloc(2 * graph->n_edges + 1, sizeof *entry);
    AUTO(free_slot) double *next = calloc(n + 1, sizeof *next);
    if (!strength || !entry || !next)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(y[i]));
    for (size_t i = 0; i < graph->n; i++)
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++)
            strength[i] += graph->neighbour_weight[at];
    normalise(graph, spread->is_symmetric, strength, entry);
    /* What is left of the way shrinks by alpha a step: the last change bounds it. */
    double enough = TOLERANCE * largest * (1.0 - spread->alpha);
    for (double change = HUGE_VAL; change > enough;) {
        change = step(graph, spread, entry, y, ret, next);
        memcpy(ret, next, n * sizeof *ret);
    }
    return STATUS_OK;
}
