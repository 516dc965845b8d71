/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/v2.h"

#include <string.h>

#include "serve/models.h"
#include "serve/problem.h"
#include "serve/router.h"
#include "serve/service.h"
#include "serve/v2_columns.h"

const struct v2_model v2_models[ENGINE_N_MODELS] = {
    {"score", ENGINE_SCORE, &answer_score},
    {"tier", ENGINE_TIER, &answer_tier},
    {"cluster", ENGINE_CLUSTER, &answer_cluster},
    {"similar", ENGINE_SIMILAR, &answer_similar},
};

const struct v2_model *v2_find(const char *name, size_t length)
{
    for (size_t i = 0; i < ENGINE_N_MODELS; i++)
        if (strlen(v2_models[i].name) == length && memcmp(v2_models[i].name, name, length) == 0)
            return &v2_models[i];
    return NULL;
}

static enum status find_named(const struct request *request, const struct v2_model **ret_model,
                              struct error *err)
{
    size_t length;
    const char *name = router_segment(request, "model", &length);
    *ret_model = v2_find(name, length);
    return *ret_model ? STATUS_OK
                      : fail(err, STATUS_NOT_FOUND,
                             "no model '%.*s'; there are score, tier, cluster and similar",
                             (int)(length < 64 ? length : 64), name);
}

enum status v2_of_path(const struct request *request, const struct v2_model **ret_model,
                       struct error *err)
{
    TRY(find_named(request, ret_model, err));
    size_t length;
    const char *version = router_segment(request, "version", &length);
    const char *served = engine_version(request->model->engine);
    if (length > 0 && (strlen(served) != length || memcmp(served, version, length) != 0))
        return fail(err, STATUS_NOT_FOUND, "the version '%.*s' is not in service; %s is",
                    (int)(length < 64 ? length : 64), version, served);
    return STATUS_OK;
}

static bool is_unloaded(const struct service *service, enum engine_model model)
{
    return atomic_load_explicit(&service->unloaded, memory_order_relaxed) >> model & 1;
}

enum status v2_check_loaded(const struct request *request, enum engine_model model,
                            struct error *err)
{
    if (is_unloaded(request->service, model))
        return fail(err, STATUS_UNAVAILABLE, "the model %s is unloaded", v2_models[model].name);
    return STATUS_OK;
}

/* ---- server ---- */

enum status handle_v2(struct request *request, struct error *err)
{
    static const char *const extensions[] = {"classification", "binary_tensor_data",
                                             "model_repository", "statistics"};
    (void)err;
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "name", "influenced");
    json_member_string(&w, "version", INFLUENCE_VERSION);
    json_put_key(&w, "extensions");
    json_begin_array(&w);
    for (size_t i = 0; i < ARRAY_LENGTH(extensions); i++)
        json_put_string(&w, extensions[i]);
    json_end_array(&w);
    json_end_object(&w);
    return STATUS_OK;
}

static void put_flag(struct request *request, const char *name, const char *key, bool value)
{
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    if (name)
        json_member_string(&w, "name", name);
    json_member_bool(&w, key, value);
    json_end_object(&w);
    request->status = value ? 200 : 503;
}

enum status handle_v2_live(struct request *request, struct error *err)
{
    (void)err;
    put_flag(request, NULL, "live", true);
    return STATUS_OK;
}

enum status handle_v2_ready(struct request *request, struct error *err)
{
    (void)err;
    bool stops = atomic_load_explicit(&request->service->is_stopping, memory_order_relaxed);
    request->model = slot_acquire(&request->service->slots[MODEL_MAIN]);
    put_flag(request, NULL, "ready", request->model && !stops);
    return STATUS_OK;
}

enum status handle_v2_model_ready(struct request *request, struct error *err)
{
    const struct v2_model *model;
    TRY(v2_of_path(request, &model, err));
    put_flag(request, model->name, "ready", !is_unloaded(request->service, model->id));
    return STATUS_OK;
}

/* KServe's list; the repository index tells which of them are ready. */
enum status handle_v2_models(struct request *request, struct error *err)
{
    (void)err;
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_put_key(&w, "models");
    json_begin_array(&w);
    for (size_t i = 0; i < ENGINE_N_MODELS; i++)
        json_put_string(&w, v2_models[i].name);
    json_end_array(&w);
    json_end_object(&w);
    return STATUS_OK;
}

/* ---- metadata ---- */

static void put_input(struct json_writer *w, const char *name, const char *type, const char *kind)
{
    json_begin_object(w);
    json_member_string(w, "name", name);
    json_member_string(w, "datatype", type);
    json_put_key(w, "shape");
    json_begin_array(w);
    json_put_integer(w, -1);
    json_end_array(w);
    json_put_key(w, "parameters");
    json_begin_object(w);
    json_member_string(w, "kind", kind);
    json_member_bool(w, "optional", true);
    json_end_object(w);
    json_end_object(w);
}

/* Every field, because a field may be computed from others; columns of the training table's own
 * that the model reads; and the features that it reads, which may be given in place of what they
 * are computed from. */
static void put_inputs(struct json_writer *w, const struct feature_spec *spec,
                       const struct own_columns *own)
{
    json_put_key(w, "inputs");
    json_begin_array(w);
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        enum profile_kind kind = profile_fields[i].kind;
        put_input(w, profile_fields[i].name,
                  kind == PROFILE_TEXT || kind == PROFILE_MONTH ? "BYTES"
                  : kind == PROFILE_FLAG                        ? "BOOL"
                                                                : "FP64",
                  "field");
    }
    for (size_t i = 0; spec && i < spec->n_extras; i++) {
        const struct own_column *column = own_columns_find(own, spec->extras[i].name);
        put_input(w, spec->extras[i].name, column && column->is_text ? "BYTES" : "FP64", "column");
    }
    for (size_t i = 0; spec && i < spec->n_columns; i++)
        if (spec->columns[i].feature != FEATURE_N)
            put_input(w, spec->columns[i].name, "FP64", "feature");
    json_end_array(w);
}

