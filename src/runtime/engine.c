/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "runtime/engine_parts.h"

const char *const engine_file_names[ENGINE_N_BLOBS] = {
    [ENGINE_SCORE] = "score.blob",     [ENGINE_TIER] = "tier.blob",
    [ENGINE_CLUSTER] = "cluster.blob", [ENGINE_SIMILAR] = "similar.blob",
    [ENGINE_GROWTH] = "growth.blob",
};

static const struct {
    enum artifact_kind kind;
    const char *name;
} models[ENGINE_N_BLOBS] = {
    [ENGINE_SCORE] = {ARTIFACT_SCORE, "score"},
    [ENGINE_TIER] = {ARTIFACT_TIER, "tier"},
    [ENGINE_CLUSTER] = {ARTIFACT_CLUSTER, "cluster"},
    [ENGINE_SIMILAR] = {ARTIFACT_SIMILAR, "similar"},
    [ENGINE_GROWTH] = {ARTIFACT_GROWTH, "growth"},
};

enum status engine_fail_absent(enum engine_model model, struct error *err)
{
    return fail(err, STATUS_UNSUPPORTED, "this bundle has no %s model", models[model].name);
}

enum status engine_need_predictor(const struct artifact *artifact, const char *prefix,
                                  struct predictor **ret_predictor, struct error *err)
{
    enum status status = predictor_open(artifact, prefix, ret_predictor, err);
    if (status == STATUS_NOT_FOUND)
        return fail(err, STATUS_CORRUPT, "%s: section '%s.family': missing",
                    artifact_name(artifact), prefix);
    return status;
}

enum status engine_need_string(struct engine *engine, const struct artifact *artifact,
                               const char *tag, const char **ret_string, struct error *err)
{
    const char *const *strings = NULL;
    size_t n = 0;
    TRY(artifact_need_strings(artifact, tag, 1, &engine->memory, &strings, &n, err));
    *ret_string = strings[0];
    return STATUS_OK;
}

/* ---- opening ---- */

static struct engine *engine_new(const char *version)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return NULL;
    arena_init(&engine->memory, 4096);
    size_t length = strnlen(version, sizeof engine->version - 1);
    memcpy(engine->version, version, length);
    return engine;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static const struct feature_spec *spec_of(const struct predictor *predictor)
{
    return predictor ? predictor_spec(predictor) : NULL;
}

static enum status find_own_columns(struct engine *engine, struct error *err)
{
    const struct feature_spec *const specs[] = {spec_of(engine->score), spec_of(engine->tier),
                                                spec_of(engine->size), spec_of(engine->growth)};
    return own_columns_of(specs, ARRAY_LENGTH(specs), &engine->memory, &engine->own, err);
}

static enum status open_models(struct engine *engine, struct error *err)
{
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++) {
        const struct artifact *artifact = engine->artifacts[i];
        if (artifact && artifact_kind(artifact) != models[i].kind)
            return fail(err, STATUS_CORRUPT, "%s: header: is not a %s model",
                        artifact_name(artifact), models[i].name);
    }
    if (engine->artifacts[ENGINE_SCORE])
        TRY(engine_open_score(engine, err));
    if (engine->artifacts[ENGINE_TIER])
        TRY(engine_open_tier(engine, err));
    if (engine->artifacts[ENGINE_CLUSTER])
        TRY(clusters_open(engine->artifacts[ENGINE_CLUSTER], &engine->clusters, err));
    if (engine->artifacts[ENGINE_SIMILAR])
        TRY(engine_open_similar(engine, err));
    if (engine->artifacts[ENGINE_GROWTH])
        TRY(engine_open_growth(engine, err));
    engine->scratch_bytes =
        larger(larger(engine_score_scratch(engine), engine_tier_scratch(engine)),
               larger(engine_cluster_scratch(engine), engine_similar_scratch(engine)));
    engine->scratch_bytes = larger(engine->scratch_bytes, engine_growth_scratch(engine));
    return find_own_columns(engine, err);
}

enum status engine_open(const char *path, struct engine **ret_engine, struct error *err)
{
    char dir[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    TRY(bundle_resolve(path, dir, id, err));
    AUTO(engine_close_slot) struct engine *engine = engine_new(id);
    if (!engine)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", path);
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++) {
        char file[PATH_MAX + 16];
        snprintf(file, sizeof file, "%s/%s", dir, engine_file_names[i]);
        if (i >= ENGINE_N_MODELS && !file_exists(file))
            continue;
        TRY(artifact_open(file, &engine->artifacts[i], err));
    }
    TRY(open_models(engine, err));
    *ret_engine = STEAL(engine);
    return STATUS_OK;
}

enum status engine_open_memory(const struct engine_blob blobs[static ENGINE_N_BLOBS],
                               struct engine **ret_engine, struct error *err)
{
    AUTO(engine_close_slot) struct engine *engine = engine_new("memory");
    if (!engine)
        return fail(err, STATUS_NO_MEMORY, "engine: out of memory");
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++)
        if (blobs[i].bytes)
            TRY(artifact_open_memory(blobs[i].bytes, blobs[i].n_bytes, engine_file_names[i],
                                     &engine->artifacts[i], err));
    TRY(open_models(engine, err));
    *ret_engine = STEAL(engine);
    return STATUS_OK;
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    predictor_close(engine->score);
    predictor_close(engine->tier);
    predictor_close(engine->size);
    predictor_close(engine->growth);
    clusters_close(engine->clusters);
    feature_spec_free(engine->similar);
    neighbours_close(engine->neighbours);
    catalogue_close(engine->catalogue);
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++)
        artifact_close(engine->artifacts[i]);
    arena_deinit(&engine->memory);
    free(engine);
}

size_t engine_rows_scratch_bytes(const struct engine *engine)
{
    return larger(engine_score_rows_scratch(engine), engine_tier_rows_scratch(engine));
}

size_t engine_scratch_bytes(const struct engine *engine)
{
    return engine->scratch_bytes;
}

const char *engine_version(const struct engine *engine)
{
    return engine->version;
}

const struct catalogue *engine_catalogue(const struct engine *engine)
{
    return engine->catalogue;
}

const struct clusters *engine_clusters(const struct engine *engine)
{
    return engine->clusters;
}

const struct drift_reference *engine_drift(const struct engine *engine, enum engine_model model)
{
    return model == ENGINE_SCORE  ? engine->score_drift
           : model == ENGINE_TIER ? engine->tier_drift
                                  : NULL;
}

const struct own_columns *engine_own_columns(const struct engine *engine)
{
    return &engine->own;
}

const struct feature_spec *engine_spec(const struct engine *engine, enum engine_model model)
{
    const struct predictor *predictor = engine_predictor(engine, model);
    if (predictor)
        return predictor_spec(predictor);
    if (model == ENGINE_CLUSTER && engine->clusters)
        return clusters_spec(engine->clusters);
    return model == ENGINE_SIMILAR ? engine->similar : NULL;
}

const struct predictor *engine_predictor(const struct engine *engine, enum engine_model model)
{
    switch (model) {
    case ENGINE_SCORE:
        return engine->score;
    case ENGINE_TIER:
        return engine->tier;
    case ENGINE_CLUSTER:
    case ENGINE_SIMILAR:
    case ENGINE_N_MODELS:
        break;
    }
    return NULL;
}
