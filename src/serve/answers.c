/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "serve/answers_csv.h"
#include "serve/answers_json.h"
#include "serve/request.h"
#include "serve/service.h"
#include "serve/watch.h"

/* ---- score ---- */

static enum status compute_score(const struct asker *asker, const struct profile *profile,
                                 union answer *ret_answer, struct error *err)
{
    TRY(engine_score(asker->engine, profile, asker->options->explain, asker->scratch,
                     &ret_answer->score, err));
    metrics_score(asker->lane, ret_answer->score.score);
    watch_score(asker, profile, &ret_answer->score);
    return STATUS_OK;
}

static enum status compute_score_rows(const struct asker *asker,
                                      const struct profile *const *profiles, size_t n,
                                      union answer *ret_answers, struct error *err)
{
    struct score_answer answers[ENGINE_ROWS];
    TRY(engine_score_rows(asker->engine, profiles, n, asker->rows_scratch, answers, err));
    for (size_t i = 0; i < n; i++) {
        ret_answers[i].score = answers[i];
        metrics_score(asker->lane, answers[i].score);
        watch_score(asker, profiles[i], &answers[i]);
    }
    return STATUS_OK;
}

/* ---- tier ---- */

static enum status compute_tier(const struct asker *asker, const struct profile *profile,
                                union answer *ret_answer, struct error *err)
{
    TRY(engine_tier(asker->engine, profile, asker->scratch, &ret_answer->tier, err));
    metrics_tier(asker->tally, &ret_answer->tier);
    watch_tier(asker, profile, &ret_answer->tier);
    return STATUS_OK;
}

static enum status compute_tier_rows(const struct asker *asker,
                                     const struct profile *const *profiles, size_t n,
                                     union answer *ret_answers, struct error *err)
{
    struct tier_answer answers[ENGINE_ROWS];
    TRY(engine_tier_rows(asker->engine, profiles, n, asker->rows_scratch, answers, err));
    for (size_t i = 0; i < n; i++) {
        ret_answers[i].tier = answers[i];
        metrics_tier(asker->tally, &answers[i]);
        watch_tier(asker, profiles[i], &answers[i]);
    }
    return STATUS_OK;
}

/* ---- cluster ---- */

static enum status compute_cluster(const struct asker *asker, const struct profile *profile,
                                   union answer *ret_answer, struct error *err)
{
    TRY(engine_cluster(asker->engine, profile, asker->scratch, &ret_answer->cluster, err));
    metrics_cluster(asker->tally, ret_answer->cluster.cluster);
    watch_cluster(asker, profile, &ret_answer->cluster);
    return STATUS_OK;
}

/* ---- similar ---- */

static enum status compute_similar(const struct asker *asker, const struct profile *profile,
                                   union answer *ret_answer, struct error *err)
{
    return engine_similar(asker->engine, profile, &asker->options->similar, asker->scratch,
                          &ret_answer->similar, err);
}

static enum status unknown_handle(const struct catalogue *catalogue, const char *handle,
                                  struct error *err)
{
    uint32_t rows[3];
    size_t n = catalogue_closest(catalogue, handle, 3, rows);
    char closest[3 * 80] = "";
    for (size_t i = 0, used = 0; i < n && used < sizeof closest; i++)
        used +=
            (size_t)snprintf(closest + used, sizeof closest - used, "%s%.64s",
                             i > 0 ? ", " : "; closest: ", catalogue_handle(catalogue, rows[i]));
    return fail_field(err, STATUS_NOT_FOUND, "handle", "nobody of the name '%.64s' is catalogued%s",
                      handle, closest);
}

enum status answer_find_profile(const struct catalogue *catalogue, const char *handle,
                                struct profile *ret_profile, struct error *err)
{
    uint32_t row;
    if (!catalogue_find(catalogue, handle, strlen(handle), &row))
        return unknown_handle(catalogue, handle, err);
    catalogue_profile(catalogue, row, ret_profile);
    return STATUS_OK;
}

const struct answer_kind answer_score = {
    .model = ENGINE_SCORE,
    .compute = compute_score,
    .compute_rows = compute_score_rows,
    .write = answers_json_score,
    .csv_columns = "score,score_low,score_high,percentile,novelty,composite,imputed",
    .csv_columns_growth = "score,score_low,score_high,percentile,novelty,composite,growth,"
                          "growth_low,growth_high,imputed",
    .write_csv = answers_csv_score,
};
const struct answer_kind answer_tier = {
    .model = ENGINE_TIER,
    .compute = compute_tier,
    .compute_rows = compute_tier_rows,
    .write = answers_json_tier,
    .csv_columns = "tier,tier_probability,size_claimed,size_predicted,audience,imputed",
    .write_csv = answers_csv_tier,
};
const struct answer_kind answer_cluster = {
    .model = ENGINE_CLUSTER,
    .compute = compute_cluster,
    .write = answers_json_cluster,
    .csv_columns = "cluster,cluster_name,cluster_distance,imputed",
    .write_csv = answers_csv_cluster,
};
const struct answer_kind answer_similar = {
    .model = ENGINE_SIMILAR,
    .compute = compute_similar,
    .write = answers_json_similar,
    .csv_columns = "rank,similar,similarity,distance,imputed",
    .write_csv = answers_csv_similar,
};

/* In the request's arena: warm arenas allocate nothing. */
static enum status take_scratch(struct request *request, size_t bytes, void **ret_scratch,
                                struct error *err)
{
    enum {
        ALIGNMENT = 64
    };
    char *memory = arena_alloc(&request->arena, bytes + ALIGNMENT);
    if (!memory)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_scratch = memory + (ALIGNMENT - (uintptr_t)memory % ALIGNMENT) % ALIGNMENT;
    return STATUS_OK;
}

enum status answer_asker(struct request *request, const struct codec_options *options,
                         struct asker *ret_asker, struct error *err)
{
    const struct engine *engine = request->model->engine;
    void *scratch = NULL;
    TRY(take_scratch(request, engine_scratch_bytes(engine), &scratch, err));
    *ret_asker = (struct asker){
        .engine = engine,
        .options = options,
        .scratch = scratch,
        .arena = &request->arena,
        .lane = &request->service->metrics.lanes[request->lane],
        .tally = &request->model->tally[request->lane],
        .request = request,
    };
    return STATUS_OK;
}

enum status answer_add_rows(struct request *request, struct asker *asker, struct error *err)
{
    return take_scratch(request, engine_rows_scratch_bytes(asker->engine), &asker->rows_scratch,
                        err);
}

/* Nothing is known of it, but perhaps the handle. */
static bool is_bare(const struct profile *profile)
{
    for (size_t i = 0; i < profile->n_extras; i++)
        if (profile->extras[i].text || !isnan(profile->extras[i].number))
            return false;
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        if (!isnan(profile->number[i]))
            return false;
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        if (i != PROFILE_handle && profile->text[i] && profile->text[i][0])
            return false;
    return true;
}

enum status answer_complete(const struct asker *asker, struct profile *profile, struct error *err)
{
    if (!is_bare(profile))
        return STATUS_OK;
    const char *handle = profile->text[PROFILE_handle];
    if (!handle || !handle[0])
        return fail(err, STATUS_INVALID, "a profile needs at least one field, such as followers");
    return answer_find_profile(engine_catalogue(asker->engine), handle, profile, err);
}

enum status answer_profile(const struct asker *asker, const struct answer_kind *kind,
                           struct profile *profile, union answer *ret_answer, struct error *err)
{
    TRY(answer_complete(asker, profile, err));
    return kind->compute(asker, profile, ret_answer, err);
}
