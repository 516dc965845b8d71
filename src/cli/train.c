/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/train.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/inputs.h"

static const char name[] = "train";

struct request {
    struct train_input input;
    struct train_config config;
    struct arena memory; /* texts of the configuration */
    const char *config_path;
    const char *licence; /* NULL: as the configuration says */
    struct inputs_queries queries;
    struct inputs_joined joined;
    char **settings; /* the words --section.key=value */
    int n_settings;
    bool as_json;
};

static void request_deinit(struct request *request)
{
    arena_deinit(&request->memory);
    free(request->settings);
}

/* Move the words --section.key=value out of argv, for the configuration. */
static int take_settings(int argc, char **argv, struct request *request)
{
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        const char *dot = strchr(argv[i], '.');
        if (strncmp(argv[i], "--", 2) == 0 && equals && dot && dot < equals)
            request->settings[request->n_settings++] = argv[i];
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

static enum status load_config(struct request *request, struct error *err)
{
    const struct config_table *table = &train_config_table;
    TRY(config_set_defaults(table, &request->config, &request->memory, err));
    if (request->config_path)
        TRY(config_load_file(table, request->config_path, &request->config, &request->memory, err));
    for (int i = 0; i < request->n_settings; i++)
        TRY(config_set_option(table, request->settings[i], &request->config, &request->memory,
                              err));
    if (request->licence)
        request->config.data_licence = request->licence;
    return STATUS_OK;
}

static int train(struct request *request, char *const *files, size_t n_files)
{
    struct error err = {0};
    if (load_config(request, &err) != STATUS_OK)
        return command_usage(name, "%s", err.message);
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    if (inputs_expand(files, n_files, &request->queries, &inputs, &err) != STATUS_OK ||
        inputs_join(&request->joined, inputs, &request->input.joins, &err) != STATUS_OK)
        return command_failed(name, &err);
    request->input.files = inputs->files;
    request->input.n_files = inputs->n_files;
    request->input.config = &request->config;
    AUTO(training_free_slot) struct training *training = NULL;
    if (train_run(&request->input, &training, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (!request->as_json) {
        train_print(training, stdout);
        return command_finish(name);
    }
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    train_put_json(training, &w);
    return command_print(name, &text);
}

static int print_config(void)
{
    config_print(&train_config_table, NULL, stdout);
    return command_finish(name);
}

static int help(void)
{
    command_help(name);
    puts("\nConfiguration, in --config FILE as [section] key = value, or here:\n");
    config_print_help(&train_config_table, stdout);
    return command_finish(name);
}

int command_train(int argc, char **argv)
{
    enum {
        TARGET = 1,
        CONFIG,
        LICENCE,
        OUT,
        SEED,
        SCHEMAS,
        QUERY,
        PRINT_CONFIG,
        JSON,
        HELP
    };
    static const struct option options[] = {
        {"target", required_argument, NULL, TARGET},
        {"config", required_argument, NULL, CONFIG},
        {"licence", required_argument, NULL, LICENCE},
        {"out", required_argument, NULL, OUT},
        {"seed", required_argument, NULL, SEED},
        {"schemas", required_argument, NULL, SCHEMAS},
        {"query", required_argument, NULL, QUERY},
        INPUTS_JOIN_OPTIONS,
        {"print-config", no_argument, NULL, PRINT_CONFIG},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    AUTO(request_deinit)
    struct request request = {
        .input =
            {
                .models_dir = "models",
                .schema_dir = inputs_schema_dir(),
                .progress = command_progress(),
            },
    };
    arena_init(&request.memory, 4096);
    request.settings = calloc((size_t)argc + 1, sizeof *request.settings);
    if (!request.settings)
        return EXIT_FAILED;
    argc = take_settings(argc, argv, &request);
    int64_t seed;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (inputs_take_join(option, optarg, &request.joined))
            continue;
        switch (option) {
        case TARGET:
            request.input.target = optarg;
            break;
        case CONFIG:
            request.config_path = optarg;
            break;
        case LICENCE:
            request.licence = optarg;
            break;
        case OUT:
            request.input.models_dir = optarg;
            break;
        case SEED:
            if (!text_parse_integer(optarg, strlen(optarg), &seed) || seed < 0)
                return command_usage(name, "--seed: must be a whole number, got '%s'", optarg);
            request.input.seed = (uint64_t)seed;
            break;
        case SCHEMAS:
            request.input.schema_dir = optarg;
            break;
        case QUERY:
            inputs_add_query(&request.queries, optarg);
            break;
        case PRINT_CONFIG:
            return print_config();
        case JSON:
            request.as_json = true;
            break;
        case HELP:
            return help();
        default:
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return command_usage(name, "a FILE is needed");
    return train(&request, argv + optind, (size_t)(argc - optind));
}
