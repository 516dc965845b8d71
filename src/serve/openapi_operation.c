/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/openapi_operation.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/token.h"
#include "runtime/engine.h"
#include "serve/config.h"
#include "serve/http.h"
#include "serve/openapi_schemas.h"
#include "serve/router.h"

/* What the route table does not tell. Types are those of openapi_put_type(). */
enum {
    TAKES_CSV = 1,    /* the body may be text/csv; `csv` tells of the answer to it */
    GIVES_TEXT = 2,   /* the answer is text/plain */
    GIVES_FILE = 4,   /* or any other type than JSON */
    HAS_ETAG = 8,     /* 304 */
    CAN_MISS = 16,    /* 404 */
    CAN_LACK = 32,    /* 503 has the answer's own shape, with false for true */
    MAY_FAIL = 64,    /* 500 and 503, as a load may */
    BINARY = 128,     /* the tensor extension: octets as well */
    NO_BODY_TOO = 256 /* the body may be left out */
};

static const struct described {
    const char *query;      /* parameters, with spaces between them */
    const char *get_query;  /* those of GET alone; "!": cannot be left out */
    const char *get, *post; /* types of the answers; NULL: none in JSON */
    const char *body;       /* type of the request */
    unsigned flags;
} described[N_ROUTES] = {
#define ASKING(name, options)                                                   \
    {                                                                           \
        .query = "strict" options, .get_query = "handle!", .get = name "Reply", \
        .post = "=" name "Reply " name "Batch", .body = "=Question Questions",  \
        .flags = TAKES_CSV | CAN_MISS                                           \
    }
    [ROUTE_SCORE] = ASKING("Score", " explain"),
    [ROUTE_TIER] = ASKING("Tier", ""),
    [ROUTE_SIMILAR] =
        ASKING("Similar", " k category country tier min_followers max_followers exclude"),
    [ROUTE_CLUSTER] = {.query = "strict",
                       .get_query = "handle",
                       .get = "=ClusterReply ClusterList",
                       .post = "=ClusterReply ClusterBatch",
                       .body = "=Question Questions",
                       .flags = TAKES_CSV | CAN_MISS},
    [ROUTE_INFLUENCERS] = {.query = "q limit handle strict",
                           .get = "=InfluencerList InfluencerEntry",
                           .flags = CAN_MISS},
    [ROUTE_INDEX] = {.get = "Index", .flags = GIVES_FILE},
    [ROUTE_PAGE] = {.flags = GIVES_FILE | HAS_ETAG | CAN_MISS},
    [ROUTE_OPENAPI] = {.get = "Description", .flags = HAS_ETAG},
    [ROUTE_REPORT] = {.get = "Report", .flags = HAS_ETAG | CAN_MISS},
    [ROUTE_HEALTHY] = {.get = "Healthy"},
    [ROUTE_READY] = {.get = "Ready", .flags = MAY_FAIL},
    [ROUTE_RELOAD] = {.post = "Reloaded",
                      .body = "ReloadRequest",
                      .flags = CAN_MISS | MAY_FAIL | NO_BODY_TOO},
    [ROUTE_MODELS] = {.get = "Versions", .flags = MAY_FAIL},
    [ROUTE_METRICS] = {.flags = GIVES_TEXT},
    [ROUTE_DRIFT] = {.get = "Drift", .flags = CAN_MISS | MAY_FAIL},
    [ROUTE_V2] = {.get = "V2Server"},
    [ROUTE_V2_LIVE] = {.get = "V2Live"},
    [ROUTE_V2_READY] = {.get = "V2Ready", .flags = CAN_LACK},
    [ROUTE_V2_MODELS] = {.get = "V2Models"},
    [ROUTE_V2_MODEL] = {.get = "V2Model"},
    [ROUTE_V2_VERSION] = {.get = "V2Model"},
    [ROUTE_V2_MODEL_READY] = {.get = "V2ModelReady", .flags = CAN_LACK},
    [ROUTE_V2_VERSION_READY] = {.get = "V2ModelReady", .flags = CAN_LACK},
    [ROUTE_V2_MODEL_STATS] = {.get = "V2Stats"},
    [ROUTE_V2_VERSION_STATS] = {.get = "V2Stats"},
    [ROUTE_V2_MODEL_INFER] = {.post = "V2Reply", .body = "V2Request", .flags = BINARY},
    [ROUTE_V2_VERSION_INFER] = {.post = "V2Reply", .body = "V2Request", .flags = BINARY},
    [ROUTE_V2_INDEX] = {.post = "V2IndexItem[]", .body = "V2IndexRequest", .flags = NO_BODY_TOO},
    [ROUTE_V2_LOAD] = {.post = "V2Done", .flags = MAY_FAIL},
    [ROUTE_V2_UNLOAD] = {.post = "V2Done"},
    [ROUTE_INVOCATIONS] = {.query = "model",
                           .post = "MlflowReply",
                           .body = "=MlflowSplit MlflowRecords MlflowInstances MlflowInputs",
                           .flags = TAKES_CSV | CAN_MISS},
    [ROUTE_PING] = {.flags = GIVES_TEXT | MAY_FAIL},
    [ROUTE_HEALTH] = {.flags = GIVES_TEXT | MAY_FAIL},
    [ROUTE_VERSION] = {.flags = GIVES_TEXT},
};

