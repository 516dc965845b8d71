/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The daemon's certificate (the only user of GnuTLS): read from files, shown at each handshake,
 * read again when a file changes. Handshakes ask any loop's thread; making, reloading and freeing
 * are the main thread's. What was replaced is kept until the end, because a handshake may still
 * hold it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct tls;

/* Both PEM; the certificate file has the chain, the server's own first. STATUS_NOT_FOUND: no such
 * file. STATUS_INVALID: no certificate, no key, or not of each other. */
enum status tls_new(const char *certificate_path, const char *key_path, struct tls **ret_tls,
                    struct error *err);
void tls_free(struct tls *tls);
DEFINE_SLOT(tls_free, struct tls)

/* From when until when the server's own certificate holds, seconds since 1970. STATUS_INVALID: it
 * does not say. */
enum status tls_validity(const struct tls *tls, int64_t *ret_from_s, int64_t *ret_until_s,
                         struct error *err);

/* What stood before stays in force when that fails. */
enum status tls_reload(struct tls *tls, struct error *err);
/* The same when a file has changed since; what is wrong goes to the log, once a change. */
void tls_tend(struct tls *tls);

/* A gnutls_certificate_retrieve_function2 for the library: shows the certificate of the newest
 * struct tls. It takes no argument of ours, so that there can be one in a process. */
void *tls_certificate_callback(void);

/* Send on a session of the library's (gnutls_session_t); true when all of it went. Never blocks. */
bool tls_send(void *session, const void *data, size_t bytes);
