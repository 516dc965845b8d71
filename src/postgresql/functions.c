/* SPDX-License-Identifier: Apache-2.0 */

/* The functions of the extension "influence". Each comes by row and by named arguments, and each of
 * these by the current model (STABLE) and by a named version (by arguments IMMUTABLE: a version
 * never changes, so the answer may be indexed, stored in a generated column and sent to other
 * servers). */
#include <postgres.h>

#include <math.h>

#include <fmgr.h>
#include <funcapi.h>
#include <miscadmin.h>
#include <utils/builtins.h>

#include "postgresql/call_site.h"
#include "postgresql/encoding.h"
#include "postgresql/models.h"
#include "postgresql/record.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void _PG_init(void)
{
    models_init();
}

/* ---- the profile of a call ---- */

enum form {
    BY_ROW,
    BY_ARGUMENTS,
};

/* The session of a call with its profile set; NULL: a value cannot be, and the answer is NULL.
 * With a version it is the first argument, and the profile follows. */
static struct ifl_session *session_of_call(FunctionCallInfo fcinfo, enum form form,
                                           bool has_version)
{
    CHECK_FOR_INTERRUPTS();
    if (has_version && PG_ARGISNULL(0))
        return NULL;
    if (form == BY_ROW && PG_ARGISNULL(has_version))
        return NULL;
    struct ifl_session *session =
        has_version ? models_session_of(text_to_cstring(PG_GETARG_TEXT_PP(0))) : models_session();
    bool set = form == BY_ROW ? record_set_row(session, fcinfo, has_version)
                              : record_set_arguments(session, fcinfo, has_version);
    return set ? session : NULL;
}

static void must(enum ifl_status status, const struct ifl_error *err)
{
    if (status != IFL_OK)
        models_fail(status, err);
}

/* ---- score, tier, cluster ---- */

static Datum score(FunctionCallInfo fcinfo, enum form form, bool has_version)
{
    struct ifl_error err;
    struct ifl_score answer;
    struct ifl_session *session = session_of_call(fcinfo, form, has_version);
    if (!session)
        PG_RETURN_NULL();
    must(ifl_score_only(session, &answer, &err), &err);
    PG_RETURN_FLOAT8(answer.score);
}

static Datum tier(FunctionCallInfo fcinfo, enum form form, bool has_version)
{
    struct ifl_error err;
    struct ifl_tier answer;
    struct ifl_session *session = session_of_call(fcinfo, form, has_version);
    if (!session)
        PG_RETURN_NULL();
    must(ifl_tier(session, &answer, &err), &err);
    PG_RETURN_DATUM(encoding_out(answer.name));
}

static Datum cluster(FunctionCallInfo fcinfo, enum form form, bool has_version)
{
    struct ifl_error err;
    struct ifl_cluster answer;
    struct ifl_session *session = session_of_call(fcinfo, form, has_version);
    if (!session)
        PG_RETURN_NULL();
    must(ifl_cluster(session, &answer, &err), &err);
    PG_RETURN_INT32((int32)answer.cluster);
}

/* ---- everything at once ---- */

enum {
    PREDICT_SCORE,
    PREDICT_LOW,
    PREDICT_HIGH,
    PREDICT_PERCENTILE,
    PREDICT_NOVELTY,
    PREDICT_TIER,
    PREDICT_TIER_PROBABILITY,
    PREDICT_CLUSTER,
    PREDICT_CLUSTER_NAME,
    PREDICT_N
};

static void put_number(Datum *values, bool *nulls, int i, double value)
{
    nulls[i] = isnan(value);
    values[i] = Float8GetDatum(value);
}

