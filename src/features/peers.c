/* SPDX-License-Identifier: Apache-2.0 */
#include "features/peers.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

enum feature_id peers_feature(const char *name)
{
    return text_starts_with(name, FEATURE_PEER) ? feature_find(name + strlen(FEATURE_PEER))
                                                : FEATURE_N;
}

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the medians of peers");
}

static enum status check(const struct feature_spec *spec, const struct feature_peers *peers,
                         struct error *err)
{
    size_t n_columns = 0;
    for (size_t i = 0; i < spec->n_columns; i++)
        n_columns += spec->columns[i].peer != FEATURE_N;
    if (peers->n_columns != n_columns)
        return fail(err, STATUS_INVALID, "medians of %zu peer columns, the spec has %zu",
                    peers->n_columns, n_columns);
    if (peers->n_sizes < 1 || peers->n_sizes > PEERS_MAX_SIZES ||
        peers->n_categories > PEERS_MAX_CATEGORIES)
        return fail(err, STATUS_INVALID, "%zu sizes and %zu categories of peers", peers->n_sizes,
                    peers->n_categories);
    for (size_t i = 0; i + 1 < peers->n_sizes; i++)
        if (!isfinite(peers->cuts[i]) || (i > 0 && peers->cuts[i] <= peers->cuts[i - 1]))
            return fail(err, STATUS_INVALID, "the sizes of peers do not rise");
    return STATUS_OK;
}

enum status peers_set(struct feature_spec *spec, const struct feature_peers *peers,
                      struct error *err)
{
    TRY(check(spec, peers, err));
    size_t n_medians = (peers->n_sizes + 1) * (peers->n_categories + 1) * peers->n_columns;
    struct feature_peers *copy = ARENA_NEW(&spec->memory, struct feature_peers);
    const char **categories = ARENA_ARRAY(&spec->memory, const char *, peers->n_categories + 1);
    float *medians = ARENA_ARRAY(&spec->memory, float, n_medians + 1);
    if (!copy || !categories || !medians)
        return no_memory(err);
    for (size_t i = 0; i < peers->n_categories; i++)
        if (!(categories[i] = arena_strdup(&spec->memory, peers->categories[i])))
            return no_memory(err);
    memcpy(medians, peers->medians, n_medians * sizeof *medians);
    *copy = *peers;
    copy->categories = categories;
    copy->medians = medians;
    spec->peers = copy;
    if (peers->n_sizes > 1)
        spec->inputs |= UINT64_C(1) << PROFILE_followers;
    return STATUS_OK;
}

static size_t size_of(const struct feature_peers *peers, double followers)
{
    if (isnan(followers))
        return peers->n_sizes;
    size_t size = 0;
    while (size + 1 < peers->n_sizes && followers >= peers->cuts[size])
        size++;
    return size;
}

static size_t category_of(const struct feature_peers *peers, const char *category)
{
    for (size_t i = 0; category && i < peers->n_categories; i++)
        if (strcmp(peers->categories[i], category) == 0)
            return i;
    for (size_t i = 0; category && i < peers->n_categories; i++)
        if (text_equal_fold(peers->categories[i], category))
            return i;
    return peers->n_categories;
}

size_t peers_cell(const struct feature_peers *peers, const struct profile *profile)
{
    size_t size = size_of(peers, profile->number[PROFILE_followers]);
    size_t category = category_of(peers, profile->text[PROFILE_category]);
    return size * (peers->n_categories + 1) + category;
}

const float *peers_of(const struct feature_peers *peers, const struct profile *profile)
{
    return peers->medians + peers_cell(peers, profile) * peers->n_columns;
}
