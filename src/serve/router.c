/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/router.h"

#include <string.h>

#include "base/token.h"
#include "serve/assets.h"
#include "serve/handlers.h"
#include "serve/mlflow.h"
#include "serve/openapi.h"
#include "serve/v2.h"

#define GET_ONLY (HTTP_GET | HTTP_HEAD), "GET, HEAD"
#define GET_POST (HTTP_GET | HTTP_HEAD | HTTP_POST), "GET, HEAD, POST"
#define POST_ONLY HTTP_POST, "POST"

/* id, path, methods, handler, needs_model, scope, is_operators, keeps_text, dialect, help */
const struct route routes[N_ROUTES] = {
    {ROUTE_SCORE, "/score", GET_POST, handle_score, true, TOKEN_PREDICT, false, true, DIALECT_OWN,
     "influence score of a profile with its interval; explain=true adds contributions"},
    {ROUTE_TIER, "/tier", GET_POST, handle_tier, true, TOKEN_PREDICT, false, true, DIALECT_OWN,
     "tier of a profile, with probabilities"},
    {ROUTE_CLUSTER, "/cluster", GET_POST, handle_cluster, true, TOKEN_PREDICT, false, true,
     DIALECT_OWN, "archetype of a profile; GET without a handle lists all archetypes"},
    {ROUTE_SIMILAR, "/similar", GET_POST, handle_similar, true, TOKEN_PREDICT, false, true,
     DIALECT_OWN,
     "nearest influencers; k, category, country, tier, min_followers, max_followers, exclude"},
    {ROUTE_INFLUENCERS, "/influencers", GET_ONLY, handle_influencers, true, TOKEN_PREDICT, false,
     true, DIALECT_OWN, "search the catalogue: q, limit; or all that is known of one: handle"},
    {ROUTE_INDEX, "/", GET_ONLY, handle_index, true, 0, false, false, DIALECT_OWN,
     "the page, for browsers; otherwise this list"},
    {ROUTE_PAGE, ROUTE_PAGE_PATH, GET_ONLY, handle_page, false, 0, false, false, DIALECT_OWN,
     "files of the page"},
    {ROUTE_OPENAPI, "/openapi.json", GET_ONLY, handle_openapi, true, TOKEN_PREDICT, false, false,
     DIALECT_OWN, "this interface as OpenAPI 3.1, typed from the model in service"},
    {ROUTE_REPORT, "/report", GET_ONLY, handle_report, true, TOKEN_PREDICT, false, false,
     DIALECT_OWN, "what training found: report.json of the bundle in service"},
    {ROUTE_HEALTHY, "/-/healthy", GET_ONLY, handle_healthy, false, 0, true, false, DIALECT_OWN,
     "200 while the process serves"},
    {ROUTE_READY, "/-/ready", GET_ONLY, handle_ready, false, 0, true, false, DIALECT_OWN,
     "200 when a model is loaded and the daemon is not stopping"},
    {ROUTE_RELOAD, "/-/reload", POST_ONLY, handle_reload, false, TOKEN_ADMIN, true, false,
     DIALECT_OWN,
     "loads the current bundle, or {\"version\": ...}; the old one stays when that fails"},
    {ROUTE_MODELS, "/-/models", GET_ONLY, handle_models, false, TOKEN_ADMIN, true, false,
     DIALECT_OWN, "the versions there are, and which of them answer"},
    {ROUTE_METRICS, "/metrics", GET_ONLY, handle_metrics, false, TOKEN_METRICS, true, false,
     DIALECT_OWN, "figures for Prometheus"},
    {ROUTE_DRIFT, "/drift", GET_ONLY, handle_drift, false, TOKEN_METRICS, true, false, DIALECT_OWN,
     "how far what is asked lies from what the models were trained on"},
    {ROUTE_V2, "/v2", GET_ONLY, handle_v2, false, 0, true, false, DIALECT_V2,
     "Open Inference Protocol: the server"},
    {ROUTE_V2_LIVE, "/v2/health/live", GET_ONLY, handle_v2_live, false, 0, true, false, DIALECT_V2,
     "200 while the process serves"},
    {ROUTE_V2_READY, "/v2/health/ready", GET_ONLY, handle_v2_ready, false, 0, true, false,
     DIALECT_V2, "200 when a model is loaded and the daemon is not stopping"},
    {ROUTE_V2_MODELS, "/v2/models", GET_ONLY, handle_v2_models, false, TOKEN_PREDICT, false, false,
     DIALECT_V2, "the names of the models"},
    {ROUTE_V2_MODEL, "/v2/models/{model}", GET_ONLY, handle_v2_model, true, TOKEN_PREDICT, false,
     false, DIALECT_V2, "inputs and outputs of score, tier, cluster or similar"},
    {ROUTE_V2_VERSION, "/v2/models/{model}/versions/{version}", GET_ONLY, handle_v2_model, true,
     TOKEN_PREDICT, false, false, DIALECT_V2, "the same of a version, which must be in service"},
    {ROUTE_V2_MODEL_READY, "/v2/models/{model}/ready", GET_ONLY, handle_v2_model_ready, true, 0,
     true, false, DIALECT_V2, "200 when the model answers"},
    {ROUTE_V2_VERSION_READY, "/v2/models/{model}/versions/{version}/ready", GET_ONLY,
     handle_v2_model_ready, true, 0, true, false, DIALECT_V2, "the same of a version"},
    {ROUTE_V2_MODEL_STATS, "/v2/models/{model}/stats", GET_ONLY, handle_v2_stats, true,
     TOKEN_METRICS, true, false, DIALECT_V2, "what infer was asked of the model"},
    {ROUTE_V2_VERSION_STATS, "/v2/models/{model}/versions/{version}/stats", GET_ONLY,
     handle_v2_stats, true, TOKEN_METRICS, true, false, DIALECT_V2, "the same of a version"},
    {ROUTE_V2_MODEL_INFER, "/v2/models/{model}/infer", POST_ONLY, handle_v2_infer, true,
     TOKEN_PREDICT, false, true, DIALECT_V2, "tensors in, tensors out"},
    {ROUTE_V2_VERSION_INFER, "/v2/models/{model}/versions/{version}/infer", POST_ONLY,
     handle_v2_infer, true, TOKEN_PREDICT, false, true, DIALECT_V2, "the same of a version"},
    {ROUTE_V2_INDEX, "/v2/repository/index", POST_ONLY, handle_v2_index, false, TOKEN_PREDICT,
     false, false, DIALECT_V2, "the models there are"},
    {ROUTE_V2_LOAD, "/v2/repository/models/{model}/load", POST_ONLY, handle_v2_load, false,
     TOKEN_ADMIN, true, false, DIALECT_V2, "loads the current bundle, and has the model answer"},
    {ROUTE_V2_UNLOAD, "/v2/repository/models/{model}/unload", POST_ONLY, handle_v2_unload, false,
     TOKEN_ADMIN, true, false, DIALECT_V2, "has the model answer no more, until it is loaded"},
    {ROUTE_INVOCATIONS, "/invocations", POST_ONLY, handle_invocations, true, TOKEN_PREDICT, false,
     true, DIALECT_MLFLOW, "MLflow's scoring protocol; model=score, tier, cluster or similar"},
    {ROUTE_PING, "/ping", GET_ONLY, handle_ping, false, 0, true, false, DIALECT_MLFLOW,
     "200 when a model is loaded"},
    {ROUTE_HEALTH, "/health", GET_ONLY, handle_ping, false, 0, true, false, DIALECT_MLFLOW,
     "the same"},
    {ROUTE_VERSION, "/version", GET_ONLY, handle_version, false, 0, true, false, DIALECT_MLFLOW,
     "the daemon's version"},
    {.id = ROUTE_OTHER, .path = "(other)", .keeps_text = true, .help = ""},
};