/* The answers share the session's memory: each is copied before the next is asked for. */
static void fill_prediction(struct ifl_session *session, Datum *values, bool *nulls)
{
    struct ifl_error err;
    struct ifl_score score;
    struct ifl_tier tier;
    struct ifl_cluster cluster;
    must(ifl_score_only(session, &score, &err), &err);
    put_number(values, nulls, PREDICT_SCORE, score.score);
    put_number(values, nulls, PREDICT_LOW, score.low);
    put_number(values, nulls, PREDICT_HIGH, score.high);
    put_number(values, nulls, PREDICT_PERCENTILE, score.percentile);
    put_number(values, nulls, PREDICT_NOVELTY, score.novelty);
    must(ifl_tier(session, &tier, &err), &err);
    double probability = 0;
    for (size_t i = 0; i < tier.n_tiers; i++)
        probability = Max(probability, tier.probabilities[i]);
    values[PREDICT_TIER] = encoding_out(tier.name);
    put_number(values, nulls, PREDICT_TIER_PROBABILITY, probability);
    must(ifl_cluster(session, &cluster, &err), &err);
    values[PREDICT_CLUSTER] = Int32GetDatum((int32)cluster.cluster);
    values[PREDICT_CLUSTER_NAME] = encoding_out(cluster.name);
}

/* The columns of the row that is returned. PostgreSQL finds them in its catalogue, for more than a
 * linear model takes to answer. */
static TupleDesc columns_of_answer(FunctionCallInfo fcinfo)
{
    struct call_site *site = call_site(fcinfo);
    if (site->answer)
        return site->answer;
    TupleDesc columns;
    MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "influence_predict: a row is returned");
    site->answer = BlessTupleDesc(columns);
    MemoryContextSwitchTo(before);
    return site->answer;
}

static Datum predict(FunctionCallInfo fcinfo, enum form form, bool has_version)
{
    Datum values[PREDICT_N] = {0};
    bool nulls[PREDICT_N] = {0};
    struct ifl_session *session = session_of_call(fcinfo, form, has_version);
    if (!session)
        PG_RETURN_NULL();
    fill_prediction(session, values, nulls);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(columns_of_answer(fcinfo), values, nulls)));
}

/* ---- sets ---- */

/* InitMaterializedSRF() raises an error where a set is not accepted. The columns are those that the
 * caller has found: to find them again would leave half a kilobyte in the memory of the query. */
static ReturnSetInfo *begin_set(FunctionCallInfo fcinfo)
{
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    return (ReturnSetInfo *)fcinfo->resultinfo;
}

/* The base first, then what each feature adds: they sum up to the score. */
static Datum explain(FunctionCallInfo fcinfo, enum form form, bool has_version)
{
    struct ifl_error err;
    struct ifl_score answer;
    ReturnSetInfo *set = begin_set(fcinfo);
    struct ifl_session *session = session_of_call(fcinfo, form, has_version);
    if (!session)
        return (Datum)0;
    must(ifl_score(session, &answer, &err), &err);
    for (size_t i = 0; i <= answer.n_contributions && answer.n_contributions > 0; i++) {
        Datum values[2] = {
            encoding_out(i == 0 ? "(base)" : answer.features[i - 1]),
            Float8GetDatum(i == 0 ? answer.base : answer.contributions[i - 1]),
        };
        bool nulls[2] = {false, false};
        tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
    }
    return (Datum)0;
}

/* Arguments from `first` on: k, category, country, tier. */
static void put_similar(FunctionCallInfo fcinfo, struct ifl_session *session, int first)
{
    struct ifl_error err;
    struct ifl_similar answer;
    ReturnSetInfo *set = (ReturnSetInfo *)fcinfo->resultinfo;
    const char *filter[3] = {NULL, NULL, NULL};
    for (int i = 0; i < 3; i++)
        if (!PG_ARGISNULL(first + 1 + i))
            filter[i] = encoding_in(text_to_cstring(PG_GETARG_TEXT_PP(first + 1 + i)));
    int32 k = PG_ARGISNULL(first) ? 10 : PG_GETARG_INT32(first);
    if (k < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("influence: k must be between 1 and 1000, got %d", k)));
    struct ifl_similar_query query = {
        .k = (size_t)k, .category = filter[0], .country = filter[1], .tier = filter[2]};
    must(ifl_similar(session, &query, &answer, &err), &err);
    for (size_t i = 0; i < answer.n; i++) {
        CHECK_FOR_INTERRUPTS();
        bool nulls[3] = {answer.items[i].handle == NULL, false, false};
        Datum values[3] = {
            nulls[0] ? (Datum)0 : encoding_out(answer.items[i].handle),
            Float8GetDatum(answer.items[i].similarity),
            Float8GetDatum(answer.items[i].distance),
        };
        tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
    }
}

