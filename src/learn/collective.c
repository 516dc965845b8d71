/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/collective.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include <xgboost/c_api.h>

#include "base/text.h"
#include "learn/collective_links.h"

/* include/xgboost/c_api.h names them by number only: collective/communicator.h has the names. */
enum {
    TYPE_DOUBLE = 7,
    OP_MAX = 0,
    OP_SUM = 2
};

#define MESSAGE_BYTES ((size_t)16 << 20)
#define MAX_HOST 200 /* XGBoost reads it into 256 bytes */

/* What is under way may notice by itself that a process has gone, and then says so itself. */
#define GRACE_MS 1000
#define LOOK_MS 250 /* while the others have not come */
/* XGBoost gives up when nothing came for so long. One process may well be busy for hours. */
#define SILENCE_S "604800"

typedef enum status job_function(void *user, struct error *err);

struct collective {
    void (*on_lost)(void *user);
    void *lost_user;
    char host[MAX_HOST + 1];
    unsigned port, join_seconds;
    char config[MAX_HOST + 400];

    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, to the condition */
    job_function *job;    /* NULL: none is wanted */
    void *job_user;
    bool is_done, is_over;
    enum status status;
    struct error err;
    pthread_cond_t changed;

    size_t rank, size;
    int links[LINKS_MAX]; /* XGBoost's connections; borrowed */
    size_t n_links;
    pthread_t watcher;
    bool has_watcher;
    int wake_fd;
    bool is_broken; /* a message failed: nothing more can be sent */
};

size_t collective_rank(const struct collective *group)
{
    return group ? group->rank : 0;
}

size_t collective_size(const struct collective *group)
{
    return group ? group->size : 1;
}

/* ---- the thread ---- */

static void ignore_log(const char *text)
{
    (void)text; /* ranks and retries: nothing for people */
}

static void *serve(void *user)
{
    struct collective *group = user;
    /* XGBoost would end the process where it sends to one that has gone. */
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
    XGBRegisterLogCallback(ignore_log);
    pthread_mutex_lock(&group->lock);
    while (!group->is_over) {
        if (!group->job) {
            pthread_cond_wait(&group->changed, &group->lock);
            continue;
        }
        job_function *job = group->job;
        group->job = NULL;
        pthread_mutex_unlock(&group->lock);
        struct error err = {0};
        enum status status = job(group->job_user, &err);
        pthread_mutex_lock(&group->lock);
        group->status = status;
        group->err = err;
        group->is_done = true;
        pthread_cond_broadcast(&group->changed);
    }
    pthread_mutex_unlock(&group->lock);
    return NULL;
}

static void hand_over(struct collective *group, job_function *job, void *user)
{
    pthread_mutex_lock(&group->lock);
    group->job = job;
    group->job_user = user;
    group->is_done = false;
    pthread_cond_broadcast(&group->changed);
    pthread_mutex_unlock(&group->lock);
}

static void await(struct collective *group)
{
    pthread_mutex_lock(&group->lock);
    while (!group->is_done)
        pthread_cond_wait(&group->changed, &group->lock);
    pthread_mutex_unlock(&group->lock);
}

/* False: it is not done in that time. */
static bool await_for(struct collective *group, unsigned milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    int failed = 0;
    pthread_mutex_lock(&group->lock);
    while (!group->is_done && failed != ETIMEDOUT)
        failed = pthread_cond_timedwait(&group->changed, &group->lock, &until);
    bool is_done = group->is_done;
    pthread_mutex_unlock(&group->lock);
    return is_done;
}

static bool has_lost(const struct collective *group)
{
    struct pollfd fds[LINKS_MAX];
    for (size_t i = 0; i < group->n_links; i++)
        fds[i] = (struct pollfd){.fd = group->links[i], .events = POLLRDHUP};
    return poll(fds, (nfds_t)group->n_links, 0) > 0;
}

/* A failure, in words that say what is behind it. */
static enum status explain(struct collective *group, enum status status, struct error *err)
{
    if (status == STATUS_OK || !has_lost(group))
        return status;
    group->is_broken = true;
    return fail(err, STATUS_UNAVAILABLE, COLLECTIVE_LOST);
}

enum status collective_run(struct collective *group, job_function *work, void *user,
                           struct error *err)
{
    if (!group || pthread_equal(pthread_self(), group->thread))
        return work(user, err);
    if (group->is_broken)
        return fail(err, STATUS_UNAVAILABLE, COLLECTIVE_LOST);
    hand_over(group, work, user);
    await(group);
    if (group->status != STATUS_OK && err)
        *err = group->err;
    return explain(group, group->status, err);
}

/* ---- messages ---- */