static const struct {
    const char *name, *type;
    double max; /* of a whole number from 1; 0: no number */
    const char *help;
} parameters[] = {
    {"handle", "string", 0, "a catalogued influencer"},
    {"strict", "boolean", 0, "whether names that nobody knows are an error"},
    {"explain", "boolean", 0, "whether contributions are wanted"},
    {"k", "integer", SIMILAR_MAX_K, "how many neighbours"},
    {"category", "string", 0, "neighbours of this category alone"},
    {"country", "string", 0, "neighbours of this country alone"},
    {"tier", "string", 0, "neighbours of this size tier alone"},
    {"min_followers", "=number string", 0, "neighbours with so many followers; 1.2M will do"},
    {"max_followers", "=number string", 0, "neighbours with no more followers"},
    {"exclude", "string", 0, "handles that are no neighbours, with commas between them"},
    {"q", "string", 0, "what the handle or name has in it"},
    {"limit", "integer", CATALOGUE_MAX_FOUND, "how many are listed"},
    {"model", "ModelName", 0, "which model is asked"},
    {"version", "string", 0, "the id of the bundle in service"},
    {"name", "string", 0, "the rest of the file's name"},
};

/* ---- parameters ---- */

static void put_parameter(struct json_writer *w, const char *name, size_t length, const char *in)
{
    bool needed = name[length - 1] == '!' || strcmp(in, "path") == 0;
    length -= name[length - 1] == '!';
    for (size_t i = 0; i < ARRAY_LENGTH(parameters); i++) {
        if (strlen(parameters[i].name) != length || memcmp(parameters[i].name, name, length) != 0)
            continue;
        json_begin_object(w);
        json_member_string(w, "name", parameters[i].name);
        json_member_string(w, "in", in);
        if (needed)
            json_member_bool(w, "required", true);
        json_member_string(w, "description", parameters[i].help);
        json_put_key(w, "schema");
        if (parameters[i].max > 0) {
            json_begin_object(w);
            json_member_string(w, "type", parameters[i].type);
            json_member_integer(w, "minimum", 1);
            json_member_number(w, "maximum", parameters[i].max);
            json_end_object(w);
        } else {
            openapi_put_type(w, parameters[i].type);
        }
        json_end_object(w);
    }
}

static void put_query(struct json_writer *w, const char *names)
{
    while (names && *names) {
        size_t length = strcspn(names, " ");
        put_parameter(w, names, length, "query");
        names += length;
        names += *names == ' ';
    }
}

void openapi_put_parameters(struct json_writer *w, const struct openapi_operation *operation)
{
    const struct described *route = &described[operation->route->id];
    json_put_key(w, "parameters");
    json_begin_array(w);
    for (const char *at = strchr(operation->route->path, '{'); at; at = strchr(at, '{')) {
        at++;
        put_parameter(w, at, strcspn(at, "}"), "path");
    }
    if (strchr(operation->route->path, '*'))
        put_parameter(w, "name", strlen("name"), "path");
    if (!operation->is_post)
        put_query(w, route->get_query);
    put_query(w, route->query);
    json_end_array(w);
}

/* ---- bodies ---- */

static void put_media(struct json_writer *w, const char *media, const char *type)
{
    json_put_key(w, media);
    json_begin_object(w);
    if (type) {
        json_put_key(w, "schema");
        openapi_put_type(w, type);
    }
    json_end_object(w);
}

void openapi_put_body(struct json_writer *w, const struct openapi_operation *operation)
{
    const struct described *route = &described[operation->route->id];
    if (!operation->is_post || !route->body)
        return;
    json_put_key(w, "requestBody");
    json_begin_object(w);
    json_member_bool(w, "required", !(route->flags & NO_BODY_TOO));
    json_put_key(w, "content");
    json_begin_object(w);
    put_media(w, HTTP_JSON, route->body);
    if (route->flags & TAKES_CSV)
        put_media(w, HTTP_CSV, "string");
    if (route->flags & BINARY)
        put_media(w, "application/octet-stream", NULL);
    json_end_object(w);
    json_end_object(w);
}