static Datum similar_row(FunctionCallInfo fcinfo)
{
    begin_set(fcinfo);
    struct ifl_session *session = session_of_call(fcinfo, BY_ROW, false);
    if (session)
        put_similar(fcinfo, session, 1);
    return (Datum)0;
}

static Datum similar_handle(FunctionCallInfo fcinfo)
{
    struct ifl_error err;
    begin_set(fcinfo);
    if (PG_ARGISNULL(0))
        return (Datum)0;
    struct ifl_session *session = models_session();
    const char *handle = encoding_in(text_to_cstring(PG_GETARG_TEXT_PP(0)));
    must(ifl_set_handle(session, handle, &err), &err);
    put_similar(fcinfo, session, 1);
    return (Datum)0;
}

/* ---- the doors, as script.c declares them ---- */

#define DOOR(name, call)         \
    PG_FUNCTION_INFO_V1(name);   \
    Datum name(PG_FUNCTION_ARGS) \
    {                            \
        return call;             \
    }
DOOR(influence_score_row, score(fcinfo, BY_ROW, false))
DOOR(influence_score_arguments, score(fcinfo, BY_ARGUMENTS, false))
DOOR(influence_score_at_row, score(fcinfo, BY_ROW, true))
DOOR(influence_score_at_arguments, score(fcinfo, BY_ARGUMENTS, true))
DOOR(influence_tier_row, tier(fcinfo, BY_ROW, false))
DOOR(influence_tier_arguments, tier(fcinfo, BY_ARGUMENTS, false))
DOOR(influence_tier_at_row, tier(fcinfo, BY_ROW, true))
DOOR(influence_tier_at_arguments, tier(fcinfo, BY_ARGUMENTS, true))
DOOR(influence_cluster_row, cluster(fcinfo, BY_ROW, false))
DOOR(influence_cluster_arguments, cluster(fcinfo, BY_ARGUMENTS, false))
DOOR(influence_cluster_at_row, cluster(fcinfo, BY_ROW, true))
DOOR(influence_cluster_at_arguments, cluster(fcinfo, BY_ARGUMENTS, true))
DOOR(influence_predict_row, predict(fcinfo, BY_ROW, false))
DOOR(influence_predict_arguments, predict(fcinfo, BY_ARGUMENTS, false))
DOOR(influence_predict_at_row, predict(fcinfo, BY_ROW, true))
DOOR(influence_predict_at_arguments, predict(fcinfo, BY_ARGUMENTS, true))
DOOR(influence_explain_row, explain(fcinfo, BY_ROW, false))
DOOR(influence_explain_arguments, explain(fcinfo, BY_ARGUMENTS, false))
DOOR(influence_explain_at_row, explain(fcinfo, BY_ROW, true))
DOOR(influence_explain_at_arguments, explain(fcinfo, BY_ARGUMENTS, true))
DOOR(influence_similar_row, similar_row(fcinfo))
DOOR(influence_similar_handle, similar_handle(fcinfo))
/* Of what may be indexed. CREATE INDEX by several workers loads the module when they are running,
 * and settings that it finds are refused then: to be asked, if only for nothing, it is loaded as
 * the index's expressions are planned. */
DOOR(influence_support, PointerGetDatum(NULL))
DOOR(influence_model, CStringGetTextDatum(models_version()))
DOOR(influence_library, CStringGetTextDatum(ifl_version()))
