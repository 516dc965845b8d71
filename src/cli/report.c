/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "artifact/bundle.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/html.h"

static const char name[] = "report";

struct request {
    const char *bundle, *out;
    bool as_json;
};

/* The report as it stands in the bundle, with the bundle's id, which its writer did not know yet.
 */
static void put_with_id(const struct json *report, const char *id, struct json_writer *w)
{
    json_begin_object(w);
    for (const struct json *part = json_first(report); part; part = json_next(part)) {
        json_put_key(w, json_key(part));
        if (strcmp(json_key(part), "bundle") != 0 || json_type(part) != JSON_OBJECT) {
            json_put_value(w, part);
            continue;
        }
        json_begin_object(w);
        json_member_string(w, "id", id);
        for (const struct json *member = json_first(part); member; member = json_next(member)) {
            if (strcmp(json_key(member), "id") == 0)
                continue;
            json_put_key(w, json_key(member));
            json_put_value(w, member);
        }
        json_end_object(w);
    }
    json_end_object(w);
}

static enum status read_report(const char *bundle, struct buffer *ret_text, struct error *err)
{
    char dir[PATH_MAX], id[BUNDLE_ID_BYTES];
    TRY(bundle_resolve(bundle, dir, id, err));
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 1U << 20);
    const struct json *report;
    const char *path = arena_printf(&memory, "%s/report.json", dir);
    if (!path)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(json_parse_file(path, &memory, &report, err));
    if (json_type(report) != JSON_OBJECT)
        return fail(err, STATUS_CORRUPT, "%s: is not an object", path);
    struct json_writer w = json_writer(ret_text);
    put_with_id(report, id, &w);
    return ret_text->failed ? fail(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

static int run(const struct request *request)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    struct error err = {0};
    size_t n_bytes;
    if (read_report(request->bundle, &text, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (request->as_json)
        puts(text.at);
    if (!request->out)
        return command_finish(name);
    if (html_write_report(request->out, text.at, text.length, &n_bytes, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (!request->as_json && strcmp(request->out, "-") != 0)
        printf("%s: %zu bytes, one file that needs no server\n", request->out, n_bytes);
    return command_finish(name);
}

int command_report(int argc, char **argv)
{
    static const struct option options[] = {
        {"bundle", required_argument, NULL, 'b'},
        {"out", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct request request = {.bundle = "models"};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'b':
            request.bundle = optarg;
            break;
        case 'o':
            request.out = optarg;
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
    if (optind < argc)
        return command_usage(name, "'%s' is not needed", argv[optind]);
    if (!request.out && !request.as_json)
        return command_usage(name, "--out or --json is needed");
    return run(&request);
}
