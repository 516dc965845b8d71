/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "artifact/bundle.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/models_erase.h"
#include "cli/models_print.h"
#include "cli/models_show.h"
#include "cli/terminal.h"
#include "runtime/engine.h"
#include "runtime/parity.h"

static const char name[] = "models";

struct request {
    const char *dir;
    const char *id;     /* NULL: none was given */
    const char *handle; /* of erase; NULL: none was given */
    int64_t keep;
    bool as_json;
    struct buffer *out; /* borrowed; what goes to stdout */
};

/* ---- list ---- */

static enum status list(const struct request *request, struct error *err)
{
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 65536);
    struct bundle_info *infos = NULL;
    size_t n = 0;
    TRY(bundle_list(request->dir, &arena, &infos, &n, err));
    if (request->as_json) {
        struct json_writer w = json_writer(request->out);
        json_begin_array(&w);
        for (size_t i = 0; i < n; i++)
            models_put_info(&w, &infos[i]);
        json_end_array(&w);
        buffer_put_char(request->out, '\n');
        return STATUS_OK;
    }
    for (size_t i = 0; i < n; i++)
        models_print_info(request->out, &infos[i]);
    if (n == 0)
        fprintf(stderr, "%s: no bundles yet; influence train makes one\n", request->dir);
    return STATUS_OK;
}

/* ---- show ---- */

/* The bundle that was named, or the current one. */
static enum status find(const struct request *request, char ret_dir[static PATH_MAX],
                        char ret_id[static BUNDLE_ID_BYTES], struct error *err)
{
    if (request->id)
        return bundle_find(request->dir, request->id, ret_dir, ret_id, err);
    return bundle_resolve(request->dir, ret_dir, ret_id, err);
}

/* The report of a bundle, or NULL: an older one may have none, and the rest is worth showing. */
static const struct json *read_report(const char *dir, struct arena *arena)
{
    const struct json *report = NULL;
    const char *path = arena_printf(arena, "%s/report.json", dir);
    if (!path || json_parse_file(path, arena, &report, NULL) != STATUS_OK)
        return NULL;
    return json_number_or(json_get(report, "schema"), 0) == 1 ? report : NULL;
}

static enum status print_shown(const struct models_show *show, struct buffer *out,
                               struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return fail_errno(err, "models show");
    models_show_print(show, memory);
    if (fclose(memory) != 0)
        return fail_errno(err, "models show");
    buffer_put(out, text, length);
    return STATUS_OK;
}

static enum status show(const struct request *request, struct error *err)
{
    char dir[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    char path[PATH_MAX + 16];
    TRY(find(request, dir, id, err));
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 65536);
    const struct json *manifest = NULL;
    TRY(json_parse_file(path, &arena, &manifest, err));
    if (!request->as_json) {
        const struct models_show show = {id, manifest, read_report(dir, &arena), terminal_width()};
        if (show.report)
            return print_shown(&show, request->out, err);
        models_print_manifest(request->out, manifest);
        return STATUS_OK;
    }
    struct json_writer w = json_writer(request->out);
    json_put_value(&w, manifest);
    buffer_put_char(request->out, '\n');
    return STATUS_OK;
}

/* ---- verify ---- */

/* Files as the manifest says, models that open, and answer as they did when they were trained. */
static enum status verify_bundle(const char *dir, struct error *err)
{
    AUTO(engine_close_slot) struct engine *engine = NULL;
    size_t n = 0;
    TRY(bundle_verify(dir, err));
    TRY(engine_open(dir, &engine, err));
    return parity_replay(engine, dir, &n, err);
}

struct verdicts {
    const struct request *request;
    struct json_writer w;
    size_t n_bad;
};

static void verify_one(struct verdicts *verdicts, const char *dir, const char *id)
{
    struct error problem = {0};
    bool is_whole = verify_bundle(dir, &problem) == STATUS_OK;
    verdicts->n_bad += !is_whole;
    if (!verdicts->request->as_json) {
        buffer_printf(verdicts->request->out, "%s: %s\n", id, is_whole ? "whole" : problem.message);
        return;
    }
    json_begin_object(&verdicts->w);
    json_member_string(&verdicts->w, "id", id);
    json_member_bool(&verdicts->w, "whole", is_whole);
    json_member_string(&verdicts->w, "problem", is_whole ? NULL : problem.message);
    json_end_object(&verdicts->w);
}

static enum status verify_all(struct verdicts *verdicts, struct error *err)
{
    const char *models_dir = verdicts->request->dir;
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 65536);
    struct bundle_info *infos = NULL;
    size_t n = 0;
    TRY(bundle_list(models_dir, &arena, &infos, &n, err));
    if (n == 0)
        return fail(err, STATUS_NOT_FOUND, "%s: no bundles", models_dir);
    for (size_t i = 0; i < n; i++) {
        char dir[PATH_MAX];
        char id[BUNDLE_ID_BYTES];
        TRY(bundle_find(models_dir, infos[i].id, dir, id, err));
        verify_one(verdicts, dir, id);
    }
    return STATUS_OK;
}

