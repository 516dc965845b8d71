/* SPDX-License-Identifier: Apache-2.0 */

/* The archetype: nearest centroid and soft membership. */
#include "runtime/engine_parts.h"
#include "runtime/scratch.h"
#include "runtime/softmax.h"

size_t engine_cluster_scratch(const struct engine *engine)
{
    if (!engine->clusters)
        return 0;
    const struct clusters_model *model = clusters_model(engine->clusters);
    return scratch_align(model->n_inputs * sizeof(float)) +
           2 * scratch_align(model->k * sizeof(double)) +
           engine_spec_scratch(engine, clusters_spec(engine->clusters));
}

enum status engine_cluster(const struct engine *engine, const struct profile *profile,
                           void *scratch, struct cluster_answer *ret_answer, struct error *err)
{
    if (!engine->clusters)
        return engine_fail_absent(ENGINE_CLUSTER, err);
    const struct clusters_model *model = clusters_model(engine->clusters);
    const struct feature_spec *spec = clusters_spec(engine->clusters);
    float *x = scratch_take(&scratch, model->n_inputs * sizeof *x);
    double *distance = scratch_take(&scratch, model->k * sizeof *distance);
    double *membership = scratch_take(&scratch, model->k * sizeof *membership);
    uint64_t imputed = engine_extract(engine, spec, profile, scratch, x);
    feature_scale(spec, x, x);
    size_t cluster = clusters_assign(engine->clusters, x, distance);
    for (size_t c = 0; c < model->k; c++)
        membership[c] = -distance[c] * distance[c] / 2;
    softmax(membership, model->k, 1, membership);
    *ret_answer = (struct cluster_answer){
        .k = model->k,
        .cluster = cluster,
        .name = model->names[cluster],
        .traits = model->traits[cluster],
        .distance = distance[cluster],
        .distance_percentile = composite_percentile(model->distance_grid + cluster * CLUSTERS_GRID,
                                                    CLUSTERS_GRID, distance[cluster]),
        .membership = membership,
        .imputed = imputed,
    };
    return STATUS_OK;
}
