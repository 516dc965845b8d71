/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/models.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "artifact/bundle.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "runtime/parity.h"
#include "serve/openapi.h"
#include "serve/request.h"
#include "serve/router.h"
#include "serve/service.h"

const char *const model_role_names[N_MODEL_ROLES] = {
    [MODEL_MAIN] = "main", [MODEL_CANARY] = "canary", [MODEL_SHADOW] = "shadow"};

/* ---- loading ---- */

/* A bundle may lack its report. */
static enum status map_report(const char *dir, struct file_map *ret_report, struct error *err)
{
    char path[PATH_MAX + sizeof "/report.json"];
    snprintf(path, sizeof path, "%s/report.json", dir);
    enum status status = file_map(path, ret_report, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The directory of a version. Resolved once: `current` may change while the bundle is read. */
static enum status find_version(const char *models, const char *version,
                                char ret_dir[static PATH_MAX], struct error *err)
{
    char id[BUNDLE_ID_BYTES];
    if (!version)
        return bundle_resolve(models, ret_dir, id, err);
    if (strcmp(version, "current") == 0 || strcmp(version, "previous") == 0) {
        char link[PATH_MAX];
        int length = snprintf(link, sizeof link, "%s/%s", models, version);
        if (length < 0 || (size_t)length >= sizeof link)
            return fail(err, STATUS_INVALID, "%s: path is too long", models);
        if (!file_exists(link))
            return fail(err, STATUS_NOT_FOUND, "%s: there is no %s bundle", models, version);
        return bundle_resolve(link, ret_dir, id, err);
    }
    return bundle_find(models, version, ret_dir, id, err);
}

static enum status load_dir(struct service *service, enum model_role role, const char *dir,
                            struct error *err)
{
    AUTO(engine_close_slot) struct engine *engine = NULL;
    AUTO(file_unmap) struct file_map report = {0};
    AUTO(buffer_deinit) struct buffer openapi = {0};
    size_t n_vectors = 0;
    TRY(bundle_check_whole(dir, err));
    TRY(engine_open(dir, &engine, err));
    TRY(parity_replay(engine, dir, &n_vectors, err));
    TRY(map_report(dir, &report, err));
    if (role == MODEL_MAIN)
        TRY(openapi_write(engine, service->config, &openapi, err));
    const struct model_parts parts = {
        .engine = engine,
        .report = report,
        .openapi = openapi,
        .n_lanes = service->n_lanes,
        /* A shadow is asked what the main model sees. */
        .drift_slice_s = role == MODEL_SHADOW
                             ? 0
                             : service->config->drift_window_minutes * 60 / (DRIFT_SLICES - 1),
    };
    TRY(slot_exchange(&service->slots[role], &parts, err));
    report = (struct file_map){0}; /* the slot's now, as are the text and the engine */
    openapi = (struct buffer){0};
    log_info("%s model: serving %s, %zu parity vectors hold", model_role_names[role],
             engine_version(engine), n_vectors);
    engine = NULL;
    return STATUS_OK;
}

static void count_failure(struct service *service, const struct error *err)
{
    struct metrics *metrics = &service->metrics;
    counter_add(&metrics->reload_failures[err->status], 1);
    snprintf(service->last_failure, sizeof service->last_failure, "%s", err->message);
    service->last_failure_us = clock_utc_us();
}

enum status models_load(struct service *service, const char *version, struct error *err)
{
    char dir[PATH_MAX];
    struct error problem = {0};
    enum status status = find_version(service->config->models_path, version, dir, &problem);
    if (status == STATUS_OK)
        status = load_dir(service, MODEL_MAIN, dir, &problem);
    if (status == STATUS_OK) {
        counter_add(&service->metrics.reloads_ok, 1);
        service->metrics.loaded_s = (double)clock_utc_us() / 1e6;
        return STATUS_OK;
    }
    counter_add(&service->metrics.reloads_failed, 1);
    count_failure(service, &problem);
    return fail(err, status, "%s", problem.message);
}

static void load_beside(struct service *service, enum model_role role, const char *version)
{
    char dir[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    struct error problem = {0};
    if (version[0] == '\0')
        return;
    /* The configuration, other than a request, may also name a directory. */
    enum status status = strchr(version, '/')
                             ? bundle_resolve(version, dir, id, &problem)
                             : find_version(service->config->models_path, version, dir, &problem);
    if (status == STATUS_OK)
        status = load_dir(service, role, dir, &problem);
    if (status == STATUS_OK)
        return;
    count_failure(service, &problem);
    struct slot *slot = &service->slots[role];
    bool is_there = slot_has_model(slot);
    if (is_there && status == STATUS_NOT_FOUND)
        slot_clear(slot);
    log_error("%s model: %s; %s", model_role_names[role], problem.message,
              !is_there                    ? "there is none"
              : status == STATUS_NOT_FOUND ? "it answers no more"
                                           : "the one before stays");
}

void models_load_beside(struct service *service)
{
    load_beside(service, MODEL_CANARY, service->config->models_canary);
    load_beside(service, MODEL_SHADOW, service->config->models_shadow);
}

enum status models_path(const char *models_dir, const char *version, struct buffer *out,
                        struct error *err)
{
    char dir[PATH_MAX];
    TRY(find_version(models_dir, version, dir, err));
    buffer_put_text(out, dir);
    return STATUS_OK;
}

enum status models_check(const char *dir, struct buffer *out, struct error *err)
{
    AUTO(engine_close_slot) struct engine *engine = NULL;
    size_t n_vectors = 0;
    char real[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    TRY(bundle_resolve(dir, real, id, err));
    TRY(bundle_check_whole(real, err));
    TRY(engine_open(real, &engine, err));
    TRY(parity_replay(engine, real, &n_vectors, err));
    buffer_printf(out, "%s, %zu profiles, ", engine_version(engine),
                  catalogue_n(engine_catalogue(engine)));
    if (n_vectors > 0)
        buffer_printf(out, "%zu parity vectors hold", n_vectors);
    else
        buffer_put_text(out, "without parity vectors (an earlier version made it)");
    return STATUS_OK;
}

/* ---- listing ---- */

static void put_roles(struct service *service, const char *id, struct json_writer *w)
{
    json_put_key(w, "roles");
    json_begin_array(w);
    for (size_t role = 0; role < N_MODEL_ROLES; role++) {
        struct model *model = slot_acquire(&service->slots[role]);
        if (model && strcmp(engine_version(model->engine), id) == 0)
            json_put_string(w, model_role_names[role]);
        slot_release(model);
    }
    json_end_array(w);
}

enum status models_list(struct service *service, struct json_writer *w, struct error *err)
{
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 65536);
    struct bundle_info *infos = NULL;
    size_t n = 0;
    TRY(bundle_list(service->config->models_path, &arena, &infos, &n, err));
    json_begin_object(w);
    json_put_key(w, "models");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        json_member_string(w, "version", infos[i].id);
        json_member_string(w, "created",
                           json_string_or(json_get(infos[i].manifest, "created"), NULL));
        json_member_bool(w, "current", infos[i].is_current);
        json_member_bool(w, "previous", infos[i].is_previous);
        put_roles(service, infos[i].id, w);
        if (!infos[i].manifest)
            json_member_string(w, "problem", infos[i].problem);
        json_end_object(w);
    }
    json_end_array(w);
    char time[28];
    clock_format_utc(service->last_failure_us, time);
    json_put_key(w, "last_failure");
    if (service->last_failure_us > 0) {
        json_begin_object(w);
        json_member_string(w, "time", time);
        json_member_string(w, "message", service->last_failure);
        json_end_object(w);
    } else {
        json_put_null(w);
    }
    json_end_object(w);
    return STATUS_OK;
}

/* ---- which model answers ---- */

static uint64_t canary_key(const struct request *request)
{
    if (request->service->config->models_canary_by == CANARY_BY_CLIENT)
        return request->client_hash;
    const char *handle = request_parameter(request, "handle");
    if (handle)
        return hash_xxh3(handle, strlen(handle));
    if (request->body.length > 0)
        return hash_xxh3(request->body.at, request->body.length);
    return hash_xxh3(request->target, strlen(request->target));
}

struct model *models_acquire(struct request *request)
{
    struct service *service = request->service;
    double share = service->config->models_canary_share;
    bool predicts = request->route->keeps_text && request->route->id != ROUTE_INFLUENCERS;
    /* The high 32 bits are as good as 64 for a share. */
    if (predicts && share > 0 && (double)(canary_key(request) >> 32) < share * 0x1p32) {
        struct model *canary = slot_acquire(&service->slots[MODEL_CANARY]);
        request->is_canary = canary != NULL;
        if (canary)
            return canary;
    }
    return slot_acquire(&service->slots[MODEL_MAIN]);
}
