/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_drift.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/log_asked.h"

static const char name[] = "log";

#define FEW_ROWS 500 /* as the alerts have it */

enum {
    SCORE,
    TIER,
    N_MODELS
};
static const char *const model_names[N_MODELS] = {"score", "tier"};

struct run {
    struct engine *engine;
    void *scratch;
    struct drift_window *windows[N_MODELS]; /* NULL: the blob has no reference */
};

static bool observe(void *user, const struct log_asking *asking)
{
    struct run *run = user;
    struct score_answer score;
    struct tier_answer tier;
    enum status status = STATUS_OK;
    if (asking->question == ASKED_SCORE && run->windows[SCORE]) {
        status = engine_score(run->engine, asking->profile, false, run->scratch, &score, NULL);
        if (status == STATUS_OK)
            drift_observe(run->windows[SCORE], 0, score.raw, score.score);
    } else if (asking->question == ASKED_TIER && run->windows[TIER]) {
        status = engine_tier(run->engine, asking->profile, run->scratch, &tier, NULL);
        if (status == STATUS_OK)
            drift_observe(run->windows[TIER], 0, tier.raw, (double)tier.tier);
    }
    return status == STATUS_OK;
}

static enum status open_run(struct run *run, const char *bundle, struct error *err)
{
    static const enum engine_model of[N_MODELS] = {ENGINE_SCORE, ENGINE_TIER};
    TRY(engine_open(bundle, &run->engine, err));
    run->scratch = aligned_alloc(64, (engine_scratch_bytes(run->engine) + 64) & ~(size_t)63);
    if (!run->scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < N_MODELS; i++)
        if (engine_drift(run->engine, of[i]))
            TRY(drift_window_new(engine_drift(run->engine, of[i]), 1, &run->windows[i], err));
    if (!run->windows[SCORE] && !run->windows[TIER])
        return fail(err, STATUS_UNSUPPORTED,
                    "%s has no reference to compare with: an earlier version made it",
                    engine_version(run->engine));
    return STATUS_OK;
}

static void put_json(const struct run *run, const struct log_asked *asked, struct buffer *out)
{
    struct json_writer w = json_writer(out);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(run->engine));
    json_member_integer(&w, "rows", asked->rows);
    log_asked_put_counts(asked, &w);
    for (size_t i = 0; i < N_MODELS; i++) {
        json_put_key(&w, model_names[i]);
        if (run->windows[i])
            drift_put(&run->windows[i], 1, 0, &w);
        else
            json_put_null(&w);
    }
    json_end_object(&w);
}

/* A figure in eight columns; "-" where there is none. */
static void put_figure(struct buffer *out, double value)
{
    if (isnan(value))
        buffer_put_text(out, "        -");
    else
        buffer_printf(out, " %8.4f", value);
}

static void put_model(const struct run *run, size_t which, struct buffer *out)
{
    static const enum engine_model of[N_MODELS] = {ENGINE_SCORE, ENGINE_TIER};
    const struct drift_reference *reference = engine_drift(run->engine, of[which]);
    if (!run->windows[which])
        return;
    struct drift_figures figures;
    drift_measure(&run->windows[which], 1, 0, reference->n_features - 1, &figures);
    if (figures.rows <= 0) {
        buffer_printf(out, "\n%s: no profile to compare\n", model_names[which]);
        return;
    }
    buffer_printf(out,
                  "\n%s: %.0f profiles, against %.0f of the training\n"
                  "%-32s %8s %8s %8s %8s %8s %8s  drift\n",
                  model_names[which], figures.rows, reference->rows, "", "psi", "js", "wasserst.",
                  "missing", "unseen", "beyond");
    for (size_t i = 0; i < reference->n_features; i++) {
        const struct drift_feature *feature = &reference->features[i];
        drift_measure(&run->windows[which], 1, 0, i, &figures);
        buffer_printf(out, "%-32.32s", feature->name);
        put_figure(out, figures.psi);
        put_figure(out, figures.js);
        put_figure(out, figures.wasserstein);
        put_figure(out, figures.missing);
        put_figure(out, feature->is_level ? figures.unseen : MISSING);
        put_figure(out, feature->is_level ? MISSING : figures.out_of_range);
        buffer_printf(out, "  %s\n", drift_verdict(feature, &figures));
    }
    if (figures.rows < FEW_ROWS)
        buffer_printf(out, "careful: of fewer than %d profiles most of this is chance\n", FEW_ROWS);
}

static void put_text(const struct run *run, const struct log_asked *asked, struct buffer *out)
{
    buffer_printf(out, "%lld of %lld requests compared with %s", (long long)asked->taken,
                  (long long)asked->rows, engine_version(run->engine));
    log_asked_print_counts(asked, out);
    buffer_put_char(out, '\n');
    for (size_t i = 0; i < N_MODELS; i++)
        put_model(run, i, out);
}

int log_drift_run(const struct log_drift *drift)
{
    struct error err = {0};
    struct run run = {0};
    AUTO(buffer_deinit) struct buffer out = {0};
    struct log_asked asked = {.take = observe, .user = &run};
    enum status status = open_run(&run, drift->bundle, &err);
    asked.engine = run.engine;
    if (status == STATUS_OK) {
        asked.only_model = drift->any_model ? NULL : engine_version(run.engine);
        status = log_asked_read(&asked, drift->path, &drift->filter, &err);
    }
    int code = EXIT_DONE;
    if (status == STATUS_OK) {
        (drift->as_json ? put_json : put_text)(&run, &asked, &out);
        code = command_print(name, &out);
    } else {
        code = command_failed(name, &err);
    }
    for (size_t i = 0; i < N_MODELS; i++)
        drift_window_free(run.windows[i]);
    free(run.scratch);
    engine_close(run.engine);
    return code;
}
