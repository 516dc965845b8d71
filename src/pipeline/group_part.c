/* SPDX-License-Identifier: Apache-2.0 */

/* Archetypes, and the catalogue with its nearest neighbours. */
#include <stdlib.h>
#include <string.h>

#include "pipeline/training.h"

void cluster_part_deinit(struct cluster_part *part)
{
    feature_spec_free(part->spec);
    matrix_deinit(&part->matrix);
    archetypes_free(part->archetypes);
}

/* The few features that archetypes are made of; where the table has none, any number it has. */
static enum status choose_design(struct training *training, struct error *err)
{
    struct design *design = &training->cluster.design;
    struct design_options options = {0};
    archetypes_choose_features(&options);
    if (design_choose(training->table, &options, design, NULL) == STATUS_OK)
        return STATUS_OK;
    return design_choose(training->table, &(struct design_options){.no_texts = true}, design, err);
}

enum status cluster_part_train(struct training *training, struct error *err)
{
    struct cluster_part *part = &training->cluster;
    const struct table *table = training->table;
    TRY(choose_design(training, err));
    progress_show(training->progress, "archetypes", -1);
    TRY(design_fit(&part->design, table, training->all_rows, table->n_rows, &part->spec, err));
    TRY(matrix_make(part->spec, table, training->all_rows, table->n_rows, &part->matrix, err));
    struct archetypes_options options = {
        .min_k = (size_t)training->config->archetypes_min_k,
        .max_k = (size_t)training->config->archetypes_max_k,
        .seed = training->seed,
        .posts_per_week = table->number[PROFILE_posts_per_week],
    };
    free(STEAL(part->matrix.raw)); /* of no use from here on */
    TRY(together_archetypes(&training->together, part->spec, &part->matrix, &options,
                            &part->archetypes, err));
    if (part->archetypes->model.silhouette < 0.25)
        training_warn(training,
                      "archetypes are weak (silhouette %.2f): the accounts are a cloud, not groups",
                      part->archetypes->model.silhouette);
    if (part->archetypes->stability < ARCHETYPES_STABLE)
        training_warn(
            training,
            "archetypes do not come out again on other samples (adjusted Rand index %.2f)",
            part->archetypes->stability);
    return STATUS_OK;
}

enum status cluster_part_write(struct training *training, struct error *err)
{
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    TRY(artifact_writer_new(ARTIFACT_CLUSTER, &writer, err));
    TRY(clusters_write(writer, training->cluster.spec, &training->cluster.archetypes->model, err));
    return artifact_finish(writer, &training->blob[ENGINE_CLUSTER],
                           &training->blob_bytes[ENGINE_CLUSTER], err);
}

static struct catalogue_columns columns_of(const struct table *table)
{
    struct catalogue_columns columns = {.n = table->n_rows};
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        columns.number[i] = table->number[i];
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        columns.text[i] = (const char *const *)table->text[i];
    return columns;
}

/* What the models read of the table's own: an answer to a handle needs it. */
static enum status take_own_columns(struct training *training, struct catalogue_columns *columns,
                                    struct error *err)
{
    const struct feature_spec *const specs[] = {
        training->score.searched.spec,
        training->tier.tier.searched.spec,
        training->tier.size.searched.spec,
    };
    struct own_columns own;
    TRY(own_columns_of(specs, ARRAY_LENGTH(specs), &training->memory, &own, err));
    struct catalogue_own *kept = ARENA_ARRAY(&training->memory, struct catalogue_own, own.n + 1);
    if (!kept)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < own.n; i++) {
        size_t extra = table_find_extra(training->table, own.columns[i].name);
        if (extra == SIZE_MAX)
            continue;
        const struct table_extra *column = &training->table->extras[extra];
        kept[columns->n_own++] = (struct catalogue_own){
            .name = column->name,
            .number = own.columns[i].is_text ? NULL : column->number,
            .text = (const char *const *)column->text,
        };
    }
    columns->own = kept;
    return STATUS_OK;
}

enum status similar_part_design(const struct training *training, struct design *ret_design,
                                struct error *err)
{
    struct design_options options = {
        .level_weight = training->config->similar_text_weight,
        .max_levels = 24,
        .min_level_share = 0.01,
    };
    /* A profile's place in the network is read off its neighbours: it cannot help to find them. */
    network_exclude_features(&options);
    return design_choose(training->table, &options, ret_design, err);
}

/* The index, and how far the rows are from those nearest to them. */
static enum status write_neighbours(struct artifact_writer *writer, struct matrix *matrix,
                                    uint64_t seed, struct error *err)
{
    AUTO(own_neighbours_deinit) struct own_neighbours own = {0};
    const struct neighbour_rows rows = {matrix->scaled, matrix->n, matrix->p};
    free(STEAL(matrix->raw));
    TRY(own_neighbours_init(&own, &rows, seed, err));
    TRY(isolation_write(writer, &own, &rows, err));
    return own_neighbours_write(&own, writer, err);
}

enum status similar_part_write(struct training *training, struct error *err)
{
    const struct table *table = training->table;
    struct design design;
    TRY(similar_part_design(training, &design, err));
    TRY(design_fit(&design, table, training->all_rows, table->n_rows, &training->similar_spec,
                   err));
    AUTO(matrix_deinit) struct matrix matrix = {0};
    TRY(matrix_make(training->similar_spec, table, training->all_rows, table->n_rows, &matrix,
                    err));
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    TRY(artifact_writer_new(ARTIFACT_SIMILAR, &writer, err));
    TRY(similar_spec_write(writer, training->similar_spec, err));
    TRY(write_neighbours(writer, &matrix, training->seed, err));
    matrix_deinit(&matrix);
    matrix = (struct matrix){0};
    struct catalogue_columns columns = columns_of(table);
    TRY(take_own_columns(training, &columns, err));
    TRY(catalogue_write(writer, &columns, err));
    if (training->links.n > 0)
        TRY(links_write(writer, &training->links, err));
    return artifact_finish(writer, &training->blob[ENGINE_SIMILAR],
                           &training->blob_bytes[ENGINE_SIMILAR], err);
}
