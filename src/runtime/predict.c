/* SPDX-License-Identifier: Apache-2.0 */

/* The public interface: a thin coat over engine.h. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/bundle.h"
#include "base/cleanup.h"
#include "runtime/predict_session.h"

/* struct ifl_engine is struct engine under another name; it is never defined. */
static const struct engine *inner(const struct ifl_engine *engine)
{
    return (const void *)engine;
}

static enum ifl_status public_status(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return IFL_OK;
    case STATUS_INVALID:
    case STATUS_LIMIT:
    case STATUS_EXISTS:
        return IFL_INVALID;
    case STATUS_NOT_FOUND:
        return IFL_NOT_FOUND;
    case STATUS_UNSUPPORTED:
        return IFL_UNSUPPORTED;
    case STATUS_CORRUPT:
        return IFL_CORRUPT;
    case STATUS_NO_MEMORY:
        return IFL_NO_MEMORY;
    case STATUS_IO:
    case STATUS_UNAVAILABLE:
    case STATUS_DENIED:
    case STATUS_CANCELLED:
    case STATUS_INTERNAL:
        break;
    }
    return IFL_FAILED;
}

enum ifl_status predict_give(enum status status, const struct error *from, struct ifl_error *err)
{
    enum ifl_status given = public_status(status);
    if (given == IFL_OK || !err)
        return given;
    static_assert(sizeof err->message == sizeof from->message, "messages are copied whole");
    static_assert(sizeof err->field == sizeof from->field, "fields are copied whole");
    err->status = given;
    memcpy(err->message, from->message, sizeof err->message);
    memcpy(err->field, from->field, sizeof err->field);
    return given;
}

const char *ifl_version(void)
{
    return INFLUENCE_VERSION;
}

