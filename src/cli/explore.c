/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/explore.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/html.h"
#include "cli/inputs.h"

static const char name[] = "explore";
static const char default_schemas[] = "config/schemas";

#define DEFAULT_WIDTH 110

struct request {
    struct import_options import;
    const char *out;
    bool as_json;
};

/* What was imported: all files together, and the two newest snapshots alone. */
struct loaded {
    struct table *table, *before, *after;
    struct import_report *report;
};

static void loaded_deinit(struct loaded *loaded)
{
    table_free(loaded->table);
    table_free(loaded->before);
    table_free(loaded->after);
    import_report_free(loaded->report);
}

/* The two newest sources of different months, by index; false when there are none. */
static bool find_snapshots(const struct import_report *report, size_t *ret_before,
                           size_t *ret_after)
{
    const struct import_source *sources = report->sources;
    size_t after = SIZE_MAX, before = SIZE_MAX;
    for (size_t i = 0; i < report->n_sources; i++)
        if (sources[i].month[0] &&
            (after == SIZE_MAX || strcmp(sources[i].month, sources[after].month) > 0))
            after = i;
    for (size_t i = 0; after != SIZE_MAX && i < report->n_sources; i++)
        if (sources[i].month[0] && strcmp(sources[i].month, sources[after].month) < 0 &&
            (before == SIZE_MAX || strcmp(sources[i].month, sources[before].month) > 0))
            before = i;
    *ret_before = before;
    *ret_after = after;
    return before != SIZE_MAX;
}

static enum status import_one(const char *file, const struct import_options *options,
                              struct table **ret_table, struct error *err)
{
    AUTO(import_report_free_slot) struct import_report *report = NULL;
    return import_files(&file, 1, options, ret_table, &report, err);
}

static enum status load(const struct inputs *inputs, const struct import_options *options,
                        struct explore_input *input, struct loaded *loaded, struct error *err)
{
    TRY(import_files(inputs->files, inputs->n_files, options, &loaded->table, &loaded->report,
                     err));
    input->table = loaded->table;
    input->report = loaded->report;
    size_t before, after;
    if (loaded->report->n_sources != inputs->n_files ||
        !find_snapshots(loaded->report, &before, &after))
        return STATUS_OK;
    TRY(import_one(inputs->files[before], options, &loaded->before, err));
    TRY(import_one(inputs->files[after], options, &loaded->after, err));
    input->before = loaded->before;
    input->after = loaded->after;
    input->before_name = loaded->report->sources[before].month;
    input->after_name = loaded->report->sources[after].month;
    return STATUS_OK;
}

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
        return size.ws_col;
    return DEFAULT_WIDTH;
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
    AUTO(inputs_free_slot) struct inputs *inputs = NULL;
    AUTO(explore_free_slot) struct explore *explore = NULL;
    struct explore_input input = {0};
    struct error err = {0};
    if (inputs_expand(files, n_files, &inputs, &err) != STATUS_OK ||
        load(inputs, &request->import, &input, &loaded, &err) != STATUS_OK ||
        explore_run(&input, &explore, &err) != STATUS_OK)
        return command_failed(name, &err);
    return show(explore, request);
}

int command_explore(int argc, char **argv)
{
    static const struct option options[] = {
        {"out", required_argument, NULL, 'o'},
        {"schemas", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct request request = {0};
    if (file_exists(default_schemas))
        request.import.schema_dir = default_schemas;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'o':
            request.out = optarg;
            break;
        case 's':
            request.import.schema_dir = optarg;
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
