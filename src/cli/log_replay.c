/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/log_asked.h"
#include "runtime/engine.h"

static const char name[] = "log";

#define SAME 1e-6 /* scores that differ by less are the same: replies have so many digits */

static const char *const what_of[N_ASKED] = {"score", "tier", "cluster name"};

struct tally {
    int64_t answers, changed, failed;
    double sum, largest; /* of the differences between scores */
};

struct run {
    struct engine *engine;
    void *scratch;
    struct tally tally[N_ASKED];
};

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

static bool ask_name(struct run *run, enum log_question question, const struct profile *profile,
                     const struct json *output, struct tally *tally)
{
    struct tier_answer tier;
    struct cluster_answer cluster;
    const char *now = NULL;
    const char *before = NULL;
    if (question == ASKED_TIER) {
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

static void ask(void *user, enum log_question question, const struct profile *profile,
                const struct json *output)
{
    struct run *run = user;
    struct tally *tally = &run->tally[question];
    tally->answers++;
    bool ok =
        profile && (question == ASKED_SCORE ? ask_score(run, profile, output, tally)
                                            : ask_name(run, question, profile, output, tally));
    tally->failed += !ok;
}

static void print_text(const struct run *run, const struct log_asked *asked)
{
    AUTO(buffer_deinit) struct buffer passed = {0};
    log_asked_print_passed(asked, &passed);
    printf("%lld rows replayed against %s%s\n\n%-14s %10s %10s %10s\n", (long long)asked->rows,
           engine_version(run->engine), passed.failed ? "" : passed.at, "", "answers", "changed",
           "failed");
    for (size_t i = 0; i < N_ASKED; i++) {
        const struct tally *tally = &run->tally[i];
        printf("%-14s %10lld %10lld %10lld", what_of[i], (long long)tally->answers,
               (long long)tally->changed, (long long)tally->failed);
        int64_t n = tally->answers - tally->failed;
        if (i == ASKED_SCORE && n > 0)
            printf("   mean difference %.4g, largest %.4g points", tally->sum / (double)n,
                   tally->largest);
        putchar('\n');
    }
}

static void print_json(const struct run *run, const struct log_asked *asked)
{
    struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(run->engine));
    json_member_integer(&w, "rows", asked->rows);
    log_asked_put_passed(asked, &w);
    for (size_t i = 0; i < N_ASKED; i++) {
        const struct tally *tally = &run->tally[i];
        int64_t n = tally->answers - tally->failed;
        json_put_key(&w, log_question_routes[i] + 1);
        json_begin_object(&w);
        json_member_integer(&w, "answers", tally->answers);
        json_member_integer(&w, "changed", tally->changed);
        json_member_integer(&w, "failed", tally->failed);
        if (i == ASKED_SCORE && n > 0) {
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
    struct log_asked asked = {.take = ask, .user = &run};
    enum status status = engine_open(replay->bundle, &run.engine, &err);
    asked.engine = run.engine;
    if (status == STATUS_OK) {
        size_t bytes = (engine_scratch_bytes(run.engine) + 63) & ~(size_t)63;
        run.scratch = aligned_alloc(64, bytes + 64);
        status = run.scratch ? log_asked_read(&asked, replay->path, &replay->filter, &err)
                             : fail(&err, STATUS_NO_MEMORY, "out of memory");
    }
    int code = EXIT_DONE;
    if (status == STATUS_OK) {
        (replay->as_json ? print_json : print_text)(&run, &asked);
        code = command_finish(name);
    } else {
        code = command_failed(name, &err);
    }
    free(run.scratch);
    engine_close(run.engine);
    return code;
}
