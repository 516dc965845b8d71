/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The parameters of a request target: "/score?a=b&c" has a = "b" and c = "". Percent escapes and +
 * are decoded; an escape that is none stands for itself. Read here and not by libmicrohttpd, whose
 * 0.9.75 goes on with a freed request, and crashes, when the records of the parameters do not fit
 * its memory. */
#include "serve/request.h"

#define QUERY_MAX_PARAMETERS 64

/* Append the parameters of request->target to request->parameters; what is wrong goes to
 * request->head.fault: more than QUERY_MAX_PARAMETERS, a NUL. */
void query_read(struct request *request);
