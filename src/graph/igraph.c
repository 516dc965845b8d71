/* SPDX-License-Identifier: Apache-2.0 */

/* The only user of igraph (0.10; 1.0 reorders arguments): what measures.h promises of it. */
#include <igraph/igraph.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "graph/measures.h"

#define LAYOUT_ITERATIONS 300
#define LEIDEN_ITERATIONS 10

/* Undirected views leave out what the measure does not look at. */
struct view {
    igraph_t graph;
    bool has_graph;
    igraph_vector_t weight, result;
    igraph_vector_int_t ends, integers;
    igraph_matrix_t places;
};

static void view_deinit(struct view *view)
{
    if (view->has_graph)
        igraph_destroy(&view->graph);
    if (view->weight.stor_begin)
        igraph_vector_destroy(&view->weight);
    if (view->result.stor_begin)
        igraph_vector_destroy(&view->result);
    if (view->ends.stor_begin)
        igraph_vector_int_destroy(&view->ends);
    if (view->integers.stor_begin)
        igraph_vector_int_destroy(&view->integers);
    if (view->places.data.stor_begin)
        igraph_matrix_destroy(&view->places);
}

static enum status check(igraph_error_t code, const char *what, struct error *err)
{
    if (code == IGRAPH_SUCCESS)
        return STATUS_OK;
    return fail(err, code == IGRAPH_ENOMEM ? STATUS_NO_MEMORY : STATUS_INTERNAL, "igraph: %s: %s",
                what, igraph_strerror(code));
}

static enum status view_init(struct view *view, const struct graph *graph, bool arcs,
                             struct error *err)
{
    /* Its own handler aborts the program. */
    igraph_set_error_handler(igraph_error_handler_ignore);
    igraph_set_warning_handler(igraph_warning_handler_ignore);
    size_t m = arcs ? graph->n_arcs : graph->n_edges;
    const uint32_t *from = arcs ? graph->from : graph->low;
    const uint32_t *to = arcs ? graph->to : graph->high;
    const double *weight = arcs ? graph->weight : graph->edge_weight;
    TRY(check(igraph_vector_int_init(&view->ends, (igraph_integer_t)(2 * m)), "edges", err));
    TRY(check(igraph_vector_init(&view->weight, (igraph_integer_t)m), "weights", err));
    TRY(check(igraph_vector_init(&view->result, 0), "result", err));
    TRY(check(igraph_vector_int_init(&view->integers, 0), "result", err));
    TRY(check(igraph_matrix_init(&view->places, (igraph_integer_t)graph->n, 2), "places", err));
    for (size_t e = 0; e < m; e++) {
        VECTOR(view->ends)[2 * e] = from[e];
        VECTOR(view->ends)[2 * e + 1] = to[e];
        VECTOR(view->weight)[e] = weight[e];
    }
    TRY(check(igraph_create(&view->graph, &view->ends, (igraph_integer_t)graph->n, arcs), "graph",
              err));
    view->has_graph = true;
    return STATUS_OK;
}

static void take(const igraph_vector_t *vector, size_t n, double *ret)
{
    memcpy(ret, VECTOR(*vector), n * sizeof ret[0]);
}

/* ---- centralities ---- */

static enum status measure_pagerank(const struct graph *graph, double *ret, struct error *err)
{
    AUTO(view_deinit) struct view view = {0};
    TRY(view_init(&view, graph, graph->is_directed, err));
    TRY(check(igraph_pagerank(&view.graph, IGRAPH_PAGERANK_ALGO_PRPACK, &view.result, NULL,
                              igraph_vss_all(), graph->is_directed, GRAPH_DAMPING, &view.weight,
                              NULL),
              "pagerank", err));
    take(&view.result, graph->n, ret);
    return STATUS_OK;
}

