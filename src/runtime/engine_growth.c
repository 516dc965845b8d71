/* SPDX-License-Identifier: Apache-2.0 */

/* Growth: what becomes of the followers in the next period.
 *
 * Sections beside the predictor "growth": "growth.extra" f64 [2]: coverage, months;
 * "growth.interval.groups" and ".spread", see intervals.h; "growth.grid" f32 [1][COMPOSITE_GRID].
 *
 * The model works in 100 ln ratio, where errors are alike for all sizes; what is answered is the
 * fraction. Both have the same order, so intervals and percentiles carry over. */
#include <math.h>

#include "runtime/engine_parts.h"
#include "runtime/grid.h"
#include "runtime/scratch.h"

#define PREFIX "growth"
#define MAX_OUTPUT 5000.0 /* e^50: beyond, a forecast is no number that anybody can use */

enum {
    COVERAGE,
    MONTHS,
    N_EXTRA
};

enum status growth_extra_write(struct artifact_writer *writer, const struct growth_extra *extra,
                               struct error *err)
{
    const double numbers[N_EXTRA] = {[COVERAGE] = extra->coverage, [MONTHS] = extra->months};
    TRY(artifact_add(writer, PREFIX ".extra", ARTIFACT_F64, N_EXTRA, 1, numbers, err));
    TRY(interval_rule_write(writer, PREFIX ".interval", extra->intervals, err));
    return grid_add(writer, PREFIX ".grid", 1, COMPOSITE_GRID, extra->grid, err);
}

enum status engine_open_growth(struct engine *engine, struct error *err)
{
    const struct artifact *artifact = engine->artifacts[ENGINE_GROWTH];
    struct growth_extra *extra = &engine->growth_extra;
    struct artifact_section section;
    TRY(engine_need_predictor(artifact, PREFIX, &engine->growth, err));
    if (predictor_n_outputs(engine->growth) != 1)
        return fail(err, STATUS_CORRUPT,
                    "%s: section '" PREFIX ".family': growth has one output, not %zu",
                    artifact_name(artifact), predictor_n_outputs(engine->growth));
    TRY(artifact_need(artifact, PREFIX ".extra", ARTIFACT_F64, N_EXTRA, 1, &section, err));
    const double *numbers = section.data;
    extra->coverage = numbers[COVERAGE];
    extra->months = numbers[MONTHS];
    if (!(extra->coverage > 0 && extra->coverage <= 1) || !(extra->months > 0))
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".extra': is out of range",
                    artifact_name(artifact));
    enum status status =
        interval_rule_read(artifact, PREFIX ".interval", &engine->growth_intervals, err);
    if (status == STATUS_NOT_FOUND)
        return fail(err, STATUS_CORRUPT, "%s: section '" PREFIX ".interval.groups': missing",
                    artifact_name(artifact));
    TRY(status);
    extra->intervals = &engine->growth_intervals;
    return grid_need(artifact, PREFIX ".grid", 1, COMPOSITE_GRID, &extra->grid, err);
}

size_t engine_growth_scratch(const struct engine *engine)
{
    if (!engine->growth)
        return 0;
    const struct feature_spec *spec = predictor_spec(engine->growth);
    size_t predicting = predictor_scratch_bytes(engine->growth);
    size_t placing = engine_spec_scratch(engine, spec);
    return scratch_align(spec->n_columns * sizeof(float)) +
           (predicting > placing ? predicting : placing);
}

bool engine_has_growth(const struct engine *engine)
{
    return engine->growth != NULL;
}

static double fraction(double output)
{
    return expm1(fmin(fmax(output, -MAX_OUTPUT), MAX_OUTPUT) / 100);
}

enum status engine_growth(const struct engine *engine, const struct profile *profile, void *scratch,
                          struct growth_answer *ret_answer, struct error *err)
{
    if (!engine->growth)
        return fail(err, STATUS_UNSUPPORTED, "this bundle has no growth model");
    const struct growth_extra *extra = &engine->growth_extra;
    const struct feature_spec *spec = predictor_spec(engine->growth);
    float *raw = scratch_take(&scratch, spec->n_columns * sizeof *raw);
    double output = 0;
    struct profile prepared = *profile;
    feature_prepare(&prepared);
    struct growth_answer answer = {.coverage = extra->coverage, .months = extra->months};
    answer.imputed = engine_extract_prepared(engine, spec, &prepared, scratch, raw);
    predictor_run(engine->growth, raw, scratch, &output);
    if (!isfinite(output))
        return fail(err, STATUS_CORRUPT, "growth model: its answer is not finite");
    struct interval_offsets offsets =
        interval_at(extra->intervals, output, prepared.number[PROFILE_followers]);
    answer.forecast = fraction(output);
    answer.low = fraction(output + offsets.low);
    answer.high = fraction(output + offsets.high);
    answer.percentile = composite_percentile(extra->grid, COMPOSITE_GRID, output);
    *ret_answer = answer;
    return STATUS_OK;
}
