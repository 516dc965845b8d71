/* SPDX-License-Identifier: Apache-2.0 */

/* report.json: the network. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/report.h"

#define MAX_COMMUNITIES 24
#define MAX_NAMED 15    /* hubs, bridges */
#define MAX_MEMBERS 5   /* of a community, by PageRank */
#define MAX_EDGES 12000 /* drawn */

static double rounded(double value, double digits)
{
    return round(value * digits) / digits;
}

static void begin(struct json_writer *w, const char *key)
{
    json_put_key(w, key);
    json_begin_array(w);
}

static const char *handle_of(const struct report *report, uint32_t row)
{
    const struct table *table = report->training->table;
    if (row >= table->n_rows)
        return report->training->network->outside[row - table->n_rows];
    const char *const *handle = (const char *const *)table->text[PROFILE_handle];
    return handle ? handle[row] : NULL;
}

/* Its index among the communities that are spoken of, or -1. */
static int64_t shown_community(const struct network *network, size_t node)
{
    uint32_t community = network->community[node];
    bool is_shown = community < network->n_large && community < MAX_COMMUNITIES;
    return is_shown ? (int64_t)community : -1;
}

/* PageRank, in times what each would have if all had the same. */
static double times_even(const struct network *network, size_t node)
{
    return rounded(network->measures.pagerank[node] * (double)network->graph->n, 1e3);
}

/* ---- what is drawn ---- */

static void put_nodes(const struct report *report, const size_t *rows)
{
    const struct network *network = report->training->network;
    struct json_writer *w = report->w;
    size_t n = network->n_drawn;
    const double *followers = report->training->table->number[PROFILE_followers];
    report_put_handles(report, rows, n);
    report_put_groups(report, "tier", EXPLORE_TIER, rows, n);
    report_put_groups(report, "category", EXPLORE_CATEGORY, rows, n);
    begin(w, "x");
    for (size_t i = 0; i < n; i++)
        json_put_number(w, rounded(network->x[i], 1e4));
    json_end_array(w);
    begin(w, "y");
    for (size_t i = 0; i < n; i++)
        json_put_number(w, rounded(network->y[i], 1e4));
    json_end_array(w);
    begin(w, "community");
    for (size_t i = 0; i < n; i++)
        json_put_integer(w, shown_community(network, network->drawn[i]));
    json_end_array(w);
    begin(w, "followers");
    for (size_t i = 0; i < n; i++)
        json_put_number(w, followers ? followers[rows[i]] : MISSING);
    json_end_array(w);
    begin(w, "degree");
    for (size_t i = 0; i < n; i++)
        json_put_integer(w, (int64_t)graph_degree(network->graph, network->drawn[i]));
    json_end_array(w);
    begin(w, "pagerank");
    for (size_t i = 0; i < n; i++)
        json_put_number(w, times_even(network, network->drawn[i]));
    json_end_array(w);
}

static int heaviest_first(const void *a, const void *b, void *weights)
{
    const double *weight = weights;
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    if (weight[x] != weight[y])
        return weight[x] > weight[y] ? -1 : 1;
    return (x > y) - (x < y);
}

/* The heaviest edges among the nodes drawn, as indices into them. */
static enum status put_edges(const struct report *report, struct error *err)
{
    const struct graph *graph = report->training->network->drawn_graph;
    struct json_writer *w = report->w;
    AUTO(free_slot) size_t *order = calloc(graph->n_edges + 1, sizeof *order);
    if (!order)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < graph->n_edges; i++)
        order[i] = i;
    qsort_r(order, graph->n_edges, sizeof order[0], heaviest_first, graph->edge_weight);
    size_t n = graph->n_edges < MAX_EDGES ? graph->n_edges : MAX_EDGES;
    json_put_key(w, "edges");
    json_begin_object(w);
    begin(w, "from");
    for (size_t i = 0; i < n; i++)
        json_put_integer(w, graph->low[order[i]]);
    json_end_array(w);
    begin(w, "to");
    for (size_t i = 0; i < n; i++)
        json_put_integer(w, graph->high[order[i]]);
    json_end_array(w);
    json_end_object(w);
    return STATUS_OK;
}