/* Paths from some nodes stand for those from all: times n / n_sources, an unbiased estimate. */
static enum status sample_betweenness(struct view *view, size_t n, uint64_t seed, double *ret,
                                      struct error *err)
{
    AUTO(free_slot) size_t *order = calloc(n, sizeof *order);
    if (!order)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(seed);
    rng_permutation(&rng, order, n);
    TRY(check(igraph_vector_int_resize(&view->integers, GRAPH_SAMPLED_NODES), "sample", err));
    for (size_t i = 0; i < GRAPH_SAMPLED_NODES; i++)
        VECTOR(view->integers)[i] = (igraph_integer_t)order[i];
    TRY(check(igraph_betweenness_subset(&view->graph, &view->result, igraph_vss_all(), false,
                                        igraph_vss_vector(&view->integers), igraph_vss_all(), NULL),
              "betweenness", err));
    take(&view->result, n, ret);
    /* igraph halves undirected counts, as if each pair came from both of its ends. */
    for (size_t i = 0; i < n; i++)
        ret[i] *= (double)n / GRAPH_SAMPLED_NODES;
    return STATUS_OK;
}

static enum status measure_betweenness(struct view *view, const struct graph *graph, uint64_t seed,
                                       struct graph_measures *measures, struct error *err)
{
    size_t n = graph->n;
    double work = (double)n * (double)(n + graph->n_edges);
    measures->is_sampled = work > GRAPH_EXACT_WORK && n > GRAPH_SAMPLED_NODES;
    if (measures->is_sampled)
        TRY(sample_betweenness(view, n, seed, measures->betweenness, err));
    else {
        TRY(check(igraph_betweenness(&view->graph, &view->result, igraph_vss_all(), false, NULL),
                  "betweenness", err));
        take(&view->result, n, measures->betweenness);
    }
    double pairs = n > 2 ? (double)(n - 1) * (double)(n - 2) / 2.0 : 1.0;
    for (size_t i = 0; i < n; i++)
        measures->betweenness[i] = fmin(measures->betweenness[i] / pairs, 1.0);
    return STATUS_OK;
}

static enum status measure_undirected(const struct graph *graph, uint64_t seed,
                                      struct graph_measures *measures, struct error *err)
{
    AUTO(view_deinit) struct view view = {0};
    TRY(view_init(&view, graph, false, err));
    TRY(check(igraph_coreness(&view.graph, &view.integers, IGRAPH_ALL), "core number", err));
    for (size_t i = 0; i < graph->n; i++)
        measures->core[i] = (double)VECTOR(view.integers)[i];
    TRY(check(igraph_transitivity_local_undirected(&view.graph, &view.result, igraph_vss_all(),
                                                   IGRAPH_TRANSITIVITY_ZERO),
              "clustering", err));
    take(&view.result, graph->n, measures->clustering);
    return measure_betweenness(&view, graph, seed, measures, err);
}

enum status graph_measure(const struct graph *graph, uint64_t seed,
                          struct graph_measures *ret_measures, struct error *err)
{
    size_t n = graph->n;
    AUTO(graph_measures_deinit)
    struct graph_measures measures = {
        .pagerank = calloc(n + 1, sizeof(double)),
        .core = calloc(n + 1, sizeof(double)),
        .clustering = calloc(n + 1, sizeof(double)),
        .betweenness = calloc(n + 1, sizeof(double)),
    };
    if (!measures.pagerank || !measures.core || !measures.clustering || !measures.betweenness)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (n > 0) {
        TRY(measure_pagerank(graph, measures.pagerank, err));
        TRY(measure_undirected(graph, seed, &measures, err));
    }
    *ret_measures = measures;
    measures = (struct graph_measures){0};
    return STATUS_OK;
}

void graph_measures_deinit(struct graph_measures *measures)
{
    free(measures->pagerank);
    free(measures->core);
    free(measures->clustering);
    free(measures->betweenness);
    *measures = (struct graph_measures){0};
}

/* ---- communities ---- */

struct community_size {
    uint32_t community, first;
    size_t size;
};

static int larger_first(const void *a, const void *b)
{
    const struct community_size *x = a;
    const struct community_size *y = b;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Number them by size, ties by their first member. */
static enum status renumber(uint32_t *community, size_t n, size_t n_communities, struct error *err)
{
    AUTO(free_slot) struct community_size *sizes = calloc(n_communities + 1, sizeof *sizes);
    AUTO(free_slot) uint32_t *number = calloc(n_communities + 1, sizeof *number);
    if (!sizes || !number)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = n; i-- > 0;) {
        sizes[community[i]].size++;
        sizes[community[i]].first = (uint32_t)i;
    }
    for (size_t c = 0; c < n_communities; c++)
        sizes[c].community = (uint32_t)c;
    qsort(sizes, n_communities, sizeof sizes[0], larger_first);
    for (size_t c = 0; c < n_communities; c++)
        number[sizes[c].community] = (uint32_t)c;
    for (size_t i = 0; i < n; i++)
        community[i] = number[community[i]];
    return STATUS_OK;
}

