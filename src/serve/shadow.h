/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The shadow: a second bundle that is asked what the main one was asked, and compared, while nobody
 * waits for it. A loop copies a share of its predictions into a ring of its own (one writer, one
 * reader, no lock, no call to the system); a thread of low priority asks the shadow's model. What
 * finds its ring full is passed over and counted. Differences become figures and, where answers
 * differ, rows of the request log under the route "(shadow)", with the request's id. */
#include "base/cleanup.h"
#include "base/text.h"
#include "profile/profile.h"

struct request;
struct service;
struct shadow;

#define SHADOW_ROUTE "(shadow)"
#define SHADOW_SAME_POINTS 0.5 /* scores that differ by no more agree */

enum shadow_kind {
    SHADOW_SCORE,
    SHADOW_TIER,
    SHADOW_CLUSTER,
    N_SHADOW_KINDS
};

/* What was asked, and what the main model said: a score, or a name. */
struct shadow_question {
    enum shadow_kind kind;
    const struct profile *profile;
    double score;
    const char *name;
};

/* Starts the thread. The service is borrowed; its shadow's slot may be empty. */
enum status shadow_new(struct service *service, struct shadow **ret_shadow, struct error *err);
void shadow_free(struct shadow *shadow);
DEFINE_SLOT(shadow_free, struct shadow)

/* From the request's loop; everything is copied. */
void shadow_offer(struct shadow *shadow, const struct request *request,
                  const struct shadow_question *question);

/* The figures, in Prometheus' format. Any thread. */
void shadow_write_metrics(const struct shadow *shadow, struct buffer *out);
