/* SPDX-License-Identifier: Apache-2.0 */

/* The score: prediction, interval, percentile, composite, novelty.
 *
 * Sections beside the predictor "score": "score.target" a string; "score.interval" f64 [5]:
 * coverage, low, high, clip low, clip high; "score.interval.groups" and ".spread", see intervals.h;
 * "score.grid" f32 [1][COMPOSITE_GRID]; "score.novelty"
 * f32 [1][NOVELTY_GRID]; "score.parts" strings, the composite's; "score.parts.weight" f64
 * [parts][1]; "score.parts.known" u8 [parts][1]; "score.parts.grid" f32 [parts][COMPOSITE_GRID]. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "runtime/engine_parts.h"
#include "runtime/grid.h"
#include "runtime/scratch.h"

#define PREFIX "score"
#define COMPOSITE_FAMILY "composite"

enum {
    COVERAGE,
    LOW,
    HIGH,
    CLIP_LOW,
    CLIP_HIGH,
    N_INTERVAL
};

static enum status write_composite(struct artifact_writer *writer,
                                   const struct composite *composite, struct error *err)
{
    uint8_t known[COMPOSITE_N_PARTS];
    float grid[COMPOSITE_N_PARTS][COMPOSITE_GRID] = {0};
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++) {
        known[i] = composite->grid[i] != NULL;
        if (known[i])
            memcpy(grid[i], composite->grid[i], sizeof grid[i]);
    }
    TRY(artifact_add_strings(writer, PREFIX ".parts", composite_part_names, COMPOSITE_N_PARTS,
                             err));
    TRY(artifact_add(writer, PREFIX ".parts.weight", ARTIFACT_F64, COMPOSITE_N_PARTS, 1,
                     composite->weight, err));
    TRY(artifact_add(writer, PREFIX ".parts.known", ARTIFACT_U8, COMPOSITE_N_PARTS, 1, known, err));
    return grid_add(writer, PREFIX ".parts.grid", COMPOSITE_N_PARTS, COMPOSITE_GRID, grid[0], err);
}

enum status score_extra_write(struct artifact_writer *writer, const struct score_extra *extra,
                              struct error *err)
{
    const double interval[N_INTERVAL] = {
        [COVERAGE] = extra->interval_coverage, [LOW] = extra->interval_low,
        [HIGH] = extra->interval_high,         [CLIP_LOW] = extra->clip_low,
        [CLIP_HIGH] = extra->clip_high,
    };
    TRY(artifact_add_strings(writer, PREFIX ".target", &extra->target, 1, err));
    TRY(artifact_add(writer, PREFIX ".interval", ARTIFACT_F64, N_INTERVAL, 1, interval, err));
    if (extra->intervals)
        TRY(interval_rule_write(writer, PREFIX ".interval", extra->intervals, err));
    TRY(grid_add(writer, PREFIX ".grid", 1, COMPOSITE_GRID, extra->score_grid, err));
    TRY(grid_add(writer, PREFIX ".novelty", 1, NOVELTY_GRID, extra->novelty_grid, err));
    return write_composite(writer, &extra->composite, err);
}

static enum status read_composite(struct engine *engine, const struct artifact *artifact,
                                  struct error *err)
{
    struct composite *composite = &engine->score_extra.composite;
    const char *const *names = NULL;
    size_t n = 0;
    struct artifact_section section;
    TRY(artifact_need_strings(artifact, PREFIX ".parts", COMPOSITE_N_PARTS, &engine->memory, &names,
                              &n, err));
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++)
        if (strcmp(names[i], composite_part_names[i]) != 0)
            return fail(err, STATUS_UNSUPPORTED,
                        "%s: section '" PREFIX ".parts': unknown part '%s' of the composite",
                        artifact_name(artifact), names[i]);
    TRY(artifact_need(artifact, PREFIX ".parts.weight", ARTIFACT_F64, COMPOSITE_N_PARTS, 1,
                      &section, err));
    memcpy(composite->weight, section.data, sizeof composite->weight);
    double total = 0;
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++) {
        if (composite->weight[i] < 0)
            return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".parts.weight': negative",
                        artifact_name(artifact));
        total += composite->weight[i];
    }
    if (!(total > 0) || !isfinite(total))
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".parts.weight': they sum to %g",
                    artifact_name(artifact), total);
    TRY(artifact_need(artifact, PREFIX ".parts.known", ARTIFACT_U8, COMPOSITE_N_PARTS, 1, &section,
                      err));
    const uint8_t *known = section.data;
    const float *grid = NULL;
    TRY(grid_need(artifact, PREFIX ".parts.grid", COMPOSITE_N_PARTS, COMPOSITE_GRID, &grid, err));
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++)
        composite->grid[i] = known[i] ? grid + i * COMPOSITE_GRID : NULL;
    return STATUS_OK;
}

static enum status read_interval(const struct artifact *artifact, struct score_extra *extra,
                                 struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, PREFIX ".interval", ARTIFACT_F64, N_INTERVAL, 1, &section, err));
    const double *interval = section.data;
    extra->interval_coverage = interval[COVERAGE];
    extra->interval_low = interval[LOW];
    extra->interval_high = interval[HIGH];
    extra->clip_low = interval[CLIP_LOW];
    extra->clip_high = interval[CLIP_HIGH];
    if (!(extra->interval_coverage > 0 && extra->interval_coverage <= 1) ||
        extra->interval_low > extra->interval_high || extra->clip_low > extra->clip_high)
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".interval': its ends are crossed",
                    artifact_name(artifact));
    return STATUS_OK;
}

static enum status read_rule(struct engine *engine, const struct artifact *artifact,
                             struct error *err)
{
    enum status status = interval_rule_read(artifact, PREFIX ".interval", &engine->intervals, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    engine->score_extra.intervals = &engine->intervals;
    return STATUS_OK;
}

static bool is_composite(const struct engine *engine)
{
    return strcmp(predictor_family(engine->score), COMPOSITE_FAMILY) == 0;
}

enum status engine_open_score(struct engine *engine, struct error *err)
{
    const struct artifact *artifact = engine->artifacts[ENGINE_SCORE];
    struct score_extra *extra = &engine->score_extra;
    TRY(engine_need_predictor(artifact, PREFIX, &engine->score, err));
    if (predictor_n_outputs(engine->score) != (is_composite(engine) ? 0 : 1))
        return fail(err, STATUS_CORRUPT,
                    "%s: section '" PREFIX ".family': a score has one output, not %zu",
                    artifact_name(artifact), predictor_n_outputs(engine->score));
    TRY(engine_need_string(engine, artifact, PREFIX ".target", &extra->target, err));
    TRY(read_interval(artifact, extra, err));
    TRY(read_rule(engine, artifact, err));
    TRY(grid_need(artifact, PREFIX ".grid", 1, COMPOSITE_GRID, &extra->score_grid, err));
    TRY(grid_need(artifact, PREFIX ".novelty", 1, NOVELTY_GRID, &extra->novelty_grid, err));
    TRY(read_composite(engine, artifact, err));
    enum status status = drift_open(artifact, PREFIX, predictor_spec(engine->score), 0,
                                    &engine->memory, &engine->score_drift, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t isolation_scratch(const struct engine *engine)
{
    return engine->similar ? scratch_align(engine->similar->n_columns * sizeof(float)) +
                                 engine_isolation_scratch(engine)
                           : 0;
}

size_t engine_score_scratch(const struct engine *engine)
{
    if (!engine->score)
        return 0;
    const struct feature_spec *spec = predictor_spec(engine->score);
    size_t predicting = predictor_scratch_bytes(engine->score);
    size_t placing = engine_spec_scratch(engine, spec);
    size_t isolating = isolation_scratch(engine);
    return scratch_align(spec->n_columns * sizeof(float)) +
           scratch_align(spec->n_columns * sizeof(double)) +
           larger(larger(predicting, placing), isolating);
}

double engine_novelty_distance(const struct feature_spec *spec, const float *raw)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < spec->n_columns; i++) {
        if (isnan(raw[i]))
            continue;
        const struct feature_column *column = &spec->columns[i];
        double z = ((double)raw[i] - (double)column->mean) / (double)column->scale;
        sum += z * z;
        n++;
    }
    return n > 0 ? sqrt(sum / (double)n) : MISSING;
}

static double clip(const struct score_extra *extra, double x)
{
    return fmin(fmax(x, extra->clip_low), extra->clip_high);
}

/* Parts that the profile lacks and training knew may be anything from 0 to 100. */
static void bound_composite(const struct composite *composite, struct score_answer *answer)
{
    double low = 0;
    double high = 0;
    double total = 0;
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++) {
        if (!composite->grid[i])
            continue;
        double part = answer->composite.part[i];
        low += composite->weight[i] * (isnan(part) ? 0 : part);
        high += composite->weight[i] * (isnan(part) ? 100 : part);
        total += composite->weight[i];
    }
    bool has_score = !isnan(answer->composite.score);
    answer->score = has_score ? answer->composite.score : 50;
    answer->low = total > 0 ? fmin(low / total, answer->score) : 0;
    answer->high = total > 0 ? fmax(high / total, answer->score) : 100;
    answer->coverage = 1;
}

