/* SPDX-License-Identifier: Apache-2.0 */

/* An unseen profile's place in the network: the mean over its nearest catalogued neighbours. What
 * they are found by does not read a place. */
#include <math.h>
#include <string.h>

#include "runtime/engine_parts.h"
#include "runtime/scratch.h"

size_t engine_places_scratch(const struct engine *engine)
{
    if (!engine->similar)
        return 0;
    return scratch_align(engine->similar->n_columns * sizeof(float)) +
           scratch_align(ENGINE_PLACE_NEIGHBOURS * sizeof(struct neighbour)) +
           neighbours_scratch_bytes(engine->neighbours);
}

size_t engine_spec_scratch(const struct engine *engine, const struct feature_spec *spec)
{
    return spec->inputs & FEATURE_PLACES ? engine_places_scratch(engine) : 0;
}

struct predictor_context engine_context(const struct engine *engine,
                                        const struct predictor *predictor,
                                        const struct profile *profile)
{
    struct predictor_context context = {.hashtags = profile->text[PROFILE_hashtags]};
    const char *handle = profile->text[PROFILE_handle];
    uint32_t row;
    if (engine->links.n > 0 && handle && predictor_reads_context(predictor) &&
        catalogue_find(engine->catalogue, handle, strlen(handle), &row))
        context.links = links_of(&engine->links, row);
    return context;
}

/* Mean of a field over the neighbours that have it; MISSING: none has. */
static double mean_of(const struct catalogue *catalogue, const struct neighbour *found, size_t n,
                      enum profile_number field)
{
    double sum = 0;
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++) {
        double value = catalogue_number(catalogue, found[i].row, field);
        if (isnan(value))
            continue;
        sum += value;
        n_known++;
    }
    return n_known > 0 ? sum / (double)n_known : MISSING;
}

uint64_t engine_fill_places(const struct engine *engine, uint64_t fields, struct profile *prepared,
                            void *scratch)
{
    uint64_t lacking = 0;
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        if ((fields & FEATURE_PLACES) >> i & 1 && isnan(prepared->number[i]))
            lacking |= UINT64_C(1) << i;
    if (!lacking || !engine->similar)
        return lacking;
    float *x = scratch_take(&scratch, engine->similar->n_columns * sizeof *x);
    struct neighbour *found = scratch_take(&scratch, ENGINE_PLACE_NEIGHBOURS * sizeof *found);
    feature_extract(engine->similar, prepared, x);
    feature_scale(engine->similar, x, x);
    const struct neighbours_query query = {.x = x, .k = ENGINE_PLACE_NEIGHBOURS};
    size_t n = neighbours_search(engine->neighbours, &query, scratch, found);
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        if (lacking >> i & 1)
            prepared->number[i] = mean_of(engine->catalogue, found, n, (enum profile_number)i);
    return lacking;
}

uint64_t engine_extract_prepared(const struct engine *engine, const struct feature_spec *spec,
                                 struct profile *prepared, void *scratch, float *ret_raw)
{
    uint64_t lacking = 0;
    if (spec->inputs & FEATURE_PLACES)
        lacking = engine_fill_places(engine, spec->inputs, prepared, scratch);
    return feature_extract(spec, prepared, ret_raw) | lacking;
}

uint64_t engine_extract(const struct engine *engine, const struct feature_spec *spec,
                        const struct profile *profile, void *scratch, float *ret_raw)
{
    struct profile prepared = *profile;
    feature_prepare(&prepared);
    return engine_extract_prepared(engine, spec, &prepared, scratch, ret_raw);
}
