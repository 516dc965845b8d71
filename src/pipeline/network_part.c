/* SPDX-License-Identifier: Apache-2.0 */

/* The network in a training run. */
#include "pipeline/training.h"

#define MAX_OUTSIDE 5000000 /* brands and others that the table lacks */

void network_exclude_features(bool excluded[static FEATURE_N])
{
    const uint64_t places = UINT64_C(1) << PROFILE_net_pagerank | UINT64_C(1) << PROFILE_net_core |
                            UINT64_C(1) << PROFILE_net_clustering |
                            UINT64_C(1) << PROFILE_net_betweenness;
    for (size_t f = 0; f < FEATURE_N; f++)
        if (feature_definitions[f].inputs & places)
            excluded[f] = true;
}

/* Figures alone make accounts alike here: that alike ones share a category or a country is then a
 * finding. Where the table has no figures, its texts must do. */
static enum status make_matrix(struct training *training, struct matrix *ret_matrix,
                               struct error *err)
{
    const struct table *table = training->table;
    struct design_options options = {.no_texts = true};
    struct design design;
    network_exclude_features(options.excluded);
    if (design_choose(table, &options, &design, NULL) != STATUS_OK) {
        options.no_texts = false;
        options.level_weight = training->config->similar_text_weight;
        TRY(design_choose(table, &options, &design, err));
    }
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    TRY(design_fit(&design, table, training->all_rows, table->n_rows, &spec, err));
    return matrix_make(spec, table, training->all_rows, table->n_rows, ret_matrix, err);
}

/* The list of edges between rows of the table and to accounts outside; NULL: no files of edges. */
static enum status load_edges(const struct import_joins *joins, const struct table *table,
                              struct edges **ret_edges, struct error *err)
{
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 65536);
    struct handles handles;
    if (joins->n_edges == 0)
        return STATUS_OK;
    TRY(handles_init(&handles, table, &memory, err));
    struct edges_input input = {joins->edges, joins->n_edges, &handles, joins->progress};
    return edges_load(&input, &(struct edges_options){.max_outside = MAX_OUTSIDE}, NULL, ret_edges,
                      err);
}

enum status network_part_train(struct training *training, const struct import_joins *joins,
                               struct error *err)
{
    AUTO(matrix_deinit) struct matrix matrix = {0};
    TRY(load_edges(joins, training->table, &training->edges, err));
    struct network_input input = {
        .table = training->table,
        .edges = training->edges,
        .k = (size_t)training->config->network_neighbours,
        .seed = training->seed,
        .progress = training->progress,
    };
    if (!network_has_edges(training->edges)) {
        TRY(make_matrix(training, &matrix, err));
        input.x = matrix.scaled;
        input.dim = matrix.p;
    }
    TRY(network_make(&input, &training->network, err));
    if (!training->network->is_real)
        return STATUS_OK;
    return network_fill_columns(training->network, training->table, err);
}

enum status network_join(const struct import_joins *joins, struct table *table, uint64_t seed,
                         struct error *err)
{
    AUTO(edges_free_slot) struct edges *edges = NULL;
    AUTO(network_free_slot) struct network *network = NULL;
    TRY(load_edges(joins, table, &edges, err));
    if (!network_has_edges(edges))
        return STATUS_OK;
    struct network_input input = {
        .table = table,
        .edges = edges,
        .seed = seed,
        .columns_only = true,
        .progress = joins->progress,
    };
    TRY(network_make(&input, &network, err));
    return network_fill_columns(network, table, err);
}