struct message {
    struct collective *group;
    void *bytes;
    size_t n; /* bytes, or values */
    int op;   /* -1: a broadcast */
    size_t root;
};

static enum status send_message(void *user, struct error *err)
{
    const struct message *message = user;
    int failed =
        message->op < 0
            ? XGCommunicatorBroadcast(message->bytes, message->n, (int)message->root)
            : XGCommunicatorAllreduce(message->bytes, message->n, TYPE_DOUBLE, message->op);
    if (!failed)
        return STATUS_OK;
    message->group->is_broken = true;
    return fail(err, STATUS_UNAVAILABLE, COLLECTIVE_LOST);
}

static enum status reduce(struct collective *group, double *values, size_t n, int op,
                          struct error *err)
{
    if (!group || n == 0)
        return STATUS_OK;
    struct message message = {.group = group, .bytes = values, .n = n, .op = op};
    return collective_run(group, send_message, &message, err);
}

enum status collective_sum(struct collective *group, double *values, size_t n, struct error *err)
{
    return reduce(group, values, n, OP_SUM, err);
}

enum status collective_max(struct collective *group, double *values, size_t n, struct error *err)
{
    return reduce(group, values, n, OP_MAX, err);
}

enum status collective_broadcast(struct collective *group, void *bytes, size_t n_bytes, size_t root,
                                 struct error *err)
{
    for (size_t done = 0; group && done < n_bytes; done += MESSAGE_BYTES) {
        size_t n = n_bytes - done < MESSAGE_BYTES ? n_bytes - done : MESSAGE_BYTES;
        struct message message = {
            .group = group, .bytes = (char *)bytes + done, .n = n, .op = -1, .root = root};
        TRY(collective_run(group, send_message, &message, err));
    }
    return STATUS_OK;
}

