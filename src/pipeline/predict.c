/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/predict.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/csv_field.h"
#include "base/text.h"
#include "dataset/import.h"
#include "profile/extra.h"
#include "runtime/engine.h"

#define TURN_ROWS 2048 /* that a worker predicts before all write */

/* Predicts rows that lie together, into its own buffer. */
struct worker {
    struct run *run;                              /* borrowed */
    void *scratch, *score_scratch, *tier_scratch; /* answers of rows together point into theirs */
    struct buffer line;
    struct profile_extra *own; /* [ENGINE_ROWS][columns of the training table's own] */
    /* the task at hand, and what came of it */
    const struct table *table;
    size_t first, n;
    size_t n_beyond; /* of all its tasks */
    enum status status;
    struct error err;
};

struct run {
    struct import_report *imported;
    struct engine *engine;
    const struct predict_input *input;
    struct worker workers[PREDICT_MAX_THREADS];
    size_t n_workers;
    FILE *out;
    size_t n_rows;
    /* Where the table at hand has each of the training table's own columns; SIZE_MAX: nowhere. */
    size_t *own_at;
};

static void run_deinit(struct run *run)
{
    import_report_free(run->imported);
    engine_close(run->engine);
    free(run->own_at);
    for (size_t i = 0; i < PREDICT_MAX_THREADS; i++) {
        free(run->workers[i].scratch);
        free(run->workers[i].score_scratch);
        free(run->workers[i].tier_scratch);
        free(run->workers[i].own);
        buffer_deinit(&run->workers[i].line);
    }
}

static void put_text(struct buffer *line, const char *text)
{
    if (text)
        csv_field_put(line, text, strlen(text));
}

static void put_comma_number(struct buffer *line, double value)
{
    buffer_put_char(line, ',');
    if (!isnan(value))
        buffer_put_number(line, value);
}

static void put_comma_text(struct buffer *line, const char *text)
{
    buffer_put_char(line, ',');
    put_text(line, text);
}

static void put_imputed(struct buffer *line, uint64_t imputed)
{
    buffer_put_char(line, ',');
    for (bool first = true; imputed; imputed &= imputed - 1, first = false) {
        if (!first)
            buffer_put_char(line, ' ');
        enum profile_number number = (enum profile_number)__builtin_ctzll(imputed);
        buffer_put_text(line, profile_number_field(number)->name);
    }
}

/* Columns of the training table's own that a model reads and the row does not have. */
static void put_lacking(struct buffer *line, const struct engine *engine,
                        const struct profile *profile, bool follows)
{
    const struct own_columns *own = engine_own_columns(engine);
    for (size_t i = 0; i < own->n; i++) {
        if (profile_extra_find(profile, own->columns[i].name))
            continue;
        if (follows)
            buffer_put_char(line, ' ');
        buffer_put_text(line, own->columns[i].name);
        follows = true;
    }
}

static void put_header(const struct run *run, struct buffer *line)
{
    buffer_put_text(line, "handle,score,score_low,score_high,percentile,novelty,composite,");
    if (engine_has_growth(run->engine))
        buffer_put_text(line, "growth,growth_low,growth_high,");
    buffer_put_text(line, "tier,tier_probability,size_claimed,size_predicted,audience,cluster,"
                          "cluster_name,cluster_distance,imputed");
    const struct predictor *predictor = engine_predictor(run->engine, ENGINE_SCORE);
    /* A composite has parts instead of contributions. */
    if (run->input->explain && predictor_n_outputs(predictor) > 0) {
        const struct feature_spec *spec = predictor_spec(predictor);
        buffer_put_text(line, ",base");
        for (size_t i = 0; i < spec->n_columns; i++)
            put_comma_text(line, spec->columns[i].name);
    } else if (run->input->explain) {
        for (size_t p = 0; p < COMPOSITE_N_PARTS; p++)
            put_comma_text(line, composite_part_names[p]);
    }
    buffer_put_char(line, '\n');
}

static void put_score(struct buffer *line, const struct score_answer *score)
{
    put_comma_number(line, score->score);
    put_comma_number(line, score->low);
    put_comma_number(line, score->high);
    put_comma_number(line, score->percentile);
    put_comma_number(line, score->novelty);
    put_comma_number(line, score->composite.score);
    if (!score->has_growth)
        return;
    put_comma_number(line, score->growth.forecast);
    put_comma_number(line, score->growth.low);
    put_comma_number(line, score->growth.high);
}

