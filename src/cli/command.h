/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The commands of `influence`: one file each, one row each in commands.def.
 *
 * A command gets its own argv (argv[0] is its name) and returns the exit status: 0, 1 (failed) or 2
 * (usage). Results go to stdout, everything else to stderr. */
#include <stddef.h>

#include "base/progress.h"
#include "base/status.h"
#include "base/text.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

struct command {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *summary;
    const char *help; /* options and examples; ends with a line break */
    int (*run)(int argc, char **argv);
};

extern const struct command commands[];
extern const size_t n_commands;

#define COMMAND(name, synopsis, summary, help) int command_##name(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

/* "influence NAME: message" on stderr; returns EXIT_FAILED. */
int command_failed(const char *name, const struct error *err);

/* The message, then the command's synopsis, on stderr; returns EXIT_USAGE. */
int command_usage(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The command's help on stdout; returns EXIT_DONE. Every command answers --help with it. */
int command_help(const char *name);

/* A result of one line (or a JSON text) on stdout, then command_finish(). */
int command_print(const char *name, const struct buffer *text);

/* Flush stdout; a full disk or a closed pipe is a failure like any other. Returns EXIT_DONE or
 * EXIT_FAILED: the last call of a command that printed results. */
int command_finish(const char *name);

/* Shows progress on stderr: a bar on a terminal, a line for each new stage elsewhere. */
struct progress command_progress(void);
