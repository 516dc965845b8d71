/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/synth.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"

static const char name[] = "synth";

static int print_parameters(void)
{
    puts("| parameter | value | source | meaning |\n|---|---|---|---|");
    for (size_t i = 0; i < synth_n_parameters; i++) {
        const struct synth_parameter *p = &synth_parameters[i];
        char value[TEXT_NUMBER_BYTES];
        text_format_number(p->value, value);
        printf("| %s | %s | %s | %s |\n", p->name, value, p->source, p->help);
    }
    return command_finish(name);
}

static void print_counts(const struct synth_options *options, const struct synth_counts *counts)
{
    printf("%s: %zu synthetic accounts, %zu posts, %zu edges\n", options->dir, counts->n_profiles,
           counts->n_posts, counts->n_edges);
}

static void print_json(const struct synth_options *options, const struct synth_counts *counts)
{
    struct buffer text = {0};
    struct json_writer json = json_writer(&text);
    json_begin_object(&json);
    json_member_string(&json, "dir", options->dir);
    json_member_bool(&json, "synthetic", true);
    json_member_integer(&json, "profiles", (int64_t)counts->n_profiles);
    json_member_integer(&json, "posts", (int64_t)counts->n_posts);
    json_member_integer(&json, "edges", (int64_t)counts->n_edges);
    json_end_object(&json);
    if (!text.failed)
        puts(text.at);
    buffer_deinit(&text);
}

static int make(struct synth_options *options, bool as_json)
{
    struct synth_counts counts;
    struct error err = {0};
    options->cancel = interrupt_flag();
    if (synth_write(options, &counts, &err) != STATUS_OK)
        return command_failed(name, &err);
    (as_json ? print_json : print_counts)(options, &counts);
    return command_finish(name);
}

int command_synth(int argc, char **argv)
{
    enum {
        ROWS = 1,
        SEED,
        OUT,
        PARAMETERS,
        JSON,
        HELP
    };
    static const struct option options[] = {
        {"rows", required_argument, NULL, ROWS},
        {"seed", required_argument, NULL, SEED},
        {"out", required_argument, NULL, OUT},
        {"parameters", no_argument, NULL, PARAMETERS},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    struct synth_options synth = {.progress = command_progress()};
    bool as_json = false;
    int64_t number;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case ROWS:
            if (!text_parse_integer(optarg, strlen(optarg), &number) || number < 1 ||
                number > SYNTH_MAX_ROWS)
                return command_usage(name, "--rows: must be a whole number from 1 to %d, got '%s'",
                                     SYNTH_MAX_ROWS, optarg);
            synth.n_rows = (size_t)number;
            break;
        case SEED:
            if (!text_parse_integer(optarg, strlen(optarg), &number) || number < 0)
                return command_usage(name, "--seed: must be a whole number, got '%s'", optarg);
            synth.seed = (uint64_t)number;
            break;
        case OUT:
            synth.dir = optarg;
            break;
        case PARAMETERS:
            return print_parameters();
        case JSON:
            as_json = true;
            break;
        case HELP:
            return command_help(name);
        default:
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return command_usage(name, "'%s' is not needed", argv[optind]);
    if (!synth.n_rows || !synth.dir)
        return command_usage(name, "--rows and --out are needed");
    return make(&synth, as_json);
}
