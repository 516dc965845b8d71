/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One file over http, however often the line is cut. fetch_http.c, fetch_transfer.c
 * and fetch_url.c are the only users of libcurl.
 *
 * What has come is kept in a file; the next attempt, also of another process, asks for the rest
 * with Range and If-Range, so that a file that changed meanwhile is never mixed. Redirects are
 * followed here and not by the library: at most five, each address checked, and credentials stay
 * with the origin (scheme, host, port) of the first. */
#include <stdint.h>

#include "base/status.h"
#include "dataset/fetch.h"
#include "dataset/fetch_credentials.h"
#include "dataset/fetch_part.h"

struct http_request {
    const char *url;
    const char *shown; /* the name of the whole, for messages and progress */
    struct credentials credentials;
    const char *part_path;               /* "<part_path>.validator" lies beside it */
    const struct fetch_options *options; /* with the defaults filled in */
};

struct http_result {
    uint64_t n_bytes;
    char etag[VALIDATOR_BYTES]; /* "" when the server gave none */
    char last_modified[VALIDATOR_BYTES];
};

/* Download into part_path. Statuses as in fetch_resolve(). */
enum status http_download(const struct http_request *request, struct http_result *ret_result,
                          struct error *err);
