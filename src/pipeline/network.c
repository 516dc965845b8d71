/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/network.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"

#define HOLDOUT 0.1
#define REPEATS 3
#define PER_ACCOUNT 3
#define MIN_SPREAD 0.2 /* of a bridge: see graph_participation() */

void network_free(struct network *network)
{
    if (!network)
        return;
    graph_free(network->graph);
    graph_free(network->drawn_graph);
    graph_free(network->links.graph);
    graph_free(network->brands.graph);
    graph_measures_deinit(&network->measures);
    arena_deinit(&network->memory);
    free(network);
}

/* ---- graphs ---- */

static bool is_inner(const struct edges *edges, const struct edge *edge)
{
    return edge->kind != EDGE_BRAND && edge->source < edges->n_rows && edge->target < edges->n_rows;
}

bool network_has_edges(const struct edges *edges)
{
    for (size_t i = 0; edges && i < edges->n; i++)
        if (is_inner(edges, &edges->list[i]))
            return true;
    return false;
}

/* Edges between accounts of the table, or those to brands. */
static enum status take_edges(const struct edges *edges, bool brands, struct graph **ret_graph,
                              struct error *err)
{
    AUTO(free_slot) uint32_t *from = calloc(edges->n + 1, sizeof *from);
    AUTO(free_slot) uint32_t *to = calloc(edges->n + 1, sizeof *to);
    AUTO(free_slot) double *weight = calloc(edges->n + 1, sizeof *weight);
    if (!from || !to || !weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    for (size_t i = 0; i < edges->n; i++) {
        const struct edge *edge = &edges->list[i];
        bool wanted = brands ? edge->kind == EDGE_BRAND && edge->source < edges->n_rows
                             : is_inner(edges, edge);
        if (!wanted)
            continue;
        from[n] = edge->source;
        to[n] = edge->target;
        weight[n++] = (double)edge->weight;
    }
    size_t n_nodes = edges->n_rows + (brands ? edges->n_outside : 0);
    struct graph_edges list = {n_nodes, n, from, to, weight};
    return graph_new(&list, true, ret_graph, err);
}

/* The similarity graph of all rows, or of max_accounts drawn ones. */
static enum status join_alike(const struct network_input *input, struct network *network,
                              struct error *err)
{
    struct graph_rows rows = {input->x, input->table->n_rows, input->dim};
    struct graph_similarity_options options = {.k = input->k, .seed = input->seed};
    if (rows.n <= input->max_accounts)
        return graph_similarity(&rows, &options, &network->graph, err);
    size_t n = input->max_accounts;
    AUTO(free_slot) size_t *permutation = calloc(rows.n, sizeof *permutation);
    AUTO(free_slot) float *x = calloc(n * rows.dim + 1, sizeof *x);
    uint32_t *drawn = ARENA_ARRAY(&network->memory, uint32_t, n + 1);
    if (!permutation || !x || !drawn)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(input->seed);
    rng_permutation(&rng, permutation, rows.n);
    size_t n_drawn = 0;
    /* A row is taken when its number drawn is below the limit: this keeps the order of rows. */
    for (size_t row = 0; row < rows.n; row++) {
        if (permutation[row] >= n)
            continue;
        memcpy(x + n_drawn * rows.dim, rows.x + row * rows.dim, rows.dim * sizeof *x);
        drawn[n_drawn++] = (uint32_t)row;
    }
    network->rows = drawn;
    return graph_similarity(&(struct graph_rows){x, n, rows.dim}, &options, &network->graph, err);
}

static enum status make_graph(const struct network_input *input, struct network *network,
                              struct error *err)
{
    network->is_real = network_has_edges(input->edges);
    network->k = input->k;
    if (network->is_real)
        return take_edges(input->edges, false, &network->graph, err);
    return join_alike(input, network, err);
}

/* ---- communities ---- */

static enum status find_communities(const struct network_input *input, struct network *network,
                                    struct error *err)
{
    const struct graph *graph = network->graph;
    network->community = ARENA_ARRAY(&network->memory, uint32_t, graph->n + 1);
    network->spread = ARENA_ARRAY(&network->memory, double, graph->n + 1);
    AUTO(free_slot) double *scratch = calloc(graph->n + 1, sizeof *scratch);
    if (!network->community || !network->spread || !scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(graph_communities(graph, input->seed, network->community, &network->n_communities,
                          &network->modularity, err));
    graph_participation(graph, network->community, network->n_communities, scratch,
                        network->spread);
    for (uint32_t i = 0; i < graph->n; i++)
        network->n_isolated += graph_degree(graph, i) == 0;
    return network_find_themes(input->table, network, err);
}

/* The categories as numbers; GRAPH_NO_LABEL where there is none. */
static enum status measure_homophily(const struct network_input *input, struct network *network,
                                     struct error *err)
{
    const char *const *column = (const char *const *)input->table->text[PROFILE_category];
    if (!column)
        return STATUS_OK;
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 4096);
    struct intern words;
    intern_init(&words, &memory);
    uint32_t *label = ARENA_ARRAY(&memory, uint32_t, network->graph->n + 1);
    if (!label)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < network->graph->n; i++) {
        const char *word = column[network_row(network, i)];
        label[i] = word ? intern_put(&words, word, strlen(word)) : GRAPH_NO_LABEL;
    }
    /* That there is nothing to compare is an answer. */
    network->has_homophily = graph_homophily(network->graph, label, words.n, input->seed,
                                             &network->homophily, NULL) == STATUS_OK;
    return STATUS_OK;
}

