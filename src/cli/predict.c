/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/predict.h"

#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/inputs.h"

static const char name[] = "predict";

static int predict(struct predict_input *input, char *const *files, size_t n_files)
{
    struct error err = {0};
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    if (inputs_expand(files, n_files, &inputs, &err) != STATUS_OK)
        return command_failed(name, &err);
    input->files = inputs->files;
    input->n_files = inputs->n_files;
    struct predict_counts counts;
    if (predict_run(input, stdout, &counts, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (counts.n_refused > 0)
        fprintf(stderr, "%zu of %zu rows were set aside: `influence import` says which and why\n",
                counts.n_refused, counts.n_rows + counts.n_refused);
    return command_finish(name);
}

int command_predict(int argc, char **argv)
{
    enum {
        BUNDLE = 1,
        EXPLAIN,
        SCHEMAS,
        HELP
    };
    static const struct option options[] = {
        {"bundle", required_argument, NULL, BUNDLE},
        {"explain", no_argument, NULL, EXPLAIN},
        {"schemas", required_argument, NULL, SCHEMAS},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    struct predict_input input = {
        .bundle = "models",
        .schema_dir = inputs_schema_dir(),
        .progress = command_progress(),
    };
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case BUNDLE:
            input.bundle = optarg;
            break;
        case EXPLAIN:
            input.explain = true;
            break;
        case SCHEMAS:
            input.schema_dir = optarg;
            break;
        case HELP:
            return command_help(name);
        default:
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return command_usage(name, "a FILE is needed");
    return predict(&input, argv + optind, (size_t)(argc - optind));
}
