/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/watch.h"

#include "serve/request.h"
#include "serve/service.h"
#include "serve/shadow.h"

static void observe(const struct request *request, enum model_drift which, const float *raw,
                    double output)
{
    struct drift_window **windows = request->model->drift[which];
    if (windows)
        drift_observe(windows[request->lane], request->start_utc_us / 1000000, raw, output);
}

/* A canary's answers are compared with nobody's. */
static struct shadow *shadow_for(const struct request *request)
{
    return request->is_canary ? NULL : request->service->shadow;
}

void watch_score(const struct asker *asker, const struct profile *profile,
                 const struct score_answer *answer)
{
    const struct request *request = asker->request;
    if (!request)
        return;
    observe(request, DRIFT_OF_SCORE, answer->raw, answer->score);
    if (shadow_for(request))
        shadow_offer(shadow_for(request), request,
                     &(struct shadow_question){SHADOW_SCORE, profile, answer->score, NULL});
}

void watch_tier(const struct asker *asker, const struct profile *profile,
                const struct tier_answer *answer)
{
    const struct request *request = asker->request;
    if (!request)
        return;
    observe(request, DRIFT_OF_TIER, answer->raw, (double)answer->tier);
    if (shadow_for(request))
        shadow_offer(
            shadow_for(request), request,
            &(struct shadow_question){SHADOW_TIER, profile, 0, answer->names[answer->tier]});
}

void watch_cluster(const struct asker *asker, const struct profile *profile,
                   const struct cluster_answer *answer)
{
    const struct request *request = asker->request;
    if (request && shadow_for(request))
        shadow_offer(shadow_for(request), request,
                     &(struct shadow_question){SHADOW_CLUSTER, profile, 0, answer->name});
}
