/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/workers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "learn/tracker.h"

#define MAX_WORKERS 1024
#define DEFAULT_JOIN_SECONDS 300
#define LOOPBACK "127.0.0.1"
/* In the environment of those that were started here: whoever started them speaks for them. */
#define STARTED_HERE "INFLUENCE_STARTED_WORKER"
#define END_LOOKS 100
#define END_PAUSE_NS 50000000L

struct child {
    pid_t pid; /* 0: it has been waited for */
    int status;
};

struct workers {
    const char *name; /* of the command */
    struct collective *group;
    struct tracker *tracker;
    struct child *children; /* [n_children] of rank 1, 2, ... */
    size_t n_children;
    bool has_left; /* all is done: nobody needs to be ended */
};

/* ---- options ---- */

static bool take_number(const char *value, int64_t least, int64_t most, int64_t *ret_number)
{
    return text_parse_integer(value, strlen(value), ret_number) && *ret_number >= least &&
           *ret_number <= most;
}

bool workers_take_option(int option, const char *value, struct workers_options *options,
                         enum status *ret_status, struct error *err)
{
    int64_t number = 0;
    *ret_status = STATUS_OK;
    switch (option) {
    case WORKERS_N:
        if (!take_number(value, 1, MAX_WORKERS, &number))
            *ret_status = fail(err, STATUS_INVALID, "--workers: must be between 1 and %d, got '%s'",
                               MAX_WORKERS, value);
        options->n = (size_t)number;
        return true;
    case WORKERS_LISTEN:
        options->listen = value;
        return true;
    case WORKERS_OWN_FILES:
        options->own_files = true;
        return true;
    case WORKERS_JOIN_TIMEOUT:
        if (!take_number(value, 1, 86400, &number))
            *ret_status =
                fail(err, STATUS_INVALID,
                     "--join-timeout: must be between 1 and 86400 seconds, got '%s'", value);
        options->join_seconds = (unsigned)number;
        return true;
    default:
        return false;
    }
}

/* "HOST:PORT", "[::1]:PORT"; the host lives in the arena. */
static enum status split_address(const char *address, struct arena *arena, const char **ret_host,
                                 uint16_t *ret_port, struct error *err)
{
    const char *colon = strrchr(address, ':');
    int64_t port = 0;
    if (!colon || colon == address || !take_number(colon + 1, 1, 65535, &port))
        return fail(err, STATUS_INVALID, "--listen: must be HOST:PORT, got '%s'", address);
    bool in_brackets = address[0] == '[' && colon[-1] == ']';
    *ret_host = in_brackets ? arena_strndup(arena, address + 1, (size_t)(colon - address) - 2)
                            : arena_strndup(arena, address, (size_t)(colon - address));
    *ret_port = (uint16_t)port;
    return *ret_host ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- children ---- */

static void describe(const struct workers *workers, size_t i)
{
    const struct child *child = &workers->children[i];
    if (WIFSIGNALED(child->status))
        fprintf(stderr, "influence %s: worker %zu was ended by signal %d (%s)\n", workers->name,
                i + 1, WTERMSIG(child->status), strsignal(WTERMSIG(child->status)));
    else if (WEXITSTATUS(child->status) != 0)
        fprintf(stderr, "influence %s: worker %zu ended with status %d\n", workers->name, i + 1,
                WEXITSTATUS(child->status));
}

/* Those that have ended by now. Returns how many have not. */
static size_t reap(struct workers *workers, bool tell)
{
    size_t n_left = 0;
    for (size_t i = 0; i < workers->n_children; i++) {
        struct child *child = &workers->children[i];
        if (child->pid == 0)
            continue;
        if (waitpid(child->pid, &child->status, WNOHANG) != child->pid) {
            n_left++;
            continue;
        }
        child->pid = 0;
        if (tell)
            describe(workers, i);
    }
    return n_left;
}

void workers_explain(struct workers *workers)
{
    if (workers)
        reap(workers, true);
}

static void signal_all(const struct workers *workers, int number)
{
    for (size_t i = 0; i < workers->n_children; i++)
        if (workers->children[i].pid > 0)
            kill(workers->children[i].pid, number);
}

static void end_children(struct workers *workers)
{
    const struct timespec pause = {.tv_nsec = END_PAUSE_NS};
    if (!workers->has_left)
        signal_all(workers, SIGTERM);
    for (int look = 0; reap(workers, workers->has_left) > 0 && look < END_LOOKS; look++)
        nanosleep(&pause, NULL);
    signal_all(workers, SIGKILL);
    for (size_t i = 0; i < workers->n_children; i++)
        if (workers->children[i].pid > 0)
            waitpid(workers->children[i].pid, NULL, 0);
}

/* What a child does between fork() and exec(): only what is safe there. */
static void become(char *const *command, char *const *environment, pid_t parent)
{
    /* It does not outlive whoever started it. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(EXIT_FAILED);
    /* Results are the leader's. */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        _exit(EXIT_FAILED);
    execve("/proc/self/exe", command, environment);
    _exit(EXIT_FAILED);
}

/* This one's environment, where the tracker is, and who the child is. */
static char **make_environment(struct arena *arena, uint16_t port, size_t task)
{
    extern char **environ;
    size_t n = 0;
    while (environ[n])
        n++;
    char **environment = ARENA_ARRAY(arena, char *, n + 5);
    if (!environment)
        return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "DMLC_", 5) != 0)
            environment[kept++] = environ[i];
    environment[kept++] = arena_printf(arena, "DMLC_TRACKER_URI=" LOOPBACK);
    environment[kept++] = arena_printf(arena, "DMLC_TRACKER_PORT=%u", port);
    environment[kept++] = arena_printf(arena, "DMLC_TASK_ID=%zu", task);
    environment[kept++] = arena_printf(arena, STARTED_HERE "=1");
    for (size_t i = 0; i < kept; i++)
        if (!environment[i])
            return NULL;
    return environment;
}

