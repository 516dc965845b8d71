/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The daemon's own description, OpenAPI 3.1: routes from the route table, fields from fields.def,
 * features and tiers from the model. Written once a model, when it is loaded, and kept with it. */
#include "base/status.h"
#include "base/text.h"

struct engine;
struct request;
struct serve_config;

/* Appends the document to `out`. STATUS_NO_MEMORY. */
enum status openapi_write(const struct engine *engine, const struct serve_config *config,
                          struct buffer *out, struct error *err);

enum status handle_openapi(struct request *request, struct error *err);
