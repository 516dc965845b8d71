/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/tls.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/log.h"

#define MAX_CHAIN 16
#define MAX_FILE_BYTES ((size_t)1 << 20)

struct certificate {
    gnutls_pcert_st chain[MAX_CHAIN]; /* [n] owns */
    unsigned n;
    gnutls_privkey_t key; /* owns; NULL: none yet */
    struct certificate *before;
};

struct tls {
    const char *certificate_path, *key_path; /* borrowed */
    _Atomic(struct certificate *) current;   /* owns, with those before */
    struct file_stamp certificate_stamp, key_stamp;
};

/* The callback has no argument of ours. Written by the main thread, read by handshakes. */
static _Atomic(struct tls *) serving;

static void free_certificate(struct certificate *certificate)
{
    if (!certificate)
        return;
    for (unsigned i = 0; i < certificate->n; i++)
        gnutls_pcert_deinit(&certificate->chain[i]);
    if (certificate->key)
        gnutls_privkey_deinit(certificate->key);
    free(certificate);
}
DEFINE_SLOT(free_certificate, struct certificate)

static enum status read_chain(const char *path, struct certificate *certificate, struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    TRY(file_read(path, MAX_FILE_BYTES, &text, &bytes, err));
    gnutls_datum_t pem = {.data = (unsigned char *)text, .size = (unsigned)bytes};
    unsigned n = MAX_CHAIN;
    int code =
        gnutls_pcert_list_import_x509_raw(certificate->chain, &n, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (code != GNUTLS_E_SUCCESS)
        return fail(err, STATUS_INVALID, "access.tls_certificate: %s: %s", path,
                    gnutls_strerror(code));
    certificate->n = n;
    return STATUS_OK;
}

static enum status read_key(const char *path, struct certificate *certificate, struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    TRY(file_read(path, MAX_FILE_BYTES, &text, &bytes, err));
    gnutls_datum_t pem = {.data = (unsigned char *)text, .size = (unsigned)bytes};
    int code = gnutls_privkey_init(&certificate->key);
    if (code == GNUTLS_E_SUCCESS)
        code = gnutls_privkey_import_x509_raw(certificate->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_memset(text, 0, bytes);
    if (code != GNUTLS_E_SUCCESS)
        return fail(err, STATUS_INVALID, "access.tls_key: %s: %s", path, gnutls_strerror(code));
    return STATUS_OK;
}

/* A key of another certificate would fail every handshake. */
static enum status check_pair(const struct certificate *certificate, struct error *err)
{
    gnutls_pubkey_t public = NULL;
    unsigned char ids[2][64];
    size_t bytes[2] = {sizeof ids[0], sizeof ids[1]};
    bool same = gnutls_pubkey_init(&public) == GNUTLS_E_SUCCESS &&
                gnutls_pubkey_import_privkey(public, certificate->key, 0, 0) == GNUTLS_E_SUCCESS &&
                gnutls_pubkey_get_key_id(public, 0, ids[0], &bytes[0]) == GNUTLS_E_SUCCESS &&
                gnutls_pubkey_get_key_id(certificate->chain[0].pubkey, 0, ids[1], &bytes[1]) ==
                    GNUTLS_E_SUCCESS &&
                bytes[0] == bytes[1] && gnutls_memcmp(ids[0], ids[1], bytes[0]) == 0;
    if (public)
        gnutls_pubkey_deinit(public);
    return same ? STATUS_OK
                : fail(err, STATUS_INVALID,
                       "access.tls_key: is not the key of access.tls_certificate");
}

enum status tls_reload(struct tls *tls, struct error *err)
{
    tls->certificate_stamp = file_stamp(tls->certificate_path);
    tls->key_stamp = file_stamp(tls->key_path);
    AUTO(free_certificate_slot)
    struct certificate *certificate = calloc(1, sizeof *certificate);
    if (!certificate)
        return fail(err, STATUS_NO_MEMORY, "access.tls_certificate: out of memory");
    TRY(read_chain(tls->certificate_path, certificate, err));
    TRY(read_key(tls->key_path, certificate, err));
    TRY(check_pair(certificate, err));
    certificate->before = atomic_load_explicit(&tls->current, memory_order_relaxed);
    atomic_store_explicit(&tls->current, STEAL(certificate), memory_order_release);
    log_info("access: certificate read");
    return STATUS_OK;
}

enum status tls_new(const char *certificate_path, const char *key_path, struct tls **ret_tls,
                    struct error *err)
{
    AUTO(tls_free_slot) struct tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return fail(err, STATUS_NO_MEMORY, "access.tls_certificate: out of memory");
    tls->certificate_path = certificate_path;
    tls->key_path = key_path;
    TRY(tls_reload(tls, err));
    atomic_store_explicit(&serving, tls, memory_order_release);
    *ret_tls = STEAL(tls);
    return STATUS_OK;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    struct tls *self = tls;
    atomic_compare_exchange_strong(&serving, &self, NULL);
    struct certificate *certificate = atomic_load_explicit(&tls->current, memory_order_relaxed);
    while (certificate) {
        struct certificate *before = certificate->before;
        free_certificate(certificate);
        certificate = before;
    }
    free(tls);
}

enum status tls_validity(const struct tls *tls, int64_t *ret_from_s, int64_t *ret_until_s,
                         struct error *err)
{
    struct certificate *certificate = atomic_load_explicit(&tls->current, memory_order_acquire);
    gnutls_x509_crt_t own = NULL;
    time_t from = (time_t)-1;
    time_t until = (time_t)-1;
    if (gnutls_pcert_export_x509(&certificate->chain[0], &own) == GNUTLS_E_SUCCESS) {
        from = gnutls_x509_crt_get_activation_time(own);
        until = gnutls_x509_crt_get_expiration_time(own);
        gnutls_x509_crt_deinit(own);
    }
    if (from == (time_t)-1 || until == (time_t)-1)
        return fail(err, STATUS_INVALID, "access.tls_certificate: says not how long it holds");
    *ret_from_s = (int64_t)from;
    *ret_until_s = (int64_t)until;
    return STATUS_OK;
}

void tls_tend(struct tls *tls)
{
    if (!tls)
        return;
    struct file_stamp certificate = file_stamp(tls->certificate_path);
    struct file_stamp key = file_stamp(tls->key_path);
    if (file_stamp_is_same(&certificate, &tls->certificate_stamp) &&
        file_stamp_is_same(&key, &tls->key_stamp))
        return;
    struct error err;
    if (tls_reload(tls, &err) != STATUS_OK)
        log_error("%s; the certificate before stays in force", err.message);
}

/* The library keeps what it is given: it stays the struct tls's. */
static int show_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                            int n_authorities, const gnutls_pk_algorithm_t *algorithms,
                            int n_algorithms, gnutls_pcert_st **ret_chain, unsigned *ret_n,
                            gnutls_privkey_t *ret_key)
{
    (void)session;
    (void)authorities;
    (void)n_authorities;
    (void)algorithms;
    (void)n_algorithms;
    struct tls *tls = atomic_load_explicit(&serving, memory_order_acquire);
    if (!tls)
        return -1;
    struct certificate *certificate = atomic_load_explicit(&tls->current, memory_order_acquire);
    *ret_chain = certificate->chain;
    *ret_n = certificate->n;
    *ret_key = certificate->key;
    return 0;
}

void *tls_certificate_callback(void)
{
    gnutls_certificate_retrieve_function2 *callback = show_certificate;
    return (void *)callback;
}

bool tls_send(void *session, const void *data, size_t bytes)
{
    return gnutls_record_send(session, data, bytes) == (ssize_t)bytes;
}
