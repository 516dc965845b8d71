/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_asked.h"

#include <math.h>
#include <string.h>

struct reason {
    const char *member;
    const char *text;
};

static const struct reason passed_reasons[N_PASSED] = {
    [PASSED_PROTOCOL] = {"protocol", "of /v2 or /invocations in a form that is not read again"},
    [PASSED_CUT] = {"cut", "cut by log.max_body_bytes or withheld"},
    [PASSED_REFUSED] = {"refused", "answered by an error"},
    [PASSED_LIST] = {"list", "for all archetypes"},
    [PASSED_MODEL] = {"model", "answered by another model"},
    [PASSED_ANSWER] = {"answer", "without the answer that is compared"},
};

static const struct reason failed_reasons[N_FAILED] = {
    [FAILED_HANDLE] = {"handle", "of handles that the bundle does not know"},
    [FAILED_HASHED] = {"hashed", "of handles that the log has hashed"},
    [FAILED_FIGURES] = {"figures", "of figures that the bundle does not take"},
};

struct reading {
    struct log_asked *asked;
    struct arena arena;
};

/* The catalogued account, for questions by handle alone. */
static bool look_up(struct log_asked *asked, const char *handle, struct profile *ret_profile)
{
    const struct catalogue *catalogue = engine_catalogue(asked->engine);
    uint32_t row;
    if (handle[0] == '#') {
        asked->failed[FAILED_HASHED]++;
        return false;
    }
    if (!catalogue_find(catalogue, handle, strlen(handle), &row)) {
        asked->failed[FAILED_HANDLE]++;
        return false;
    }
    catalogue_profile(catalogue, row, ret_profile);
    return true;
}

static bool ask_again(struct log_asked *asked, const struct log_rows *rows, size_t i,
                      const struct reqlog_record *record)
{
    struct profile profile;
    const char *handle = NULL;
    bool ok = log_rows_profile(rows, i, &profile, &handle);
    if (ok && handle && !look_up(asked, handle, &profile))
        return false;
    struct log_asking asking = {.question = rows->question,
                                .profile = &profile,
                                .answer = log_rows_answer(rows, i),
                                .record = record};
    ok = ok && asked->take(asked->user, &asking);
    asked->failed[FAILED_FIGURES] += !ok;
    return ok;
}

/* True: the prediction was made again. */
static bool take_row(struct log_asked *asked, const struct log_rows *rows, size_t i,
                     const struct reqlog_record *record)
{
    struct log_answer answer = log_rows_answer(rows, i);
    bool is_told = rows->question == ASKED_SCORE ? !isnan(answer.score) : answer.name != NULL;
    if (answer.is_refused || (asked->compares && !is_told)) {
        asked->passed_over[answer.is_refused ? PASSED_REFUSED : PASSED_ANSWER]++;
        return false;
    }
    bool ok = ask_again(asked, rows, i, record);
    if (!ok && asked->on_failure)
        asked->on_failure(asked->user, rows->question);
    return ok;
}

static bool take_record(void *user, const struct reqlog_record *record)
{
    struct reading *reading = user;
    struct log_asked *asked = reading->asked;
    if (record->status != 200 || !log_rows_is_prediction(record->route))
        return true;
    asked->rows++;
    if (asked->only_model && (!record->model || strcmp(record->model, asked->only_model) != 0)) {
        asked->passed_over[PASSED_MODEL]++;
        return true;
    }
    arena_reset(&reading->arena);
    struct log_rows rows;
    enum log_passed passed;
    if (!log_rows_read(record, asked->engine, &reading->arena, &rows, &passed)) {
        asked->passed_over[passed]++;
        return true;
    }
    bool any = false;
    for (size_t i = 0; i < rows.n; i++)
        any |= take_row(asked, &rows, i, record);
    asked->taken += any;
    return true;
}

/* ---- the counts ---- */

static int64_t sum(const int64_t *counts, size_t n)
{
    int64_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += counts[i];
    return all;
}

static void put_reasons(struct json_writer *w, const char *member, const struct reason *reasons,
                        const int64_t *counts, size_t n)
{
    json_put_key(w, member);
    json_begin_object(w);
    for (size_t i = 0; i < n; i++)
        if (counts[i] > 0)
            json_member_integer(w, reasons[i].member, counts[i]);
    json_end_object(w);
}

void log_asked_put_counts(const struct log_asked *asked, struct json_writer *w)
{
    json_member_integer(w, "taken", asked->taken);
    json_member_integer(w, "passed_over", sum(asked->passed_over, N_PASSED));
    put_reasons(w, "passed_over_by", passed_reasons, asked->passed_over, N_PASSED);
    json_member_integer(w, "failed", sum(asked->failed, N_FAILED));
    put_reasons(w, "failed_by", failed_reasons, asked->failed, N_FAILED);
}

static void print_reasons(struct buffer *out, const struct reason *reasons, const int64_t *counts,
                          size_t n)
{
    const char *before = " (";
    for (size_t i = 0; i < n; i++) {
        if (counts[i] == 0)
            continue;
        buffer_printf(out, "%s%lld %s", before, (long long)counts[i], reasons[i].text);
        before = ", ";
    }
    if (before[0] == ',')
        buffer_put_char(out, ')');
}

void log_asked_print_counts(const struct log_asked *asked, struct buffer *out)
{
    buffer_printf(out, ", %lld passed over", (long long)sum(asked->passed_over, N_PASSED));
    print_reasons(out, passed_reasons, asked->passed_over, N_PASSED);
    buffer_printf(out, ", %lld failed", (long long)sum(asked->failed, N_FAILED));
    print_reasons(out, failed_reasons, asked->failed, N_FAILED);
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
