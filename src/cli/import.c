/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/import.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/sink.h"

static const char name[] = "import";

struct request {
    struct import_options options;
    struct inputs_queries queries;
    struct inputs_joined joined;
    struct sink_options csv; /* to NULL: none; "-": stdout */
    bool as_json;
    bool in_pieces;
};

static void print_json(const struct import_report *report, FILE *out)
{
    struct buffer text = {0};
    struct json_writer json = json_writer(&text);
    json.pretty = true;
    import_report_put_json(report, &json);
    if (!text.failed)
        fprintf(out, "%s\n", text.at);
    buffer_deinit(&text);
}

static enum status write_csv(const struct table *table, const struct sink_options *to,
                             struct error *err)
{
    struct sink sink;
    TRY(sink_open(to, &sink, err));
    return sink_close(&sink, import_write_csv(table, sink.out, err), err);
}

static enum status forget_piece(void *user, const struct table *table, struct error *err)
{
    (void)user;
    (void)table;
    (void)err;
    return STATUS_OK;
}

/* Only to be looked at, and so not needed as a whole: one file, and nothing that asks for it. */
static bool may_go_in_pieces(const struct request *request, size_t n_files)
{
    const struct import_joins *joins = &request->options.joins;
    return n_files == 1 && !request->csv.to && joins->n_posts == 0 && joins->n_edges == 0;
}

static int import(const struct request *request, const char *const *files, size_t n_files)
{
    AUTO(table_free_slot) struct table *table = NULL;
    AUTO(import_report_free_slot) struct import_report *report = NULL;
    struct error err = {0};
    bool in_pieces =
        may_go_in_pieces(request, n_files) && (request->in_pieces || import_is_large(files[0]));
    enum status status =
        in_pieces ? import_pieces(files[0], &request->options, forget_piece, NULL, &report, &err)
                  : import_files(files, n_files, &request->options, &table, &report, &err);
    /* The table may take stdout; the report then goes where messages go. */
    bool table_on_stdout = request->csv.to && strcmp(request->csv.to, "-") == 0;
    FILE *out = table_on_stdout ? stderr : stdout;
    if (report)
        request->as_json ? print_json(report, out) : import_report_print(report, out);
    if (status == STATUS_OK && request->csv.to)
        status = write_csv(table, &request->csv, &err);
    return status == STATUS_OK ? command_finish(name) : command_failed(name, &err);
}

int command_import(int argc, char **argv)
{
    static const struct option options[] = {
        {"csv", required_argument, NULL, 'c'},
        {"table", required_argument, NULL, 't'},
        {"append", no_argument, NULL, 'a'},
        {"replace", no_argument, NULL, 'r'},
        {"query", required_argument, NULL, 'q'},
        {"pieces", no_argument, NULL, 'p'},
        INPUTS_JOIN_OPTIONS,
        {"json", no_argument, NULL, 'j'},
        {"schemas", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct request request = {0};
    request.options.schema_dir = inputs_schema_dir();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (inputs_take_join(option, optarg, &request.joined))
            continue;
        switch (option) {
        case 'c':
            request.csv.to = optarg;
            break;
        case 'p':
            request.in_pieces = true;
            break;
        case 't':
            request.csv.table = optarg;
            break;
        case 'a':
            request.csv.append = true;
            break;
        case 'r':
            request.csv.replace = true;
            break;
        case 'q':
            inputs_add_query(&request.queries, optarg);
            break;
        case 'j':
            request.as_json = true;
            break;
        case 's':
            request.options.schema_dir = optarg;
            break;
        case 'h':
            return command_help(name);
        default:
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return command_usage(name, "a file is needed");
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    struct error err = {0};
    if (inputs_expand(argv + optind, (size_t)(argc - optind), &request.queries, &inputs, &err) !=
            STATUS_OK ||
        inputs_join(&request.joined, inputs, &request.options.joins, &err) != STATUS_OK)
        return command_failed(name, &err);
    return import(&request, inputs->files, inputs->n_files);
}
