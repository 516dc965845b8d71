/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What every request passes between the guard and its handler: its id and trace, the origin it
 * comes from, its token, its rate. */
#include <stdbool.h>

#include "serve/request.h"

/* Take over X-Request-Id when it is 1 to 64 characters of a token (RFC 9110, 5.6.2), else the trace
 * id of a traceparent (W3C Trace Context, level 1), else keep the id that was made. The reply's
 * traceparent names the same trace, and the request itself as the parent. */
void admit_identify(struct request *request);

/* False: the reply is ready (204 to a preflight, 401, 403, 429). The route is known. */
bool admit(struct request *request);

/* The same for a path that is not there: any token opens it, where tokens are asked for. */
bool admit_nowhere(struct request *request);
