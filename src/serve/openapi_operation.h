/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What openapi.json tells of one route and method: parameters, body, responses. */
#include <stdbool.h>

#include "base/json.h"

struct route;
struct serve_config;

struct openapi_operation {
    const struct route *route;
    const struct serve_config *config;
    bool is_post;
};

/* Each writes one member of the operation's open object; the second none where there is no body. */
void openapi_put_parameters(struct json_writer *w, const struct openapi_operation *operation);
void openapi_put_body(struct json_writer *w, const struct openapi_operation *operation);
void openapi_put_responses(struct json_writer *w, const struct openapi_operation *operation);