static void put_reasons(struct buffer *line, const struct score_answer *score)
{
    if (score->n_contributions > 0)
        put_comma_number(line, score->base);
    for (size_t i = 0; i < score->n_contributions; i++)
        put_comma_number(line, score->contributions[i]);
    for (size_t p = 0; p < COMPOSITE_N_PARTS && score->n_contributions == 0; p++)
        put_comma_number(line, score->composite.part[p]);
}

static void put_tier(struct buffer *line, const struct tier_answer *tier)
{
    put_comma_text(line, tier->names[tier->tier]);
    put_comma_number(line, tier->probabilities[tier->tier]);
    put_comma_text(line, tier->size_claimed);
    put_comma_text(line, tier->size_predicted);
    put_comma_number(line, tier->has_audience ? tier->audience.score : MISSING);
}

static void put_cluster(struct buffer *line, const struct cluster_answer *cluster)
{
    buffer_put_char(line, ',');
    buffer_put_integer(line, (int64_t)cluster->cluster);
    put_comma_text(line, cluster->name);
    put_comma_number(line, cluster->distance);
}

static enum status put_row(struct worker *worker, const struct profile *profile,
                           const struct score_answer *score, const struct tier_answer *tier,
                           struct error *err)
{
    const struct run *run = worker->run;
    struct buffer *line = &worker->line;
    struct cluster_answer cluster;
    put_text(line, profile->text[PROFILE_handle]);
    put_score(line, score);
    put_tier(line, tier);
    TRY(engine_cluster(run->engine, profile, worker->scratch, &cluster, err));
    put_cluster(line, &cluster);
    uint64_t imputed = score->imputed | score->growth.imputed | tier->imputed | cluster.imputed;
    put_imputed(line, imputed);
    put_lacking(line, run->engine, profile, imputed != 0);
    if (run->input->explain) {
        struct score_answer explained;
        TRY(engine_score(run->engine, profile, true, worker->scratch, &explained, err));
        put_reasons(line, &explained);
    }
    buffer_put_char(line, '\n');
    return STATUS_OK;
}

/* What the models read of the training table's own columns, from those of the same name. */
static void take_own(struct worker *worker, size_t row, struct profile_extra *values,
                     struct profile *profile)
{
    const struct run *run = worker->run;
    const struct own_columns *own = engine_own_columns(run->engine);
    profile->extras = values;
    profile->n_extras = 0;
    for (size_t i = 0; i < own->n; i++) {
        size_t extra = run->own_at[i];
        const char *text = extra == SIZE_MAX ? NULL : worker->table->extras[extra].text[row];
        if (!text)
            continue;
        struct profile_extra *value = &values[profile->n_extras++];
        value->name = own->columns[i].name;
        profile_extra_from_text(text, value);
    }
}

/* Rows first .. first + n of the table, n <= ENGINE_ROWS. */
static enum status put_rows(struct worker *worker, size_t first, size_t n, struct error *err)
{
    const struct run *run = worker->run;
    struct profile profiles[ENGINE_ROWS];
    const struct profile *each[ENGINE_ROWS];
    struct score_answer scores[ENGINE_ROWS];
    struct tier_answer tiers[ENGINE_ROWS];
    for (size_t i = 0; i < n; i++) {
        table_profile(worker->table, first + i, &profiles[i]);
        take_own(worker, first + i, worker->own + i * engine_own_columns(run->engine)->n,
                 &profiles[i]);
        each[i] = &profiles[i];
    }
    TRY(engine_score_rows(run->engine, each, n, worker->score_scratch, scores, err));
    TRY(engine_tier_rows(run->engine, each, n, worker->tier_scratch, tiers, err));
    for (size_t i = 0; i < n; i++) {
        TRY(put_row(worker, each[i], &scores[i], &tiers[i], err));
        worker->n_beyond += scores[i].novelty > NOVELTY_BEYOND;
    }
    return STATUS_OK;
}

static void *work(void *user)
{
    struct worker *worker = user;
    worker->status = STATUS_OK;
    for (size_t done = 0; done < worker->n && worker->status == STATUS_OK; done += ENGINE_ROWS) {
        size_t left = worker->n - done;
        worker->status = put_rows(worker, worker->first + done,
                                  left < ENGINE_ROWS ? left : ENGINE_ROWS, &worker->err);
    }
    return NULL;
}

