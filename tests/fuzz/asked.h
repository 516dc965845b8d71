/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A service without a server: the small bundle's engine in its slot, so that a fuzz target can call
 * a handler with a request of its own. One thread. */
#include "serve/request.h"
#include "serve/router.h"

/* A request for `path` with a copy of the body, which borrows nothing; the engine is made at the
 * first call. */
void asked_init(struct request *request, const char *path, const void *body, size_t body_bytes);

/* Calls the route's handler. An answer must be whole JSON, behind which only what its
 * Inference-Header-Content-Length says follows; a refusal must say why. Returns the answer's JSON,
 * or NULL. */
const struct json *asked_answer(struct request *request);

void asked_deinit(struct request *request);
