/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
#define COMMAND(name_, synopsis_, summary_, help_) \
    {.name = #name_,                               \
     .synopsis = (synopsis_),                      \
     .summary = (summary_),                        \
     .help = (help_),                              \
     .run = command_##name_},
#include "cli/commands.def"
#undef COMMAND
};
const size_t n_commands = sizeof commands / sizeof commands[0];

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int command_failed(const char *name, const struct error *err)
{
    fflush(stdout);
    fprintf(stderr, "influence %s: %s\n", name, err->message);
    return EXIT_FAILED;
}

int command_usage(const char *name, const char *format, ...)
{
    fprintf(stderr, "influence %s: ", name);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    const struct command *command = find(name);
    if (command)
        fprintf(stderr, "\nusage: influence %s %s\n       influence %s --help\n", name,
                command->synopsis, name);
    return EXIT_USAGE;
}

int command_help(const char *name)
{
    const struct command *command = find(name);
    if (!command)
        return EXIT_USAGE;
    printf("influence %s: %s\n\nusage: influence %s %s\n\n%s", name, command->summary, name,
           command->synopsis, command->help);
    return command_finish(name);
}

int command_print(const char *name, const struct buffer *text)
{
    if (text->failed) {
        fprintf(stderr, "influence %s: out of memory for the result\n", name);
        return EXIT_FAILED;
    }
    puts(text->at);
    return command_finish(name);
}

int command_finish(const char *name)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    fprintf(stderr, "influence %s: cannot write the result: %s\n", name, strerror(errno));
    return EXIT_FAILED;
}

static void show_bar(void *user, const char *stage, double fraction)
{
    (void)user;
    enum {
        WIDTH = 30
    };
    static const char full[] = "##############################";
    if (fraction < 0) {
        fprintf(stderr, "\r\033[K%s ...", stage);
        return;
    }
    int filled = (int)(fraction * WIDTH);
    fprintf(stderr, "\r\033[K[%-*.*s] %3.0f %%  %s", WIDTH, filled > WIDTH ? WIDTH : filled, full,
            100.0 * fraction, stage);
    if (fraction >= 1)
        fputs("\r\033[K", stderr);
}

/* Not a terminal: one line a stage, so that logs stay readable. */
static void show_line(void *user, const char *stage, double fraction)
{
    char *last = user;
    (void)fraction;
    if (strncmp(last, stage, 63) == 0)
        return;
    snprintf(last, 64, "%s", stage);
    fprintf(stderr, "%s\n", stage);
}

struct progress command_progress(void)
{
    static char last_stage[64];
    if (isatty(STDERR_FILENO))
        return (struct progress){.show = show_bar};
    return (struct progress){.show = show_line, .user = last_stage};
}
