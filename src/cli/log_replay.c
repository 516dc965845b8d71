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

#define NAME_BYTES 64

/* A row whose answer changed. */
struct difference {
    int64_t id;
    enum log_question question;
    double size; /* points; of names 0 */
    char request_id[NAME_BYTES], handle[NAME_BYTES], before[NAME_BYTES], after[NAME_BYTES];
};

struct run {
    struct engine *engine;
    void *scratch;
    struct tally tally[N_ASKED];
    /* The largest differences of scores first, then changed names, each in the log's order. */
    struct difference *differences; /* [n_wanted + 1] owns */
    size_t n, n_wanted;
};

static void note(struct run *run, const struct log_asking *asking, double size, const char *before,
                 const char *after)
{
    struct difference *all = run->differences;
    size_t at = run->n;
    while (at > 0 && all[at - 1].size < size)
        at--;
    if (at == run->n_wanted)
        return;
    memmove(all + at + 1, all + at, (run->n - at) * sizeof *all);
    if (run->n < run->n_wanted)
        run->n++;
    const char *handle = asking->profile->text[PROFILE_handle];
    struct difference *difference = &all[at];
    *difference =
        (struct difference){.id = asking->record->id, .question = asking->question, .size = size};
    snprintf(difference->request_id, NAME_BYTES, "%s", asking->record->request_id);
    snprintf(difference->handle, NAME_BYTES, "%s", handle ? handle : "");
    snprintf(difference->before, NAME_BYTES, "%s", before);
    snprintf(difference->after, NAME_BYTES, "%s", after);
}

static bool ask_score(struct run *run, const struct log_asking *asking, struct tally *tally)
{
    struct score_answer now;
    char before[TEXT_NUMBER_BYTES];
    char after[TEXT_NUMBER_BYTES];
    if (engine_score(run->engine, asking->profile, false, run->scratch, &now, NULL) != STATUS_OK)
        return false;
    double difference = fabs(now.score - asking->answer.score);
    tally->sum += difference;
    tally->largest = fmax(tally->largest, difference);
    if (difference < SAME)
        return true;
    tally->changed++;
    text_format_number(asking->answer.score, before);
    text_format_number(round(now.score * 1e8) / 1e8, after);
    note(run, asking, difference, before, after);
    return true;
}

static bool ask_name(struct run *run, const struct log_asking *asking, struct tally *tally)
{
    struct tier_answer tier;
    struct cluster_answer cluster;
    const char *now = NULL;
    if (asking->question == ASKED_TIER) {
        if (engine_tier(run->engine, asking->profile, run->scratch, &tier, NULL) != STATUS_OK)
            return false;
        now = tier.names[tier.tier];
    } else {
        if (engine_cluster(run->engine, asking->profile, run->scratch, &cluster, NULL) != STATUS_OK)
            return false;
        now = cluster.name;
    }
    if (strcmp(now, asking->answer.name) != 0) {
        tally->changed++;
        note(run, asking, 0, asking->answer.name, now);
    }
    return true;
}

static bool ask(void *user, const struct log_asking *asking)
{
    struct run *run = user;
    struct tally *tally = &run->tally[asking->question];
    bool ok = asking->question == ASKED_SCORE ? ask_score(run, asking, tally)
                                              : ask_name(run, asking, tally);
    tally->answers += ok;
    return ok;
}

static void count_failure(void *user, enum log_question question)
{
    struct run *run = user;
    run->tally[question].answers++;
    run->tally[question].failed++;
}

static void print_differences(const struct run *run)
{
    if (run->n > 0)
        printf("\n%-10s %-12s %-24s %-24s %-14s %s\n", "row", "question", "handle", "before",
               "after", "request");
    for (size_t i = 0; i < run->n; i++) {
        const struct difference *d = &run->differences[i];
        printf("%-10lld %-12s %-24s %-24s %-14s %s\n", (long long)d->id,
               log_question_routes[d->question] + 1, d->handle[0] ? d->handle : "-", d->before,
               d->after, d->request_id);
    }
}

static void print_text(const struct run *run, const struct log_asked *asked)
{
    AUTO(buffer_deinit) struct buffer counts = {0};
    log_asked_print_counts(asked, &counts);
    printf("%lld of %lld requests replayed against %s%s\n\n%-14s %10s %10s %10s\n",
           (long long)asked->taken, (long long)asked->rows, engine_version(run->engine),
           counts.failed ? "" : counts.at, "", "answers", "changed", "failed");
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
    print_differences(run);
}

static void put_differences(const struct run *run, struct json_writer *w)
{
    json_put_key(w, "differences");
    json_begin_array(w);
    for (size_t i = 0; i < run->n; i++) {
        const struct difference *d = &run->differences[i];
        json_begin_object(w);
        json_member_integer(w, "id", d->id);
        json_member_string(w, "request_id", d->request_id);
        json_member_string(w, "question", log_question_routes[d->question] + 1);
        json_member_string(w, "handle", d->handle[0] ? d->handle : NULL);
        if (d->question == ASKED_SCORE) {
            json_member_number(w, "before", strtod(d->before, NULL));
            json_member_number(w, "after", strtod(d->after, NULL));
        } else {
            json_member_string(w, "before", d->before);
            json_member_string(w, "after", d->after);
        }
        json_end_object(w);
    }
    json_end_array(w);
}

static void print_json(const struct run *run, const struct log_asked *asked)
{
    struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(run->engine));
    json_member_integer(&w, "rows", asked->rows);
    log_asked_put_counts(asked, &w);
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
    put_differences(run, &w);
    json_end_object(&w);
    if (!text.failed)
        puts(text.at);
    buffer_deinit(&text);
}

int log_replay_run(const struct log_replay *replay)
{
    struct error err = {0};
    struct run run = {.n_wanted = replay->n_differences};
    struct log_asked asked = {
        .take = ask, .on_failure = count_failure, .compares = true, .user = &run};
    enum status status = engine_open(replay->bundle, &run.engine, &err);
    asked.engine = run.engine;
    if (status == STATUS_OK) {
        size_t bytes = (engine_scratch_bytes(run.engine) + 63) & ~(size_t)63;
        run.scratch = aligned_alloc(64, bytes + 64);
        run.differences = calloc(run.n_wanted + 1, sizeof *run.differences);
        status = run.scratch && run.differences
                     ? log_asked_read(&asked, replay->path, &replay->filter, &err)
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
    free(run.differences);
    engine_close(run.engine);
    return code;
}
