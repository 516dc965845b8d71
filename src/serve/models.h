/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bundles in service. The main one answers; beside it there may be a canary, which answers a share
 * of the requests, and a shadow, which is asked in silence (shadow.h). A bundle is taken into
 * service once its blobs are whole and its parity vectors hold; otherwise the one before stays.
 * Loading belongs to the main thread. */
#include "base/json.h"
#include "base/status.h"

struct model;
struct request;
struct service;

enum model_role {
    MODEL_MAIN,
    MODEL_CANARY,
    MODEL_SHADOW,
    N_MODEL_ROLES
};
extern const char *const model_role_names[N_MODEL_ROLES];

/* Load `version` for the main role: an id of the models directory, a beginning of one, "previous",
 * or NULL for what is current. STATUS_NOT_FOUND: there is no such version. */
enum status models_load(struct service *service, const char *version, struct error *err);

/* Load canary and shadow as configured. One that cannot be had never keeps the main model from
 * serving: it is told in the log and the figures. The one before stays, unless its bundle is gone:
 * somebody's erasure goes before a comparison. */
void models_load_beside(struct service *service);

/* Whether the bundle in `dir` would be taken into service; tells what it found in `out`. */
enum status models_check(const char *dir, struct buffer *out, struct error *err);

/* The directory of a version, appended to `out`. */
enum status models_path(const char *models_dir, const char *version, struct buffer *out,
                        struct error *err);

/* The versions of the models directory, and which of them plays which role. Main thread. */
enum status models_list(struct service *service, struct json_writer *w, struct error *err);

/* The model that answers this request, acquired: the canary's share is chosen by a hash of what
 * models.canary_by names, so that the same question, or client, stays with the same version. NULL:
 * none is loaded. Sets request->is_canary. */
struct model *models_acquire(struct request *request);
