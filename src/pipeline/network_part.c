/* SPDX-License-Identifier: Apache-2.0 */

/* The network in a training run. */
#include <math.h>
#include <stdlib.h>

#include "learn/leakage.h"
#include "learn/neighbour_scores.h"
#include "pipeline/training.h"

enum {
    EDGES_ONLY, /* of network.features */
};

#define MAX_OUTSIDE 5000000 /* brands and others that the table lacks */

void network_exclude_features(struct design_options *options)
{
    for (size_t f = 0; f < FEATURE_N; f++)
        if (feature_definitions[f].inputs & FEATURE_PLACES)
            options->excluded[f] = true;
    options->hidden_text[PROFILE_community] = true;
}

static bool has_places(const struct table *table)
{
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
        if (FEATURE_PLACES >> f & 1 && table->number[f])
            return true;
    return table->text[PROFILE_community] != NULL;
}

/* Neighbours found by what a target hides would tell of it. */
static bool finds_by_hidden(const struct design *similar, const struct target *target)
{
    for (size_t i = 0; i < similar->n_features; i++)
        if (leakage_hides(target->hidden, similar->features[i]))
            return true;
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++)
        if (similar->texts[t] && target->hidden_text[t])
            return true;
    return false;
}

enum status network_hide_places(const struct training *training, const struct target *target,
                                struct design_options *options, struct error *err)
{
    struct design similar;
    if (!has_places(training->table))
        return STATUS_OK;
    TRY(similar_part_design(training, &similar, err));
    if (finds_by_hidden(&similar, target))
        network_exclude_features(options);
    return STATUS_OK;
}

/* Figures alone make accounts alike here: that alike ones share a category or a country is then a
 * finding. Where the table has no figures, its texts must do. */
static enum status make_matrix(struct training *training, struct matrix *ret_matrix,
                               struct error *err)
{
    const struct table *table = training->table;
    struct design_options options = {.no_texts = true};
    struct design design;
    network_exclude_features(&options);
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
        .max_accounts = (size_t)training->config->network_max_accounts,
        .seed = training->seed,
        .progress = training->progress,
    };
    if (!network_has_edges(training->edges)) {
        TRY(make_matrix(training, &matrix, err));
        input.x = matrix.scaled;
        input.dim = matrix.p;
    }
    TRY(network_make(&input, &training->network, err));
    if (!training->network->is_real && training->config->network_features == EDGES_ONLY)
        return STATUS_OK;
    if (training->network->rows) {
        training_warn(training,
                      "the network is of %zu drawn accounts: models do not see it "
                      "(network.max_accounts)",
                      training->network->graph->n);
        return STATUS_OK;
    }
    struct design finder;
    TRY(network_links(training->network, &training->memory, &training->links, err));
    TRY(network_fill_columns(training->network, training->table, err));
    TRY(similar_part_design(training, &finder, err));
    return network_score_neighbours(&finder, &training->links, training->seed, training->table,
                                    err);
}

enum status network_join_similar(const struct network_likeness *likeness, struct table *table,
                                 struct error *err)
{
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    AUTO(network_free_slot) struct network *network = NULL;
    AUTO(free_slot) size_t *rows = calloc(table->n_rows + 1, sizeof *rows);
    if (!rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < table->n_rows; i++)
        rows[i] = i;
    TRY(design_fit(likeness->finder, table, rows, table->n_rows, &spec, err));
    TRY(matrix_make(spec, table, rows, table->n_rows, &matrix, err));
    struct network_input input = {
        .table = table,
        .x = matrix.scaled,
        .dim = matrix.p,
        .k = likeness->k,
        .max_accounts = SIZE_MAX,
        .seed = likeness->seed,
        .columns_only = true,
        .progress = likeness->progress,
    };
    TRY(network_make(&input, &network, err));
    return network_fill_columns(network, table, err);
}

enum status network_score_neighbours(const struct design *finder, const struct links *links,
                                     uint64_t seed, struct table *table, struct error *err)
{
    const double *score = table->number[PROFILE_influence_score];
    if (!score)
        return STATUS_OK;
    AUTO(free_slot) size_t *rows = calloc(table->n_rows + 1, sizeof *rows);
    double *column = ARENA_ARRAY(&table->memory, double, table->n_rows + 1);
    if (!rows || !column)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct neighbour_scores scores = {
        .table = table, .finder = finder, .links = links, .train = rows, .seed = seed};
    for (size_t i = 0; i < table->n_rows; i++)
        if (!isnan(score[i]))
            rows[scores.n_train++] = i;
    if (scores.n_train == 0)
        return STATUS_OK;
    TRY(neighbour_scores_fill(&scores, column, err));
    table->number[PROFILE_net_neighbour_score] = column;
    return STATUS_OK;
}

enum status network_join(const struct import_joins *joins, struct table *table, uint64_t seed,
                         struct links *ret_links, struct error *err)
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
    TRY(network_links(network, &table->memory, ret_links, err));
    return network_fill_columns(network, table, err);
}