static enum status start_children(struct workers *workers, char *const *command, size_t n,
                                  struct error *err)
{
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 65536);
    workers->children = calloc(n, sizeof *workers->children);
    if (!workers->children)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    pid_t parent = getpid();
    fflush(NULL);
    for (size_t task = 1; task < n; task++) {
        char **environment = make_environment(&memory, tracker_port(workers->tracker), task);
        if (!environment)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        pid_t pid = fork();
        if (pid < 0)
            return fail_errno(err, "cannot start worker %zu", task);
        if (pid == 0)
            become(command, environment, parent);
        workers->children[workers->n_children++].pid = pid;
    }
    return STATUS_OK;
}

/* ---- joining ---- */

static bool was_started_here(void)
{
    return getenv(STARTED_HERE) != NULL;
}

bool workers_speak(const struct error *err)
{
    return !was_started_here() || strcmp(err->message, COLLECTIVE_LOST) != 0;
}

/* On a thread of the group's: the command is busy, and is ended where it stands. */
static void end_here(void *user)
{
    struct workers *workers = user;
    if (!was_started_here())
        fprintf(stderr, "influence %s: " COLLECTIVE_LOST "; no bundle was written\n",
                workers->name);
    reap(workers, true);
    signal_all(workers, SIGTERM);
    _exit(EXIT_FAILED);
}

static bool may_come(void *user)
{
    struct workers *workers = user;
    return reap(workers, true) == workers->n_children;
}

