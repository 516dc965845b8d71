/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/reqlog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "reqlog/queue.h"
#include "reqlog/store.h"

#define KEY_BYTES 32
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
    _Atomic uint64_t n_rows, n_lost, n_failed; /* written by the thread */
    bool is_failing;                           /* the thread's: the last commit failed */
    unsigned char key[KEY_BYTES];
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

/* ---- the key ---- */

/* Beside, then renamed: a key that was cut off would keep the daemon from starting. */
static enum status make_key(const char *path, unsigned char *key, struct error *err)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof beside)
        return fail(err, STATUS_INVALID, "request log: %s: path is too long", path);
    AUTO(close_slot) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(err, "request log: %s", beside);
    if (getrandom(key, KEY_BYTES, 0) != KEY_BYTES || write(fd, key, KEY_BYTES) != KEY_BYTES ||
        fsync(fd) != 0 || rename(beside, path) != 0)
        return fail_errno(err, "request log: %s", beside);
    return STATUS_OK;
}

static enum status load_key(struct reqlog *log, struct error *err)
{
    AUTO(free_slot) char *path = NULL;
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    if (asprintf(&path, "%s.key", log->path) < 0) {
        path = NULL;
        return fail(err, STATUS_NO_MEMORY, "request log: out of memory");
    }
    if (!file_exists(path))
        return make_key(path, log->key, err);
    TRY(file_read(path, KEY_BYTES, &text, &bytes, err));
    if (bytes != KEY_BYTES)
        return fail(err, STATUS_CORRUPT, "%s: must hold %d bytes, has %zu", path, KEY_BYTES, bytes);
    memcpy(log->key, text, KEY_BYTES);
    return STATUS_OK;
}

void reqlog_caller(const struct reqlog *log, const char *address,
                   char ret_caller[static REQLOG_CALLER_BYTES])
{
    if (!log->options.hash_callers) {
        snprintf(ret_caller, REQLOG_CALLER_BYTES, "%s", address);
        return;
    }
    uint8_t digest[SHA256_BYTES];
    hash_hmac_sha256(log->key, KEY_BYTES, address, strlen(address), digest);
    hash_hex(digest, 8, ret_caller);
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
        poll(&wait, 1, (int)log->options.batch_ms);
    }
    atomic_store(&log->is_asleep, false);
    uint64_t count;
    (void)!read(log->wake_fd, &count, sizeof count);
}

struct lane_batch {
    uint64_t position, n_rows;
};

static enum status insert_lane(struct reqlog *log, unsigned lane, struct lane_batch *ret_batch,
                               struct error *err)
{
    struct lane_batch batch = {.position = get(&log->queues[lane].tail)};
    struct queue_row row;
    uint64_t next = batch.position;
    /* A batch ends where the lane ended when it began: rows that come meanwhile are the next's. */
    uint64_t end = atomic_load_explicit(&log->queues[lane].head, memory_order_acquire);
    while (next < end && queue_next(&log->queues[lane], &next, &row)) {
        TRY(store_insert(&log->store, &row, err));
        batch.position = next;
        batch.n_rows++;
    }
    *ret_batch = batch;
    return STATUS_OK;
}

static enum status commit_lanes(struct reqlog *log, struct lane_batch *batches, struct error *err)
{
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
        /* The first of a row of failures is told; the figures tell the rest. */
        if (!log->is_failing)
            log_error("%s; rows wait in memory", err.message);
        log->is_failing = true;
        add(&log->n_failed, 1);
        return false;
    }
    if (log->is_failing)
        log_info("request log: rows are written again");
    log->is_failing = false;
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

static void retain(struct reqlog *log, uint64_t *last_ns)
{
    uint64_t now_ns = clock_monotonic_ns();
    if (now_ns - *last_ns < RETAIN_EVERY_NS)
        return;
    *last_ns = now_ns;
    int64_t age_us = log->options.max_age_us;
    struct error err;
    if (store_retain(&log->store, age_us > 0 ? clock_utc_us() - age_us : 0, log->options.max_bytes,
                     &err) != STATUS_OK)
        log_warning("%s", err.message);
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
    if (log->options.on_commit) {
        /* Pairs with wait_for_rows(): it sees the row, or we see it asleep. */
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load(&log->is_asleep))
            wake_thread(log);
    } else if (!ok || position - queue->known_tail > queue->size / 2) {
        /* known_tail is old news: look again before waking anybody. */
        queue->known_tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
        if (position - queue->known_tail > queue->size / 2 &&
            atomic_load_explicit(&log->is_asleep, memory_order_relaxed))
            wake_thread(log);
    }
    return ok;
}

uint64_t reqlog_committed(const struct reqlog *log, unsigned lane)
{
    return atomic_load_explicit(&log->queues[lane].tail, memory_order_acquire);
}

void reqlog_stats(const struct reqlog *log, struct reqlog_stats *ret_stats)
{
    struct reqlog_stats stats = {.rows = get(&log->n_rows),
                                 .dropped = get(&log->n_lost),
                                 .failed_commits = get(&log->n_failed)};
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
    TRY(store_open(log->path, &log->store, err));
    TRY(load_key(log, err));
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
        atomic_store_explicit(&log->stops, true, memory_order_release);
        wake_thread(log);
        pthread_join(log->thread, NULL);
    }
    store_close(&log->store);
    for (unsigned i = 0; log->queues && i < log->options.n_lanes; i++)
        queue_deinit(&log->queues[i]);
    free(log->queues);
    free(log->path);
    close_slot(&log->wake_fd);
    free(log);
}
