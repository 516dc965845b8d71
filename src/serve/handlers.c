/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/handlers.h"

#include <stdio.h>
#include <string.h>

#include "profile/to_json.h"
#include "serve/answers.h"
#include "serve/assets.h"
#include "serve/codec.h"
#include "serve/problem.h"
#include "serve/request.h"
#include "serve/router.h"
#include "serve/service.h"
#include "serve/shadow.h"

/* ---- the catalogue ---- */

/* ?handle=NAME: everything that is catalogued of one influencer. */
static enum status show_influencer(struct request *request, const struct codec_options *options,
                                   struct error *err)
{
    const struct engine *engine = request->model->engine;
    struct profile profile;
    TRY(answer_find_profile(engine_catalogue(engine), options->handle, &profile, err));
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(engine));
    json_put_key(&w, "profile");
    profile_to_json(&profile, &w);
    codec_write_unknown(&w, &options->unknown);
    json_end_object(&w);
    return STATUS_OK;
}

enum status handle_influencers(struct request *request, struct error *err)
{
    struct codec_options options;
    codec_options_init(&options, CODEC_SEARCH);
    TRY(codec_read_parameters(request->parameters, &request->arena, &options, err));
    if (options.strict)
        TRY(codec_refuse_unknown(&options.unknown, err));
    if (options.handle)
        return show_influencer(request, &options, err);
    const struct engine *engine = request->model->engine;
    const struct catalogue *catalogue = engine_catalogue(engine);
    uint32_t *rows = ARENA_ARRAY(&request->arena, uint32_t, options.limit);
    if (!rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n =
        catalogue_search(catalogue, options.search ? options.search : "", options.limit, rows);

    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(engine));
    json_put_key(&w, "influencers");
    json_begin_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(&w);
        answer_write_influencer(catalogue, rows[i], &w);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_member_integer(&w, "catalogued", (int64_t)catalogue_n(catalogue));
    codec_write_unknown(&w, &options.unknown);
    json_end_object(&w);
    return STATUS_OK;
}

/* ---- the index ---- */

static void write_fields(struct json_writer *w)
{
    json_put_key(w, "fields");
    json_begin_array(w);
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        const struct profile_field *field = &profile_fields[i];
        json_begin_object(w);
        json_member_string(w, "name", field->name);
        if (field->unit[0])
            json_member_string(w, "unit", field->unit);
        if (field->kind != PROFILE_TEXT) {
            json_member_number(w, "min", field->min);
            json_member_number(w, "max", field->max);
        }
        json_member_string(w, "help", field->help);
        json_end_object(w);
    }
    json_end_array(w);
}

enum status handle_index(struct request *request, struct error *err)
{
    if (assets_wants_page(request))
        return handle_page(request, err);
    struct json_writer w = json_writer(&request->reply);
    w.pretty = true;
    json_begin_object(&w);
    json_member_string(&w, "name", "influenced");
    json_member_string(&w, "version", INFLUENCE_VERSION);
    json_member_string(&w, "model", engine_version(request->model->engine));
    json_put_key(&w, "routes");
    json_begin_array(&w);
    for (size_t i = 0; i < ROUTE_OTHER; i++) {
        if (routes[i].scope == TOKEN_ADMIN && !request->service->config->server_reload)
            continue; /* is not there */
        json_begin_object(&w);
        json_member_string(&w, "path", routes[i].path);
        json_member_string(&w, "methods", routes[i].allow);
        json_member_string(&w, "help", routes[i].help);
        json_end_object(&w);
    }
    json_end_array(&w);
    write_fields(&w);
    json_end_object(&w);
    buffer_put_char(&request->reply, '\n');
    return STATUS_OK;
}

/* ---- for operators ---- */

static void write_state(struct request *request, const char *key, bool value, const char *version)
{
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_bool(&w, key, value);
    if (version)
        json_member_string(&w, "model", version);
    json_end_object(&w);
}

