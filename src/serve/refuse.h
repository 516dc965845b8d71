/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Answers on a socket past the library, which does not answer on it: it was not handed over (too
 * many connections), it waits for bytes that do not come, or what came is nothing that the library
 * takes. The connection is at its end after this. Never blocks; true when all was written. */
#include <stdbool.h>
#include <stddef.h>

struct request;

struct wire {
    int fd;
    void *tls; /* the session to send on, or NULL: see tls.h */
};

/* With a reply of its own. */
bool refuse_connection(struct wire wire, unsigned status, const char *code, const char *message);

/* With the reply that stands in the request. */
bool refuse_request(struct wire wire, const struct request *request);
