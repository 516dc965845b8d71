/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "runtime/grid.h"
#include "runtime/spec_section.h"

/* Sections: the spec under "cluster"; "cluster.centroids" f32 [k][n_inputs]; "cluster.names" and
 * "cluster.traits" strings [k]; "cluster.sizes" u32 [k]; "cluster.distances" f32 [k][101];
 * "cluster.silhouette" f64. */

#define PREFIX "cluster"

struct clusters {
    struct arena memory; /* owns the string arrays of the model */
    struct feature_spec *spec;
    struct clusters_model model; /* borrows the artifact */
};

enum status clusters_write(struct artifact_writer *writer, const struct feature_spec *spec,
                           const struct clusters_model *model, struct error *err)
{
    size_t k = model->k;
    if (k == 0 || k > CLUSTERS_MAX)
        return fail(err, STATUS_INVALID, "%zu clusters, 1 to %d are possible", k, CLUSTERS_MAX);
    if (model->n_inputs != spec->n_columns)
        return fail(err, STATUS_INVALID, "clusters over %zu inputs, the spec has %zu",
                    model->n_inputs, spec->n_columns);
    TRY(spec_write(writer, PREFIX, spec, err));
    TRY(artifact_add(writer, PREFIX ".centroids", ARTIFACT_F32, k, model->n_inputs,
                     model->centroids, err));
    TRY(artifact_add_strings(writer, PREFIX ".names", model->names, k, err));
    TRY(artifact_add_strings(writer, PREFIX ".traits", model->traits, k, err));
    TRY(artifact_add(writer, PREFIX ".sizes", ARTIFACT_U32, k, 1, model->sizes, err));
    TRY(grid_add(writer, PREFIX ".distances", k, CLUSTERS_GRID, model->distance_grid, err));
    return artifact_add(writer, PREFIX ".silhouette", ARTIFACT_F64, 1, 1, &model->silhouette, err);
}

/* Replies hand the traits on as they are: they must be what they claim. */
static enum status check_traits(const struct artifact *artifact, const char *traits,
                                struct error *err)
{
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 4096);
    const struct json *value = NULL;
    struct error inner = {0};
    if (json_parse(traits, strlen(traits), &arena, &value, &inner) != STATUS_OK)
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".traits': %s",
                    artifact_name(artifact), inner.message);
    if (json_type(value) != JSON_ARRAY)
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".traits': is no JSON array",
                    artifact_name(artifact));
    return STATUS_OK;
}

static enum status read_model(const struct artifact *artifact, struct clusters *clusters,
                              struct error *err)
{
    struct clusters_model *model = &clusters->model;
    struct artifact_section section;
    size_t n = 0;
    model->n_inputs = clusters->spec->n_columns;
    TRY(artifact_need(artifact, PREFIX ".centroids", ARTIFACT_F32, ARTIFACT_ANY, model->n_inputs,
                      &section, err));
    model->centroids = section.data;
    model->k = section.rows;
    if (model->k == 0 || model->k > CLUSTERS_MAX)
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".centroids': %zu clusters",
                    artifact_name(artifact), model->k);
    TRY(artifact_need_strings(artifact, PREFIX ".names", model->k, &clusters->memory, &model->names,
                              &n, err));
    TRY(artifact_need_strings(artifact, PREFIX ".traits", model->k, &clusters->memory,
                              &model->traits, &n, err));
    for (size_t c = 0; c < model->k; c++)
        TRY(check_traits(artifact, model->traits[c], err));
    TRY(artifact_need(artifact, PREFIX ".sizes", ARTIFACT_U32, model->k, 1, &section, err));
    model->sizes = section.data;
    TRY(grid_need(artifact, PREFIX ".distances", model->k, CLUSTERS_GRID, &model->distance_grid,
                  err));
    TRY(artifact_need(artifact, PREFIX ".silhouette", ARTIFACT_F64, 1, 1, &section, err));
    model->silhouette = *(const double *)section.data;
    return STATUS_OK;
}

enum status clusters_open(const struct artifact *artifact, struct clusters **ret_clusters,
                          struct error *err)
{
    AUTO(clusters_close_slot) struct clusters *clusters = calloc(1, sizeof *clusters);
    if (!clusters)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    arena_init(&clusters->memory, 1024);
    enum status status = spec_open(artifact, PREFIX, &clusters->spec, err);
    if (status == STATUS_NOT_FOUND)
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".spec.names': missing",
                    artifact_name(artifact));
    TRY(status);
    TRY(read_model(artifact, clusters, err));
    *ret_clusters = STEAL(clusters);
    return STATUS_OK;
}

void clusters_close(struct clusters *clusters)
{
    if (!clusters)
        return;
    feature_spec_free(clusters->spec);
    arena_deinit(&clusters->memory);
    free(clusters);
}

const struct feature_spec *clusters_spec(const struct clusters *clusters)
{
    return clusters->spec;
}

const struct clusters_model *clusters_model(const struct clusters *clusters)
{
    return &clusters->model;
}

size_t clusters_assign(const struct clusters *clusters, const float *x, double *ret_distance)
{
    const struct clusters_model *model = &clusters->model;
    size_t nearest = 0;
    for (size_t c = 0; c < model->k; c++) {
        const float *centroid = model->centroids + c * model->n_inputs;
        double sum = 0;
        for (size_t i = 0; i < model->n_inputs; i++) {
            double difference = (double)x[i] - (double)centroid[i];
            sum += difference * difference;
        }
        ret_distance[c] = sqrt(sum);
        if (ret_distance[c] < ret_distance[nearest])
            nearest = c;
    }
    return nearest;
}
