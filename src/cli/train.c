/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/train.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/targets.h"
#include "cli/workers.h"

static const char name[] = "train";

/* What evaluate has options for, and training keys. */
static const struct {
    const char *option, *key;
} short_keys[] = {
    {"folds", "search.folds"},     {"repeats", "search.repeats"}, {"fits", "search.fits"},
    {"threads", "search.threads"}, {"rule", "search.rule"},       {"select", "search.select"},
};
#define N_SHORT (sizeof short_keys / sizeof short_keys[0])

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
    const char *short_settings[N_SHORT]; /* values of --folds and the like; NULL: not given */
    bool as_json;
    struct workers_options workers;
    char **command; /* all words, as they were given, from the program's name on */
};

static void request_deinit(struct request *request)
{
    arena_deinit(&request->memory);
    free(request->settings);
    free(request->command);
}

/* The words before any is moved, for the processes that this one starts. */
static bool keep_command(int argc, char **argv, struct request *request)
{
    static char program[] = "influence";
    request->command = calloc((size_t)argc + 2, sizeof *request->command);
    if (!request->command)
        return false;
    request->command[0] = program;
    memcpy(request->command + 1, argv, (size_t)argc * sizeof *argv);
    return true;
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

static enum status set_short(struct request *request, size_t i, struct error *err)
{
    const char *value = request->short_settings[i];
    const char *key = short_keys[i].key;
    bool is_select = strcmp(short_keys[i].option, "select") == 0;
    /* What a tier is picked by has a key of its own. */
    if (is_select && strcmp(value, "mae") != 0 && strcmp(value, "r2") != 0)
        key = "search.select_tier";
    const char *word = arena_printf(&request->memory, "--%s=%s", key, value);
    if (!word)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return config_set_option(&train_config_table, word, &request->config, &request->memory, err);
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
    for (size_t i = 0; i < N_SHORT; i++)
        if (request->short_settings[i])
            TRY(set_short(request, i, err));
    if (request->licence)
        request->config.data_licence = request->licence;
    return STATUS_OK;
}

static enum status fill_in_queries(struct request *request, const struct workers *workers,
                                   struct inputs_queries *queries, bool *any, struct error *err)
{
    char *filled;
    for (size_t i = 0; i < queries->n && i < INPUTS_MAX_QUERIES; i++) {
        TRY(workers_fill_in(workers, &request->memory, queries->text[i], &filled, err));
        queries->text[i] = filled ? filled : queries->text[i];
        *any |= filled != NULL;
    }
    return STATUS_OK;
}

/* What of the arguments stands for the worker that this one is. */
static enum status fill_in(struct request *request, const struct workers *workers, char **files,
                           size_t n_files, struct error *err)
{
    bool any = request->workers.own_files;
    struct arena *memory = &request->memory;
    bool any_posts = false;
    struct inputs_joined *joined = &request->joined;
    char *filled;
    for (size_t i = 0; i < n_files; i++) {
        TRY(workers_fill_in(workers, memory, files[i], &filled, err));
        files[i] = filled ? filled : files[i];
        any |= filled != NULL;
    }
    TRY(fill_in_queries(request, workers, &request->queries, &any, err));
    TRY(fill_in_queries(request, workers, &joined->posts_queries, &any_posts, err));
    for (size_t i = 0; i < joined->n_posts && i < INPUTS_MAX_JOINED; i++) {
        TRY(workers_fill_in(workers, memory, joined->posts[i], &filled, err));
        joined->posts[i] = filled ? filled : joined->posts[i];
    }
    request->input.rule = any ? SHARD_FILES : SHARD_ROWS;
    return STATUS_OK;
}

static enum status take_inputs(struct request *request, struct workers *workers, char **files,
                               size_t n_files, struct inputs **ret_inputs, struct error *err)
{
    TRY(fill_in(request, workers, files, n_files, err));
    TRY(workers_in_turn(workers, true, err));
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    TRY(inputs_expand(files, n_files, &request->queries, &inputs, err));
    TRY(inputs_join(&request->joined, inputs, &request->input.target.joins, err));
    TRY(workers_in_turn(workers, false, err));
    request->input.target.files = inputs->files;
    request->input.target.n_files = inputs->n_files;
    *ret_inputs = STEAL(inputs);
    return STATUS_OK;
}

static int print(const struct request *request, const struct training *training)
{
    if (!request->as_json) {
        train_print(training, stdout);
        return command_finish(name);
    }
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    train_put_json(training, &w);
    return command_print(name, &text);
}

/* A process that is not the first of a group: it has nothing to print. */
static enum status follow(struct request *request, struct error *err)
{
    request->input.progress = (struct progress){0};
    request->input.target.joins.progress = (struct progress){0};
    return train_follow(&request->input, err);
}

static enum status run(struct request *request, struct workers *workers, char **files,
                       size_t n_files, struct training **ret_training, struct error *err)
{
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    TRY(take_inputs(request, workers, files, n_files, &inputs, err));
    request->input.workers = workers_group(workers);
    return collective_rank(request->input.workers) > 0
               ? follow(request, err)
               : train_run(&request->input, ret_training, err);
}

static int failed(struct workers *workers, const struct error *err)
{
    int result = workers_speak(err) ? command_failed(name, err) : EXIT_FAILED;
    workers_explain(workers);
    return result;
}

static int train(struct request *request, char **files, size_t n_files)
{
    struct error err = {0};
    request->input.config = &request->config;
    if (load_config(request, &err) != STATUS_OK ||
        workers_check(&request->workers, &err) != STATUS_OK)
        return command_usage(name, "%s", err.message);
    if (train_check(&request->input, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (workers_are_asked_for(&request->workers) && request->joined.n_edges > 0)
        return command_usage(name, "--edges is for one process: a network is of all accounts");
    AUTO(workers_close_slot) struct workers *workers = NULL;
    AUTO(training_free_slot) struct training *training = NULL;
    enum status status = workers_open(name, request->command, &request->workers, &workers, &err);
    if (status == STATUS_OK)
        status = run(request, workers, files, n_files, &training, &err);
    if (status != STATUS_OK)
        return failed(workers, &err);
    workers_leave(workers);
    return training ? print(request, training) : EXIT_DONE;
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

enum {
    CONFIG = 1,
    LICENCE,
    OUT,
    TIME,
    SEED,
    QUERY,
    PRINT_CONFIG,
    EXTRAS,
    JSON,
    HELP,
    SHORT /* the first of short_keys */
};

static bool read_seed(const char *text, uint64_t *ret_seed)
{
    int64_t seed;
    if (!text_parse_integer(text, strlen(text), &seed) || seed < 0)
        return false;
    *ret_seed = (uint64_t)seed;
    return true;
}

/* False: the value is out of range. */
static bool take_option(int option, struct request *request)
{
    struct train_input *input = &request->input;
    struct targets_options shared = {&input->target, &input->names, &input->group, &input->models,
                                     &input->monotone};
    if (targets_has(option))
        return targets_take(option, optarg, &shared);
    if (inputs_take_join(option, optarg, &request->joined))
        return true;
    if (option >= SHORT) {
        request->short_settings[option - SHORT] = optarg;
        return true;
    }
    switch (option) {
    case CONFIG:
        request->config_path = optarg;
        return true;
    case LICENCE:
        request->licence = optarg;
        return true;
    case OUT:
        input->models_dir = optarg;
        return true;
    case TIME:
        input->when = optarg;
        return true;
    case QUERY:
        inputs_add_query(&request->queries, optarg);
        return true;
    case EXTRAS:
        input->names.extras = true;
        return true;
    case JSON:
        request->as_json = true;
        return true;
    default:
        return read_seed(optarg, &input->seed);
    }
}

int command_train(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, CONFIG},
        {"licence", required_argument, NULL, LICENCE},
        {"out", required_argument, NULL, OUT},
        {"time", required_argument, NULL, TIME},
        {"seed", required_argument, NULL, SEED},
        {"query", required_argument, NULL, QUERY},
        INPUTS_JOIN_OPTIONS,
        TARGETS_OPTIONS,
        WORKERS_OPTIONS,
        {"folds", required_argument, NULL, SHORT},
        {"repeats", required_argument, NULL, SHORT + 1},
        {"fits", required_argument, NULL, SHORT + 2},
        {"threads", required_argument, NULL, SHORT + 3},
        {"rule", required_argument, NULL, SHORT + 4},
        {"select", required_argument, NULL, SHORT + 5},
        {"print-config", no_argument, NULL, PRINT_CONFIG},
        {"extras", no_argument, NULL, EXTRAS},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    AUTO(request_deinit)
    struct request request = {
        .input =
            {
                .models_dir = "models",
                .target.schema_dir = inputs_schema_dir(),
                .progress = command_progress(),
            },
    };
    arena_init(&request.memory, 4096);
    request.settings = calloc((size_t)argc + 1, sizeof *request.settings);
    if (!request.settings || !keep_command(argc, argv, &request))
        return EXIT_FAILED;
    argc = take_settings(argc, argv, &request);
    int option;
    int at = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (option == PRINT_CONFIG)
            return print_config();
        if (option == HELP)
            return help();
        if (option == '?')
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        enum status status;
        struct error err = {0};
        if (workers_take_option(option, optarg, &request.workers, &status, &err)) {
            if (status != STATUS_OK)
                return command_usage(name, "%s", err.message);
            continue;
        }
        if (!take_option(option, &request))
            return command_usage(name, "--%s: must be a whole number%s, got '%s'", options[at].name,
                                 option == TARGETS_TOP ? " from 1 to 1000" : "", optarg);
    }
    if (optind == argc)
        return command_usage(name, "a FILE is needed");
    if (request.input.group && request.input.when)
        return command_usage(name, "--group and --time both split: only one of them can");
    const char *conflict = targets_conflict(&request.input.target);
    if (conflict)
        return command_usage(name, "%s", conflict);
    return train(&request, argv + optind, (size_t)(argc - optind));
}
