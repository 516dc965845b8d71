/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The Open Inference Protocol, version 2, over REST: score, tier, cluster and similar of the bundle
 * in service as models of their own. The handlers are in v2.c and v2_infer.c. */
#include "base/status.h"
#include "runtime/engine.h"
#include "serve/answers.h"

struct request;

struct v2_model {
    const char *name;
    enum engine_model id;
    const struct answer_kind *kind;
};
extern const struct v2_model v2_models[ENGINE_N_MODELS]; /* by id */

/* The model of that name, or NULL. */
const struct v2_model *v2_find(const char *name, size_t length);

/* The model and version that the path names. STATUS_NOT_FOUND: there is no such one in service. */
enum status v2_of_path(const struct request *request, const struct v2_model **ret_model,
                       struct error *err);

/* STATUS_UNAVAILABLE: an administrator has unloaded it. */
enum status v2_check_loaded(const struct request *request, enum engine_model model,
                            struct error *err);

enum status handle_v2(struct request *request, struct error *err);
enum status handle_v2_live(struct request *request, struct error *err);
enum status handle_v2_models(struct request *request, struct error *err);
enum status handle_v2_ready(struct request *request, struct error *err);
enum status handle_v2_model(struct request *request, struct error *err);
enum status handle_v2_model_ready(struct request *request, struct error *err);
enum status handle_v2_stats(struct request *request, struct error *err);
enum status handle_v2_infer(struct request *request, struct error *err);
enum status handle_v2_index(struct request *request, struct error *err);
enum status handle_v2_load(struct request *request, struct error *err);
enum status handle_v2_unload(struct request *request, struct error *err);
