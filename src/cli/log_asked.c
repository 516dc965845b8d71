/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_asked.h"

#include <string.h>

#include "profile/from_json.h"

const char *const log_question_routes[N_ASKED] = {"/score", "/tier", "/cluster"};

static const struct passed_name {
    const char *member;
    const char *text;
} passed_names[N_PASSED] = {
    [PASSED_PROTOCOL] = {"protocol", "of /v2 or /invocations"},
    [PASSED_CSV] = {"csv", "in CSV"},
    [PASSED_CUT] = {"cut", "cut by log.max_body_bytes"},
    [PASSED_REFUSED] = {"refused", "answered by an error"},
    [PASSED_LIST] = {"list", "for all archetypes"},
};

struct reading {
    struct log_asked *asked;
    struct arena arena;
};

static bool ignore_name(void *user, const struct json *member)
{
    (void)user;
    (void)member;
    return false;
}

/* The catalogued influencer, for answers to a handle alone. */
static bool find_handle(const struct log_asked *asked, const char *handle,
                        struct profile *ret_profile)
{
    const struct catalogue *catalogue = engine_catalogue(asked->engine);
    uint32_t row;
    if (!handle || !catalogue_find(catalogue, handle, strlen(handle), &row))
        return false;
    catalogue_profile(catalogue, row, ret_profile);
    return true;
}

/* What was asked: the body's figures, or the handle that the answer names. */
static bool read_profile(const struct log_asked *asked, const struct json *input,
                         const struct json *output, struct profile *ret_profile)
{
    size_t n_known = 0;
    const char *handle = json_string_or(json_get(output, "handle"), NULL);
    if (json_type(input) == JSON_OBJECT &&
        profile_from_json(input, ret_profile, &n_known, ignore_name, NULL, NULL) != STATUS_OK)
        return false;
    bool only_handle = n_known == 1 && ret_profile->text[PROFILE_handle];
    if (n_known == 0 || only_handle)
        return find_handle(asked, handle, ret_profile);
    return true;
}

static void take(struct log_asked *asked, enum log_question question, const struct json *input,
                 const struct json *output)
{
    if (json_get(output, "error")) {
        asked->passed_over[PASSED_REFUSED]++;
        return;
    }
    struct profile profile;
    bool ok = read_profile(asked, input, output, &profile);
    asked->take(asked->user, question, ok ? &profile : NULL, output);
}

/* Predictions whose rows do not say which model was asked, or whose bodies are tensors. */
static bool is_of_other_protocol(const char *route)
{
    static const char *const others[] = {
        "/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer", "/invocations"};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (strcmp(route, others[i]) == 0)
            return true;
    return false;
}

/* A body that stands there whole is in JSON or in CSV; what is in JSON and cannot be read was cut.
 */
static enum log_passed why_unread(const struct reqlog_record *record)
{
    if (!record->input || !record->output || record->input_bytes == 0)
        return PASSED_CUT;
    return strchr("{[/ \t\r\n", record->input[0]) ? PASSED_CUT : PASSED_CSV;
}

static bool take_record(void *user, const struct reqlog_record *record)
{
    struct reading *reading = user;
    struct log_asked *asked = reading->asked;
    enum log_question question = ASKED_SCORE;
    while (question < N_ASKED && strcmp(log_question_routes[question], record->route) != 0)
        question++;
    bool is_foreign = is_of_other_protocol(record->route);
    if ((question == N_ASKED && !is_foreign) || record->status != 200)
        return true;
    asked->rows++;
    if (is_foreign) {
        asked->passed_over[PASSED_PROTOCOL]++;
        return true;
    }
    arena_reset(&reading->arena);
    const struct json *input = NULL;
    const struct json *output = NULL;
    bool has_body = record->input_bytes > 0 && record->input[0] != '/';
    if (!record->input || !record->output ||
        json_parse(record->output, record->output_bytes, &reading->arena, &output, NULL) !=
            STATUS_OK ||
        (has_body && json_parse(record->input, record->input_bytes, &reading->arena, &input,
                                NULL) != STATUS_OK)) {
        asked->passed_over[why_unread(record)]++;
        return true;
    }
    if (json_get(output, "clusters")) {
        asked->passed_over[PASSED_LIST]++;
        return true;
    }
    const struct json *predictions = json_get(output, "predictions");
    if (!predictions) {
        take(asked, question, input, output);
        return true;
    }
    const struct json *item = json_first(json_get(input, "instances"));
    for (output = json_first(predictions); output && item; output = json_next(output)) {
        take(asked, question, item, output);
        item = json_next(item);
    }
    return true;
}

static int64_t count_passed(const struct log_asked *asked)
{
    int64_t n = 0;
    for (size_t i = 0; i < N_PASSED; i++)
        n += asked->passed_over[i];
    return n;
}

void log_asked_put_passed(const struct log_asked *asked, struct json_writer *w)
{
    json_member_integer(w, "passed_over", count_passed(asked));
    json_put_key(w, "passed_over_by");
    json_begin_object(w);
    for (size_t i = 0; i < N_PASSED; i++)
        if (asked->passed_over[i] > 0)
            json_member_integer(w, passed_names[i].member, asked->passed_over[i]);
    json_end_object(w);
}

void log_asked_print_passed(const struct log_asked *asked, struct buffer *out)
{
    const char *before = " (";
    buffer_printf(out, ", %lld passed over", (long long)count_passed(asked));
    for (size_t i = 0; i < N_PASSED; i++) {
        if (asked->passed_over[i] == 0)
            continue;
        buffer_printf(out, "%s%lld %s", before, (long long)asked->passed_over[i],
                      passed_names[i].text);
        before = ", ";
    }
    if (before[0] == ',')
        buffer_put_char(out, ')');
}

enum status log_asked_read(struct log_asked *asked, const char *path,
                           const struct reqlog_filter *filter, struct error *err)
{
    struct reading reading = {.asked = asked};
    arena_init(&reading.arena, 1 << 16);
    enum status status = reqlog_read(path, filter, take_record, &reading, err);
    arena_deinit(&reading.arena);
    return status;
}