/* ---- the drawing ---- */

struct ranked {
    uint32_t node;
    double rank;
};

static int highest_first(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static enum status draw(const struct network_input *input, struct network *network,
                        struct error *err)
{
    const struct graph *graph = network->graph;
    AUTO(free_slot) struct ranked *ranked = calloc(graph->n + 1, sizeof *ranked);
    if (!ranked)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    for (uint32_t i = 0; i < graph->n; i++)
        if (graph_degree(graph, i) > 0)
            ranked[n++] = (struct ranked){i, network->measures.pagerank[i]};
    qsort(ranked, n, sizeof ranked[0], highest_first);
    network->n_drawn = n < NETWORK_MAX_DRAWN ? n : NETWORK_MAX_DRAWN;
    network->drawn = ARENA_ARRAY(&network->memory, uint32_t, network->n_drawn + 1);
    network->x = ARENA_ARRAY(&network->memory, double, network->n_drawn + 1);
    network->y = ARENA_ARRAY(&network->memory, double, network->n_drawn + 1);
    if (!network->drawn || !network->x || !network->y)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < network->n_drawn; i++)
        network->drawn[i] = ranked[i].node;
    TRY(graph_induced(graph, network->drawn, network->n_drawn, &network->drawn_graph, err));
    return graph_layout(network->drawn_graph, input->seed, network->x, network->y, err);
}

size_t network_bridges(const struct network *network, uint32_t *ret_nodes, size_t max)
{
    const double *betweenness = network->measures.betweenness;
    size_t n = 0;
    for (uint32_t node = 0; node < network->graph->n; node++) {
        if (network->spread[node] < MIN_SPREAD || betweenness[node] <= 0)
            continue;
        size_t at = n;
        while (at > 0 && betweenness[ret_nodes[at - 1]] < betweenness[node])
            at--;
        if (at == max)
            continue;
        n += n < max;
        memmove(ret_nodes + at + 1, ret_nodes + at, (n - 1 - at) * sizeof ret_nodes[0]);
        ret_nodes[at] = node;
    }
    return n;
}

/* ---- links ---- */