static enum status find_tracker(struct workers *workers, char *const *command,
                                const struct workers_options *options, struct arena *arena,
                                struct collective_options *ret_group, struct error *err)
{
    const char *host = getenv("DMLC_TRACKER_URI");
    const char *port = getenv("DMLC_TRACKER_PORT");
    const char *task = getenv("DMLC_TASK_ID");
    ret_group->task = "0";
    if (options->listen) {
        TRY(split_address(options->listen, arena, &ret_group->host, &ret_group->port, err));
        return tracker_start(ret_group->host, ret_group->port, options->n, &workers->tracker, err);
    }
    if (host) {
        int64_t number = 0;
        if (!port || !take_number(port, 1, 65535, &number))
            return fail(err, STATUS_INVALID, "DMLC_TRACKER_PORT: must be a port, got '%s'",
                        port ? port : "");
        ret_group->host = host;
        ret_group->port = (uint16_t)number;
        ret_group->task = task ? task : "NULL";
        return STATUS_OK;
    }
    ret_group->host = LOOPBACK;
    TRY(tracker_start(LOOPBACK, 0, options->n, &workers->tracker, err));
    ret_group->port = tracker_port(workers->tracker);
    return start_children(workers, command, options->n, err);
}

enum status workers_check(const struct workers_options *options, struct error *err)
{
    /* The leader's own address is the one that the others are told. */
    if (options->listen && (text_starts_with(options->listen, "0.0.0.0:") ||
                            text_starts_with(options->listen, "[::]:")))
        return fail(err, STATUS_INVALID,
                    "--listen: give the address at which the other hosts reach this one, not '%s'",
                    options->listen);
    if (options->listen && options->n < 2)
        return fail(err, STATUS_INVALID, "--listen needs --workers, of 2 or more");
    return STATUS_OK;
}

bool workers_are_asked_for(const struct workers_options *options)
{
    return options->n > 1 || getenv("DMLC_TRACKER_URI");
}

enum status workers_open(const char *name, char *const *command,
                         const struct workers_options *options, struct workers **ret_workers,
                         struct error *err)
{
    *ret_workers = NULL;
    if (!workers_are_asked_for(options))
        return STATUS_OK;
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 4096);
    AUTO(workers_close_slot) struct workers *workers = calloc(1, sizeof *workers);
    if (!workers)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    workers->name = name;
    struct collective_options group = {
        .join_seconds = options->join_seconds ? options->join_seconds : DEFAULT_JOIN_SECONDS,
        .on_lost = end_here,
        .may_come = may_come,
        .user = workers,
    };
    TRY(find_tracker(workers, command, options, &memory, &group, err));
    TRY(collective_open(&group, &workers->group, err));
    *ret_workers = STEAL(workers);
    return STATUS_OK;
}

struct collective *workers_group(const struct workers *workers)
{
    return workers ? workers->group : NULL;
}

enum status workers_in_turn(const struct workers *workers, bool is_before, struct error *err)
{
    double nothing = 0;
    struct collective *group = workers_group(workers);
    bool is_first = collective_rank(group) == 0;
    return is_before == is_first ? STATUS_OK : collective_sum(group, &nothing, 1, err);
}

void workers_leave(struct workers *workers)
{
    if (workers)
        workers->has_left = true;
}

/* ---- placeholders ---- */

enum status workers_fill_in(const struct workers *workers, struct arena *arena, const char *text,
                            char **ret_filled, struct error *err)
{
    static const char worker[] = "{worker}";
    static const char all[] = "{workers}";
    *ret_filled = NULL;
    if (!workers || (!strstr(text, worker) && !strstr(text, all)))
        return STATUS_OK;
    AUTO(buffer_deinit) struct buffer filled = {0};
    while (*text) {
        if (text_starts_with(text, worker)) {
            buffer_printf(&filled, "%zu", collective_rank(workers->group));
            text += sizeof worker - 1;
        } else if (text_starts_with(text, all)) {
            buffer_printf(&filled, "%zu", collective_size(workers->group));
            text += sizeof all - 1;
        } else {
            buffer_put_char(&filled, *text++);
        }
    }
    *ret_filled = filled.failed ? NULL : arena_strndup(arena, filled.at, filled.length);
    return *ret_filled ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

void workers_close(struct workers *workers)
{
    if (!workers)
        return;
    collective_close(workers->group);
    if (workers->tracker && workers->has_left)
        tracker_wait(workers->tracker);
    end_children(workers);
    tracker_stop(workers->tracker);
    free(workers->children);
    free(workers);
}