/* Where `pattern` and `path` are after a {name} and what stands for it; false: nothing does. */
static bool pass_segment(const char **pattern, const char **path)
{
    size_t length = strcspn(*path, "/");
    *path += length;
    *pattern = strchr(*pattern, '}') + 1;
    return length > 0;
}

static bool matches(const char *pattern, const char *path)
{
    while (*pattern) {
        if (*pattern == '{') {
            if (!pass_segment(&pattern, &path))
                return false;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

const char *router_segment(const struct request *request, const char *name, size_t *ret_length)
{
    const char *pattern = request->route->path;
    const char *path = request->path;
    size_t length = strlen(name);
    *ret_length = 0;
    while (*pattern && *path) {
        if (*pattern != '{') {
            pattern++;
            path++;
        } else if (strncmp(pattern + 1, name, length) == 0 && pattern[1 + length] == '}') {
            *ret_length = strcspn(path, "/");
            return path;
        } else {
            pass_segment(&pattern, &path);
        }
    }
    return "";
}

const struct route *router_find(const char *path)
{
    for (size_t i = 0; i < ROUTE_OTHER; i++)
        if (matches(routes[i].path, path))
            return &routes[i];
    if (assets_has(path))
        return &routes[ROUTE_PAGE];
    return &routes[ROUTE_OTHER];
}
