/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "serve/assets.h"
#include "serve/config.h"
#include "serve/openapi_operation.h"
#include "serve/openapi_schemas.h"
#include "serve/request.h"
#include "serve/router.h"
#include "serve/service.h"

/* One document on its way. */
struct document {
    struct json_writer w;
    const struct engine *engine;
    const struct serve_config *config;
};

static bool has_tokens(const struct document *document)
{
    return document->config->access_tokens[0] != '\0';
}

/* ---- operations ---- */

static const char *tag_of(const struct route *route)
{
    return route->dialect == DIALECT_V2       ? "inference-protocol"
           : route->dialect == DIALECT_MLFLOW ? "mlflow"
           : route->is_operators              ? "operations"
                                              : "profiles";
}

/* "get" and "/v2/models/{model}" to "getV2ModelsModel". */
static void put_operation_id(struct json_writer *w, const struct openapi_operation *operation)
{
    char id[96];
    size_t n = (size_t)snprintf(id, sizeof id, "%s", operation->is_post ? "post" : "get");
    bool begins = true;
    const char *path = operation->route->path[1] ? operation->route->path : "/index";
    for (; *path && n + 1 < sizeof id; path++) {
        if (isalnum((unsigned char)*path))
            id[n++] = (char)(begins ? toupper((unsigned char)*path) : *path);
        begins = !isalnum((unsigned char)*path);
    }
    id[n] = '\0';
    json_member_string(w, "operationId", id);
}

static void put_security(struct document *document, unsigned scope)
{
    struct json_writer *w = &document->w;
    json_put_key(w, "security");
    json_begin_array(w);
    if (has_tokens(document) && scope != 0) {
        json_begin_object(w);
        json_put_key(w, "bearer");
        json_begin_array(w);
        json_put_string(w, scope == TOKEN_ADMIN     ? "admin"
                           : scope == TOKEN_METRICS ? "metrics"
                                                    : "predict");
        json_end_array(w);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_operation(struct document *document, const struct openapi_operation *operation)
{
    struct json_writer *w = &document->w;
    json_put_key(w, operation->is_post ? "post" : "get");
    json_begin_object(w);
    put_operation_id(w, operation);
    json_member_string(w, "summary", operation->route->help);
    json_put_key(w, "tags");
    json_begin_array(w);
    json_put_string(w, tag_of(operation->route));
    json_end_array(w);
    put_security(document, operation->route->scope);
    openapi_put_parameters(w, operation);
    openapi_put_body(w, operation);
    openapi_put_responses(w, operation);
    json_end_object(w);
}

/* A star, which stands for the rest of a file's name, becomes {name}. */
static void put_path_key(struct json_writer *w, const char *path)
{
    char key[128];
    size_t star = strcspn(path, "*");
    snprintf(key, sizeof key, "%.*s%s", (int)star, path, path[star] ? "{name}" : "");
    json_put_key(w, key);
}

static void put_paths(struct document *document)
{
    struct json_writer *w = &document->w;
    json_put_key(w, "paths");
    json_begin_object(w);
    for (size_t i = 0; i < ROUTE_OTHER; i++) {
        if (routes[i].scope == TOKEN_ADMIN && !document->config->server_reload)
            continue; /* not there: dispatch.c */
        struct openapi_operation operation = {&routes[i], document->config, false};
        put_path_key(w, routes[i].path);
        json_begin_object(w);
        if (routes[i].methods & HTTP_GET)
            put_operation(document, &operation);
        operation.is_post = true;
        if (routes[i].methods & HTTP_POST)
            put_operation(document, &operation);
        json_end_object(w);
    }
    json_end_object(w);
}

/* ---- the document ---- */

static void put_raw_member(struct json_writer *w, const char *key, const char *json)
{
    json_put_key(w, key);
    json_put_raw(w, json, strlen(json));
}

static void put_head(struct document *document)
{
    struct json_writer *w = &document->w;
    char about[512];
    snprintf(about, sizeof about,
             "Influence scores, tiers, archetypes and neighbours of accounts. Typed from the "
             "model %s: a canary beside it may know other tiers and features. What takes GET takes "
             "HEAD. Every answer carries X-Request-Id; bodies may be compressed with gzip.",
             engine_version(document->engine));
    json_member_string(w, "openapi", "3.1.0");
    json_put_key(w, "info");
    json_begin_object(w);
    json_member_string(w, "title", "influenced");
    json_member_string(w, "version", INFLUENCE_VERSION);
    json_member_string(w, "description", about);
    put_raw_member(w, "license", "{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}");
    json_end_object(w);
    put_raw_member(w, "servers", "[{\"url\":\"/\"}]");
    put_raw_member(w, "tags",
                   "[{\"name\":\"profiles\",\"description\":\"what is known of an account\"},"
                   "{\"name\":\"operations\",\"description\":\"for operators\"},"
                   "{\"name\":\"inference-protocol\",\"description\":\"the Open Inference "
                   "Protocol, version 2\"},"
                   "{\"name\":\"mlflow\",\"description\":\"MLflow's scoring protocol\"}]");
}

static void put_components(struct document *document)
{
    struct json_writer *w = &document->w;
    json_put_key(w, "components");
    json_begin_object(w);
    json_put_key(w, "schemas");
    openapi_put_schemas(w, document->engine, document->config);
    put_raw_member(w, "headers",
                   "{\"X-Request-Id\":{\"description\":\"the client's own, or a new one\","
                   "\"schema\":{\"type\":\"string\"}}}");
    if (has_tokens(document))
        put_raw_member(w, "securitySchemes",
                       "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":"
                       "\"a token as `influence token new` prints it\"}}");
    json_end_object(w);
}

enum status openapi_write(const struct engine *engine, const struct serve_config *config,
                          struct buffer *out, struct error *err)
{
    struct document document = {json_writer(out), engine, config};
    json_begin_object(&document.w);
    put_head(&document);
    put_paths(&document);
    put_components(&document);
    json_end_object(&document.w);
    return out->failed ? fail(err, STATUS_NO_MEMORY, "openapi.json: out of memory") : STATUS_OK;
}

enum status handle_openapi(struct request *request, struct error *err)
{
    const struct buffer *text = &request->model->openapi;
    const char *etag = arena_printf(&request->arena, "\"%016llx\"",
                                    (unsigned long long)hash_xxh3(text->at, text->length));
    if (!etag)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    request_add_header(request, "Cache-Control", "no-cache");
    if (!assets_unchanged(request, etag))
        buffer_put(&request->reply, text->at, text->length);
    return STATUS_OK;
}
