/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Words of HTTP that the rooms of serve share. No library is needed for them. */
#include <stdbool.h>
#include <stddef.h>

/* Bits, so that a route can allow several. */
enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_OPTIONS = 8,
    HTTP_OTHER = 16, /* known or not: no route takes it */
};

enum http_method http_method_find(const char *name);

/* Every status that the daemon answers; anything else is counted as HTTP_STATUS_OTHER. */
#define HTTP_STATUSES(X) \
    X(200)               \
    X(204)               \
    X(304)               \
    X(400)               \
    X(401)               \
    X(403)               \
    X(404)               \
    X(405)               \
    X(406)               \
    X(408)               \
    X(411)               \
    X(413)               \
    X(414)               \
    X(415)               \
    X(422)               \
    X(429)               \
    X(431)               \
    X(500)               \
    X(503)               \
    X(505)

enum http_status_index {
#define X(code) HTTP_STATUS_##code,
    HTTP_STATUSES(X)
#undef X
    HTTP_STATUS_OTHER,
    HTTP_N_STATUSES
};

enum http_status_index http_status_index(unsigned status);
/* "200", ..., "other": the label of a metric. */
const char *http_status_label(enum http_status_index index);
/* "Not Found": for replies that do not go through the library. */
const char *http_status_reason(unsigned status);

#define HTTP_JSON "application/json"
#define HTTP_CSV "text/csv"

/* True when a Content-Type value names `type` (parameters aside); *ret_utf8 tells whether its
 * charset, if any is named, is UTF-8 or US-ASCII. */
bool http_type_is(const char *value, const char *type, bool *ret_utf8);

/* True when an Accept value (NULL: no such header) admits `type`, "application/json". */
bool http_accepts(const char *accept, const char *type);

/* True when an Accept-Encoding value (NULL: no such header) admits gzip. */
bool http_accepts_gzip(const char *accept_encoding);

/* RFC 9110, 5.6.2. */
bool http_is_token(const char *text, size_t length);
