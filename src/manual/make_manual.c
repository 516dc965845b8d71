/* SPDX-License-Identifier: Apache-2.0
 *
 * make-manual DIR: the manual pages and the completion for bash, from the tables that --help is
 * made of. Runs while the project is built; it is not installed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *synopsis, *summary, *help;
} commands[] = {
#define COMMAND(name, synopsis, summary, help) {#name, synopsis, summary, help},
#include "cli/commands.def"
#undef COMMAND
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

static const struct {
    const char *section, *name, *unit, *choices, *value, *help;
} keys[] = {
#define KEY(section, name, type, unit, min, max, choices, value, help) \
    {#section, #name, unit, choices, value, help},
#include "serve/config.def"
#undef KEY
};
#define N_KEYS (sizeof keys / sizeof keys[0])

/* Text that roff takes as it stands: no escapes, no requests at the beginning of a line. */
static void put_text(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((*c == '.' || *c == '\'') && (c == text || c[-1] == '\n'))
            fputs("\\&", out);
        if (*c == '\\')
            fputs("\\e", out);
        else if (*c == '-')
            fputs("\\-", out);
        else
            fputc(*c, out);
    }
}

static void put_head(FILE *out, const char *page, const char *summary)
{
    fprintf(out, ".TH \"%s\" 1 \"\" \"influence " INFLUENCE_VERSION "\"\n.SH NAME\n", page);
    put_text(out, page);
    fputs(" \\- ", out);
    put_text(out, summary);
    fputs("\n.SH SYNOPSIS\n.nf\n", out);
}

static void put_command(FILE *out, size_t i)
{
    char page[64];
    snprintf(page, sizeof page, "influence-%s", commands[i].name);
    put_head(out, page, commands[i].summary);
    fprintf(out, "influence %s ", commands[i].name);
    put_text(out, commands[i].synopsis);
    fputs("\n.fi\n.SH DESCRIPTION\n.nf\n", out);
    put_text(out, commands[i].help);
    fputs(".fi\n.SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage.\n.SH SEE ALSO\n"
          "influence(1), influenced(1)\n",
          out);
}

static void put_influence(FILE *out)
{
    put_head(out, "influence",
             "scores, tiers, archetypes and look-alikes from tables of influencers");
    fputs("influence COMMAND [OPTION]...\n.fi\n.SH COMMANDS\n", out);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        fprintf(out, ".TP\n.B influence\\-%s(1)\n", commands[i].name);
        put_text(out, commands[i].summary);
        fputc('\n', out);
    }
    fputs(".SH SEE ALSO\ninfluenced(1)\n", out);
}

static void put_daemon(FILE *out)
{
    put_head(out, "influenced", "serves models of influence(1) over HTTP");
    fputs("influenced [\\-\\-config FILE] [\\-\\-section.key=value ...]\n"
          "influenced \\-\\-check | \\-\\-health | \\-\\-print\\-config | \\-\\-help | "
          "\\-\\-version\n"
          ".fi\n.SH DESCRIPTION\nServes until SIGTERM or SIGINT, which finish the requests under "
          "way; "
          "SIGHUP loads the current bundle. A key is read from the command line, else from the "
          "environment (INFLUENCED_SECTION_KEY), else from the file.\n.SH KEYS\n",
          out);
    for (size_t i = 0; i < N_KEYS; i++) {
        fprintf(out, ".TP\n.B %s.%s", keys[i].section, keys[i].name);
        fprintf(out, "\n(");
        put_text(out, keys[i].choices[0] ? keys[i].choices
                      : keys[i].unit[0]  ? keys[i].unit
                                         : "text");
        fputs("; default ", out);
        put_text(out, keys[i].value[0] ? keys[i].value : "empty");
        fputs(") ", out);
        put_text(out, keys[i].help);
        fputc('\n', out);
    }
}

static void put_completion(FILE *out)
{
    fputs("# bash completion for influence and influenced\n_influence() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]}\n    if [[ $COMP_CWORD -eq 1 ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"",
          out);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "%s ", commands[i].name);
    fputs(
        "--help --version\" -- \"$word\")\n    elif [[ $word == -* ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"$(\"${COMP_WORDS[0]}\" \"${COMP_WORDS[1]}\" "
        "--help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*(\\.[a-z_]+)?' | sort -u)\" -- "
        "\"$word\")\n"
        "    else\n"
        /* What the usage offers behind the command: list|show|verify. */
        "        local actions=\n"
        "        [[ $COMP_CWORD -ne 2 ]] || actions=$(\"${COMP_WORDS[0]}\" \"${COMP_WORDS[1]}\" "
        "--help "
        "2>/dev/null |\n"
        "            sed -nE 's/^usage: influence [a-z]+ ([a-z]+(\\|[a-z]+)+)( .*|$)/\\1/p' | tr "
        "'|' ' ')\n"
        "        if [[ $actions ]]; then\n"
        "            mapfile -t COMPREPLY < <(compgen -W \"$actions\" -- \"$word\")\n"
        "        else\n"
        "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "        fi\n    fi\n}\n"
        "complete -o filenames -F _influence influence\n_influenced() {\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"--config --check --health --print-config --help "
        "--version ",
        out);
    for (size_t i = 0; i < N_KEYS; i++)
        fprintf(out, "--%s.%s= ", keys[i].section, keys[i].name);
    fputs("\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
          "complete -o nospace -o default -F _influenced influenced\n",
          out);
}

/* Open DIR/NAME.1 or DIR/NAME. */
static FILE *open_page(const char *dir, const char *prefix, const char *name, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s%s", dir, prefix, name, suffix);
    FILE *out = fopen(path, "w");
    if (!out)
        fprintf(stderr, "make-manual: %s: %s\n", path, strerror(errno));
    return out;
}

int main(int argc, char **argv)
{
    if (argc != 2 + (int)N_COMMANDS) {
        fprintf(stderr, "make-manual: src/manual/meson.build names %d commands, commands.def %zu\n",
                argc - 2, N_COMMANDS);
        return 1;
    }
    FILE *out = NULL;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[2 + i], commands[i].name) != 0) {
            fprintf(stderr, "make-manual: src/manual/meson.build has '%s', commands.def '%s'\n",
                    argv[2 + i], commands[i].name);
            return 1;
        }
        out = open_page(argv[1], "influence-", commands[i].name, ".1");
        if (!out)
            return 1;
        put_command(out, i);
        fclose(out);
    }
    const struct {
        const char *name, *suffix;
        void (*put)(FILE *out);
    } others[] = {{"influence", ".1", put_influence},
                  {"influenced", ".1", put_daemon},
                  {"influence", "", put_completion}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        out = open_page(argv[1], "", others[i].name, others[i].suffix);
        if (!out)
            return 1;
        others[i].put(out);
        fclose(out);
    }
    return 0;
}
