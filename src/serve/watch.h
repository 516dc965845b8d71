/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Told of each prediction as it is made, in its loop's thread: counts it into the model's drift
 * windows and offers it to the shadow. Neither waits for anything. */
#include "serve/answers.h"

void watch_score(const struct asker *asker, const struct profile *profile,
                 const struct score_answer *answer);
void watch_tier(const struct asker *asker, const struct profile *profile,
                const struct tier_answer *answer);
void watch_cluster(const struct asker *asker, const struct profile *profile,
                   const struct cluster_answer *answer);