/* What the model said, as an answer. */
static void take_output(const struct engine *engine, double output, double followers,
                        struct score_answer *answer)
{
    const struct score_extra *extra = &engine->score_extra;
    answer->score = clip(extra, output);
    struct interval_offsets offsets = {extra->interval_low, extra->interval_high};
    if (extra->intervals)
        offsets = interval_at(extra->intervals, output, followers);
    answer->low = clip(extra, output + offsets.low);
    answer->high = clip(extra, output + offsets.high);
    answer->coverage = extra->interval_coverage;
}

/* Contributions add up to the answer: what clipping took is taken from the base. */
static void explain(const struct engine *engine, const float *raw, void *scratch,
                    double *contributions, struct score_answer *answer)
{
    answer->n_contributions = predictor_spec(engine->score)->n_columns;
    answer->contributions = contributions;
    predictor_explain(engine->score, raw, 0, scratch, contributions);
    answer->base = answer->score;
    for (size_t i = 0; i < answer->n_contributions; i++)
        answer->base -= contributions[i];
}

/* A search among the catalogued accounts: for those who ask for reasons, not for every answer. */
static void isolate(const struct engine *engine, const struct profile *profile, void *scratch,
                    struct score_answer *answer)
{
    if (!engine->isolation_grid)
        return;
    float *x = scratch_take(&scratch, engine->similar->n_columns * sizeof *x);
    struct profile prepared = *profile;
    feature_prepare(&prepared);
    feature_extract(engine->similar, &prepared, x);
    feature_scale(engine->similar, x, x);
    answer->has_isolation = engine_isolation(engine, profile, x, scratch, &answer->isolation);
}

