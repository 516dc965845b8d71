/* SPDX-License-Identifier: Apache-2.0 */

/* The most similar profiles of the catalogue, under filters. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "runtime/engine_parts.h"
#include "runtime/scratch.h"

#define PREFIX "similar"

enum status similar_spec_write(struct artifact_writer *writer, const struct feature_spec *spec,
                               struct error *err)
{
    return spec_write(writer, PREFIX, spec, err);
}

enum status engine_open_similar(struct engine *engine, struct error *err)
{
    const struct artifact *artifact = engine->artifacts[ENGINE_SIMILAR];
    enum status status = spec_open(artifact, PREFIX, &engine->similar, err);
    if (status == STATUS_NOT_FOUND)
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".spec.names': missing",
                    artifact_name(artifact));
    TRY(status);
    TRY(neighbours_open(artifact, &engine->neighbours, err));
    TRY(catalogue_open(artifact, &engine->catalogue, err));
    if (neighbours_dim(engine->neighbours) != engine->similar->n_columns)
        return fail(err, STATUS_CORRUPT,
                    "%s: section 'neighbours.shape': %zu dimensions for %zu features",
                    artifact_name(artifact), neighbours_dim(engine->neighbours),
                    engine->similar->n_columns);
    if (neighbours_n(engine->neighbours) != catalogue_n(engine->catalogue))
        return fail(err, STATUS_CORRUPT,
                    "%s: section 'neighbours.shape': %zu rows for a catalogue of %zu",
                    artifact_name(artifact), neighbours_n(engine->neighbours),
                    catalogue_n(engine->catalogue));
    status = isolation_open(artifact, &engine->isolation_grid, err);
    if (status != STATUS_NOT_FOUND)
        TRY(status);
    status = links_read(artifact, catalogue_n(engine->catalogue), &engine->links, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

size_t engine_similar_scratch(const struct engine *engine)
{
    if (!engine->similar)
        return 0;
    return scratch_align(engine->similar->n_columns * sizeof(float)) +
           scratch_align(SIMILAR_MAX_K * sizeof(struct neighbour)) +
           scratch_align(SIMILAR_MAX_K * sizeof(struct similar_item)) +
           engine_isolation_scratch(engine);
}

size_t engine_isolation_scratch(const struct engine *engine)
{
    return engine->similar ? neighbours_scratch_bytes(engine->neighbours) : 0;
}

static bool is_other(void *user, uint32_t row)
{
    return row != *(const uint32_t *)user;
}

bool engine_isolation(const struct engine *engine, const struct profile *profile, const float *x,
                      void *scratch, struct isolation *ret_isolation)
{
    if (!engine->isolation_grid)
        return false;
    struct neighbour found[ISOLATION_NEIGHBOURS];
    const char *handle = profile->text[PROFILE_handle];
    uint32_t own = UINT32_MAX;
    if (handle)
        catalogue_find(engine->catalogue, handle, strlen(handle), &own);
    const struct neighbours_query query = {x, ISOLATION_NEIGHBOURS, is_other, &own};
    size_t n = neighbours_search(engine->neighbours, &query, scratch, found);
    *ret_isolation = isolation_of(engine->isolation_grid, found, n);
    return n > 0;
}

/* What a row must be to be in the answer. */
struct filter {
    const struct catalogue *catalogue;
    bool by_category, by_country, by_followers;
    struct catalogue_word category, country, audience_country;
    double min_followers, max_followers, below_followers;
    uint32_t excluded[SIMILAR_MAX_EXCLUDE + 1];
    size_t n_excluded;
};

static bool passes(void *user, uint32_t row)
{
    const struct filter *filter = user;
    const struct catalogue *catalogue = filter->catalogue;
    for (size_t i = 0; i < filter->n_excluded; i++)
        if (filter->excluded[i] == row)
            return false;
    if (filter->by_category && !catalogue_has_word(catalogue, row, &filter->category))
        return false;
    /* Where the account's own country is not known, its audience's stands for it. */
    if (filter->by_country && !catalogue_has_word(catalogue, row, &filter->country) &&
        (catalogue_text(catalogue, row, PROFILE_country) ||
         !catalogue_has_word(catalogue, row, &filter->audience_country)))
        return false;
    if (!filter->by_followers)
        return true;
    double followers = catalogue_number(catalogue, row, PROFILE_followers);
    return followers >= filter->min_followers && followers <= filter->max_followers &&
           followers < filter->below_followers;
}

