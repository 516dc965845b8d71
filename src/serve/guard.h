/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The strict door: what RFC 9112 has a server refuse and libmicrohttpd lets through. The server
 * shows each header once; the verdict is asked for when the head is complete.
 *
 * Not seen here, because the library has folded or cut it before: obsolete line folding, white
 * space before the colon, bare CR or LF as line ends, which of two equal headers came first,
 * a header with an empty name. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct guard_head {
    unsigned n_host, n_content_length, n_transfer_encoding;
    int64_t content_length; /* -1: no such header */
    bool chunked;
    bool expects_continue;
    const char *content_type, *content_encoding, *accept; /* NULL: no such header */
    const char *accept_encoding, *if_none_match;
    const char *fault; /* the first thing wrong, or NULL */
};

void guard_init(struct guard_head *head);

/* name and value as they came; the value borrowed until the request ends. */
void guard_header(struct guard_head *head, const char *name, size_t name_bytes, const char *value,
                  size_t value_bytes);

/* STATUS_INVALID: not HTTP as we take it. version: "HTTP/1.1". target: as it came. */
enum status guard_check(const struct guard_head *head, const char *version, const char *target,
                        struct error *err);
