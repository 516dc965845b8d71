/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/predict.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/sink.h"
#include "runtime/engine.h"

static const char name[] = "predict";

struct request {
    struct predict_input input;
    struct inputs_queries queries;
    struct inputs_joined joined;
    struct sink_options to;
};

static int predict(struct request *request, char *const *files, size_t n_files)
{
    struct error err = {0};
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    if (inputs_expand(files, n_files, &request->queries, &inputs, &err) != STATUS_OK ||
        inputs_join(&request->joined, inputs, &request->input.joins, &err) != STATUS_OK)
        return command_failed(name, &err);
    request->input.files = inputs->files;
    request->input.n_files = inputs->n_files;
    struct predict_counts counts;
    struct sink sink;
    if (sink_open(&request->to, &sink, &err) != STATUS_OK)
        return command_failed(name, &err);
    enum status status = predict_run(&request->input, sink.out, &counts, &err);
    if (sink_close(&sink, status, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (counts.n_refused > 0)
        fprintf(stderr, "%zu of %zu rows were set aside: `influence import` says which and why\n",
                counts.n_refused, counts.n_rows + counts.n_refused);
    if (counts.n_beyond > 0)
        fprintf(stderr,
                "careful: %zu of %zu rows are unlike nearly every account in training (novelty "
                "above %.0f): take what is predicted of them as a guess\n",
                counts.n_beyond, counts.n_rows, NOVELTY_BEYOND);
    return command_finish(name);
}

int command_predict(int argc, char **argv)
{
    enum {
        BUNDLE = 1,
        EXPLAIN,
        THREADS,
        SCHEMAS,
        QUERY,
        TO,
        TABLE,
        APPEND,
        REPLACE,
        HELP
    };
    static const struct option options[] = {
        {"bundle", required_argument, NULL, BUNDLE},
        {"explain", no_argument, NULL, EXPLAIN},
        {"threads", required_argument, NULL, THREADS},
        {"schemas", required_argument, NULL, SCHEMAS},
        {"query", required_argument, NULL, QUERY},
        INPUTS_JOIN_OPTIONS,
        {"to", required_argument, NULL, TO},
        {"table", required_argument, NULL, TABLE},
        {"append", no_argument, NULL, APPEND},
        {"replace", no_argument, NULL, REPLACE},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    struct request request = {
        .input =
            {
                .bundle = "models",
                .schema_dir = inputs_schema_dir(),
                .progress = command_progress(),
            },
    };
    int64_t n_threads;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (inputs_take_join(option, optarg, &request.joined))
            continue;
        switch (option) {
        case BUNDLE:
            request.input.bundle = optarg;
            break;
        case EXPLAIN:
            request.input.explain = true;
            break;
        case THREADS:
            if (!text_parse_integer(optarg, strlen(optarg), &n_threads) || n_threads < 1 ||
                n_threads > PREDICT_MAX_THREADS)
                return command_usage(name, "--threads takes a number from 1 to %d",
                                     PREDICT_MAX_THREADS);
            request.input.n_threads = (size_t)n_threads;
            break;
        case SCHEMAS:
            request.input.schema_dir = optarg;
            break;
        case QUERY:
            inputs_add_query(&request.queries, optarg);
            break;
        case TO:
            request.to.to = optarg;
            break;
        case TABLE:
            request.to.table = optarg;
            break;
        case APPEND:
            request.to.append = true;
            break;
        case REPLACE:
            request.to.replace = true;
            break;
        case HELP:
            return command_help(name);
        default:
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return command_usage(name, "a FILE is needed");
    return predict(&request, argv + optind, (size_t)(argc - optind));
}
