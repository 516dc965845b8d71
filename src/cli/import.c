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

static const char name[] = "import";

struct request {
    struct import_options options;
    const char *csv; /* NULL: none; "-": stdout */
    bool as_json;
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

static enum status write_csv(const struct table *table, const char *path, struct error *err)
{
    if (strcmp(path, "-") == 0)
        return import_write_csv(table, stdout, err);
    AUTO(fclose_slot) FILE *out = fopen(path, "we");
    if (!out)
        return fail_errno(err, "%s", path);
    TRY(import_write_csv(table, out, err));
    return fclose(STEAL(out)) == 0 ? STATUS_OK : fail_errno(err, "%s", path);
}

static int import(const struct request *request, const char *const *files, size_t n_files)
{
    AUTO(table_free_slot) struct table *table = NULL;
    AUTO(import_report_free_slot) struct import_report *report = NULL;
    struct error err = {0};
    enum status status = import_files(files, n_files, &request->options, &table, &report, &err);
    /* The table may take stdout; the report then goes where messages go. */
    bool table_on_stdout = request->csv && strcmp(request->csv, "-") == 0;
    FILE *out = table_on_stdout ? stderr : stdout;
    if (report)
        request->as_json ? print_json(report, out) : import_report_print(report, out);
    if (status == STATUS_OK && request->csv)
        status = write_csv(table, request->csv, &err);
    return status == STATUS_OK ? command_finish(name) : command_failed(name, &err);
}

int command_import(int argc, char **argv)
{
    static const struct option options[] = {
        {"csv", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {"schemas", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct request request = {0};
    request.options.schema_dir = inputs_schema_dir();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            request.csv = optarg;
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
    if (inputs_expand(argv + optind, (size_t)(argc - optind), &inputs, &err) != STATUS_OK)
        return command_failed(name, &err);
    return import(&request, inputs->files, inputs->n_files);
}
