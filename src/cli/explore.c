/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/explore.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/html.h"
#include "cli/inputs.h"
#include "cli/terminal.h"
#include "explore/snapshots.h"

static const char name[] = "explore";
static const char default_schemas[] = "config/schemas";
#define MAX_POSTS 500000 /* of sampled accounts; more change the picture no further */

struct request {
    struct import_options import;
    struct inputs_queries queries;
    struct inputs_joined joined;
    const char *out;
    bool as_json;
};

/* What was imported: all files together, and the two newest snapshots alone. */
struct loaded {
    struct inputs *inputs;
    struct table *table;
    struct import_report *report;
    struct explore_snapshots snapshots;
    struct lifts *lifts;   /* NULL: no posts were given, or */
    struct error no_lifts; /* what they lack */
};

static void loaded_deinit(struct loaded *loaded)
{
    inputs_free(loaded->inputs);
    table_free(loaded->table);
    import_report_free(loaded->report);
    explore_snapshots_deinit(&loaded->snapshots);
    lifts_free(loaded->lifts);
}

/* Posts that say too little are a reason, not a failure. */
static enum status load_posts(const struct import_joins *joins, struct loaded *loaded,
                              struct error *err)
{
    struct lifts_input input = {
        .files = joins->posts, .n_files = joins->n_posts, .max_posts = MAX_POSTS};
    if (joins->n_posts == 0)
        return STATUS_OK;
    enum status status = lifts_read(loaded->table, &input, NULL, &loaded->lifts, &loaded->no_lifts);
    if (status == STATUS_OK || status == STATUS_INVALID)
        return STATUS_OK;
    *err = loaded->no_lifts;
    return status;
}

static enum status load(char **arguments, size_t n_arguments, const struct request *request,
                        struct loaded *loaded, struct error *err)
{
    struct import_options with_joins = request->import;
    const struct import_options *options = &with_joins;
    TRY(inputs_expand(arguments, n_arguments, &request->queries, &loaded->inputs, err));
    TRY(inputs_join(&request->joined, loaded->inputs, &with_joins.joins, err));
    const char *const *files = loaded->inputs->files;
    size_t n_files = loaded->inputs->n_files;
    TRY(import_files(files, n_files, options, &loaded->table, &loaded->report, err));
    TRY(load_posts(&options->joins, loaded, err));
    return explore_snapshots_load(files, n_files, options, loaded->report, &loaded->snapshots, err);
}

static int show(const struct explore *explore, const struct request *request)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    struct error err = {0};
    size_t n_bytes;
    if (request->out || request->as_json)
        explore_put_report(explore, clock_utc_us(), &w);
    if (text.failed) {
        fail(&err, STATUS_NO_MEMORY, "out of memory");
        return command_failed(name, &err);
    }
    if (request->as_json)
        puts(text.at);
    else if (!request->out)
        explore_print(explore, terminal_width(), stdout);
    if (request->out &&
        html_write_report(request->out, text.at, text.length, &n_bytes, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (request->out && !request->as_json && strcmp(request->out, "-") != 0)
        printf("%s: %zu bytes, one file that needs no server\n", request->out, n_bytes);
    return command_finish(name);
}

static int run(const struct request *request, char **files, size_t n_files)
{
    AUTO(loaded_deinit) struct loaded loaded = {0};
    AUTO(explore_free_slot) struct explore *explore = NULL;
    struct error err = {0};
    if (load(files, n_files, request, &loaded, &err) != STATUS_OK)
        return command_failed(name, &err);
    struct explore_input input = {
        .table = loaded.table,
        .report = loaded.report,
        .lifts = loaded.lifts,
        .no_lifts = loaded.no_lifts.message[0] ? loaded.no_lifts.message : NULL,
    };
    explore_snapshots_use(&loaded.snapshots, &input);
    if (explore_run(&input, &explore, &err) != STATUS_OK)
        return command_failed(name, &err);
    return show(explore, request);
}

int command_explore(int argc, char **argv)
{
    static const struct option options[] = {
        {"out", required_argument, NULL, 'o'},
        {"schemas", required_argument, NULL, 's'},
        INPUTS_JOIN_OPTIONS,
        {"query", required_argument, NULL, 'q'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct request request = {0};
    if (file_exists(default_schemas))
        request.import.schema_dir = default_schemas;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (inputs_take_join(option, optarg, &request.joined))
            continue;
        switch (option) {
        case 'o':
            request.out = optarg;
            break;
        case 's':
            request.import.schema_dir = optarg;
            break;
        case 'q':
            inputs_add_query(&request.queries, optarg);
            break;
        case 'j':
            request.as_json = true;
            break;
        case 'h':
            return command_help(name);
        default:
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return command_usage(name, "a file is needed");
    return run(&request, argv + optind, (size_t)(argc - optind));
}
