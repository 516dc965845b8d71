/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The schemas of openapi.json: what requests hold and what answers are. */
#include "base/json.h"

struct engine;
struct serve_config;

/* A type as a schema. Types are written "number", "string[]" (array of), "Name{}" (object of),
 * "number~" (or null), "a|b" (one of these texts), "Name" (the schema of that name), "any", and
 * "=A B" (A or B). */
void openapi_put_type(struct json_writer *w, const char *type);

/* All of them, as the value of components.schemas. */
void openapi_put_schemas(struct json_writer *w, const struct engine *engine,
                         const struct serve_config *config);
