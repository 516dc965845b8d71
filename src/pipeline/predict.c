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
    struct table *table;
    struct import_report *imported;
    struct engine *engine;
    void *scratch;
    const struct predict_input *input;
    struct buffer line;
    FILE *out;
};

static void run_deinit(struct run *run)
{
    table_free(run->table);
    import_report_free(run->imported);
    engine_close(run->engine);
    free(run->scratch);
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
    bool first = true;
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++) {
        if (!(imputed >> i & 1))
            continue;
        buffer_printf(line, "%s%s", first ? "" : " ",
                      profile_number_field((enum profile_number)i)->name);
        first = false;
    }
}

static void put_header(struct run *run)
{
    buffer_put_text(&run->line,
                    "handle,score,score_low,score_high,percentile,novelty,composite,"
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

/* One row. The answers share a scratch, so each is written before the next is asked for. */
static enum status put_row(struct run *run, size_t row, struct error *err)
{
    struct profile profile;
    struct score_answer score;
    struct tier_answer tier;
    struct cluster_answer cluster;
    table_profile(run->table, row, &profile);
    put_text(&run->line, profile.text[PROFILE_handle]);
    TRY(engine_score(run->engine, &profile, false, run->scratch, &score, err));
    put_score(run, &score);
    TRY(engine_tier(run->engine, &profile, run->scratch, &tier, err));
    put_comma_text(&run->line, tier.names[tier.tier]);
    put_comma_number(&run->line, tier.probabilities[tier.tier]);
    put_comma_text(&run->line, tier.size_claimed);
    put_comma_text(&run->line, tier.size_predicted);
    put_comma_number(&run->line, tier.has_audience ? tier.audience.score : MISSING);
    TRY(engine_cluster(run->engine, &profile, run->scratch, &cluster, err));
    buffer_printf(&run->line, ",%zu", cluster.cluster);
    put_comma_text(&run->line, cluster.name);
    put_comma_number(&run->line, cluster.distance);
    put_imputed(&run->line, score.imputed | tier.imputed | cluster.imputed);
    if (run->input->explain) {
        TRY(engine_score(run->engine, &profile, true, run->scratch, &score, err));
        put_reasons(run, &score);
    }
    buffer_put_char(&run->line, '\n');
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

static enum status open_engine(struct run *run, struct error *err)
{
    TRY(engine_open(run->input->bundle, &run->engine, err));
    size_t bytes = (engine_scratch_bytes(run->engine) + 63) / 64 * 64;
    run->scratch = aligned_alloc(64, bytes ? bytes : 64);
    return run->scratch ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

enum status predict_run(const struct predict_input *input, FILE *out,
                        struct predict_counts *ret_counts, struct error *err)
{
    AUTO(run_deinit) struct run run = {.input = input, .out = out};
    struct import_options options = {.schema_dir = input->schema_dir, .joins = input->joins};
    TRY(open_engine(&run, err));
    progress_show(input->progress, "importing", -1);
    TRY(import_files(input->files, input->n_files, &options, &run.table, &run.imported, err));
    put_header(&run);
    for (size_t row = 0; row < run.table->n_rows; row++) {
        TRY(put_row(&run, row, err));
        if (run.line.length < FLUSH_BYTES)
            continue;
        progress_show(input->progress, "predicting", (double)row / (double)run.table->n_rows);
        TRY(flush(&run, err));
    }
    TRY(flush(&run, err));
    ret_counts->n_rows = run.table->n_rows;
    ret_counts->n_refused = import_report_refused(run.imported);
    return STATUS_OK;
}