static enum status put_drawn(const struct report *report, struct error *err)
{
    const struct network *network = report->training->network;
    AUTO(free_slot) size_t *rows = calloc(network->n_drawn + 1, sizeof *rows);
    if (!rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < network->n_drawn; i++)
        rows[i] = network_row(network, network->drawn[i]);
    json_put_key(report->w, "drawn");
    json_begin_object(report->w);
    put_nodes(report, rows);
    TRY(put_edges(report, err));
    json_end_object(report->w);
    return STATUS_OK;
}

/* ---- communities ---- */

static void put_themes(struct json_writer *w, const struct network_community *community)
{
    begin(w, "themes");
    for (size_t t = 0; t < community->n_themes; t++) {
        const struct network_theme *theme = &community->themes[t];
        json_begin_object(w);
        json_member_string(w, "kind", theme->kind);
        json_member_string(w, "name", theme->name);
        json_member_number(w, "value", rounded(theme->share, 1e6));
        json_member_number(w, "overall", rounded(theme->overall, 1e6));
        json_member_number(w, "z", rounded(theme->z, 1e2));
        json_end_object(w);
    }
    json_end_array(w);
}

/* The members with the highest PageRank; nodes are drawn in that order. */
static void put_members(const struct report *report, size_t community)
{
    const struct network *network = report->training->network;
    size_t n = 0;
    begin(report->w, "members");
    for (size_t i = 0; i < network->n_drawn && n < MAX_MEMBERS; i++) {
        if (network->community[network->drawn[i]] != community)
            continue;
        json_put_string(report->w, handle_of(report, network_row(network, network->drawn[i])));
        n++;
    }
    json_end_array(report->w);
}

static void put_communities(const struct report *report)
{
    const struct network *network = report->training->network;
    struct json_writer *w = report->w;
    begin(w, "communities");
    for (size_t c = 0; c < network->n_large && c < MAX_COMMUNITIES; c++) {
        const struct network_community *community = &network->communities[c];
        json_begin_object(w);
        json_member_string(w, "name", community->name);
        json_member_integer(w, "size", (int64_t)community->size);
        json_member_number(w, "within", rounded(community->within, 1e4));
        put_themes(w, community);
        put_members(report, c);
        json_end_object(w);
    }
    json_end_array(w);
}

/* ---- accounts ---- */

static void put_account(const struct report *report, uint32_t node)
{
    const struct network *network = report->training->network;
    struct json_writer *w = report->w;
    const double *followers = report->training->table->number[PROFILE_followers];
    uint32_t row = network_row(network, node);
    json_begin_object(w);
    json_member_string(w, "handle", handle_of(report, row));
    json_member_integer(w, "community", shown_community(network, node));
    json_member_number(w, "followers", followers ? followers[row] : MISSING);
    json_member_integer(w, "degree", (int64_t)graph_degree(network->graph, node));
    json_member_number(w, "pagerank", times_even(network, node));
    json_member_integer(w, "core", (int64_t)network->measures.core[node]);
    json_member_number(w, "betweenness", rounded(network->measures.betweenness[node], 1e6));
    json_member_number(w, "spread", rounded(network->spread[node], 1e4));
    json_end_object(w);
}

static void put_hubs(const struct report *report)
{
    const struct network *network = report->training->network;
    begin(report->w, "hubs");
    for (size_t i = 0; i < network->n_drawn && i < MAX_NAMED; i++)
        put_account(report, network->drawn[i]);
    json_end_array(report->w);
}

static void put_bridges(const struct report *report)
{
    uint32_t bridges[MAX_NAMED];
    size_t n = network_bridges(report->training->network, bridges, MAX_NAMED);
    begin(report->w, "bridges");
    for (size_t i = 0; i < n; i++)
        put_account(report, bridges[i]);
    json_end_array(report->w);
}

