/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/reqlog.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "reqlog/key.h"
#include "reqlog/queue.h"
#include "reqlog/redact.h"
#include "reqlog/store.h"

#define NS_PER_MS UINT64_C(1000000)
#define RETAIN_EVERY_NS (1000 * NS_PER_MS)
#define RETRY_MS 200                     /* after a commit that failed */
#define LAST_TRIES_NS (5000 * NS_PER_MS) /* at the end, while the disk fails */

struct reqlog {
    struct reqlog_options options;
    char *path;           /* owns; options.path is the caller's */
    struct queue *queues; /* [n_lanes] owns; see queue.h for who writes what */
    struct store store;   /* the thread's */
    pthread_t thread;
    bool has_thread;
    int wake_fd; /* owns: an eventfd */
    atomic_bool stops;
    atomic_bool is_asleep;
    /* Written by the thread. */
    _Atomic uint64_t n_rows, n_lost, n_failed, n_set_aside, n_bytes, n_undelivered,
        n_undelivered_deleted;
    _Atomic int64_t undelivered_us;
    atomic_bool is_failing;      /* the last commit failed */
    bool is_behind;              /* the thread's: there are more rows to delete */
    bool loses_undelivered;      /* the thread's: it did, the last time */
    struct key key;              /* the thread renews it */
    struct buffer input, output; /* the thread's: a row without names */
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void reqlog_caller(const struct reqlog *log, const char *address,
                   char ret_caller[static REQLOG_CALLER_BYTES])
{
    if (log->options.hash_callers)
        key_hash(&log->key, address, strlen(address), ret_caller);
    else
        snprintf(ret_caller, REQLOG_CALLER_BYTES, "%s", address);
}

/* ---- the thread ---- */

static bool has_rows(const struct reqlog *log)
{
    for (unsigned i = 0; i < log->options.n_lanes; i++)
        if (atomic_load(&log->queues[i].head) != get(&log->queues[i].tail))
            return true;
    return false;
}

/* Batched: rows gather for batch_ms, unless a lane fills up. Acknowledged: until there is a row. */
static void wait_for_rows(struct reqlog *log)
{
    bool acknowledged = log->options.on_commit != NULL;
    atomic_store(&log->is_asleep, true);
    if (!atomic_load(&log->stops) && !(acknowledged && has_rows(log))) {
        struct pollfd wait = {.fd = log->wake_fd, .events = POLLIN};
        poll(&wait, 1, log->is_behind ? 1 : (int)log->options.batch_ms);
    }
    atomic_store(&log->is_asleep, false);
    uint64_t count;
    (void)!read(log->wake_fd, &count, sizeof count);
}

struct lane_batch {
    uint64_t position, n_rows;
};

/* Handles and names out of the row's texts. */
static void hide_names(struct reqlog *log, struct queue_row *row)
{
    if (row->input) {
        redact(row->input, row->input_bytes, row->route, &log->key, &log->input);
        row->input = log->input.failed ? NULL : log->input.at;
        row->input_bytes = (uint32_t)log->input.length;
    }
    if (row->output) {
        redact(row->output, row->output_bytes, row->route, &log->key, &log->output);
        row->output = log->output.failed ? NULL : log->output.at;
        row->output_bytes = (uint32_t)log->output.length;
    }
}

static enum status insert_lane(struct reqlog *log, unsigned lane, struct lane_batch *ret_batch,
                               struct error *err)
{
    struct lane_batch batch = {.position = get(&log->queues[lane].tail)};
    struct queue_row row;
    uint64_t next = batch.position;
    /* A batch ends where the lane ended when it began: rows that come meanwhile are the next's. */
    uint64_t end = atomic_load_explicit(&log->queues[lane].head, memory_order_acquire);
    while (next < end && queue_next(&log->queues[lane], &next, &row)) {
        if (log->options.hash_handles)
            hide_names(log, &row);
        TRY(store_insert(&log->store, &row, err));
        batch.position = next;
        batch.n_rows++;
    }
    *ret_batch = batch;
    return STATUS_OK;
}

/* A file that cannot be read any more is kept beside, for whoever wants to look, and another one
 * begun. */
static void set_aside(struct reqlog *log)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    char time[17];
    clock_format_compact(clock_utc_us(), time);
    store_close(&log->store);
    for (size_t i = 0; i < ARRAY_LENGTH(tails); i++) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        snprintf(from, sizeof from, "%s%s", log->path, tails[i]);
        snprintf(to, sizeof to, "%s.damaged-%s%s", log->path, time, tails[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            log_error("request log: %s: %s", from, strerror(errno));
    }
    log_error("request log: the file is damaged and set aside as %s.damaged-%s; a new one begins",
              log->path, time);
    add(&log->n_set_aside, 1);
}

static enum status commit_lanes(struct reqlog *log, struct lane_batch *batches, struct error *err)
{
    if (!log->store.db)
        TRY(store_open(log->path, &log->store, err));
    TRY(store_begin(&log->store, err));
    for (unsigned i = 0; i < log->options.n_lanes; i++)
        TRY(insert_lane(log, i, &batches[i], err));
    return store_commit(&log->store, err);
}

/* One transaction with everything that lies in the lanes. False: it failed, nothing is lost. */
static bool commit_round(struct reqlog *log, struct lane_batch *batches)
{
    struct error err;
    if (commit_lanes(log, batches, &err) != STATUS_OK) {
        store_rollback(&log->store);
        if (err.status == STATUS_CORRUPT)
            set_aside(log);
        /* The first of a row of failures is told; the figures tell the rest. */
        if (!atomic_exchange_explicit(&log->is_failing, true, memory_order_relaxed))
            log_error("%s; rows wait in memory", err.message);
        add(&log->n_failed, 1);
        return false;
    }
    if (atomic_exchange_explicit(&log->is_failing, false, memory_order_relaxed))
        log_info("request log: rows are written again");
    for (unsigned i = 0; i < log->options.n_lanes; i++) {
        if (batches[i].n_rows == 0)
            continue;
        add(&log->n_rows, batches[i].n_rows);
        queue_give_up(&log->queues[i], batches[i].position, batches[i].n_rows);
        if (log->options.on_commit)
            log->options.on_commit(log->options.user, i);
    }
    return true;
}

/* Somebody moved the file away, or deleted it: it gets all its rows, and the next commit begins
 * another. */
static void follow(struct reqlog *log)
{
    struct error err;
    if (!store_has_moved(&log->store))
        return;
    log_info("request log: %s is another file now; a new one begins", log->path);
    if (store_flush(&log->store, &err) != STATUS_OK)
        log_warning("%s; the newest rows of the file before are lost", err.message);
    store_close(&log->store);
}

static void delete_old(struct reqlog *log)
{
    int64_t age_us = log->options.max_age_us;
    struct error err;
    struct store_bounds bounds = {.before_us = age_us > 0 ? clock_utc_us() - age_us : 0,
                                  .max_bytes = log->options.max_bytes,
                                  .max_undelivered_bytes = log->options.max_undelivered_bytes};
    struct store_retained retained = {0};
    if (store_retain(&log->store, &bounds, &retained, &err) != STATUS_OK) {
        log_warning("%s", err.message);
        if (err.status == STATUS_CORRUPT)
            set_aside(log);
    }
    log->is_behind = retained.is_behind;
    if (retained.n_undelivered > 0 && !log->loses_undelivered)
        log_warning("request log: rows beyond log.max_undelivered_bytes are deleted undelivered");
    log->loses_undelivered = retained.n_undelivered > 0;
    add(&log->n_undelivered_deleted, retained.n_undelivered);
    struct store_undelivered waiting = {0};
    if (log->store.db && store_undelivered(&log->store, &waiting, &err) != STATUS_OK)
        log_warning("%s", err.message);
    atomic_store_explicit(&log->n_undelivered, waiting.n_rows, memory_order_relaxed);
    atomic_store_explicit(&log->undelivered_us, waiting.oldest_us, memory_order_relaxed);
    atomic_store_explicit(&log->n_bytes, store_bytes(&log->store), memory_order_relaxed);
}

/* Each second, and after each commit while there is more to delete than one call does. */
static void retain(struct reqlog *log, uint64_t *last_ns)
{
    uint64_t now_ns = clock_monotonic_ns();
    bool is_due = now_ns - *last_ns >= RETAIN_EVERY_NS;
    if (is_due) {
        *last_ns = now_ns;
        key_tend(&log->key, log->path, log->options.max_key_age_us);
        follow(log);
    }
    if (log->store.db && (is_due || log->is_behind))
        delete_old(log);
}

/* What could not be written before the end is lost, and counted. */
static void give_up(struct reqlog *log)
{
    uint64_t lost = 0;
    for (unsigned i = 0; i < log->options.n_lanes; i++)
        lost += get(&log->queues[i].n_put) - get(&log->queues[i].n_taken);
    if (lost > 0)
        log_error("request log: %llu rows are lost", (unsigned long long)lost);
    add(&log->n_lost, lost);
}

static void *run_thread(void *user)
{
    struct reqlog *log = user;
    struct lane_batch *batches = calloc(log->options.n_lanes, sizeof *batches);
    uint64_t retained_ns = 0;
    uint64_t stop_ns = 0;
    while (batches) {
        bool stops = atomic_load_explicit(&log->stops, memory_order_acquire);
        bool ok = !has_rows(log) || commit_round(log, batches);
        if (ok)
            retain(log, &retained_ns);
        if (stops) {
            stop_ns = stop_ns ? stop_ns : clock_monotonic_ns();
            if (!has_rows(log) || clock_monotonic_ns() - stop_ns > LAST_TRIES_NS)
                break;
        }
        if (!ok)
            poll(NULL, 0, RETRY_MS);
        else if (!stops)
            wait_for_rows(log);
    }
    give_up(log);
    free(batches);
    return NULL;
}

/* ---- putting ---- */

static void wake_thread(struct reqlog *log)
{
    uint64_t one = 1;
    if (write(log->wake_fd, &one, sizeof one) != sizeof one && errno != EAGAIN)
        log_warning("request log: cannot wake its thread: %s", strerror(errno));
}

bool reqlog_put(struct reqlog *log, unsigned lane, const struct reqlog_row *row,
                uint64_t *ret_position)
{
    struct queue *queue = &log->queues[lane];
    struct reqlog_row bounded = *row;
    size_t most = log->options.max_body_bytes;
    bounded.input_bytes = row->input_bytes < most ? row->input_bytes : most;
    bounded.output_bytes = row->output_bytes < most ? row->output_bytes : most;
    uint64_t position = 0;
    bool ok = queue_put(queue, &bounded, &position);
    if (ok && ret_position)
        *ret_position = position;
    if (log->options.on_commit)
        return ok;
    queue_publish(queue);
    if (!ok || position - queue->known_tail > queue->size / 2) {
        /* known_tail is old news: look again before waking anybody. */
        queue->known_tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
        if (position - queue->known_tail > queue->size / 2 &&
            atomic_load_explicit(&log->is_asleep, memory_order_relaxed))
            wake_thread(log);
    }
    return ok;
}

void reqlog_flush(struct reqlog *log, unsigned lane)
{
    if (!queue_publish(&log->queues[lane]))
        return;
    /* Pairs with wait_for_rows(): it sees the rows, or we see it asleep. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&log->is_asleep))
        wake_thread(log);
}

uint64_t reqlog_committed(const struct reqlog *log, unsigned lane)
{
    return atomic_load_explicit(&log->queues[lane].tail, memory_order_acquire);
}

void reqlog_stats(const struct reqlog *log, struct reqlog_stats *ret_stats)
{
    struct reqlog_stats stats = {
        .rows = get(&log->n_rows),
        .dropped = get(&log->n_lost),
        .failed_commits = get(&log->n_failed),
        .set_aside = get(&log->n_set_aside),
        .file_bytes = get(&log->n_bytes),
        .undelivered_rows = get(&log->n_undelivered),
        .undelivered_deleted = get(&log->n_undelivered_deleted),
        .undelivered_us = atomic_load_explicit(&log->undelivered_us, memory_order_relaxed),
        .is_failing = atomic_load_explicit(&log->is_failing, memory_order_relaxed)};
    for (unsigned i = 0; i < log->options.n_lanes; i++) {
        const struct queue *queue = &log->queues[i];
        /* Taken is read first, so that no difference is negative. */
        uint64_t taken = get(&queue->n_taken);
        uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
        stats.queue_rows += get(&queue->n_put) - taken;
        stats.queue_bytes += atomic_load_explicit(&queue->head, memory_order_acquire) - tail;
        stats.dropped += get(&queue->n_dropped);
    }
    *ret_stats = stats;
}

