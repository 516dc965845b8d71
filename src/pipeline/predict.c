/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/csv_field.h"
#include "base/text.h"
#include "dataset/import.h"
#include "runtime/engine.h"

#define FLUSH_BYTES 65536

struct run {
    struct import_report *imported;
    struct engine *engine;
    void *scratch, *score_scratch, *tier_scratch; /* answers of rows together point into theirs */
    const struct predict_input *input;
    struct buffer line;
    FILE *out;
    size_t n_rows;
};

static void run_deinit(struct run *run)
{
    import_report_free(run->imported);
    engine_close(run->engine);
    free(run->scratch);
    free(run->score_scratch);
    free(run->tier_scratch);
    buffer_deinit(&run->line);
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

static void put_header(struct run *run)
{
    buffer_put_text(&run->line, "handle,score,score_low,score_high,percentile,novelty,composite,");
    if (engine_has_growth(run->engine))
        buffer_put_text(&run->line, "growth,growth_low,growth_high,");
    buffer_put_text(&run->line,
                    "tier,tier_probability,size_claimed,size_predicted,audience,cluster,"
                    "cluster_name,cluster_distance,imputed");
    const struct predictor *predictor = engine_predictor(run->engine, ENGINE_SCORE);
    /* A composite has parts instead of contributions. */
    if (run->input->explain && predictor_n_outputs(predictor) > 0) {
        const struct feature_spec *spec = predictor_spec(predictor);
        buffer_put_text(&run->line, ",base");
        for (size_t i = 0; i < spec->n_columns; i++)
            put_comma_text(&run->line, spec->columns[i].name);
    } else if (run->input->explain) {
        for (size_t p = 0; p < COMPOSITE_N_PARTS; p++)
            put_comma_text(&run->line, composite_part_names[p]);
    }
    buffer_put_char(&run->line, '\n');
}

static void put_score(struct run *run, const struct score_answer *score)
{
    put_comma_number(&run->line, score->score);
    put_comma_number(&run->line, score->low);
    put_comma_number(&run->line, score->high);
    put_comma_number(&run->line, score->percentile);
    put_comma_number(&run->line, score->novelty);
    put_comma_number(&run->line, score->composite.score);
    if (!score->has_growth)
        return;
    put_comma_number(&run->line, score->growth.forecast);
    put_comma_number(&run->line, score->growth.low);
    put_comma_number(&run->line, score->growth.high);
}

static void put_reasons(struct run *run, const struct score_answer *score)
{
    if (score->n_contributions > 0)
        put_comma_number(&run->line, score->base);
    for (size_t i = 0; i < score->n_contributions; i++)
        put_comma_number(&run->line, score->contributions[i]);
    for (size_t p = 0; p < COMPOSITE_N_PARTS && score->n_contributions == 0; p++)
        put_comma_number(&run->line, score->composite.part[p]);
}

static void put_tier(struct run *run, const struct tier_answer *tier)
{
    put_comma_text(&run->line, tier->names[tier->tier]);
    put_comma_number(&run->line, tier->probabilities[tier->tier]);
    put_comma_text(&run->line, tier->size_claimed);
    put_comma_text(&run->line, tier->size_predicted);
    put_comma_number(&run->line, tier->has_audience ? tier->audience.score : MISSING);
}

static void put_cluster(struct run *run, const struct cluster_answer *cluster)
{
    buffer_put_char(&run->line, ',');
    buffer_put_integer(&run->line, (int64_t)cluster->cluster);
    put_comma_text(&run->line, cluster->name);
    put_comma_number(&run->line, cluster->distance);
}

static enum status put_row(struct run *run, const struct profile *profile,
                           const struct score_answer *score, const struct tier_answer *tier,
                           struct error *err)
{
    struct cluster_answer cluster;
    put_text(&run->line, profile->text[PROFILE_handle]);
    put_score(run, score);
    put_tier(run, tier);
    TRY(engine_cluster(run->engine, profile, run->scratch, &cluster, err));
    put_cluster(run, &cluster);
    put_imputed(&run->line,
                score->imputed | score->growth.imputed | tier->imputed | cluster.imputed);
    if (run->input->explain) {
        struct score_answer explained;
        TRY(engine_score(run->engine, profile, true, run->scratch, &explained, err));
        put_reasons(run, &explained);
    }
    buffer_put_char(&run->line, '\n');
    return STATUS_OK;
}

/* Rows first .. first + n of a table, n <= ENGINE_ROWS. */
static enum status put_rows(struct run *run, const struct table *table, size_t first, size_t n,
                            struct error *err)
{
    struct profile profiles[ENGINE_ROWS];
    const struct profile *each[ENGINE_ROWS];
    struct score_answer scores[ENGINE_ROWS];
    struct tier_answer tiers[ENGINE_ROWS];
    for (size_t i = 0; i < n; i++) {
        table_profile(table, first + i, &profiles[i]);
        each[i] = &profiles[i];
    }
    TRY(engine_score_rows(run->engine, each, n, run->score_scratch, scores, err));
    TRY(engine_tier_rows(run->engine, each, n, run->tier_scratch, tiers, err));
    for (size_t i = 0; i < n; i++)
        TRY(put_row(run, each[i], &scores[i], &tiers[i], err));
    return STATUS_OK;
}

static enum status flush(struct run *run, struct error *err)
{
    if (run->line.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (fwrite(run->line.at, 1, run->line.length, run->out) != run->line.length)
        return fail_errno(err, "cannot write the predictions");
    buffer_clear(&run->line);
    return STATUS_OK;
}

/* import_piece_function; also for a table that is all there is. */
static enum status put_table(void *user, const struct table *table, struct error *err)
{
    struct run *run = user;
    for (size_t row = 0; row < table->n_rows; row += ENGINE_ROWS) {
        size_t left = table->n_rows - row;
        TRY(put_rows(run, table, row, left < ENGINE_ROWS ? left : ENGINE_ROWS, err));
        if (run->line.length >= FLUSH_BYTES)
            TRY(flush(run, err));
    }
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
    size_t rows_bytes = engine_rows_scratch_bytes(run->engine);
    TRY(new_scratch(engine_scratch_bytes(run->engine), &run->scratch, err));
    TRY(new_scratch(rows_bytes, &run->score_scratch, err));
    return new_scratch(rows_bytes, &run->tier_scratch, err);
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
    put_header(&run);
    TRY(put_files(&run, err));
    TRY(flush(&run, err));
    ret_counts->n_rows = run.n_rows;
    ret_counts->n_refused = import_report_refused(run.imported);
    return STATUS_OK;
}
