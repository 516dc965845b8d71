/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/router.h"

#include <string.h>

#include "base/token.h"
#include "serve/assets.h"
#include "serve/handlers.h"

#define GET_ONLY (HTTP_GET | HTTP_HEAD), "GET, HEAD"
#define GET_POST (HTTP_GET | HTTP_HEAD | HTTP_POST), "GET, HEAD, POST"
#define POST_ONLY HTTP_POST, "POST"

/* id, path, methods, handler, needs_model, scope, is_operators, keeps_text, help */
const struct route routes[N_ROUTES] = {
    {ROUTE_SCORE, "/score", GET_POST, handle_score, true, TOKEN_PREDICT, false, true,
     "influence score of a profile with its interval; explain=true adds contributions"},
    {ROUTE_TIER, "/tier", GET_POST, handle_tier, true, TOKEN_PREDICT, false, true,
     "tier of a profile, with probabilities"},
    {ROUTE_CLUSTER, "/cluster", GET_POST, handle_cluster, true, TOKEN_PREDICT, false, true,
     "archetype of a profile; GET without a handle lists all archetypes"},
    {ROUTE_SIMILAR, "/similar", GET_POST, handle_similar, true, TOKEN_PREDICT, false, true,
     "nearest influencers; k, category, country, tier, min_followers, max_followers, exclude"},
    {ROUTE_INFLUENCERS, "/influencers", GET_ONLY, handle_influencers, true, TOKEN_PREDICT, false,
     true, "search the catalogue: q, limit; or all that is known of one: handle"},
    {ROUTE_INDEX, "/", GET_ONLY, handle_index, true, 0, false, false,
     "the page, for browsers; otherwise this list"},
    {ROUTE_PAGE, ROUTE_PAGE_PATH, GET_ONLY, handle_page, false, 0, false, false,
     "files of the page"},
    {ROUTE_REPORT, "/report", GET_ONLY, handle_report, true, TOKEN_PREDICT, false, false,
     "what training found: report.json of the bundle in service"},
    {ROUTE_HEALTHY, "/-/healthy", GET_ONLY, handle_healthy, false, 0, true, false,
     "200 while the process serves"},
    {ROUTE_READY, "/-/ready", GET_ONLY, handle_ready, false, 0, true, false,
     "200 when a model is loaded and the daemon is not stopping"},
    {ROUTE_RELOAD, "/-/reload", POST_ONLY, handle_reload, false, TOKEN_ADMIN, true, false,
     "loads the current bundle, or {\"version\": ...}; the old one stays when that fails"},
    {ROUTE_MODELS, "/-/models", GET_ONLY, handle_models, false, TOKEN_ADMIN, true, false,
     "the versions there are, and which of them answer"},
    {ROUTE_METRICS, "/metrics", GET_ONLY, handle_metrics, false, TOKEN_METRICS, true, false,
     "figures for Prometheus"},
    {ROUTE_DRIFT, "/drift", GET_ONLY, handle_drift, false, TOKEN_METRICS, true, false,
     "how far what is asked lies from what the models were trained on"},
    {.id = ROUTE_OTHER, .path = "(other)", .keeps_text = true, .help = ""},
};

const struct route *router_find(const char *path)
{
    for (size_t i = 0; i < ROUTE_OTHER; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    if (assets_has(path))
        return &routes[ROUTE_PAGE];
    return &routes[ROUTE_OTHER];
}
