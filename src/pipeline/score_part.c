/* SPDX-License-Identifier: Apache-2.0 */

/* The score: a regression of the label where there is one, else the composite itself; with its
 * interval, the composite beside it, and the grids that answers are compared with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/shipped.h"
#include "pipeline/train.h"

#define DEFAULT_TARGET "influence_score"
#define MIN_LABELLED_ROWS 20
#define MIN_PART_ROWS 5
#define FAR 1e300 /* no bound: an infinity cannot be stored */

void score_part_deinit(struct score_part *part)
{
    searched_deinit(&part->searched);
    feature_spec_free(part->spec);
    free(part->out_of_fold);
    free(part->offsets);
}

/* ---- the target ---- */

static size_t count_labels(const struct table *table)
{
    const double *label = table->number[PROFILE_influence_score];
    size_t n = 0;
    for (size_t i = 0; label && i < table->n_rows; i++)
        n += !isnan(label[i]);
    return n;
}

enum status score_part_choose(struct training *training, struct error *err)
{
    struct score_part *part = &training->score;
    struct target **target = &part->searched.target;
    part->clip_high = 100;
    part->is_composite =
        part->is_composite || (!*target && count_labels(training->table) < MIN_LABELLED_ROWS);
    const struct visible_names *names = &training->input->names;
    if (part->is_composite && training->input->monotone)
        return fail(err, STATUS_INVALID, "--monotone: the score is a formula here, not learnt");
    if (part->is_composite && !training->own_is_tier &&
        (names->features || names->allow || names->extras))
        return fail(
            err, STATUS_INVALID,
            "--features, --extras: the score is a formula here, and sees what that takes; --target "
            "names what is to be learnt");
    if (part->is_composite)
        return STATUS_OK;
    if (!*target)
        TRY(target_column(training->table, DEFAULT_TARGET, target, err));
    const char *name = (*target)->name;
    const struct profile_field *field =
        (*target)->extra == SIZE_MAX ? profile_field_find(name, strlen(name)) : NULL;
    part->clip_low = field ? field->min : -FAR;
    part->clip_high = field ? field->max : FAR;
    return STATUS_OK;
}

/* ---- the composite ---- */

static enum status make_composite(struct training *training, struct error *err)
{
    struct composite *composite = &training->score.composite;
    const struct table *table = training->table;
    train_config_weights(training->config, composite->weight);
    AUTO(free_slot) double *figure = calloc(table->n_rows + 1, sizeof *figure);
    if (!figure)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    double known_weight = 0;
    for (size_t p = 0; p < COMPOSITE_N_PARTS; p++) {
        size_t n = 0;
        for (size_t i = 0; i < table->n_rows; i++) {
            struct profile profile;
            design_profile(table, i, &profile);
            double value = composite_figure(&profile, (enum composite_part)p);
            if (isfinite(value))
                figure[n++] = value;
        }
        if (n < MIN_PART_ROWS)
            continue;
        composite_make_grid(figure, n, training->score.part_grid[p], COMPOSITE_GRID);
        composite->grid[p] = training->score.part_grid[p];
        known_weight += composite->weight[p];
    }
    double total = 0;
    for (size_t p = 0; p < COMPOSITE_N_PARTS; p++)
        total += composite->weight[p];
    if (!(total > 0))
        return fail(err, STATUS_INVALID, "composite: all weights are 0");
    if (training->score.is_composite && !(known_weight > 0))
        return fail(err, STATUS_INVALID,
                    "the table has no label, and no part of the composite score can be computed: "
                    "it needs followers, likes, posts or engagement");
    return STATUS_OK;
}

/* ---- the grids ---- */

static enum status make_novelty_grid(struct training *training, const struct feature_spec *spec,
                                     struct error *err)
{
    const struct table *table = training->table;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    AUTO(free_slot) double *distance = calloc(table->n_rows + 1, sizeof *distance);
    if (!distance)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(matrix_make(spec, table, training->all_rows, table->n_rows, &matrix, err));
    size_t n = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        double value = engine_novelty_distance(spec, matrix.raw + i * matrix.p);
        if (isfinite(value))
            distance[n++] = value;
    }
    if (n == 0)
        return fail(err, STATUS_INVALID, "no row has any feature");
    composite_make_grid(distance, n, training->score.novelty_grid, NOVELTY_GRID);
    return STATUS_OK;
}

/* The scores of the training rows: of a composite as they are, of a model out of fold. */
static enum status make_score_grid(struct training *training, struct error *err)
{
    struct score_part *part = &training->score;
    size_t n = part->is_composite ? training->table->n_rows : part->searched.sample->n;
    AUTO(free_slot) double *scores = calloc(n + 1, sizeof *scores);
    if (!scores)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n_scores = 0;
    for (size_t i = 0; i < n; i++) {
        double score = part->is_composite ? 0 : part->out_of_fold[i];
        if (part->is_composite) {
            struct profile profile;
            struct composite_score composite;
            design_profile(training->table, i, &profile);
            composite_compute(&part->composite, &profile, &composite);
            score = composite.score;
        }
        if (isfinite(score))
            scores[n_scores++] = fmin(fmax(score, part->clip_low), part->clip_high);
    }
    if (n_scores == 0)
        return fail(err, STATUS_INVALID, "no row has a score");
    composite_make_grid(scores, n_scores, part->score_grid, COMPOSITE_GRID);
    return STATUS_OK;
}

/* ---- the interval ---- */

