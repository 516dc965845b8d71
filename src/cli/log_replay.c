/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/command.h"
#include "profile/from_json.h"
#include "runtime/engine.h"

static const char name[] = "log";

#define SAME 1e-6 /* scores that differ by less are the same: replies have so many digits */

enum question {
    ASK_SCORE,
    ASK_TIER,
    ASK_CLUSTER,
    N_QUESTIONS
};
static const struct {
    const char *route;
    const char *what;
} questions[N_QUESTIONS] = {{"/score", "score"}, {"/tier", "tier"}, {"/cluster", "cluster name"}};

struct tally {
    int64_t answers, changed, failed;
    double sum, largest; /* of the differences between scores */
};

struct run {
    struct engine *engine;
    void *scratch;
    struct arena arena;
    struct tally tally[N_QUESTIONS];
    int64_t rows, passed_over; /* passed over: cut, CSV, or answered with an error */
};

static void ignore_name(void *user, const char *member)
{
    (void)user;
    (void)member;
}

/* The catalogued influencer, for answers to a handle alone. */
static bool find_handle(const struct run *run, const char *handle, struct profile *ret_profile)
{
    const struct catalogue *catalogue = engine_catalogue(run->engine);
    uint32_t row;
    if (!handle || !catalogue_find(catalogue, handle, strlen(handle), &row))
        return false;
    catalogue_profile(catalogue, row, ret_profile);
    return true;
}

/* What was asked: the body's figures, or the handle that the answer names. */
static bool read_profile(const struct run *run, const struct json *input, const struct json *output,
                         struct profile *ret_profile)
{
    size_t n_known = 0;
    const char *handle = json_string_or(json_get(output, "handle"), NULL);
    if (json_type(input) == JSON_OBJECT &&
        profile_from_json(input, ret_profile, &n_known, ignore_name, NULL, NULL) != STATUS_OK)
        return false;
    bool only_handle = n_known == 1 && ret_profile->text[PROFILE_handle];
    if (n_known == 0 || only_handle)
        return find_handle(run, handle, ret_profile);
    return true;
}

static bool ask_score(struct run *run, const struct profile *profile, const struct json *output,
                      struct tally *tally)
{
    struct score_answer answer;
    if (engine_score(run->engine, profile, false, run->scratch, &answer, NULL) != STATUS_OK)
        return false;
    double difference = fabs(answer.score - json_number_or(json_get(output, "score"), NAN));
    tally->sum += difference;
    tally->largest = fmax(tally->largest, difference);
    tally->changed += !(difference < SAME);
    return true;
}

static bool ask_name(struct run *run, enum question question, const struct profile *profile,
                     const struct json *output, struct tally *tally)
{
    struct tier_answer tier;
    struct cluster_answer cluster;
    const char *now = NULL;
    const char *before = NULL;
    if (question == ASK_TIER) {
        if (engine_tier(run->engine, profile, run->scratch, &tier, NULL) != STATUS_OK)
            return false;
        now = tier.names[tier.tier];
        before = json_string_or(json_get(output, "tier"), "");
    } else {
        if (engine_cluster(run->engine, profile, run->scratch, &cluster, NULL) != STATUS_OK)
            return false;
        now = cluster.name;
        before = json_string_or(json_get(output, "name"), "");
    }
    tally->changed += strcmp(now, before) != 0;
    return true;
}

static void ask(struct run *run, enum question question, const struct json *input,
                const struct json *output)
{
    if (json_get(output, "error")) {
        run->passed_over++;
        return;
    }
    struct tally *tally = &run->tally[question];
    struct profile profile;
    tally->answers++;
    bool ok = read_profile(run, input, output, &profile);
    if (ok)
        ok = question == ASK_SCORE ? ask_score(run, &profile, output, tally)
                                   : ask_name(run, question, &profile, output, tally);
    tally->failed += !ok;
}

static bool replay_record(void *user, const struct reqlog_record *record)
{
    struct run *run = user;
    enum question question = ASK_SCORE;
    while (question < N_QUESTIONS && strcmp(questions[question].route, record->route) != 0)
        question++;
    if (question == N_QUESTIONS || record->status != 200)
        return true;
    run->rows++;
    arena_reset(&run->arena);
    const struct json *input = NULL;
    const struct json *output = NULL;
    bool has_body = record->input_bytes > 0 && record->input[0] != '/';
    if (!record->input || !record->output ||
        json_parse(record->output, record->output_bytes, &run->arena, &output, NULL) != STATUS_OK ||
        json_get(output, "clusters") ||
        (has_body &&
         json_parse(record->input, record->input_bytes, &run->arena, &input, NULL) != STATUS_OK)) {
        run->passed_over++;
        return true;
    }
    const struct json *predictions = json_get(output, "predictions");
    if (!predictions) {
        ask(run, question, input, output);
        return true;
    }
    const struct json *item = json_first(json_get(input, "instances"));
    for (output = json_first(predictions); output && item; output = json_next(output)) {
        ask(run, question, item, output);
        item = json_next(item);
    }
    return true;
}

static void print_text(const struct run *run)
{
    printf("%lld rows replayed against %s, %lld passed over\n\n%-14s %10s %10s %10s\n",
           (long long)run->rows, engine_version(run->engine), (long long)run->passed_over, "",
           "answers", "changed", "failed");
    for (size_t i = 0; i < N_QUESTIONS; i++) {
        const struct tally *tally = &run->tally[i];
        printf("%-14s %10lld %10lld %10lld", questions[i].what, (long long)tally->answers,
               (long long)tally->changed, (long long)tally->failed);
        int64_t n = tally->answers - tally->failed;
        if (i == ASK_SCORE && n > 0)
            printf("   mean difference %.4g, largest %.4g points", tally->sum / (double)n,
                   tally->largest);
        putchar('\n');
    }
}

static void print_json(const struct run *run)
{
    struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(run->engine));
    json_member_integer(&w, "rows", run->rows);
    json_member_integer(&w, "passed_over", run->passed_over);
    for (size_t i = 0; i < N_QUESTIONS; i++) {
        const struct tally *tally = &run->tally[i];
        int64_t n = tally->answers - tally->failed;
        json_put_key(&w, questions[i].route + 1);
        json_begin_object(&w);
        json_member_integer(&w, "answers", tally->answers);
        json_member_integer(&w, "changed", tally->changed);
        json_member_integer(&w, "failed", tally->failed);
        if (i == ASK_SCORE && n > 0) {
            json_member_number(&w, "mean_difference", tally->sum / (double)n);
            json_member_number(&w, "largest_difference", tally->largest);
        }
        json_end_object(&w);
    }
    json_end_object(&w);
    if (!text.failed)
        puts(text.at);
    buffer_deinit(&text);
}

int log_replay_run(const struct log_replay *replay)
{
    struct error err = {0};
    struct run run = {0};
    arena_init(&run.arena, 1 << 16);
    enum status status = engine_open(replay->bundle, &run.engine, &err);
    if (status == STATUS_OK) {
        size_t bytes = (engine_scratch_bytes(run.engine) + 63) & ~(size_t)63;
        run.scratch = aligned_alloc(64, bytes + 64);
        status = run.scratch ? reqlog_read(replay->path, &replay->filter, replay_record, &run, &err)
                             : fail(&err, STATUS_NO_MEMORY, "out of memory");
    }
    int code = EXIT_DONE;
    if (status == STATUS_OK) {
        (replay->as_json ? print_json : print_text)(&run);
        code = command_finish(name);
    } else {
        code = command_failed(name, &err);
    }
    free(run.scratch);
    engine_close(run.engine);
    arena_deinit(&run.arena);
    return code;
}
