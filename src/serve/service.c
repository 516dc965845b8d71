/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/service.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "serve/listen.h"
#include "serve/request.h"
#include "serve/router.h"
#include "serve/shadow.h"

static enum status open_tls(struct service *service, struct error *err)
{
    const struct serve_config *config = service->config;
    bool has_certificate = config->access_tls_certificate[0] != '\0';
    if (has_certificate != (config->access_tls_key[0] != '\0'))
        return fail(err, STATUS_INVALID,
                    "access.tls_certificate and access.tls_key: one needs the other");
    return has_certificate
               ? tls_new(config->access_tls_certificate, config->access_tls_key, &service->tls, err)
               : STATUS_OK;
}

enum status service_init(struct service *service, const struct serve_config *config,
                         unsigned n_lanes, struct error *err)
{
    *service = (struct service){.config = config, .n_lanes = n_lanes, .reload_fd = -1};
    pthread_mutex_init(&service->lock, NULL);
    pthread_mutex_init(&service->access_lines_lock, NULL);
    TRY(metrics_init(&service->metrics, n_lanes, err));
    TRY(access_init(&service->access, config->access_tokens, err));
    TRY(open_tls(service, err));
    service->memory.most = (uint64_t)config->server_max_body_memory;
    service->spools.most = (uint64_t)config->server_max_spool_bytes;
    TRY(limiter_init(&service->limiter, (uint64_t)config->limit_requests_per_s,
                     (uint64_t)config->limit_burst, err));
    service->reload_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (service->reload_fd < 0)
        return fail_errno(err, "eventfd");
    return service_reload(service, NULL, err);
}

static enum status start_shadow(struct service *service, struct error *err)
{
    return service->config->models_shadow[0] ? shadow_new(service, &service->shadow, err)
                                             : STATUS_OK;
}

/* "%h" is the host's name, so that replicas on one volume keep apart. */
void service_log_path(const struct serve_config *config, char ret_path[static PATH_MAX])
{
    char host[256] = "localhost";
    const char *mark = strstr(config->log_path, "%h");
    if (mark && gethostname(host, sizeof host - 1) != 0)
        log_warning("log.path: the host has no name: %s", strerror(errno));
    if (mark)
        snprintf(ret_path, PATH_MAX, "%.*s%s%s", (int)(mark - config->log_path), config->log_path,
                 host, mark + 2);
    else
        snprintf(ret_path, PATH_MAX, "%s", config->log_path);
}

enum status service_open_log(struct service *service, void (*on_commit)(void *user, unsigned lane),
                             void *user, struct error *err)
{
    const struct serve_config *config = service->config;
    if (config->log_durability == DURABILITY_OFF) {
        TRY(key_make(&service->caller_key, err));
        return start_shadow(service, err);
    }
    bool acknowledged = config->log_durability == DURABILITY_ACKNOWLEDGED;
    char path[PATH_MAX];
    service_log_path(config, path);
    struct reqlog_options options = {
        .path = path,
        .n_lanes = service->n_lanes + 1, /* the last one is the shadow's */
        .queue_bytes = (size_t)config->log_queue_bytes,
        .batch_ms = (uint64_t)config->log_batch_ms,
        .max_body_bytes = (size_t)config->log_max_body_bytes,
        .max_age_us = config->log_max_age_days * 86400 * 1000000,
        .max_bytes = config->log_max_bytes,
        .max_undelivered_bytes = config->log_max_undelivered_bytes,
        .hash_callers = config->log_hash_callers,
        .hash_handles = config->log_hash_handles,
        .max_key_age_us = config->log_key_days * 86400 * 1000000,
        .on_commit = acknowledged ? on_commit : NULL,
        .user = user,
    };
    TRY(reqlog_open(&options, &service->log, err));
    return start_shadow(service, err);
}

void service_close_log(struct service *service)
{
    shadow_free(service->shadow);
    service->shadow = NULL;
    reqlog_close(service->log);
    service->log = NULL;
}

void service_deinit(struct service *service)
{
    service_close_log(service);
    for (size_t role = 0; role < N_MODEL_ROLES; role++)
        slot_deinit(&service->slots[role]);
    metrics_deinit(&service->metrics);
    access_deinit(&service->access);
    tls_free(service->tls);
    limiter_deinit(&service->limiter);
    if (service->reload_fd >= 0)
        close(service->reload_fd);
    pthread_mutex_destroy(&service->lock);
    pthread_mutex_destroy(&service->access_lines_lock);
}

enum status service_reload(struct service *service, const char *version, struct error *err)
{
    enum status status = models_load(service, version, err);
    models_load_beside(service);
    return status;
}

/* Oldest first: the list is a stack. */
static struct request *take_waiters(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct request *waiting = service->reload_waiters;
    service->reload_waiters = NULL;
    pthread_mutex_unlock(&service->lock);
    struct request *oldest = NULL;
    while (waiting) {
        struct request *next = waiting->next_pending;
        waiting->next_pending = oldest;
        oldest = waiting;
        waiting = next;
    }
    return oldest;
}

static void reload_for(struct service *service, struct request *request)
{
    struct error err = {0};
    enum status status = service_reload(service, request->version_wanted, &err);
    if (status != STATUS_OK)
        log_error("reload: %s; the model before stays in service", err.message);
    err.status = status; /* a call that went well may have left something in err */
    request->outcome = err;
}

static bool is_plain_reload(const struct request *request)
{
    return request->route->id == ROUTE_RELOAD && !request->version_wanted;
}

static void list_for(struct service *service, struct request *request)
{
    struct json_writer w = json_writer(&request->reply);
    struct error err = {0};
    err.status = models_list(service, &w, &err);
    request->outcome = err;
}

void service_reload_access(struct service *service)
{
    struct error err;
    if (access_reload(&service->access, &err) != STATUS_OK)
        log_error("%s; the tokens before stay in force", err.message);
    if (service->tls && tls_reload(service->tls, &err) != STATUS_OK)
        log_error("%s; the certificate before stays in force", err.message);
}

void service_tend(struct service *service)
{
    uint64_t n;
    if (read(service->reload_fd, &n, sizeof n) < 0 && errno != EAGAIN)
        log_warning("reload: cannot read the event descriptor");
    const struct error *shared = NULL; /* what came of the plain reload before */
    struct error kept;
    for (struct request *request = take_waiters(service), *next; request; request = next) {
        next = request->next_pending;
        if (shared && is_plain_reload(request))
            request->outcome = *shared;
        else if (request->route->id == ROUTE_MODELS)
            list_for(service, request);
        else
            reload_for(service, request);
        kept = request->outcome;
        shared = is_plain_reload(request) ? &kept : NULL;
        service->resume(request); /* from here on it is its loop's again */
    }
    for (size_t role = 0; role < N_MODEL_ROLES; role++)
        slot_collect(&service->slots[role]);
    access_tend(&service->access);
    tls_tend(service->tls);
}

bool service_ask_main(struct service *service, struct request *request)
{
    pthread_mutex_lock(&service->lock);
    bool stopping = atomic_load_explicit(&service->is_stopping, memory_order_relaxed);
    if (!stopping) {
        request->pending = true;
        request->next_pending = service->reload_waiters;
        service->reload_waiters = request;
    }
    pthread_mutex_unlock(&service->lock);
    uint64_t one = 1;
    if (write(service->reload_fd, &one, sizeof one) != sizeof one)
        log_warning("reload: cannot wake the main thread");
    return !stopping;
}

void service_stop(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    atomic_store_explicit(&service->is_stopping, true, memory_order_relaxed);
    pthread_mutex_unlock(&service->lock);
    service_tend(service);
}
