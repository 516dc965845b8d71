/* SPDX-License-Identifier: Apache-2.0 */

/* The tier, and the audience check: the size that followers claim beside the one that behaviour
 * suggests.
 *
 * Sections beside the predictors "tier" and, where there is one, "size": "tier.target" a string;
 * "tier.names" and "size.names" strings; "tier.temperature" f64 [2]: of the tier, of the size;
 * "tier.calibration" and "size.calibration", see calibration.h; "size.cuts" f64 [sizes - 1]. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "runtime/engine_parts.h"
#include "runtime/scratch.h"
#include "runtime/softmax.h"

enum status tier_extra_write(struct artifact_writer *writer, const struct tier_extra *extra,
                             struct error *err)
{
    if (extra->n_tiers == 0 || extra->n_tiers > TIERS_MAX || extra->n_sizes == 0 ||
        extra->n_sizes > TIERS_MAX)
        return fail(err, STATUS_INVALID, "%zu tiers and %zu sizes, 1 to %d are possible",
                    extra->n_tiers, extra->n_sizes, TIERS_MAX);
    const double temperature[] = {extra->temperature,
                                  extra->has_size_predictor ? extra->size_temperature : 1};
    TRY(artifact_add_strings(writer, "tier.target", &extra->target, 1, err));
    TRY(artifact_add_strings(writer, "tier.names", extra->names, extra->n_tiers, err));
    TRY(artifact_add(writer, "tier.temperature", ARTIFACT_F64, 2, 1, temperature, err));
    if (extra->calibration)
        TRY(calibration_write(writer, "tier", extra->calibration, err));
    if (extra->has_size_predictor && extra->size_calibration)
        TRY(calibration_write(writer, "size", extra->size_calibration, err));
    TRY(artifact_add_strings(writer, "size.names", extra->size_names, extra->n_sizes, err));
    return artifact_add(writer, "size.cuts", ARTIFACT_F64, extra->n_sizes - 1, 1, extra->size_cuts,
                        err);
}

static enum status read_sizes(struct engine *engine, const struct artifact *artifact,
                              struct error *err)
{
    struct tier_extra *extra = &engine->tier_extra;
    struct artifact_section section;
    TRY(artifact_need_strings(artifact, "size.names", ARTIFACT_ANY, &engine->memory,
                              &extra->size_names, &extra->n_sizes, err));
    if (extra->n_sizes == 0 || extra->n_sizes > TIERS_MAX)
        return fail(err, STATUS_CORRUPT, "%s: section 'size.names': %zu sizes",
                    artifact_name(artifact), extra->n_sizes);
    TRY(artifact_need(artifact, "size.cuts", ARTIFACT_F64, extra->n_sizes - 1, 1, &section, err));
    extra->size_cuts = section.data;
    for (size_t i = 1; i + 1 < extra->n_sizes; i++)
        if (extra->size_cuts[i] <= extra->size_cuts[i - 1])
            return fail(err, STATUS_CORRUPT, "%s: section 'size.cuts': they do not ascend",
                        artifact_name(artifact));
    return STATUS_OK;
}

static enum status check_outputs(const struct artifact *artifact, const struct predictor *predictor,
                                 const char *prefix, size_t n, struct error *err)
{
    if (predictor_n_outputs(predictor) == n)
        return STATUS_OK;
    return fail(err, STATUS_CORRUPT, "%s: section '%s.names': %zu names for %zu outputs",
                artifact_name(artifact), prefix, n, predictor_n_outputs(predictor));
}

/* Left NULL by a blob from before there were calibrations. */
static enum status read_calibration(const struct artifact *artifact, const char *prefix, size_t n,
                                    struct calibration *calibration,
                                    const struct calibration **ret_used, struct error *err)
{
    enum status status = calibration_read(artifact, prefix, n, calibration, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    *ret_used = calibration;
    return STATUS_OK;
}

static enum status open_predictors(struct engine *engine, const struct artifact *artifact,
                                   struct error *err)
{
    struct tier_extra *extra = &engine->tier_extra;
    TRY(engine_need_predictor(artifact, "tier", &engine->tier, err));
    TRY(check_outputs(artifact, engine->tier, "tier", extra->n_tiers, err));
    TRY(read_calibration(artifact, "tier", extra->n_tiers, &engine->tier_calibration,
                         &extra->calibration, err));
    enum status status = predictor_open(artifact, "size", &engine->size, err);
    extra->has_size_predictor = status == STATUS_OK;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    TRY(read_calibration(artifact, "size", extra->n_sizes, &engine->size_calibration,
                         &extra->size_calibration, err));
    return check_outputs(artifact, engine->size, "size", extra->n_sizes, err);
}

enum status engine_open_tier(struct engine *engine, struct error *err)
{
    const struct artifact *artifact = engine->artifacts[ENGINE_TIER];
    struct tier_extra *extra = &engine->tier_extra;
    struct artifact_section section;
    TRY(engine_need_string(engine, artifact, "tier.target", &extra->target, err));
    TRY(artifact_need_strings(artifact, "tier.names", ARTIFACT_ANY, &engine->memory, &extra->names,
                              &extra->n_tiers, err));
    if (extra->n_tiers == 0 || extra->n_tiers > TIERS_MAX)
        return fail(err, STATUS_CORRUPT, "%s: section 'tier.names': %zu tiers",
                    artifact_name(artifact), extra->n_tiers);
    TRY(artifact_need(artifact, "tier.temperature", ARTIFACT_F64, 2, 1, &section, err));
    extra->temperature = ((const double *)section.data)[0];
    extra->size_temperature = ((const double *)section.data)[1];
    if (!(extra->temperature > 0) || !(extra->size_temperature > 0))
        return fail(err, STATUS_CORRUPT, "%s: section 'tier.temperature': is not above 0",
                    artifact_name(artifact));
    TRY(read_sizes(engine, artifact, err));
    TRY(open_predictors(engine, artifact, err));
    enum status checked = audience_open(artifact, extra->n_sizes, &engine->audience, err);
    engine->has_audience = checked == STATUS_OK;
    if (checked != STATUS_NOT_FOUND)
        TRY(checked);
    enum status status = drift_open(artifact, "tier", predictor_spec(engine->tier), extra->n_tiers,
                                    &engine->memory, &engine->tier_drift, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static size_t one_scratch(const struct engine *engine, const struct predictor *predictor)
{
    if (!predictor)
        return 0;
    const struct feature_spec *spec = predictor_spec(predictor);
    size_t predicting = predictor_scratch_bytes(predictor);
    size_t placing = engine_spec_scratch(engine, spec);
    return scratch_align(spec->n_columns * sizeof(float)) +
           (predicting > placing ? predicting : placing);
}

size_t engine_tier_scratch(const struct engine *engine)
{
    if (!engine->tier)
        return 0;
    size_t tier = one_scratch(engine, engine->tier);
    size_t size = one_scratch(engine, engine->size);
    /* The tier's features outlive the size's question. */
    return 2 * scratch_align(TIERS_MAX * sizeof(double)) + tier + size;
}

const char *const *engine_tier_names(const struct engine *engine, size_t *ret_n)
{
    *ret_n = engine->tier ? engine->tier_extra.n_tiers : 0;
    return engine->tier ? engine->tier_extra.names : NULL;
}

const char *engine_size_of(const struct engine *engine, double followers)
{
    const struct tier_extra *extra = &engine->tier_extra;
    if (!engine->tier || isnan(followers))
        return NULL;
    size_t size = 0;
    while (size + 1 < extra->n_sizes && followers >= extra->size_cuts[size])
        size++;
    return extra->size_names[size];
}

/* A model's outputs to calibrated probabilities, in place; false when one is not finite. */
static bool calibrate(const struct calibration *calibration, double temperature, size_t n,
                      double *probability)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(probability[i]))
            return false;
    if (calibration)
        calibration_apply(calibration, probability, probability);
    else
        softmax(probability, n, temperature, probability);
    return true;
}

static size_t size_index(const struct tier_extra *extra, const char *name)
{
    size_t i = 0;
    while (i < extra->n_sizes && strcmp(extra->size_names[i], name) != 0)
        i++;
    return i;
}

/* The audience check of a profile whose size by behaviour is known with `probability`
 * [n_sizes], or not at all: NULL. */
static void judge_audience(const struct engine *engine, const struct profile *profile,
                           const double *probability, struct tier_answer *answer)
{
    if (!engine->has_audience || !answer->size_claimed)
        return;
    struct profile prepared = *profile;
    feature_prepare(&prepared);
    answer->has_audience = true;
    audience_check(&engine->audience, &prepared,
                   size_index(&engine->tier_extra, answer->size_claimed), probability,
                   &answer->audience);
}

/* size_probability: [TIERS_MAX], what the size model said, if there is one. */
static bool check_audience(const struct engine *engine, const struct profile *profile,
                           double *size_probability, struct tier_answer *answer)
{
    const struct tier_extra *extra = &engine->tier_extra;
    bool known = true;
    answer->size_claimed = engine_size_of(engine, profile->number[PROFILE_followers]);
    if (engine->size) {
        if (!calibrate(extra->size_calibration, extra->size_temperature, extra->n_sizes,
                       size_probability))
            return false;
        size_t size = argmax(size_probability, extra->n_sizes);
        answer->size_predicted = extra->size_names[size];
        answer->size_confidence = size_probability[size];
    } else if (strcmp(extra->target, "size") == 0) {
        answer->size_predicted = extra->names[answer->tier];
        answer->size_confidence = answer->probabilities[answer->tier];
        /* Tiers are the sizes that the training data had, and may be fewer. */
        memset(size_probability, 0, TIERS_MAX * sizeof *size_probability);
        for (size_t i = 0; i < extra->n_tiers; i++) {
            size_t size = size_index(extra, extra->names[i]);
            if (size < extra->n_sizes)
                size_probability[size] += answer->probabilities[i];
        }
    } else {
        known = false;
    }
    answer->size_disagrees = answer->size_claimed && answer->size_predicted &&
                             strcmp(answer->size_claimed, answer->size_predicted) != 0;
    judge_audience(engine, profile, known ? size_probability : NULL, answer);
    return true;
}

static struct tier_answer begin_answer(const struct engine *engine, const float *raw,
                                       const double *probability)
{
    const struct tier_extra *extra = &engine->tier_extra;
    return (struct tier_answer){
        .raw = raw,
        .target = extra->target,
        .n_tiers = extra->n_tiers,
        .names = extra->names,
        .probabilities = probability,
    };
}

/* probability: answer->probabilities; both hold what the models said. */
static enum status end_answer(const struct engine *engine, const struct profile *profile,
                              double *probability, double *size_probability,
                              struct tier_answer *answer, struct error *err)
{
    const struct tier_extra *extra = &engine->tier_extra;
    if (!calibrate(extra->calibration, extra->temperature, extra->n_tiers, probability))
        return fail(err, STATUS_CORRUPT, "tier model: its answer is not finite");
    answer->tier = argmax(probability, extra->n_tiers);
    if (!check_audience(engine, profile, size_probability, answer))
        return fail(err, STATUS_CORRUPT, "size model: its answer is not finite");
    return STATUS_OK;
}

enum status engine_tier(const struct engine *engine, const struct profile *profile, void *scratch,
                        struct tier_answer *ret_answer, struct error *err)
{
    if (!engine->tier)
        return engine_fail_absent(ENGINE_TIER, err);
    double *probability = scratch_take(&scratch, TIERS_MAX * sizeof *probability);
    double *size_probability = scratch_take(&scratch, TIERS_MAX * sizeof *size_probability);
    const struct feature_spec *spec = predictor_spec(engine->tier);
    float *raw = scratch_take(&scratch, spec->n_columns * sizeof *raw);
    struct tier_answer answer = begin_answer(engine, raw, probability);
    answer.imputed = engine_extract(engine, spec, profile, scratch, raw);
    struct predictor_context context = engine_context(engine, engine->tier, profile);
    predictor_run_with(engine->tier, raw, &context, scratch, probability);
    if (engine->size) {
        spec = predictor_spec(engine->size);
        raw = scratch_take(&scratch, spec->n_columns * sizeof *raw);
        engine_extract(engine, spec, profile, scratch, raw);
        context = engine_context(engine, engine->size, profile);
        predictor_run_with(engine->size, raw, &context, scratch, size_probability);
    }
    TRY(end_answer(engine, profile, probability, size_probability, &answer, err));
    *ret_answer = answer;
    return STATUS_OK;
}

/* ---- many ---- */

/* Rows together through one model. */
struct many {
    const struct predictor *predictor;
    size_t n_columns, n_outputs;
    uint64_t imputed[ENGINE_ROWS];
    float *raw;     /* [ENGINE_ROWS][n_columns] */
    double *output; /* [ENGINE_ROWS][n_outputs] */
};

static size_t many_scratch(const struct engine *engine, const struct predictor *predictor)
{
    if (!predictor)
        return 0;
    return scratch_align(ENGINE_ROWS * predictor_spec(predictor)->n_columns * sizeof(float)) +
           scratch_align(ENGINE_ROWS * predictor_n_outputs(predictor) * sizeof(double)) +
           one_scratch(engine, predictor);
}

size_t engine_tier_rows_scratch(const struct engine *engine)
{
    if (!engine->tier)
        return 0;
    return scratch_align(TIERS_MAX * sizeof(double)) + many_scratch(engine, engine->tier) +
           many_scratch(engine, engine->size);
}

static void many_take(struct many *many, const struct predictor *predictor, void **scratch)
{
    many->predictor = predictor;
    many->n_columns = predictor_spec(predictor)->n_columns;
    many->n_outputs = predictor_n_outputs(predictor);
    many->raw = scratch_take(scratch, ENGINE_ROWS * many->n_columns * sizeof *many->raw);
    many->output = scratch_take(scratch, ENGINE_ROWS * many->n_outputs * sizeof *many->output);
}

static void many_run(struct many *many, const struct engine *engine,
                     const struct profile *const *profiles, size_t n, void *scratch)
{
    struct predictor_context contexts[ENGINE_ROWS];
    for (size_t i = 0; i < n; i++) {
        many->imputed[i] = engine_extract(engine, predictor_spec(many->predictor), profiles[i],
                                          scratch, many->raw + i * many->n_columns);
        contexts[i] = engine_context(engine, many->predictor, profiles[i]);
    }
    predictor_run_with_rows(many->predictor, many->raw, contexts, n, scratch, many->output);
}

enum status engine_tier_rows(const struct engine *engine, const struct profile *const *profiles,
                             size_t n, void *scratch, struct tier_answer *ret_answers,
                             struct error *err)
{
    if (!engine->tier)
        return engine_fail_absent(ENGINE_TIER, err);
    assert(n <= ENGINE_ROWS);
    double *of_size = scratch_take(&scratch, TIERS_MAX * sizeof *of_size);
    struct many tier;
    struct many size = {.output = of_size}; /* of no outputs: the same place for each row */
    many_take(&tier, engine->tier, &scratch);
    if (engine->size) {
        many_take(&size, engine->size, &scratch);
        many_run(&size, engine, profiles, n, scratch);
    }
    many_run(&tier, engine, profiles, n, scratch);
    for (size_t i = 0; i < n; i++) {
        double *probability = tier.output + i * tier.n_outputs;
        ret_answers[i] = begin_answer(engine, tier.raw + i * tier.n_columns, probability);
        ret_answers[i].imputed = tier.imputed[i];
        TRY(end_answer(engine, profiles[i], probability, size.output + i * size.n_outputs,
                       &ret_answers[i], err));
    }
    return STATUS_OK;
}