static enum status run_leiden(const struct graph *graph, struct view *view, igraph_integer_t *ret_n,
                              double *ret_quality, struct error *err)
{
    TRY(check(igraph_vector_resize(&view->result, (igraph_integer_t)graph->n), "strengths", err));
    double total = 0;
    for (size_t i = 0; i < graph->n; i++) {
        double strength = 0;
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++)
            strength += graph->neighbour_weight[at];
        VECTOR(view->result)[i] = strength;
        total += strength;
    }
    /* Strengths as node weights and 1 / 2m as resolution make its quality the modularity. */
    return check(igraph_community_leiden(&view->graph, &view->weight, &view->result,
                                         total > 0 ? 1.0 / total : 1.0, 0.01, false,
                                         LEIDEN_ITERATIONS, &view->integers, ret_n, ret_quality),
                 "communities", err);
}

enum status graph_communities(const struct graph *graph, uint64_t seed, uint32_t *ret_community,
                              size_t *ret_n, double *ret_modularity, struct error *err)
{
    AUTO(view_deinit) struct view view = {0};
    TRY(view_init(&view, graph, false, err));
    igraph_integer_t n_found = (igraph_integer_t)graph->n;
    double quality = 0;
    for (size_t i = 0; i < graph->n; i++)
        ret_community[i] = (uint32_t)i;
    if (graph->n_edges > 0) {
        TRY(check(igraph_rng_seed(igraph_rng_default(), seed & UINT32_MAX), "seed", err));
        TRY(run_leiden(graph, &view, &n_found, &quality, err));
        for (size_t i = 0; i < graph->n; i++)
            ret_community[i] = (uint32_t)VECTOR(view.integers)[i];
    }
    TRY(renumber(ret_community, graph->n, (size_t)n_found, err));
    *ret_n = (size_t)n_found;
    if (ret_modularity)
        *ret_modularity = quality;
    return STATUS_OK;
}

/* ---- layout ---- */

static void scale_to_unit(double *values, size_t n)
{
    double least = INFINITY;
    double most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    for (size_t i = 0; i < n; i++)
        values[i] = most > least ? (values[i] - least) / (most - least) : 0.5;
}

enum status graph_layout(const struct graph *graph, uint64_t seed, double *ret_x, double *ret_y,
                         struct error *err)
{
    AUTO(view_deinit) struct view view = {0};
    TRY(view_init(&view, graph, false, err));
    struct rng rng = rng_seed(seed);
    double side = sqrt((double)graph->n);
    for (size_t i = 0; i < graph->n; i++) {
        MATRIX(view.places, i, 0) = side * (rng_uniform(&rng) - 0.5);
        MATRIX(view.places, i, 1) = side * (rng_uniform(&rng) - 0.5);
    }
    TRY(check(igraph_rng_seed(igraph_rng_default(), seed & UINT32_MAX), "seed", err));
    TRY(check(igraph_layout_fruchterman_reingold(
                  &view.graph, &view.places, true, LAYOUT_ITERATIONS, side / 10.0,
                  graph->n > 1000 ? IGRAPH_LAYOUT_GRID : IGRAPH_LAYOUT_NOGRID, &view.weight, NULL,
                  NULL, NULL, NULL),
              "layout", err));
    for (size_t i = 0; i < graph->n; i++) {
        ret_x[i] = MATRIX(view.places, i, 0);
        ret_y[i] = MATRIX(view.places, i, 1);
        if (!isfinite(ret_x[i]) || !isfinite(ret_y[i]))
            return fail(err, STATUS_INTERNAL, "igraph: layout: a place is not finite");
    }
    scale_to_unit(ret_x, graph->n);
    scale_to_unit(ret_y, graph->n);
    return STATUS_OK;
}
