/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/command.h"

static void print_overview(FILE *out)
{
    fputs("influence: what a table of Instagram influencers can tell, and how sure it is\n\n"
          "usage: influence COMMAND [ARGUMENTS]\n\n",
          out);
    for (size_t i = 0; i < n_commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\ninfluence COMMAND --help tells the rest. The daemon is `influenced`.\n", out);
}

static int unknown_command(const char *name)
{
    const char *closest = NULL;
    size_t best = 4;
    for (size_t i = 0; i < n_commands; i++) {
        size_t distance = text_distance(name, commands[i].name);
        if (distance < best && 2 * distance <= strlen(name)) {
            best = distance;
            closest = commands[i].name;
        }
    }
    fprintf(stderr, "influence: unknown command '%s'", name);
    if (closest)
        fprintf(stderr, "; did you mean '%s'?", closest);
    fputs("\n       influence --help lists them all\n", stderr);
    return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_overview(stdout);
        return command_finish("help");
    }
    if (strcmp(name, "--version") == 0) {
        puts("influence " INFLUENCE_VERSION);
        return command_finish("version");
    }
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return unknown_command(name);
}

int main(int argc, char **argv)
{
    file_hold_standard();
    char **words = arguments_take(argc, argv);
    if (!words) {
        fputs("influence: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    int code = run(argc, words);
    free(words);
    return code;
}
