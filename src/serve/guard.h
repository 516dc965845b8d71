/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The strict door: what RFC 9112 has a server refuse and libmicrohttpd lets through. The server
 * shows each header once; the verdict is asked for when the head is complete.
 *
 * libmicrohttpd folds, cuts and forgives before it hands a header over. But it does so in place:
 * what it hands over still lies where it was received, with NULs for the colon and the line ends.
 * So the guard checks that request line and headers tile the head without a gap (guard_line,
 * guard_header, guard_check): a folded line, a bare LF, a NUL in a value, a second space in the
 * request line leave one. */
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
    const char *host; /* borrowed, host_bytes long */
    size_t host_bytes;
    const char *origin, *authorization, *request_id, *traceparent,
        *inference_header_length; /* NULL: no such header */
    const char *next;             /* where the line before ended; NULL: not known */
    const char *end;              /* where the head ends */
    const char *fault;            /* the first thing wrong, or NULL */
};

void guard_init(struct guard_head *head);

/* Where the library left the head in its buffer. */
struct guard_place {
    const char *method, *target, *version; /* of the request line, NUL-terminated */
    size_t target_bytes;                   /* before it was decoded */
    size_t head_bytes;                     /* from the method to the end of the empty line */
};

/* From here on the head must be without gaps. */
void guard_line(struct guard_head *head, const struct guard_place *place);

/* name and value as they came; the value borrowed until the request ends. */
void guard_header(struct guard_head *head, const char *name, size_t name_bytes, const char *value,
                  size_t value_bytes);

/* The path of a target in absolute form ("http://host/path?query"), which must name the host that
 * Host names; NULL: it does not, or the target is in another form. */
const char *guard_absolute_path(const struct guard_head *head, const char *target);

/* STATUS_INVALID: not HTTP as we take it. version: "HTTP/1.1". target: as it came. */
enum status guard_check(const struct guard_head *head, const char *version, const char *target,
                        struct error *err);