static void put_answer(struct json_writer *w, const struct openapi_operation *operation)
{
    const struct described *route = &described[operation->route->id];
    const char *type = operation->is_post ? route->post : route->get;
    bool is_own = operation->route->dialect == DIALECT_OWN;
    json_put_key(w, "200");
    json_begin_object(w);
    json_member_string(w, "description", "the answer");
    json_put_key(w, "headers");
    json_begin_object(w);
    json_put_key(w, "X-Request-Id");
    json_put_raw(w, "{\"$ref\":\"#/components/headers/X-Request-Id\"}",
                 strlen("{\"$ref\":\"#/components/headers/X-Request-Id\"}"));
    json_end_object(w);
    json_put_key(w, "content");
    json_begin_object(w);
    if (type)
        put_media(w, HTTP_JSON, type);
    if (operation->is_post && is_own && route->flags & TAKES_CSV)
        put_media(w, HTTP_CSV, "string");
    if (route->flags & BINARY)
        put_media(w, "application/octet-stream", NULL);
    if (route->flags & GIVES_TEXT)
        put_media(w, "text/plain", "string");
    if (route->flags & GIVES_FILE)
        put_media(w, "*/*", NULL);
    json_end_object(w);
    json_end_object(w);
}

/* ---- errors ---- */

/* What comes before the path is known has the own shape whatever the path. */
static const char *error_type(enum dialect dialect)
{
    return dialect == DIALECT_V2       ? "=V2Error Error"
           : dialect == DIALECT_MLFLOW ? "=MlflowError Error"
                                       : "Error";
}

static void put_error(struct json_writer *w, const char *status, const char *what, const char *type)
{
    json_put_key(w, status);
    json_begin_object(w);
    json_member_string(w, "description", what);
    json_put_key(w, "content");
    json_begin_object(w);
    put_media(w, HTTP_JSON, type);
    json_end_object(w);
    json_end_object(w);
}

/* Whether the operation is likely to answer that: the rest is "default". */
static bool answers(const struct openapi_operation *operation, unsigned status)
{
    const struct route *route = operation->route;
    unsigned flags = described[operation->route->id].flags;
    bool is_asked = described[operation->route->id].body || described[operation->route->id].query;
    switch (status) {
    case 400:
        return true;
    case 401:
    case 403:
        return operation->config->access_tokens[0] && route->scope != 0;
    case 404:
        return flags & CAN_MISS || strchr(route->path, '{');
    case 406:
        return route->needs_model && route->dialect != DIALECT_V2 && route->id != ROUTE_INDEX;
    case 411:
        return operation->is_post && route->needs_model;
    case 413:
    case 415:
        return operation->is_post;
    case 422:
        return is_asked && route->dialect == DIALECT_OWN;
    case 429:
        return operation->config->limit_requests_per_s > 0 && !route->is_operators;
    case 500:
        return route->id == ROUTE_RELOAD || route->id == ROUTE_V2_LOAD;
    case 503:
        return route->needs_model || flags & (MAY_FAIL | CAN_LACK);
    default:
        return false;
    }
}

void openapi_put_responses(struct json_writer *w, const struct openapi_operation *operation)
{
    static const struct {
        unsigned status;
        const char *when;
    } failures[] = {
        {400, "not HTTP as RFC 9112 has it, or a body that cannot be read"},
        {401, "no token"},
        {403, "a token of other scopes"},
        {404, "nobody and nothing of that name; the message names the closest handles"},
        {406, "Accept admits no type that is written"},
        {411, "neither Content-Length nor chunks"},
        {413, "a larger body than is taken"},
        {415, "a Content-Type or Content-Encoding that is not read"},
        {422, "JSON, but not what is taken: the message tells which name, type or range"},
        {429, "too many requests; Retry-After tells when"},
        {500, "the load failed, and the model before stays"},
        {503, "no model, or stopping; Retry-After tells when"},
    };
    const char *error = error_type(operation->route->dialect);
    json_put_key(w, "responses");
    json_begin_object(w);
    put_answer(w, operation);
    if (described[operation->route->id].flags & HAS_ETAG) {
        json_put_key(w, "304");
        json_begin_object(w);
        json_member_string(w, "description", "what If-None-Match names is what there is");
        json_end_object(w);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++) {
        if (!answers(operation, failures[i].status))
            continue;
        char status[8];
        char type[128];
        bool is_own_shape =
            failures[i].status == 503 && described[operation->route->id].flags & CAN_LACK;
        snprintf(status, sizeof status, "%u", failures[i].status);
        snprintf(type, sizeof type, "%s %s", error,
                 is_own_shape ? described[operation->route->id].get : "");
        put_error(w, status, failures[i].when, is_own_shape ? type : error);
    }
    put_error(w, "default", "any other failure", error);
    json_end_object(w);
}