static enum status flush(struct buffer *line, FILE *out, struct error *err)
{
    if (line->failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (fwrite(line->at, 1, line->length, out) != line->length)
        return fail_errno(err, "cannot write the predictions");
    buffer_clear(line);
    return STATUS_OK;
}

/* The next rows to each worker, all but the first in threads; then they write in their order. */
static enum status take_turn(struct run *run, const struct table *table, size_t *at,
                             struct error *err)
{
    pthread_t threads[PREDICT_MAX_THREADS];
    bool has_thread[PREDICT_MAX_THREADS] = {false};
    for (size_t i = 0; i < run->n_workers; i++) {
        struct worker *worker = &run->workers[i];
        size_t left = table->n_rows - *at;
        worker->table = table;
        worker->first = *at;
        worker->n = left < TURN_ROWS ? left : TURN_ROWS;
        *at += worker->n;
        has_thread[i] =
            i > 0 && worker->n > 0 && pthread_create(&threads[i], NULL, work, worker) == 0;
    }
    for (size_t i = 0; i < run->n_workers; i++)
        if (!has_thread[i])
            work(&run->workers[i]);
    for (size_t i = 0; i < run->n_workers; i++)
        if (has_thread[i])
            pthread_join(threads[i], NULL);
    for (size_t i = 0; i < run->n_workers; i++) {
        struct worker *worker = &run->workers[i];
        if (worker->status != STATUS_OK) {
            if (err)
                *err = worker->err;
            return worker->status;
        }
        if (worker->n > 0)
            TRY(flush(&worker->line, run->out, err));
    }
    return STATUS_OK;
}

/* import_piece_function; also for a table that is all there is. */
static enum status put_table(void *user, const struct table *table, struct error *err)
{
    struct run *run = user;
    const struct own_columns *own = engine_own_columns(run->engine);
    for (size_t i = 0; i < own->n; i++)
        run->own_at[i] = table_find_extra(table, own->columns[i].name);
    for (size_t at = 0; at < table->n_rows;)
        TRY(take_turn(run, table, &at, err));
    run->n_rows += table->n_rows;
    progress_show(run->input->progress, "predicting", -1);
    return STATUS_OK;
}

static enum status new_scratch(size_t bytes, void **ret_scratch, struct error *err)
{
    *ret_scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
    return *ret_scratch ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status open_engine(struct run *run, struct error *err)
{
    TRY(engine_open(run->input->bundle, &run->engine, err));
    size_t n_own = engine_own_columns(run->engine)->n;
    run->own_at = calloc(n_own + 1, sizeof *run->own_at);
    if (!run->own_at)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t rows_bytes = engine_rows_scratch_bytes(run->engine);
    size_t n = run->input->n_threads;
    run->n_workers = n == 0 ? 1 : n < PREDICT_MAX_THREADS ? n : PREDICT_MAX_THREADS;
    for (size_t i = 0; i < run->n_workers; i++) {
        struct worker *worker = &run->workers[i];
        worker->run = run;
        TRY(new_scratch(engine_scratch_bytes(run->engine), &worker->scratch, err));
        TRY(new_scratch(rows_bytes, &worker->score_scratch, err));
        TRY(new_scratch(rows_bytes, &worker->tier_scratch, err));
        worker->own = calloc(ENGINE_ROWS * n_own + 1, sizeof *worker->own);
        if (!worker->own)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    return STATUS_OK;
}

static enum status put_files(struct run *run, struct error *err)
{
    const struct predict_input *input = run->input;
    const struct import_options options = {.schema_dir = input->schema_dir, .joins = input->joins};
    if (input->n_files == 1 && input->joins.n_posts == 0 && input->joins.n_edges == 0)
        return import_pieces(input->files[0], &options, put_table, run, &run->imported, err);
    AUTO(table_free_slot) struct table *table = NULL;
    TRY(import_files(input->files, input->n_files, &options, &table, &run->imported, err));
    return put_table(run, table, err);
}

enum status predict_run(const struct predict_input *input, FILE *out,
                        struct predict_counts *ret_counts, struct error *err)
{
    AUTO(run_deinit) struct run run = {.input = input, .out = out};
    TRY(open_engine(&run, err));
    progress_show(input->progress, "importing", -1);
    put_header(&run, &run.workers[0].line);
    TRY(flush(&run.workers[0].line, out, err));
    TRY(put_files(&run, err));
    ret_counts->n_rows = run.n_rows;
    ret_counts->n_beyond = 0;
    for (size_t i = 0; i < run.n_workers; i++)
        ret_counts->n_beyond += run.workers[i].n_beyond;
    ret_counts->n_refused = import_report_refused(run.imported);
    return STATUS_OK;
}