/* What is known before the model runs: features, imputed fields, composite. */
static void begin_answer(const struct engine *engine, const struct profile *profile, float *raw,
                         void *scratch, struct score_answer *ret_answer, double *ret_followers)
{
    struct profile prepared = *profile;
    feature_prepare(&prepared);
    *ret_answer = (struct score_answer){.target = engine->score_extra.target, .raw = raw};
    ret_answer->imputed =
        engine_extract_prepared(engine, predictor_spec(engine->score), &prepared, scratch, raw);
    composite_compute(&engine->score_extra.composite, &prepared, &ret_answer->composite);
    *ret_followers = prepared.number[PROFILE_followers];
}

static enum status end_answer(const struct engine *engine, double output, double followers,
                              struct score_answer *answer, struct error *err)
{
    const struct score_extra *extra = &engine->score_extra;
    if (is_composite(engine))
        bound_composite(&extra->composite, answer);
    else
        take_output(engine, output, followers, answer);
    if (!isfinite(answer->score))
        return fail(err, STATUS_CORRUPT, "score model: its answer is not finite");
    answer->percentile = composite_percentile(extra->score_grid, COMPOSITE_GRID, answer->score);
    answer->novelty =
        composite_percentile(extra->novelty_grid, NOVELTY_GRID,
                             engine_novelty_distance(predictor_spec(engine->score), answer->raw));
    return STATUS_OK;
}

