/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The network of a table's accounts: its real edges where some are given, otherwise who resembles
 * whom. What the report's section `network` shows, and the columns net_* and community. */
#include "base/progress.h"
#include "dataset/edges.h"
#include "dataset/table.h"
#include "graph/measures.h"
#include "learn/design.h"
#include "pipeline/links.h"
#include "runtime/links.h"

#define NETWORK_MAX_DRAWN 5000
#define NETWORK_MIN_COMMUNITY 5 /* members, to be spoken of */
#define NETWORK_MAX_THEMED 24   /* communities, the largest first, whose themes are sought */
#define NETWORK_MAX_THEMES 6    /* of a community */
#define NETWORK_SUGGESTIONS 50

/* What sets a community apart. */
struct network_theme {
    const char *kind;      /* "category", "country", "audience_country", "hashtag", "figure" */
    const char *name;      /* the value; of a figure the profile field */
    double share, overall; /* of the members and of all; of a figure the medians */
    double z;              /* how far that is beyond chance, in standard deviations */
};

struct network_community {
    size_t size;
    double within; /* share of its members' edges that stay inside */
    const char *name;
    struct network_theme themes[NETWORK_MAX_THEMES];
    size_t n_themes;
};

struct network_input {
    const struct table *table;
    const struct edges *edges; /* between rows of the table and with accounts outside; or NULL */
    const float *x;            /* [n_rows][dim] scaled, for the similarity graph */
    size_t dim;
    size_t k;            /* neighbours in the similarity graph */
    size_t max_accounts; /* in the similarity graph: of more rows so many are drawn */
    uint64_t seed;
    bool columns_only; /* nothing is drawn, and no links are looked for */
    struct progress progress;
};

struct network_links {
    bool is_there;
    const char *why; /* there are none */
    struct graph *graph;
    struct link_assessment assessed;
    struct link_suggestion *suggestions;
    size_t n_suggestions;
};

struct network {
    struct arena memory; /* owns what the members below point to, but for graphs and measures */
    bool is_real;
    size_t k;
    struct graph *graph;
    const uint32_t *rows; /* [graph->n] of the nodes, ascending; NULL: node i is row i */
    size_t n_isolated;
    struct graph_measures measures;
    double modularity;
    uint32_t *community; /* [graph->n], numbered by size */
    size_t n_communities;
    size_t n_large;                        /* of at least NETWORK_MIN_COMMUNITY, which come first */
    struct network_community *communities; /* [n_large] */
    double *spread;                        /* [graph->n] see graph_participation() */
    uint32_t *drawn;                       /* [n_drawn] nodes, by falling PageRank */
    size_t n_drawn;
    double *x, *y;             /* [n_drawn] */
    struct graph *drawn_graph; /* node i is drawn[i] */
    bool has_homophily;
    struct graph_homophily homophily; /* by category */
    struct network_links links, brands;
    const char *const *outside; /* borrowed from the edges: names of nodes n_rows and beyond */
    double seconds;
};

/* The row of a node. */
static inline uint32_t network_row(const struct network *network, size_t node)
{
    return network->rows ? network->rows[node] : (uint32_t)node;
}

/* Nodes of the highest betweenness among those whose edges lead into several communities, the
 * highest first. ret_nodes: [max]; returns how many there are. */
size_t network_bridges(const struct network *network, uint32_t *ret_nodes, size_t max);

/* Whether the edges join accounts of the table at all. */
bool network_has_edges(const struct edges *edges);

/* Deterministic by seed; borrows the edges. */
enum status network_make(const struct network_input *input, struct network **ret_network,
                         struct error *err);
void network_free(struct network *network);
DEFINE_SLOT(network_free, struct network)

/* Fill the table's columns net_* and community, in its own memory; all rows are nodes. */
enum status network_fill_columns(const struct network *network, struct table *table,
                                 struct error *err);

/* Its real edges as models and the catalogue know them, in the arena; none of a network of
 * likenesses. */
enum status network_links(const struct network *network, struct arena *arena,
                          struct links *ret_links, struct error *err);

/* Columns and links from files of edges, in the table's memory, for a table that is only looked at;
 * without edges between its accounts nothing happens. */
enum status network_join(const struct import_joins *joins, struct table *table, uint64_t seed,
                         struct links *ret_links, struct error *err);

/* Take what reads a place in the network (net_*, community) out of a design. */
void network_exclude_features(struct design_options *options);

/* The same columns of the network of likenesses, each row joined to the k nearest by the finder. */
struct network_likeness {
    const struct design *finder;
    size_t k;
    uint64_t seed;
    struct progress progress;
};
enum status network_join_similar(const struct network_likeness *likeness, struct table *table,
                                 struct error *err);

/* Fill the column net_neighbour_score, each row's by all others; nothing happens in a table without
 * influence_score. links may be NULL. */
enum status network_score_neighbours(const struct design *finder, const struct links *links,
                                     uint64_t seed, struct table *table, struct error *err);

/* Fill network->communities; for network.c. */
enum status network_find_themes(const struct table *table, struct network *network,
                                struct error *err);
