/* SPDX-License-Identifier: Apache-2.0 */

/* An unseen profile's place in the network: the mean over its nearest catalogued neighbours. What
 * they are found by does not read a place. */
#include <math.h>
#include <string.h>

#include "runtime/engine_parts.h"
#include "runtime/scratch.h"
#include "runtime/weighted_mean.h"

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
    return feature_reads_places(spec) ? engine_places_scratch(engine) : 0;
}

struct predictor_context engine_context(const struct engine *engine,
                                        const struct predictor *predictor,
                                        const struct profile *profile)
{
    struct predictor_context context = {
        .words = {profile->text[PROFILE_hashtags], profile->text[PROFILE_brands]}};
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

/* The score is a label: of an account itself it would tell what is asked. */
static double mean_score(const struct engine *engine, const struct profile *prepared,
                         const struct neighbour *found, size_t n)
{
    const char *handle = prepared->text[PROFILE_handle];
    uint32_t own = UINT32_MAX;
    struct link_list links = {0};
    struct weighted_mean linked = {0};
    struct weighted_mean similar = {0};
    if (handle && catalogue_find(engine->catalogue, handle, strlen(handle), &own))
        links = links_of(&engine->links, own);
    for (size_t i = 0; i < links.n; i++)
        weighted_mean_add(
            &linked, catalogue_number(engine->catalogue, links.node[i], PROFILE_influence_score),
            (double)links.weight[i]);
    for (size_t i = 0; i < n; i++)
        if (found[i].row != own)
            weighted_mean_add(
                &similar,
                catalogue_number(engine->catalogue, found[i].row, PROFILE_influence_score), 1);
    return linked.weight > 0 ? weighted_mean(&linked) : weighted_mean(&similar);
}

/* The community of most of the neighbours; of as many, that of the nearest. */
static const char *community_of(const struct catalogue *catalogue, const struct neighbour *found,
                                size_t n)
{
    const char *best = NULL;
    size_t n_best = 0;
    for (size_t i = 0; i < n; i++) {
        const char *community = catalogue_text(catalogue, found[i].row, PROFILE_community);
        size_t n_same = 0;
        for (size_t j = 0; community && j < n; j++) {
            const char *other = catalogue_text(catalogue, found[j].row, PROFILE_community);
            n_same += other && strcmp(other, community) == 0;
        }
        if (n_same > n_best) {
            n_best = n_same;
            best = community;
        }
    }
    return best;
}

uint64_t engine_fill_places(const struct engine *engine, const struct feature_spec *spec,
                            struct profile *prepared, void *scratch)
{
    uint64_t lacking = 0;
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        if ((spec->inputs & FEATURE_PLACES) >> i & 1 && isnan(prepared->number[i]))
            lacking |= UINT64_C(1) << i;
    bool lacks_community =
        spec->vocabularies[PROFILE_community] && !prepared->text[PROFILE_community];
    if ((!lacking && !lacks_community) || !engine->similar)
        return lacking;
    float *x = scratch_take(&scratch, engine->similar->n_columns * sizeof *x);
    struct neighbour *found = scratch_take(&scratch, ENGINE_PLACE_NEIGHBOURS * sizeof *found);
    feature_extract(engine->similar, prepared, x);
    feature_scale(engine->similar, x, x);
    const struct neighbours_query query = {.x = x, .k = ENGINE_PLACE_NEIGHBOURS};
    size_t n = neighbours_search(engine->neighbours, &query, scratch, found);
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        if (lacking >> i & 1)
            prepared->number[i] =
                i == PROFILE_net_neighbour_score
                    ? mean_score(engine, prepared, found, n)
                    : mean_of(engine->catalogue, found, n, (enum profile_number)i);
    if (lacks_community)
        prepared->text[PROFILE_community] = community_of(engine->catalogue, found, n);
    return lacking;
}

uint64_t engine_extract_prepared(const struct engine *engine, const struct feature_spec *spec,
                                 struct profile *prepared, void *scratch, float *ret_raw)
{
    uint64_t lacking = 0;
    if (feature_reads_places(spec))
        lacking = engine_fill_places(engine, spec, prepared, scratch);
    return feature_extract(spec, prepared, ret_raw) | lacking;
}

uint64_t engine_extract(const struct engine *engine, const struct feature_spec *spec,
                        const struct profile *profile, void *scratch, float *ret_raw)
{
    struct profile prepared = *profile;
    feature_prepare(&prepared);
    return engine_extract_prepared(engine, spec, &prepared, scratch, ret_raw);
}