/* Zeros where the bundle has no such model. */
static enum status ask_growth(const struct engine *engine, const struct profile *profile,
                              void *scratch, struct growth_answer *ret_growth, struct error *err)
{
    *ret_growth = (struct growth_answer){0};
    return engine->growth ? engine_growth(engine, profile, scratch, ret_growth, err) : STATUS_OK;
}

enum status engine_score(const struct engine *engine, const struct profile *profile,
                         bool explain_it, void *scratch, struct score_answer *ret_answer,
                         struct error *err)
{
    if (!engine->score)
        return engine_fail_absent(ENGINE_SCORE, err);
    /* First: what it leaves in the scratch is not needed any more. */
    struct growth_answer growth;
    TRY(ask_growth(engine, profile, scratch, &growth, err));
    const struct feature_spec *spec = predictor_spec(engine->score);
    float *raw = scratch_take(&scratch, spec->n_columns * sizeof *raw);
    double *contributions = scratch_take(&scratch, spec->n_columns * sizeof *contributions);
    struct score_answer answer;
    double output = 0;
    double followers;
    begin_answer(engine, profile, raw, scratch, &answer, &followers);
    const struct predictor_context context = engine_context(engine, engine->score, profile);
    predictor_run_with(engine->score, raw, &context, scratch, &output);
    TRY(end_answer(engine, output, followers, &answer, err));
    answer.has_growth = engine->growth != NULL;
    answer.growth = growth;
    if (explain_it)
        isolate(engine, profile, scratch, &answer);
    if (explain_it && !is_composite(engine))
        explain(engine, raw, scratch, contributions, &answer);
    *ret_answer = answer;
    return STATUS_OK;
}

/* ---- many ---- */

size_t engine_score_rows_scratch(const struct engine *engine)
{
    if (!engine->score)
        return 0;
    const struct feature_spec *spec = predictor_spec(engine->score);
    size_t alone = engine_score_scratch(engine);
    size_t growing = engine_growth_scratch(engine);
    return scratch_align(ENGINE_ROWS * spec->n_columns * sizeof(float)) +
           2 * scratch_align(ENGINE_ROWS * sizeof(double)) + (alone > growing ? alone : growing);
}

enum status engine_score_rows(const struct engine *engine, const struct profile *const *profiles,
                              size_t n, void *scratch, struct score_answer *ret_answers,
                              struct error *err)
{
    if (!engine->score)
        return engine_fail_absent(ENGINE_SCORE, err);
    assert(n <= ENGINE_ROWS);
    size_t n_columns = predictor_spec(engine->score)->n_columns;
    float *raw = scratch_take(&scratch, ENGINE_ROWS * n_columns * sizeof *raw);
    double *output = scratch_take(&scratch, ENGINE_ROWS * sizeof *output);
    double *followers = scratch_take(&scratch, ENGINE_ROWS * sizeof *followers);
    struct predictor_context contexts[ENGINE_ROWS];
    for (size_t i = 0; i < n; i++) {
        begin_answer(engine, profiles[i], raw + i * n_columns, scratch, &ret_answers[i],
                     &followers[i]);
        contexts[i] = engine_context(engine, engine->score, profiles[i]);
    }
    predictor_run_with_rows(engine->score, raw, contexts, n, scratch, output);
    for (size_t i = 0; i < n; i++) {
        TRY(end_answer(engine, output[i], followers[i], &ret_answers[i], err));
        ret_answers[i].has_growth = engine->growth != NULL;
        TRY(ask_growth(engine, profiles[i], scratch, &ret_answers[i].growth, err));
    }
    return STATUS_OK;
}