enum status handle_healthy(struct request *request, struct error *err)
{
    (void)err;
    write_state(request, "healthy", true, NULL);
    return STATUS_OK;
}

enum status handle_ready(struct request *request, struct error *err)
{
    if (atomic_load_explicit(&request->service->is_stopping, memory_order_relaxed))
        return fail(err, STATUS_UNAVAILABLE, "the daemon is stopping");
    request->model = slot_acquire(&request->service->slots[MODEL_MAIN]);
    if (!request->model)
        return fail(err, STATUS_UNAVAILABLE, "no model is loaded");
    write_state(request, "ready", true, engine_version(request->model->engine));
    return STATUS_OK;
}

/* {"version": "..."}; an empty body is the current one. */
static enum status read_version(struct request *request, struct error *err)
{
    const struct json *body = NULL;
    if (request->body.length == 0)
        return STATUS_OK;
    TRY(json_parse(request->body.at, request->body.length, &request->arena, &body, err));
    if (json_type(body) != JSON_OBJECT)
        return fail(err, STATUS_INVALID, "the body must be an object, got %s",
                    json_type_name(json_type(body)));
    for (const struct json *item = json_first(body); item; item = json_next(item))
        if (strcmp(json_key(item), "version") != 0)
            return fail_field(err, STATUS_INVALID, json_key(item), "is not known here");
    if (json_get(body, "version"))
        TRY(json_need_string(body, "version", &request->version_wanted, err));
    return STATUS_OK;
}

static enum status ask_main(struct request *request, struct error *err)
{
    return service_ask_main(request->service, request)
               ? STATUS_OK
               : fail(err, STATUS_UNAVAILABLE, "the daemon is stopping");
}

enum status handle_reload(struct request *request, struct error *err)
{
    if (!request->resumed) {
        TRY(read_version(request, err));
        return ask_main(request, err);
    }
    const struct error *outcome = &request->outcome;
    if (outcome->status == STATUS_NOT_FOUND && request->version_wanted)
        return fail_field(err, STATUS_NOT_FOUND, "version", "%s", outcome->message);
    if (outcome->status != STATUS_OK) {
        problem_reply_http(request, 500, "reload_failed", outcome->message);
        return STATUS_OK;
    }
    request->model = slot_acquire(&request->service->slots[MODEL_MAIN]);
    write_state(request, "reloaded", true, engine_version(request->model->engine));
    return STATUS_OK;
}

enum status handle_models(struct request *request, struct error *err)
{
    if (!request->resumed)
        return ask_main(request, err);
    if (request->outcome.status != STATUS_OK)
        *err = request->outcome;
    return request->outcome.status;
}

enum status handle_metrics(struct request *request, struct error *err)
{
    (void)err;
    struct service *service = request->service;
    struct metrics_outside outside = {
        .held_bytes = memory_held(&service->memory),
        .spool_bytes = atomic_load_explicit(&service->spools.held, memory_order_relaxed),
        .log_enabled = service->log != NULL};
    request->model = slot_acquire(&service->slots[MODEL_MAIN]);
    if (request->model) {
        outside.engine = request->model->engine;
        outside.model_version = engine_version(request->model->engine);
        outside.tally = request->model->tally;
    }
    for (size_t role = 0; role < N_MODEL_ROLES; role++) {
        struct model *model = slot_acquire(&service->slots[role]);
        if (model)
            snprintf(outside.roles[role], sizeof outside.roles[role], "%s",
                     engine_version(model->engine));
        slot_release(model);
    }
    if (service->log)
        reqlog_stats(service->log, &outside.log);
    metrics_write(&service->metrics, &outside, &request->reply);
    if (service->shadow)
        shadow_write_metrics(service->shadow, &request->reply);
    if (request->model)
        drift_write_metrics(request->model, &request->reply);
    if (request->model && service->config->drift_bins)
        drift_write_bins(request->model, &request->reply);
    request->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return STATUS_OK;
}
