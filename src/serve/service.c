/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/service.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "artifact/bundle.h"
#include "base/file.h"
#include "base/log.h"
#include "serve/listen.h"
#include "serve/request.h"

enum status service_init(struct service *service, const struct serve_config *config,
                         unsigned n_lanes, struct error *err)
{
    *service = (struct service){.config = config, .n_lanes = n_lanes, .reload_fd = -1};
    pthread_mutex_init(&service->lock, NULL);
    TRY(metrics_init(&service->metrics, n_lanes, err));
    service->reload_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (service->reload_fd < 0)
        return fail_errno(err, "eventfd");
    return service_reload(service, err);
}

enum status service_open_log(struct service *service, void (*on_commit)(void *user, unsigned lane),
                             void *user, struct error *err)
{
    const struct serve_config *config = service->config;
    if (config->log_durability == DURABILITY_OFF)
        return STATUS_OK;
    bool acknowledged = config->log_durability == DURABILITY_ACKNOWLEDGED;
    struct reqlog_options options = {
        .path = config->log_path,
        .n_lanes = service->n_lanes,
        .queue_bytes = (size_t)config->log_queue_bytes,
        .batch_ms = (uint64_t)config->log_batch_ms,
        .max_body_bytes = (size_t)config->log_max_body_bytes,
        .max_age_us = config->log_max_age_days * 86400 * 1000000,
        .max_bytes = config->log_max_bytes,
        .hash_callers = config->log_hash_callers,
        .on_commit = acknowledged ? on_commit : NULL,
        .user = user,
    };
    return reqlog_open(&options, &service->log, err);
}

void service_deinit(struct service *service)
{
    reqlog_close(service->log);
    slot_deinit(&service->slot);
    metrics_deinit(&service->metrics);
    if (service->reload_fd >= 0)
        close(service->reload_fd);
    pthread_mutex_destroy(&service->lock);
}

/* A bundle may lack its report. */
static enum status map_report(const char *dir, struct file_map *ret_report, struct error *err)
{
    char path[PATH_MAX + sizeof "/report.json"];
    snprintf(path, sizeof path, "%s/report.json", dir);
    enum status status = file_map(path, ret_report, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status load(struct service *service, struct error *err)
{
    /* Resolved once: `current` may change while the bundle is read. */
    char dir[PATH_MAX], id[BUNDLE_ID_BYTES];
    TRY(bundle_resolve(service->config->models_path, dir, id, err));
    AUTO(engine_close_slot) struct engine *engine = NULL;
    TRY(engine_open(dir, &engine, err));
    AUTO(file_unmap) struct file_map report = {0};
    TRY(map_report(dir, &report, err));
    TRY(slot_exchange(&service->slot, engine, report, service->n_lanes, err));
    report = (struct file_map){0}; /* the slot's now, as is the engine */
    log_info("serving %s", engine_version(engine));
    engine = NULL;
    return STATUS_OK;
}

enum status service_reload(struct service *service, struct error *err)
{
    enum status status = load(service, err);
    counter_add(
        status == STATUS_OK ? &service->metrics.reloads_ok : &service->metrics.reloads_failed, 1);
    return status;
}

void service_tend(struct service *service)
{
    uint64_t n;
    if (read(service->reload_fd, &n, sizeof n) < 0 && errno != EAGAIN)
        log_warning("reload: cannot read the event descriptor");
    pthread_mutex_lock(&service->lock);
    struct request *waiting = service->reload_waiters;
    service->reload_waiters = NULL;
    pthread_mutex_unlock(&service->lock);
    struct error err = {0};
    enum status status = waiting ? service_reload(service, &err) : STATUS_OK;
    if (status != STATUS_OK)
        log_error("reload: %s; the model before stays in service", err.message);
    err.status = status; /* a call that went well may have left something in err */
    while (waiting) {
        /* Once resumed, the request is its loop's again. */
        struct request *next = waiting->next_pending;
        waiting->outcome = err;
        service->resume(waiting);
        waiting = next;
    }
    slot_collect(&service->slot);
}

bool service_ask_reload(struct service *service, struct request *request)
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

enum status service_check(const struct serve_config *config, FILE *out, struct error *err)
{
    struct listen_address address;
    TRY(listen_parse(config->server_listen, &address, err));
    fprintf(out, "configuration  ok\n");
    AUTO(engine_close_slot) struct engine *engine = NULL;
    TRY(engine_open(config->models_path, &engine, err));
    fprintf(out, "bundle         ok: %s, %zu profiles\n", engine_version(engine),
            catalogue_n(engine_catalogue(engine)));
    TRY(listen_probe(&address, err));
    fprintf(out, "address        ok: %s is free\n", address.text);
    return STATUS_OK;
}