enum status handle_v2_model(struct request *request, struct error *err)
{
    const struct v2_model *model;
    TRY(v2_of_path(request, &model, err));
    const struct engine *engine = request->model->engine;
    struct v2_column columns[V2_MAX_COLUMNS];
    struct codec_options options;
    codec_options_init(&options, CODEC_NEIGHBOURS);
    size_t n = v2_columns(engine, model, options.similar.k, columns);
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "name", model->name);
    json_put_key(&w, "versions");
    json_begin_array(&w);
    json_put_string(&w, engine_version(engine));
    json_end_array(&w);
    json_member_string(&w, "platform", "influence");
    put_inputs(&w, engine_spec(engine, model->id), engine_own_columns(engine));
    json_put_key(&w, "outputs");
    json_begin_array(&w);
    for (size_t i = 0; i < n; i++)
        v2_column_describe(&columns[i], &w);
    json_end_array(&w);
    json_end_object(&w);
    return STATUS_OK;
}

/* ---- statistics ---- */

static void put_duration(struct json_writer *w, const char *key, uint64_t count, uint64_t ns)
{
    json_put_key(w, key);
    json_begin_object(w);
    json_member_integer(w, "count", (int64_t)count);
    json_member_integer(w, "ns", (int64_t)ns);
    json_end_object(w);
}

enum status handle_v2_stats(struct request *request, struct error *err)
{
    const struct v2_model *model;
    TRY(v2_of_path(request, &model, err));
    const struct metrics *metrics = &request->service->metrics;
    uint64_t requests[2] = {0}, ns[2] = {0}, rows = 0;
    for (unsigned i = 0; i < metrics->n_lanes; i++) {
        const struct metrics_inference *lane = &metrics->lanes[i].inference[model->id];
        rows += counter_get(&lane->rows);
        for (size_t failed = 0; failed < 2; failed++) {
            requests[failed] += counter_get(&lane->requests[failed]);
            ns[failed] += counter_get(&lane->ns[failed]);
        }
    }
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_put_key(&w, "model_stats");
    json_begin_array(&w);
    json_begin_object(&w);
    json_member_string(&w, "name", model->name);
    json_member_string(&w, "version", engine_version(request->model->engine));
    json_member_integer(&w, "inference_count", (int64_t)rows);
    json_member_integer(&w, "execution_count", (int64_t)requests[0]);
    json_put_key(&w, "inference_stats");
    json_begin_object(&w);
    put_duration(&w, "success", requests[0], ns[0]);
    put_duration(&w, "fail", requests[1], ns[1]);
    json_end_object(&w);
    json_end_object(&w);
    json_end_array(&w);
    json_end_object(&w);
    return STATUS_OK;
}

/* ---- the repository ---- */

static enum status read_ready_only(struct request *request, bool *ret, struct error *err)
{
    const struct json *body = NULL;
    *ret = false;
    if (request->body.length == 0)
        return STATUS_OK;
    TRY(json_parse(request->body.at, request->body.length, &request->arena, &body, err));
    if (json_type(body) != JSON_OBJECT)
        return fail(err, STATUS_INVALID, "the body must be an object");
    *ret = json_bool_or(json_get(body, "ready"), false);
    return STATUS_OK;
}

enum status handle_v2_index(struct request *request, struct error *err)
{
    bool ready_only;
    TRY(read_ready_only(request, &ready_only, err));
    request->model = slot_acquire(&request->service->slots[MODEL_MAIN]);
    struct json_writer w = json_writer(&request->reply);
    json_begin_array(&w);
    for (size_t i = 0; i < ENGINE_N_MODELS; i++) {
        bool is_ready = request->model && !is_unloaded(request->service, v2_models[i].id);
        if (ready_only && !is_ready)
            continue;
        json_begin_object(&w);
        json_member_string(&w, "name", v2_models[i].name);
        if (request->model)
            json_member_string(&w, "version", engine_version(request->model->engine));
        json_member_string(&w, "state", is_ready ? "READY" : "UNAVAILABLE");
        json_member_string(&w, "reason", is_ready ? "" : "unloaded");
        json_end_object(&w);
    }
    json_end_array(&w);
    return STATUS_OK;
}

static void put_done(struct request *request)
{
    buffer_put_text(&request->reply, "{}");
}

enum status handle_v2_load(struct request *request, struct error *err)
{
    const struct v2_model *model;
    TRY(find_named(request, &model, err));
    if (!request->resumed)
        return service_ask_main(request->service, request)
                   ? STATUS_OK
                   : fail(err, STATUS_UNAVAILABLE, "the daemon is stopping");
    if (request->outcome.status != STATUS_OK) {
        problem_reply_http(request, 500, "reload_failed", request->outcome.message);
        return STATUS_OK;
    }
    atomic_fetch_and_explicit(&request->service->unloaded, ~(1u << model->id),
                              memory_order_relaxed);
    put_done(request);
    return STATUS_OK;
}

enum status handle_v2_unload(struct request *request, struct error *err)
{
    const struct v2_model *model;
    TRY(find_named(request, &model, err));
    atomic_fetch_or_explicit(&request->service->unloaded, 1u << model->id, memory_order_relaxed);
    put_done(request);
    return STATUS_OK;
}