static enum status assess_links(const struct network_input *input, struct network *network,
                                struct network_links *links, struct error *err)
{
    struct error refused = {0};
    links->why = "";
    enum status status =
        links_assess(links->graph, &(struct links_protocol){HOLDOUT, REPEATS, input->seed},
                     &links->assessed, &refused);
    if (status == STATUS_INVALID) {
        links->why = arena_strdup(&network->memory, refused.message);
        return links->why ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (status != STATUS_OK)
        return fail(err, status, "%s", refused.message);
    links->suggestions =
        ARENA_ARRAY(&network->memory, struct link_suggestion, NETWORK_SUGGESTIONS + 1);
    if (!links->suggestions)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    links->is_there = true;
    return links_suggest(links->graph, links->assessed.method, input->seed, PER_ACCOUNT,
                         NETWORK_SUGGESTIONS, links->suggestions, &links->n_suggestions, err);
}

static enum status find_links(const struct network_input *input, struct network *network,
                              struct error *err)
{
    network->links.why = "suggestions need real edges (--edges): likeness is no link";
    network->brands.why = "suggestions of brands need edges from influencers to brands (--edges)";
    if (!input->edges)
        return STATUS_OK;
    network->outside = input->edges->outside;
    if (network->is_real) {
        TRY(take_edges(input->edges, false, &network->links.graph, err));
        TRY(assess_links(input, network, &network->links, err));
    }
    TRY(take_edges(input->edges, true, &network->brands.graph, err));
    if (network->brands.graph->n_arcs == 0)
        return STATUS_OK;
    return assess_links(input, network, &network->brands, err);
}

enum status network_make(const struct network_input *input, struct network **ret_network,
                         struct error *err)
{
    uint64_t begin = clock_monotonic_ns();
    AUTO(network_free_slot) struct network *network = calloc(1, sizeof *network);
    if (!network)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&network->memory, 65536);
    progress_show(input->progress, "network", -1);
    TRY(make_graph(input, network, err));
    TRY(graph_measure(network->graph, input->seed, &network->measures, err));
    TRY(find_communities(input, network, err));
    if (!input->columns_only) {
        TRY(measure_homophily(input, network, err));
        TRY(draw(input, network, err));
        TRY(find_links(input, network, err));
    }
    network->seconds = (double)(clock_monotonic_ns() - begin) * 1e-9;
    *ret_network = STEAL(network);
    return STATUS_OK;
}

/* ---- columns ---- */

enum status network_links(const struct network *network, struct arena *arena,
                          struct links *ret_links, struct error *err)
{
    const struct graph *graph = network->graph;
    if (!network->is_real)
        return STATUS_OK;
    size_t n = graph->start[graph->n];
    uint64_t *start = ARENA_ARRAY(arena, uint64_t, graph->n + 1);
    uint32_t *node = ARENA_ARRAY(arena, uint32_t, n + 1);
    float *weight = ARENA_ARRAY(arena, float, n + 1);
    if (!start || !node || !weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i <= graph->n; i++)
        start[i] = graph->start[i];
    for (size_t i = 0; i < n; i++) {
        node[i] = graph->neighbour[i];
        weight[i] = (float)log1p(graph->neighbour_weight[i]);
    }
    *ret_links = (struct links){graph->n, start, node, weight};
    return STATUS_OK;
}

enum status network_fill_columns(const struct network *network, struct table *table,
                                 struct error *err)
{
    size_t n = table->n_rows;
    double *pagerank = ARENA_ARRAY(&table->memory, double, n + 1);
    double *core = ARENA_ARRAY(&table->memory, double, n + 1);
    double *clustering = ARENA_ARRAY(&table->memory, double, n + 1);
    double *betweenness = ARENA_ARRAY(&table->memory, double, n + 1);
    const char **community = ARENA_ARRAY(&table->memory, const char *, n + 1);
    if (!pagerank || !core || !clustering || !betweenness || !community)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        pagerank[i] = log(network->measures.pagerank[i] * (double)n);
        core[i] = network->measures.core[i];
        clustering[i] = network->measures.clustering[i];
        /* A share of none counts as one path of all: the logarithm stays finite. */
        betweenness[i] = log(network->measures.betweenness[i] + 1.0 / ((double)n * (double)n));
        if (network->community[i] < network->n_large)
            community[i] = network->communities[network->community[i]].name;
    }
    table->number[PROFILE_net_pagerank] = pagerank;
    table->number[PROFILE_net_core] = core;
    table->number[PROFILE_net_clustering] = clustering;
    table->number[PROFILE_net_betweenness] = betweenness;
    table->text[PROFILE_community] = community;
    for (size_t i = 0; i < n; i++) {
        if (!community[i])
            continue;
        community[i] = arena_strdup(&table->memory, community[i]);
        if (!community[i])
            return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    return STATUS_OK;
}
