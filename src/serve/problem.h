/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Errors as clients see them: one shape everywhere.
 *
 *   {"error":{"code":"...","message":"...","field":"...","request_id":"..."}}
 *
 * On /v2 it is {"error":"..."}, for MLflow {"error_code":"...","message":"..."}, with 400 for 422.
 * `field` is left out when no field is at fault; inside "predictions" there is no request_id. */
#include "base/json.h"
#include "base/status.h"
#include "serve/request.h"

/* The reply to a request that failed with `err`, by the table in problem.c. */
void problem_reply(struct request *request, const struct error *err);

/* The same for what HTTP itself demands: `code` is the error's name, such as "not_json". */
void problem_reply_http(struct request *request, unsigned status, const char *code,
                        const char *message);

/* {"error":{...}} as the next value: the place of a bad instance. */
void problem_write(struct json_writer *w, const struct error *err);
