/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/evaluate.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/targets.h"

static const char name[] = "evaluate";

struct request {
    struct evaluate_input input;
    struct inputs_queries queries;
    struct inputs_joined joined;
    bool as_json;
};

static int evaluate(struct request *request, char *const *files, size_t n_files)
{
    struct evaluate_input *input = &request->input;
    struct error err = {0};
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    if (evaluate_check(input, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (inputs_expand(files, n_files, &request->queries, &inputs, &err) != STATUS_OK ||
        inputs_join(&request->joined, inputs, &input->target.joins, &err) != STATUS_OK)
        return command_failed(name, &err);
    input->target.files = inputs->files;
    input->target.n_files = inputs->n_files;
    AUTO(evaluation_free_slot) struct evaluation *evaluation = NULL;
    if (evaluate_run(input, &evaluation, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (!request->as_json) {
        evaluation_print(evaluation, stdout);
        return command_finish(name);
    }
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    evaluation_put_json(evaluation, &w);
    return command_print(name, &text);
}

static bool read_count(const char *text, int64_t min, int64_t max, size_t *ret_count)
{
    int64_t number;
    if (!text_parse_integer(text, strlen(text), &number) || number < min || number > max)
        return false;
    *ret_count = (size_t)number;
    return true;
}

enum {
    SCORED = 1,
    SELECT,
    FOLDS,
    REPEATS,
    SEED,
    JSON,
    HELP,
    QUERY,
    TIME,
    RULE,
    FITS,
    THREADS,
    PEERS,
    NETWORK,
};

static bool take_count(int option, struct evaluate_input *input)
{
    size_t number = 0;
    switch (option) {
    case FOLDS:
        return read_count(optarg, 2, 100, &input->n_folds);
    case REPEATS:
        return read_count(optarg, 1, 1000, &input->n_repeats);
    case FITS:
        return read_count(optarg, 1, 1000, &input->n_fits);
    case THREADS:
        if (!read_count(optarg, 1, 64, &number))
            return false;
        input->n_threads = (int)number;
        return true;
    case SEED:
        if (!read_count(optarg, 0, INT64_MAX, &number))
            return false;
        input->seed = number;
        return true;
    default:
        return false;
    }
}

/* Options that are texts, and those that are numbers; false: neither, or out of range. */
static bool take_option(int option, struct evaluate_input *input)
{
    switch (option) {
    case SCORED:
        input->rows.scored = optarg;
        return true;
    case SELECT:
        input->select = optarg;
        return true;
    case TIME:
        input->rows.when = optarg;
        return true;
    case RULE:
        input->one_se = strcmp(optarg, "one_se") == 0;
        return input->one_se || strcmp(optarg, "best") == 0;
    case NETWORK:
        input->similarity = strcmp(optarg, "similarity") == 0;
        return input->similarity || strcmp(optarg, "edges") == 0;
    default:
        return take_count(option, input);
    }
}

/* What a number option takes, for people. */
static const char *number_range(int option)
{
    switch (option) {
    case FOLDS:
        return "2 to 100 are taken";
    case RULE:
        return "best or one_se is taken";
    case NETWORK:
        return "edges or similarity is taken";
    case THREADS:
        return "1 to 64 are taken";
    case REPEATS:
    case FITS:
    case TARGETS_TOP:
        return "1 to 1000 are taken";
    default:
        return "a whole number from 0 is taken";
    }
}

int command_evaluate(int argc, char **argv)
{
    static const struct option options[] = {
        {"scored", required_argument, NULL, SCORED},
        {"select", required_argument, NULL, SELECT},
        {"folds", required_argument, NULL, FOLDS},
        {"repeats", required_argument, NULL, REPEATS},
        {"seed", required_argument, NULL, SEED},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {"query", required_argument, NULL, QUERY},
        {"time", required_argument, NULL, TIME},
        {"rule", required_argument, NULL, RULE},
        {"fits", required_argument, NULL, FITS},
        {"threads", required_argument, NULL, THREADS},
        {"peers", no_argument, NULL, PEERS},
        {"network", required_argument, NULL, NETWORK},
        INPUTS_JOIN_OPTIONS,
        TARGETS_OPTIONS,
        {0},
    };
    struct request request = {
        .input =
            {
                .target.schema_dir = inputs_schema_dir(),
                .names.extras = true,
                .n_folds = 5,
                .n_repeats = 5,
                .n_threads = 1,
                .progress = command_progress(),
            },
    };
    struct evaluate_input *input = &request.input;
    struct targets_options shared = {&input->target, &input->names, &input->rows.group,
                                     &input->models, &input->monotone};
    int option;
    int at = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (option == HELP)
            return command_help(name);
        if (option == JSON)
            request.as_json = true;
        else if (option == PEERS)
            input->names.peers = true;
        else if (option == QUERY)
            inputs_add_query(&request.queries, optarg);
        else if (inputs_take_join(option, optarg, &request.joined))
            continue;
        else if (option == '?')
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        else if (targets_has(option) ? !targets_take(option, optarg, &shared)
                                     : !take_option(option, input))
            return command_usage(name, "--%s: '%s' is out of range: %s", options[at].name, optarg,
                                 number_range(option));
    }
    if (optind == argc || !own_target_is_asked(&input->target))
        return command_usage(name, "a FILE and --target or --labels are needed");
    const char *conflict = targets_conflict(&input->target);
    if (conflict)
        return command_usage(name, "%s", conflict);
    return evaluate(&request, argv + optind, (size_t)(argc - optind));
}