/* A size tier is a range of followers: from its cut to below the next. */
static enum status filter_by_tier(const struct engine *engine, const char *tier,
                                  struct filter *filter, struct error *err)
{
    const struct tier_extra *extra = &engine->tier_extra;
    for (size_t i = 0; i < extra->n_sizes; i++) {
        if (!text_equal_fold(extra->size_names[i], tier))
            continue;
        if (i > 0)
            filter->min_followers = fmax(filter->min_followers, extra->size_cuts[i - 1]);
        if (i + 1 < extra->n_sizes)
            filter->below_followers = extra->size_cuts[i];
        filter->by_followers = true;
        return STATUS_OK;
    }
    return fail_field(err, STATUS_INVALID, "tier", "'%s' is no size tier%s%s%s", tier,
                      extra->n_sizes > 0 ? "; they go from " : "",
                      extra->n_sizes > 0 ? extra->size_names[0] : "",
                      extra->n_sizes > 0 ? ", the smallest, upward" : "");
}

static void exclude(struct filter *filter, const char *handle)
{
    uint32_t row;
    if (handle && catalogue_find(filter->catalogue, handle, strlen(handle), &row))
        filter->excluded[filter->n_excluded++] = row;
}

static enum status make_filter(const struct engine *engine, const struct profile *profile,
                               const struct similar_query *query, struct filter *filter,
                               struct error *err)
{
    const struct catalogue *catalogue = engine->catalogue;
    filter->catalogue = catalogue;
    filter->n_excluded = 0;
    filter->by_category = query->category != NULL;
    filter->by_country = query->country != NULL;
    if (query->category)
        filter->category = catalogue_word(catalogue, PROFILE_category, query->category);
    if (query->country) {
        filter->country = catalogue_word(catalogue, PROFILE_country, query->country);
        filter->audience_country =
            catalogue_word(catalogue, PROFILE_audience_country, query->country);
    }
    filter->by_followers = !isnan(query->min_followers) || !isnan(query->max_followers);
    filter->min_followers = isnan(query->min_followers) ? -HUGE_VAL : query->min_followers;
    filter->max_followers = isnan(query->max_followers) ? HUGE_VAL : query->max_followers;
    filter->below_followers = HUGE_VAL;
    if (query->tier)
        TRY(filter_by_tier(engine, query->tier, filter, err));
    exclude(filter, profile->text[PROFILE_handle]);
    for (size_t i = 0; i < query->n_exclude; i++)
        exclude(filter, query->exclude[i]);
    return STATUS_OK;
}

/* All but the profile's own account pass. */
static bool is_open(const struct filter *filter, const struct similar_query *query)
{
    return !filter->by_category && !filter->by_country && !filter->by_followers &&
           query->n_exclude == 0;
}

static enum status check_query(const struct similar_query *query, struct error *err)
{
    if (query->k == 0 || query->k > SIMILAR_MAX_K)
        return fail_field(err, STATUS_INVALID, "k", "must be between 1 and %d, got %zu",
                          SIMILAR_MAX_K, query->k);
    if (query->n_exclude > SIMILAR_MAX_EXCLUDE)
        return fail_field(err, STATUS_INVALID, "exclude", "must have at most %d handles, got %zu",
                          SIMILAR_MAX_EXCLUDE, query->n_exclude);
    if (query->min_followers > query->max_followers)
        return fail_field(err, STATUS_INVALID, "min_followers", "must not be above max_followers");
    return STATUS_OK;
}

enum status engine_similar(const struct engine *engine, const struct profile *profile,
                           const struct similar_query *query, void *scratch,
                           struct similar_answer *ret_answer, struct error *err)
{
    if (!engine->similar)
        return engine_fail_absent(ENGINE_SIMILAR, err);
    TRY(check_query(query, err));
    struct filter filter;
    TRY(make_filter(engine, profile, query, &filter, err));
    float *x = scratch_take(&scratch, engine->similar->n_columns * sizeof *x);
    struct neighbour *found = scratch_take(&scratch, SIMILAR_MAX_K * sizeof *found);
    struct similar_item *items = scratch_take(&scratch, SIMILAR_MAX_K * sizeof *items);
    struct profile prepared = *profile;
    feature_prepare(&prepared);
    uint64_t imputed = feature_extract(engine->similar, &prepared, x);
    feature_scale(engine->similar, x, x);
    const struct neighbours_query nearest = {x, query->k, passes, &filter};
    size_t n = neighbours_search(engine->neighbours, &nearest, scratch, found);
    for (size_t i = 0; i < n; i++) {
        double distance = (double)found[i].distance;
        items[i] = (struct similar_item){found[i].row, distance, 1 / (1 + distance)};
    }
    struct isolation isolation = {0};
    bool has_isolation;
    if (is_open(&filter, query) && n >= ISOLATION_NEIGHBOURS) {
        has_isolation = engine->isolation_grid != NULL;
        if (has_isolation)
            isolation = isolation_of(engine->isolation_grid, found, n);
    } else {
        has_isolation = engine_isolation(engine, profile, x, scratch, &isolation);
    }
    *ret_answer = (struct similar_answer){
        .n = n,
        .items = items,
        .n_candidates = catalogue_n(engine->catalogue),
        .has_isolation = has_isolation,
        .isolation = isolation,
        .exact = true,
        .imputed = imputed,
    };
    return STATUS_OK;
}
