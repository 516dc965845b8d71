/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A command that runs as several processes: who they are, and how they come together.
 *
 *   --workers N                    N processes on this host: this one, and N - 1 that it starts
 *   --workers N --listen HOST:PORT this one leads, and N - 1 are started elsewhere
 *   DMLC_TRACKER_URI, DMLC_TRACKER_PORT and DMLC_TASK_ID in the environment
 *                                  this one joins those
 *
 * Where an argument has {worker} or {workers} in it, these stand for the rank of the process and
 * the number of processes, and the files and queries are each process's own. */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "learn/collective.h"

struct workers_options {
    size_t n;           /* 0: not asked for */
    const char *listen; /* HOST:PORT, or NULL */
    unsigned join_seconds;
    bool own_files; /* --own-files: files differ, though their names may not */
};

struct workers; /* what is going on beside the command */

/* Rows of a command's table of options. */
enum {
    WORKERS_N = 1100,
    WORKERS_LISTEN,
    WORKERS_OWN_FILES,
    WORKERS_JOIN_TIMEOUT
};
/* clang-format off */
#define WORKERS_OPTIONS \
    {"workers", required_argument, NULL, WORKERS_N}, {"listen", required_argument, NULL, WORKERS_LISTEN}, \
    {"own-files", no_argument, NULL, WORKERS_OWN_FILES}, \
    {"join-timeout", required_argument, NULL, WORKERS_JOIN_TIMEOUT}
/* clang-format on */

/* Take the value of one of these options; false: it is another one.
 * *ret_status: STATUS_INVALID for a value that it cannot have. */
bool workers_take_option(int option, const char *value, struct workers_options *options,
                         enum status *ret_status, struct error *err);

/* Start and join the processes. command: the words of this one, from the program's name on, which
 * those that are started get too. *ret_workers: NULL when nothing of the kind is asked for. When a
 * process goes, this one ends, with a message, though it be busy.
 * Else as collective_open() and tracker_start(). */
enum status workers_open(const char *name, char *const *command,
                         const struct workers_options *options, struct workers **ret_workers,
                         struct error *err);

/* STATUS_INVALID: options that do not fit together. */
enum status workers_check(const struct workers_options *options, struct error *err);

/* More than one process, by options or by the environment. */
bool workers_are_asked_for(const struct workers_options *options);

/* NULL workers: NULL. */
struct collective *workers_group(const struct workers *workers);

/* A text with {worker} and {workers} replaced; NULL where neither stands in it. In the arena. */
enum status workers_fill_in(const struct workers *workers, struct arena *arena, const char *text,
                            char **ret_filled, struct error *err);

/* Around what the first process shall do before the others (a download that then is there): called
 * by all, with true before it and with false behind it. */
enum status workers_in_turn(const struct workers *workers, bool is_before, struct error *err);

/* All is done. */
void workers_leave(struct workers *workers);

/* Whether this process shall report a failure: not where another has gone, and whoever started this
 * one says so. */
bool workers_speak(const struct error *err);

/* Which of the processes that were started here ended badly, one a line on stderr. */
void workers_explain(struct workers *workers);

/* Wait for what was started here, after ending it where it is not done. */
void workers_close(struct workers *workers);
DEFINE_SLOT(workers_close, struct workers)