/* From the residuals of the first repeat: one model a row, as in service. */
static enum status make_interval(struct training *training, struct error *err)
{
    struct score_part *part = &training->score;
    const struct target *target = part->searched.sample;
    struct size_tiers sizes;
    TRY(train_config_sizes(training->config, &training->memory, &sizes, err));
    part->offsets = calloc(target->n + 1, sizeof *part->offsets);
    if (!part->offsets)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct certainty_input input = {
        .table = training->table,
        .target = target,
        .crossval = part->searched.crossval,
        .entry = part->searched.chosen,
        .sizes = &sizes,
        .coverage = training->config->score_coverage,
    };
    return certainty_intervals(&input, &part->intervals, &part->covered, part->offsets, err);
}

/* Offsets that are wide enough for every account: for readers that know no rules. */
static struct interval_offsets widest(const struct interval_rule *rule)
{
    struct interval_offsets offsets = rule->offsets[rule->n_groups];
    double spread = rule->n_knots == 0 ? 1 : 0;
    for (size_t i = 0; i < rule->n_knots; i++)
        spread = fmax(spread, rule->knots[i].spread);
    return (struct interval_offsets){offsets.low * spread, offsets.high * spread};
}

static void warn_of_weakness(struct training *training)
{
    const struct score_part *part = &training->score;
    const struct crossval_entry *entry = &part->searched.crossval->entries[part->searched.chosen];
    if (entry->trainer == &trainer_constant)
        training_warn(training,
                      "no model beats a constant: %s is not determined by the other columns",
                      part->searched.target->name);
    else if (entry->mean[METRIC_R2] < 0.1)
        training_warn(
            training,
            "%s is hardly determined by the other columns (out of fold R2 %.2f, MAE %.2f)",
            part->searched.target->name, entry->mean[METRIC_R2], entry->mean[METRIC_MAE]);
}

enum status score_part_train(struct training *training, struct error *err)
{
    struct score_part *part = &training->score;
    const struct table *table = training->table;
    TRY(make_composite(training, err));
    if (part->is_composite) {
        /* A composite is made of figures, and looks at no place. */
        struct design_options options = {0};
        network_exclude_features(&options);
        TRY(design_choose(table, &options, &part->searched.design, err));
        TRY(design_fit(&part->searched.design, table, training->all_rows, table->n_rows,
                       &part->spec, err));
        TRY(make_novelty_grid(training, part->spec, err));
        return make_score_grid(training, err);
    }
    struct search_view view = {.is_own = !training->own_is_tier && !training->own_is_growth};
    TRY(search_choose_design(training, &view, &part->searched, err));
    const char *models = view.is_own ? training->input->models : NULL;
    struct search_options search = {
        .models = models ? models : training->config->score_models,
        .stage = "score models",
        .monotone = training->input->monotone,
        .select = training->config->search_select == 0 ? METRIC_MAE : METRIC_R2,
    };
    TRY(search_run(training, &search, &part->searched, err));
    warn_of_weakness(training);
    TRY(searched_average(&part->searched, &part->out_of_fold, err));
    TRY(make_interval(training, err));
    TRY(make_novelty_grid(training, part->searched.spec, err));
    return make_score_grid(training, err);
}

/* What the model was trained on, and what it says of rows it had not seen. */
static enum status write_drift(struct training *training, struct artifact_writer *writer,
                               struct error *err)
{
    struct score_part *part = &training->score;
    const struct table *table = training->table;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    const struct feature_spec *spec = part->is_composite ? part->spec : part->searched.spec;
    size_t n = part->is_composite ? table->n_rows : part->searched.sample->n;
    AUTO(free_slot) double *scores = calloc(n + 1, sizeof *scores);
    if (!scores)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct profile profile;
        struct composite_score composite;
        if (!part->is_composite) {
            scores[i] = fmin(fmax(part->out_of_fold[i], part->clip_low), part->clip_high);
            continue;
        }
        design_profile(table, i, &profile);
        composite_compute(&part->composite, &profile, &composite);
        scores[i] = isnan(composite.score) ? 50 : composite.score; /* as the engine has it */
    }
    TRY(matrix_make(spec, table, training->all_rows, table->n_rows, &matrix, err));
    struct drift_sample sample = {
        .spec = spec,
        .raw = matrix.raw,
        .n = matrix.n,
        .output_name = "score",
        .output = scores,
        .n_output = n,
    };
    return drift_write(writer, "score", &sample, err);
}

enum status score_part_write(struct training *training, struct error *err)
{
    struct score_part *part = &training->score;
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    TRY(artifact_writer_new(ARTIFACT_SCORE, &writer, err));
    if (part->is_composite)
        TRY(predictor_write(writer, "score", part->spec, "composite", err));
    else
        TRY(fitted_write(part->searched.fitted, part->searched.spec, "score", writer, err));
    struct interval_offsets offsets = widest(&part->intervals);
    struct score_extra extra = {
        .target = part->is_composite ? "composite" : part->searched.target->name,
        .interval_coverage = part->is_composite ? 1.0 : training->config->score_coverage,
        .interval_low = offsets.low,
        .interval_high = offsets.high,
        .intervals = part->is_composite ? NULL : &part->intervals,
        .clip_low = part->clip_low,
        .clip_high = part->clip_high,
        .score_grid = part->score_grid,
        .composite = part->composite,
        .novelty_grid = part->novelty_grid,
    };
    TRY(score_extra_write(writer, &extra, err));
    TRY(write_drift(training, writer, err));
    return artifact_finish(writer, &training->blob[ENGINE_SCORE],
                           &training->blob_bytes[ENGINE_SCORE], err);
}