static void put_homophily(const struct report *report)
{
    const struct network *network = report->training->network;
    const struct graph_homophily *found = &network->homophily;
    struct json_writer *w = report->w;
    if (!network->has_homophily) {
        report_put_absent(report, "homophily", "the accounts have no categories to compare");
        return;
    }
    json_put_key(w, "homophily");
    json_begin_object(w);
    json_member_string(w, "by", "category");
    json_member_integer(w, "n", (int64_t)found->n_edges);
    json_member_number(w, "assortativity", rounded(found->assortativity, 1e4));
    json_member_number(w, "low", rounded(found->low, 1e4));
    json_member_number(w, "high", rounded(found->high, 1e4));
    json_member_number(w, "within", rounded(found->within, 1e4));
    json_member_number(w, "expected", rounded(found->expected, 1e4));
    json_end_object(w);
}

/* ---- links ---- */

static void put_scores(struct json_writer *w, const struct link_assessment *assessed)
{
    begin(w, "scores");
    for (size_t method = 0; method < LINK_N_METHODS; method++) {
        json_begin_object(w);
        json_member_string(w, "name", link_method_names[method]);
        json_member_string(w, "help", link_method_help[method]);
        json_member_number(w, "auc", rounded(assessed->mean[method], 1e4));
        json_member_number(w, "sd", rounded(assessed->sd[method], 1e4));
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_links(const struct report *report, const char *key,
                      const struct network_links *links)
{
    struct json_writer *w = report->w;
    if (!links->is_there) {
        report_put_absent(report, key, links->why);
        return;
    }
    const struct link_assessment *assessed = &links->assessed;
    json_put_key(w, key);
    json_begin_object(w);
    json_member_integer(w, "n", (int64_t)links->graph->n_arcs);
    json_member_integer(w, "held", (int64_t)assessed->n_held);
    json_member_integer(w, "unseen", (int64_t)assessed->n_unseen);
    json_member_string(w, "method", link_method_names[assessed->method]);
    json_member_number(w, "auc", rounded(assessed->auc, 1e4));
    json_member_number(w, "sd", rounded(assessed->auc_sd, 1e4));
    json_member_number(w, "precision", rounded(assessed->precision, 1e4));
    put_scores(w, assessed);
    begin(w, "suggested");
    for (size_t i = 0; i < links->n_suggestions; i++) {
        json_begin_object(w);
        json_member_string(w, "from", handle_of(report, links->suggestions[i].from));
        json_member_string(w, "to", handle_of(report, links->suggestions[i].to));
        json_member_number(w, "score", rounded(links->suggestions[i].score, 1e6));
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

enum status report_put_network(const struct report *report, struct error *err)
{
    const struct network *network = report->training->network;
    struct json_writer *w = report->w;
    json_put_key(w, "network");
    json_begin_object(w);
    json_member_string(w, "kind", network->is_real ? "edges" : "similarity");
    json_member_integer(w, "n", (int64_t)network->graph->n);
    json_member_integer(w, "of", (int64_t)report->training->table->n_rows);
    json_member_integer(
        w, "links", (int64_t)(network->is_real ? network->graph->n_arcs : network->graph->n_edges));
    json_member_integer(w, "neighbours", network->is_real ? 0 : (int64_t)network->k);
    json_member_integer(w, "isolated", (int64_t)network->n_isolated);
    json_member_number(w, "modularity", rounded(network->modularity, 1e4));
    json_member_integer(w, "n_communities", (int64_t)network->n_large);
    json_member_bool(w, "sampled", network->measures.is_sampled);
    put_communities(report);
    put_hubs(report);
    put_bridges(report);
    put_homophily(report);
    put_links(report, "collaborations", &network->links);
    put_links(report, "brands", &network->brands);
    TRY(put_drawn(report, err));
    json_end_object(w);
    return STATUS_OK;
}