/* ---- opening and closing ---- */

/* A disk that is full or read-only, or a file that another holds, must not keep the daemon from
 * serving: the thread tries again. */
static enum status open_store(struct reqlog *log, struct error *err)
{
    struct error problem = {0};
    enum status status = store_open(log->path, &log->store, &problem);
    if (status == STATUS_CORRUPT && key_exists(log->path)) {
        log_error("%s", problem.message);
        set_aside(log);
        status = store_open(log->path, &log->store, &problem);
    }
    if (status == STATUS_IO || status == STATUS_UNAVAILABLE) {
        log_error("%s; rows wait in memory", problem.message);
        atomic_store_explicit(&log->is_failing, true, memory_order_relaxed);
        return STATUS_OK;
    }
    return status == STATUS_OK ? STATUS_OK : fail(err, status, "%s", problem.message);
}

static enum status init(struct reqlog *log, struct error *err)
{
    log->path = strdup(log->options.path);
    log->queues = aligned_alloc(_Alignof(struct queue), log->options.n_lanes * sizeof *log->queues);
    if (!log->path || !log->queues)
        return fail(err, STATUS_NO_MEMORY, "request log: out of memory");
    memset(log->queues, 0, log->options.n_lanes * sizeof *log->queues);
    for (unsigned i = 0; i < log->options.n_lanes; i++)
        TRY(queue_init(&log->queues[i], log->options.queue_bytes, err));
    log->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (log->wake_fd < 0)
        return fail_errno(err, "request log");
    TRY(open_store(log, err));
    TRY(key_load(&log->key, log->path, err));
    errno = pthread_create(&log->thread, NULL, run_thread, log);
    if (errno != 0)
        return fail_errno(err, "request log: thread");
    log->has_thread = true;
    return STATUS_OK;
}

enum status reqlog_open(const struct reqlog_options *options, struct reqlog **ret_log,
                        struct error *err)
{
    AUTO(reqlog_close_slot) struct reqlog *log = calloc(1, sizeof *log);
    if (!log)
        return fail(err, STATUS_NO_MEMORY, "request log: out of memory");
    log->options = *options;
    log->wake_fd = -1;
    TRY(init(log, err));
    *ret_log = STEAL(log);
    return STATUS_OK;
}

void reqlog_close(struct reqlog *log)
{
    if (!log)
        return;
    if (log->has_thread) {
        for (unsigned i = 0; i < log->options.n_lanes; i++)
            queue_publish(&log->queues[i]);
        atomic_store_explicit(&log->stops, true, memory_order_release);
        wake_thread(log);
        pthread_join(log->thread, NULL);
    }
    store_close(&log->store);
    for (unsigned i = 0; log->queues && i < log->options.n_lanes; i++)
        queue_deinit(&log->queues[i]);
    buffer_deinit(&log->input);
    buffer_deinit(&log->output);
    free(log->queues);
    free(log->path);
    close_slot(&log->wake_fd);
    free(log);
}