static enum status verify(const char *path, struct error *err)
{
    char dir[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    AUTO(engine_close_slot) struct engine *engine = NULL;
    TRY(bundle_resolve(path, dir, id, err));
    TRY(bundle_verify(dir, err));
    return engine_open(dir, &engine, err);
}

enum ifl_status ifl_bundle_verify(const char *path, struct ifl_error *err)
{
    struct error error = {0};
    return predict_give(verify(path, &error), &error, err);
}

enum ifl_status ifl_engine_open(const char *path, struct ifl_engine **ret_engine,
                                struct ifl_error *err)
{
    struct error error = {0};
    struct engine *engine = NULL;
    enum status status = engine_open(path, &engine, &error);
    if (status == STATUS_OK)
        *ret_engine = (void *)engine;
    return predict_give(status, &error, err);
}

void ifl_engine_close(struct ifl_engine *engine)
{
    engine_close((void *)engine);
}

const char *ifl_engine_version(const struct ifl_engine *engine)
{
    return engine_version(inner(engine));
}

static struct ifl_session *new_session(const struct engine *engine)
{
    const struct feature_spec *spec = predictor_spec(engine_predictor(engine, ENGINE_SCORE));
    const struct own_columns *own = engine_own_columns(engine);
    struct ifl_session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->engine = engine;
    session->scratch = aligned_alloc(64, (engine_scratch_bytes(engine) + 127) / 64 * 64);
    session->features = calloc(spec->n_columns + 1, sizeof *session->features);
    session->own = calloc(own->n + 1, sizeof *session->own);
    session->own_texts = calloc(own->n + 1, sizeof *session->own_texts);
    if (!session->scratch || !session->features || !session->own || !session->own_texts) {
        ifl_session_free(session);
        return NULL;
    }
    for (size_t i = 0; i < spec->n_columns; i++)
        session->features[i] = spec->columns[i].name;
    session->n_own = own->n;
    for (size_t i = 0; i < own->n; i++)
        session->own[i].name = own->columns[i].name;
    ifl_clear(session);
    return session;
}

enum ifl_status ifl_session_new(const struct ifl_engine *engine, struct ifl_session **ret_session,
                                struct ifl_error *err)
{
    struct error error = {0};
    struct ifl_session *session = new_session(inner(engine));
    if (!session)
        return predict_give(fail(&error, STATUS_NO_MEMORY, "session: out of memory"), &error, err);
    *ret_session = session;
    return IFL_OK;
}

void ifl_session_free(struct ifl_session *session)
{
    if (!session)
        return;
    ifl_clear(session);
    free(session->scratch);
    free(session->features);
    free(session->own);
    free(session->own_texts);
    free(session);
}

/* ---- the answers ---- */

static enum ifl_status score(struct ifl_session *session, bool explain, struct ifl_score *ret_score,
                             struct ifl_error *err)
{
    struct error error = {0};
    struct score_answer answer;
    enum status status = engine_score(session->engine, &session->profile, explain, session->scratch,
                                      &answer, &error);
    if (status == STATUS_OK)
        *ret_score = (struct ifl_score){
            .target = answer.target,
            .score = answer.score,
            .low = answer.low,
            .high = answer.high,
            .coverage = answer.coverage,
            .percentile = answer.percentile,
            .novelty = answer.novelty,
            .composite = answer.composite.score,
            .n_contributions = answer.n_contributions,
            .features = session->features,
            .contributions = answer.contributions,
            .base = answer.base,
        };
    return predict_give(status, &error, err);
}

enum ifl_status ifl_score(struct ifl_session *session, struct ifl_score *ret_score,
                          struct ifl_error *err)
{
    return score(session, true, ret_score, err);
}

enum ifl_status ifl_score_only(struct ifl_session *session, struct ifl_score *ret_score,
                               struct ifl_error *err)
{
    return score(session, false, ret_score, err);
}

enum ifl_status ifl_growth(struct ifl_session *session, struct ifl_growth *ret_growth,
                           struct ifl_error *err)
{
    struct error error = {0};
    struct growth_answer answer;
    enum status status =
        engine_growth(session->engine, &session->profile, session->scratch, &answer, &error);
    if (status == STATUS_OK)
        *ret_growth = (struct ifl_growth){
            .forecast = answer.forecast,
            .low = answer.low,
            .high = answer.high,
            .coverage = answer.coverage,
            .months = answer.months,
            .percentile = answer.percentile,
        };
    return predict_give(status, &error, err);
}

enum ifl_status ifl_tier(struct ifl_session *session, struct ifl_tier *ret_tier,
                         struct ifl_error *err)
{
    struct error error = {0};
    struct tier_answer answer;
    enum status status =
        engine_tier(session->engine, &session->profile, session->scratch, &answer, &error);
    if (status == STATUS_OK)
        *ret_tier = (struct ifl_tier){
            .target = answer.target,
            .name = answer.names[answer.tier],
            .n_tiers = answer.n_tiers,
            .names = answer.names,
            .probabilities = answer.probabilities,
            .size_claimed = answer.size_claimed,
            .size_predicted = answer.size_predicted,
            .size_confidence = answer.size_confidence,
        };
    return predict_give(status, &error, err);
}

enum ifl_status ifl_cluster(struct ifl_session *session, struct ifl_cluster *ret_cluster,
                            struct ifl_error *err)
{
    struct error error = {0};
    struct cluster_answer answer;
    enum status status =
        engine_cluster(session->engine, &session->profile, session->scratch, &answer, &error);
    if (status == STATUS_OK)
        *ret_cluster = (struct ifl_cluster){
            .cluster = answer.cluster,
            .n_clusters = answer.k,
            .name = answer.name,
            .distance = answer.distance,
            .distance_percentile = answer.distance_percentile,
            .membership = answer.membership,
        };
    return predict_give(status, &error, err);
}

enum ifl_status ifl_similar(struct ifl_session *session, const struct ifl_similar_query *query,
                            struct ifl_similar *ret_similar, struct ifl_error *err)
{
    struct error error = {0};
    struct similar_answer answer;
    const struct similar_query asked = {
        .k = query->k,
        .category = query->category,
        .country = query->country,
        .tier = query->tier,
        .min_followers = query->min_followers > 0 ? query->min_followers : MISSING,
        .max_followers = query->max_followers > 0 ? query->max_followers : MISSING,
    };
    enum status status = engine_similar(session->engine, &session->profile, &asked,
                                        session->scratch, &answer, &error);
    if (status != STATUS_OK)
        return predict_give(status, &error, err);
    const struct catalogue *catalogue = engine_catalogue(session->engine);
    for (size_t i = 0; i < answer.n; i++)
        session->items[i] = (struct ifl_similar_item){
            .handle = catalogue_handle(catalogue, answer.items[i].row),
            .distance = answer.items[i].distance,
            .similarity = answer.items[i].similarity,
        };
    *ret_similar = (struct ifl_similar){answer.n, session->items};
    return IFL_OK;
}