static enum status verify(const struct request *request, struct error *err)
{
    struct verdicts verdicts = {request, json_writer(request->out), 0};
    if (request->as_json)
        json_begin_array(&verdicts.w);
    if (request->id) {
        char dir[PATH_MAX];
        char id[BUNDLE_ID_BYTES];
        TRY(find(request, dir, id, err));
        verify_one(&verdicts, dir, id);
    } else {
        TRY(verify_all(&verdicts, err));
    }
    if (request->as_json) {
        json_end_array(&verdicts.w);
        buffer_put_char(request->out, '\n');
    }
    if (verdicts.n_bad > 0)
        return fail(err, STATUS_CORRUPT, "%zu damaged", verdicts.n_bad);
    return STATUS_OK;
}

/* ---- promote, rollback, prune ---- */

static void print_current(const struct request *request, const char *id)
{
    if (request->as_json)
        buffer_printf(request->out, "{\"current\":\"%s\"}\n", id);
    else
        buffer_printf(request->out, "%s is current\n", id);
}

static enum status promote(const struct request *request, struct error *err)
{
    char dir[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    TRY(bundle_find(request->dir, request->id, dir, id, err));
    TRY(verify_bundle(dir, err));
    TRY(bundle_promote(request->dir, id, err));
    print_current(request, id);
    return STATUS_OK;
}

/* One that is damaged is no way back: the daemon would refuse it, at its next start for good. */
static enum status rollback(const struct request *request, struct error *err)
{
    char dir[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    if (bundle_find(request->dir, "previous", dir, id, NULL) == STATUS_OK && file_exists(dir))
        TRY(verify_bundle(dir, err));
    TRY(bundle_rollback(request->dir, id, err));
    print_current(request, id);
    return STATUS_OK;
}

static enum status prune(const struct request *request, struct error *err)
{
    size_t removed = 0;
    TRY(bundle_prune(request->dir, (size_t)request->keep, &removed, err));
    buffer_printf(request->out, request->as_json ? "{\"removed\":%zu}\n" : "%zu removed\n",
                  removed);
    return STATUS_OK;
}

static enum status erase(const struct request *request, struct error *err)
{
    return models_erase_run(&(struct models_erase){.dir = request->dir,
                                                   .id = request->id,
                                                   .handle = request->handle,
                                                   .as_json = request->as_json,
                                                   .out = request->out},
                            err);
}

/* ---- the command ---- */

static const struct action {
    const char *name;
    enum {
        NO_ID,
        MAY_HAVE_ID,
        NEEDS_ID
    } id;
    enum status (*run)(const struct request *request, struct error *err);
} actions[] = {
    {"list", NO_ID, list},          {"show", MAY_HAVE_ID, show},   {"verify", MAY_HAVE_ID, verify},
    {"promote", NEEDS_ID, promote}, {"rollback", NO_ID, rollback}, {"prune", NO_ID, prune},
    {"erase", MAY_HAVE_ID, erase},
};

static const struct action *find_action(const char *word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(actions); i++)
        if (strcmp(actions[i].name, word) == 0)
            return &actions[i];
    return NULL;
}

static int run(const struct action *action, const struct request *request)
{
    struct error err = {0};
    enum status status = action->run(request, &err);
    if (request->out->failed)
        status = fail(&err, STATUS_NO_MEMORY, "out of memory");
    if (request->out->length > 0)
        fwrite(request->out->at, 1, request->out->length, stdout);
    return status == STATUS_OK ? command_finish(name) : command_failed(name, &err);
}

int command_models(int argc, char **argv)
{
    enum {
        MODELS = 1,
        KEEP,
        HANDLE,
        JSON,
        HELP
    };
    static const struct option options[] = {
        {"models", required_argument, NULL, MODELS}, {"keep", required_argument, NULL, KEEP},
        {"handle", required_argument, NULL, HANDLE}, {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},           {0},
    };
    AUTO(buffer_deinit) struct buffer out = {0};
    struct request request = {.dir = "models", .keep = 5, .out = &out};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case MODELS:
            request.dir = optarg;
            break;
        case KEEP:
            if (!text_parse_integer(optarg, strlen(optarg), &request.keep) || request.keep < 0)
                return command_usage(name, "--keep: must be a whole number, got '%s'", optarg);
            break;
        case HANDLE:
            request.handle = optarg + (optarg[0] == '@');
            if (request.handle[0] == '\0')
                return command_usage(name, "--handle: cannot be '%s'", optarg);
            break;
        case JSON:
            request.as_json = true;
            break;
        case HELP:
            return command_help(name);
        default:
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return command_usage(name, "what to do is needed");
    const struct action *action = find_action(argv[optind++]);
    if (!action)
        return command_usage(name, "'%s' is not known", argv[optind - 1]);
    if (optind < argc && action->id != NO_ID)
        request.id = argv[optind++];
    if (optind < argc)
        return command_usage(name, "'%s' is not needed", argv[optind]);
    if (action->id == NEEDS_ID && !request.id)
        return command_usage(name, "%s: which bundle?", action->name);
    if (action->run == erase ? !request.id == !request.handle : request.handle != NULL)
        return command_usage(name, "erase, and it alone, needs --handle or an ID");
    return run(action, &request);
}