/* Bytes of one rank to all, of which rank 0 keeps them all and the others one message. */
static enum status gather_from(struct collective *group, size_t rank, const void *bytes,
                               size_t n_bytes, struct buffer *kept, struct error *err)
{
    double n_all = rank == group->rank ? (double)n_bytes : 0;
    TRY(collective_broadcast(group, &n_all, sizeof n_all, rank, err));
    AUTO(free_slot) char *piece = malloc(MESSAGE_BYTES);
    if (!piece)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n;
    for (size_t done = 0; done < (size_t)n_all; done += n) {
        n = (size_t)n_all - done < MESSAGE_BYTES ? (size_t)n_all - done : MESSAGE_BYTES;
        if (rank == group->rank)
            memcpy(piece, (const char *)bytes + done, n);
        TRY(collective_broadcast(group, piece, n, rank, err));
        if (group->rank == 0)
            buffer_put(kept, piece, n);
    }
    return kept->failed ? fail(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

enum status collective_gather(struct collective *group, const void *bytes, size_t n_bytes,
                              collective_take *take, void *user, struct error *err)
{
    if (collective_rank(group) == 0)
        TRY(take(user, 0, bytes, n_bytes, err));
    for (size_t rank = 1; rank < collective_size(group); rank++) {
        AUTO(buffer_deinit) struct buffer kept = {0};
        TRY(gather_from(group, rank, bytes, n_bytes, &kept, err));
        if (group->rank == 0)
            TRY(take(user, rank, kept.at, kept.length, err));
    }
    return STATUS_OK;
}

/* ---- joining ---- */

static enum status join(void *user, struct error *err)
{
    struct collective *group = user;
    struct links_before before;
    TRY(links_note(&before, err));
    if (XGCommunicatorInit(group->config) != 0)
        return fail(err, STATUS_UNAVAILABLE, "no group of workers came about at the tracker %s:%u",
                    group->host, group->port);
    group->rank = (size_t)XGCommunicatorGetRank();
    group->size = (size_t)XGCommunicatorGetWorldSize();
    return links_find(&before, group->links, &group->n_links, err);
}

static void *watch(void *user)
{
    struct collective *group = user;
    struct pollfd fds[LINKS_MAX + 1] = {{.fd = group->wake_fd, .events = POLLIN}};
    for (size_t i = 0; i < group->n_links; i++)
        fds[1 + i] = (struct pollfd){.fd = group->links[i], .events = POLLRDHUP};
    while (poll(fds, (nfds_t)(1 + group->n_links), -1) < 0)
        if (errno != EINTR)
            return NULL;
    if (!fds[0].revents && poll(fds, 1, GRACE_MS) == 0)
        group->on_lost(group->lost_user);
    return NULL;
}

/* XGBoost waits 2, 4, 6, ... seconds between its attempts to reach the tracker. */
static enum status write_config(struct collective *group, const struct collective_options *options,
                                struct error *err)
{
    if (strlen(options->host) > MAX_HOST || strpbrk(options->host, "\"\\ \t\n=") ||
        strpbrk(options->task, "\"\\ \t\n="))
        return fail(err, STATUS_INVALID, "the tracker's host cannot be '%s'", options->host);
    snprintf(group->host, sizeof group->host, "%s", options->host);
    unsigned attempts = 2;
    while (attempts * (attempts - 1) < options->join_seconds)
        attempts++;
    snprintf(group->config, sizeof group->config,
             "{\"xgboost_communicator\":\"rabit\",\"rabit_tracker_uri\":\"%s\","
             "\"rabit_tracker_port\":\"%u\",\"rabit_task_id\":\"%.60s\","
             "\"rabit_timeout_sec\":\"" SILENCE_S "\",\"rabit_enable_tcp_no_delay\":\"true\","
             "\"DMLC_WORKER_CONNECT_RETRY\":\"%u\"}",
             options->host, options->port, options->task, attempts);
    return STATUS_OK;
}

/* The thread and what hangs on it stay, when it cannot be ended: it waits for others in a call that
 * cannot be cut short. */
static enum status open_group(struct collective *group, const struct collective_options *options,
                              struct error *err)
{
    pthread_mutex_init(&group->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&group->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&group->thread, NULL, serve, group) != 0)
        return fail(err, STATUS_NO_MEMORY, "cannot start a thread");
    hand_over(group, join, group);
    unsigned looks = group->join_seconds * (1000 / LOOK_MS);
    while (!await_for(group, LOOK_MS)) {
        if (options->may_come && !options->may_come(options->user))
            return fail(err, STATUS_UNAVAILABLE, "a worker ended before the training began");
        if (looks-- == 0)
            return fail(err, STATUS_UNAVAILABLE,
                        "not all workers have come to %s:%u within %u seconds", group->host,
                        group->port, group->join_seconds);
    }
    if (group->status != STATUS_OK) {
        if (err)
            *err = group->err;
        return group->status;
    }
    if (group->on_lost && group->size > 1) {
        if (pthread_create(&group->watcher, NULL, watch, group) != 0)
            return fail(err, STATUS_NO_MEMORY, "cannot start a thread");
        group->has_watcher = true;
    }
    return STATUS_OK;
}

enum status collective_open(const struct collective_options *options, struct collective **ret_group,
                            struct error *err)
{
    struct collective *group = calloc(1, sizeof *group);
    if (!group)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    group->on_lost = options->on_lost;
    group->lost_user = options->user;
    group->port = options->port;
    group->join_seconds = options->join_seconds;
    group->wake_fd = eventfd(0, EFD_CLOEXEC);
    enum status status = write_config(group, options, err);
    if (status != STATUS_OK || group->wake_fd < 0) {
        close_slot(&group->wake_fd);
        free(group);
        return status == STATUS_OK ? fail_errno(err, "eventfd") : status;
    }
    /* From here on a thread may be using it: see open_group(). */
    TRY(open_group(group, options, err));
    *ret_group = group;
    return STATUS_OK;
}

/* ---- leaving ---- */

static enum status leave(void *user, struct error *err)
{
    (void)user;
    if (XGCommunicatorFinalize() != 0)
        return fail(err, STATUS_UNAVAILABLE, COLLECTIVE_LOST);
    return STATUS_OK;
}

static void end_watch(struct collective *group)
{
    const uint64_t one = 1;
    if (group->has_watcher && write(group->wake_fd, &one, sizeof one) == sizeof one)
        pthread_join(group->watcher, NULL);
    group->has_watcher = false;
}

enum status collective_leave(struct collective *group, struct error *err)
{
    if (!group)
        return STATUS_OK;
    /* Nobody hangs up before all have stopped to watch for that. */
    double nothing = 0;
    TRY(collective_sum(group, &nothing, 1, err));
    end_watch(group);
    TRY(collective_sum(group, &nothing, 1, err));
    group->n_links = 0;
    return collective_run(group, leave, NULL, err);
}

void collective_close(struct collective *group)
{
    if (!group)
        return;
    end_watch(group);
    for (size_t i = 0; i < group->n_links; i++)
        shutdown(group->links[i], SHUT_RDWR);
    pthread_mutex_lock(&group->lock);
    group->is_over = true;
    pthread_cond_broadcast(&group->changed);
    pthread_mutex_unlock(&group->lock);
    pthread_join(group->thread, NULL);
    pthread_cond_destroy(&group->changed);
    pthread_mutex_destroy(&group->lock);
    close_slot(&group->wake_fd);
    free(group);
}
