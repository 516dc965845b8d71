/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/fold_places.h"

#include <stdlib.h>

#include "runtime/engine.h"

/* What places are told by. */
#define TELLING (FEATURE_PLACES | UINT64_C(1) << PROFILE_influence_score)

/* The catalogue of the rows trained on: their places and scores, and nothing else. */
static enum status write_catalogue(const struct fold_places *places, struct artifact_writer *writer,
                                   struct error *err)
{
    size_t n = places->n_train;
    AUTO(free_slot) double *values = calloc(n * PROFILE_N_NUMBERS + 1, sizeof *values);
    if (!values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct catalogue_columns columns = {.n = n};
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++) {
        const double *column = places->table->number[f];
        if (!column || !(TELLING >> f & 1))
            continue;
        double *kept = values + f * n;
        for (size_t i = 0; i < n; i++)
            kept[i] = column[places->train[i]];
        columns.number[f] = kept;
    }
    const char **communities = (const char **)places->table->text[PROFILE_community];
    AUTO(free_slot) const char **kept = calloc(n + 1, sizeof *kept);
    if (!kept)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; communities && i < n; i++)
        kept[i] = communities[places->train[i]];
    if (communities)
        columns.text[PROFILE_community] = kept;
    return catalogue_write(writer, &columns, err);
}

/* A similar model as it would ship, had the table these rows only. */
static enum status write_similar(const struct fold_places *places, struct engine_blob *ret_blob,
                                 struct error *err)
{
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    void *bytes = NULL;
    TRY(design_fit(places->similar, places->table, places->train, places->n_train, &spec, err));
    TRY(matrix_make(spec, places->table, places->train, places->n_train, &matrix, err));
    TRY(artifact_writer_new(ARTIFACT_SIMILAR, &writer, err));
    TRY(similar_spec_write(writer, spec, err));
    TRY(neighbours_write(writer, matrix.scaled, matrix.n, matrix.p, places->seed, err));
    TRY(write_catalogue(places, writer, err));
    TRY(artifact_finish(writer, &bytes, &ret_blob->n_bytes, err));
    ret_blob->bytes = bytes;
    return STATUS_OK;
}

static void blob_deinit(struct engine_blob *blob)
{
    free((void *)(uintptr_t)blob->bytes);
}

enum status fold_places_fill(const struct fold_places *places, const struct feature_spec *spec,
                             const size_t *rows, struct matrix *matrix, struct error *err)
{
    AUTO(blob_deinit) struct engine_blob blob = {0};
    AUTO(engine_close_slot) struct engine *engine = NULL;
    TRY(write_similar(places, &blob, err));
    struct engine_blob blobs[ENGINE_N_BLOBS] = {[ENGINE_SIMILAR] = blob};
    TRY(engine_open_memory(blobs, &engine, err));
    AUTO(free_slot)
    void *scratch = aligned_alloc(64, (engine_places_scratch(engine) + 64) / 64 * 64);
    if (!scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < matrix->n; i++) {
        struct profile profile;
        float *raw = matrix->raw + i * matrix->p;
        design_profile(places->table, rows[i], &profile);
        for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
            if (FEATURE_PLACES >> f & 1)
                profile.number[f] = MISSING;
        profile.text[PROFILE_community] = NULL;
        engine_fill_places(engine, spec, &profile, scratch);
        feature_extract(spec, &profile, raw);
        feature_scale(spec, raw, matrix->scaled + i * matrix->p);
    }
    return STATUS_OK;
}
