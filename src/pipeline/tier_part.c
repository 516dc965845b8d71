/* SPDX-License-Identifier: Apache-2.0 */

/* The tier: which classes there are, a classifier that never sees what defines them, and, where the
 * tier is not the size, a second one that guesses the size for the audience check. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/leakage.h"
#include "learn/shipped.h"
#include "pipeline/train.h"

#define MIN_CLASS_ROWS 10 /* of a size, to count as present when sizes are chosen by themselves */

static void class_part_deinit(struct class_part *part)
{
    searched_deinit(&part->searched);
    calibrated_deinit(&part->calibrated);
}

void tier_part_deinit(struct tier_part *part)
{
    class_part_deinit(&part->tier);
    class_part_deinit(&part->size);
}

/* ---- what the tiers are ---- */

/* Sizes begin at their cut, target_cut() ends there: a hair lower gives the same classes. */
static enum status size_target(const struct training *training, struct target **ret_target,
                               struct error *err)
{
    const struct size_tiers *sizes = &training->tier.sizes;
    AUTO(target_free_slot) struct target *target = NULL;
    TRY(target_column(training->table, "followers", &target, err));
    double cuts[TIERS_MAX];
    for (size_t i = 0; i + 1 < sizes->n; i++)
        cuts[i] = nextafter(sizes->cuts[i], -HUGE_VAL);
    TRY(target_cut(target, cuts, sizes->n - 1, sizes->names, err));
    *ret_target = STEAL(target);
    return STATUS_OK;
}

static size_t count_sizes(const struct training *training)
{
    AUTO(target_free_slot) struct target *target = NULL;
    size_t n = 0;
    if (size_target(training, &target, NULL) != STATUS_OK)
        return 0;
    for (size_t c = 0; c < target->n_classes; c++)
        n += target->class_counts[c] >= MIN_CLASS_ROWS;
    return n;
}

/* The column that the score learns may be the table's own, or labels. */
static enum status number_again(const struct training *training, const char *column,
                                struct target **ret_target, struct error *err)
{
    const struct target *score = training->score.searched.target;
    if (score && score->extra != SIZE_MAX && strcmp(score->name, column) == 0)
        return target_of_extra(training->table, score->extra, ret_target, err);
    return target_column(training->table, column, ret_target, err);
}

static enum status quantile_target(struct training *training, const char *column,
                                   struct target **ret_target, struct error *err)
{
    size_t n = (size_t)training->config->tier_quantiles;
    static const char *const three[] = {"low", "middle", "high"};
    AUTO(target_free_slot) struct target *target = NULL;
    double cuts[TIERS_MAX];
    TRY(number_again(training, column, &target, err));
    TRY(target_quantiles(target, n, cuts, err));
    TRY(target_cut(target, cuts, n - 1, n == 3 ? three : NULL, err));
    *ret_target = STEAL(target);
    return STATUS_OK;
}

static enum status cuts_target(struct training *training, struct target **ret_target,
                               struct error *err)
{
    AUTO(target_free_slot) struct target *target = NULL;
    double cuts[TIERS_MAX];
    size_t n = 0;
    TRY(train_config_numbers("tier.score_cuts", training->config->tier_score_cuts, TIERS_MAX - 1,
                             cuts, &n, err));
    TRY(number_again(training, training->score.searched.target->name, &target, err));
    TRY(target_cut(target, cuts, n, NULL, err));
    target_drop_empty(target);
    *ret_target = STEAL(target);
    return STATUS_OK;
}

static enum status column_target(const struct training *training, struct target **ret_target,
                                 struct error *err)
{
    AUTO(target_free_slot) struct target *target = NULL;
    TRY(target_column(training->table, training->config->tier_column, &target, err));
    if (target->task != TASK_CLASSIFICATION)
        return fail(err, STATUS_INVALID,
                    "tier.column: '%s' holds numbers; cut it by tier.by = score_cuts with --target",
                    target->name);
    if (target->n_classes > TIERS_MAX)
        return fail(err, STATUS_INVALID, "tier.column: '%s' has %zu labels, at most %d are taken",
                    target->name, target->n_classes, TIERS_MAX);
    *ret_target = STEAL(target);
    return STATUS_OK;
}

/* What was asked for, or the next best thing, which `why` then says. */
static enum tier_by resolve_by(struct training *training)
{
    enum tier_by by = (enum tier_by)training->config->tier_by;
    bool has_score = !training->score.is_composite;
    bool has_sizes = count_sizes(training) >= 2;
    struct tier_part *part = &training->tier;
    if ((by == TIER_AUTO || by == TIER_SIZE) && has_sizes)
        return TIER_SIZE;
    if (by == TIER_AUTO || by == TIER_SIZE) {
        part->why = has_score
                        ? "the table has fewer than two size tiers of 10 accounts: tiers are "
                          "quantiles of the score"
                        : "the table has fewer than two size tiers of 10 accounts and no score: "
                          "tiers are quantiles of followers";
        return has_score ? TIER_SCORE_QUANTILE : TIER_SIZE;
    }
    if (by != TIER_COLUMN && !has_score) {
        part->why = "the table has no score to cut: tiers are quantiles of followers";
        return TIER_SIZE;
    }
    return by;
}

static enum status choose_target(struct training *training, struct error *err)
{
    struct tier_part *part = &training->tier;
    struct target **target = &part->tier.searched.target;
    part->why = "";
    if (part->target)
        return STATUS_OK;
    enum tier_by by = resolve_by(training);
    if (by == TIER_SIZE && part->why[0]) {
        part->target = "followers_quantile";
        return quantile_target(training, "followers", target, err);
    }
    switch (by) {
    case TIER_AUTO:
    case TIER_SIZE:
        part->target = "size";
        TRY(size_target(training, target, err));
        target_drop_empty(*target);
        return STATUS_OK;
    case TIER_SCORE_QUANTILE:
        part->target = "score_quantile";
        return quantile_target(training, training->score.searched.target->name, target, err);
    case TIER_SCORE_CUTS:
        part->target = "score_cuts";
        return cuts_target(training, target, err);
    case TIER_COLUMN:
        part->target = arena_printf(&training->memory, "column:%s", training->config->tier_column);
        if (!part->target)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        return column_target(training, target, err);
    }
    return STATUS_INTERNAL;
}

enum status tier_part_choose(struct training *training, struct error *err)
{
    TRY(train_config_sizes(training->config, &training->memory, &training->tier.sizes, err));
    return choose_target(training, err);
}

/* ---- one classifier ---- */

/* From the held-out outputs of the first repeat. */
static enum status calibrate(struct training *training, struct class_part *part, struct error *err)
{
    struct certainty_input input = {
        .table = training->table,
        .target = part->searched.sample,
        .crossval = part->searched.crossval,
        .entry = part->searched.chosen,
    };
    return certainty_classes(&input, &part->calibrated, err);
}

static enum status class_part_train(struct training *training, const char *stage,
                                    struct class_part *part, struct error *err)
{
    static const enum metric selects[] = {METRIC_MACRO_F1, METRIC_LOG_LOSS, METRIC_ACCURACY};
    const struct target *target = part->searched.target;
    bool is_own = training->own_is_tier && part == &training->tier.tier;
    const struct visible_names *names = &training->input->names;
    bool is_limited = is_own && (names->features || names->exclude);
    struct search_view view = {.is_own = is_own, .may_be_empty = !is_limited};
    TRY(search_choose_design(training, &view, &part->searched, err));
    warnings_add_rare(&training->warnings, &training->memory, target);
    const char *models = is_own ? training->input->models : NULL;
    struct search_options search = {
        .models = models ? models : training->config->tier_models,
        .stage = stage,
        .select = selects[training->config->search_select_tier],
    };
    if (part->searched.design.is_empty) {
        training_warn(training,
                      "the table has nothing but what defines the %s: it is guessed from "
                      "the shares of its classes",
                      target->name);
        search.models = trainer_prior.name;
    }
    TRY(search_run(training, &search, &part->searched, err));
    return calibrate(training, part, err);
}

enum status tier_part_train(struct training *training, struct error *err)
{
    struct tier_part *part = &training->tier;
    if (part->why[0])
        training_warn(training, "%s", part->why);
    TRY(class_part_train(training, "tier models", &part->tier, err));
    part->has_size = strcmp(part->target, "size") != 0 && count_sizes(training) >= 2;
    if (!part->has_size)
        return STATUS_OK;
    TRY(size_target(training, &part->size.searched.target, err));
    return class_part_train(training, "size models", &part->size, err);
}

/* What the tiers were trained on, and which were guessed for rows that were held out. */
static enum status write_drift(struct training *training, struct artifact_writer *writer,
                               struct error *err)
{
    const struct class_part *part = &training->tier.tier;
    const struct table *table = training->table;
    size_t n = part->searched.sample->n;
    size_t k = part->searched.target->n_classes;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    AUTO(free_slot) double *tiers = calloc(n + 1, sizeof *tiers);
    if (!tiers)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const double *probability = part->calibrated.probability + i * k;
        size_t best = 0;
        for (size_t c = 1; c < k; c++)
            if (probability[c] > probability[best])
                best = c;
        tiers[i] = (double)best;
    }
    TRY(matrix_make(part->searched.spec, table, training->all_rows, table->n_rows, &matrix, err));
    struct drift_sample sample = {
        .spec = part->searched.spec,
        .raw = matrix.raw,
        .n = matrix.n,
        .output_name = "tier",
        .output = tiers,
        .n_output = n,
        .n_classes = k,
    };
    return drift_write(writer, "tier", &sample, err);
}

enum status tier_part_write(struct training *training, struct error *err)
{
    struct tier_part *part = &training->tier;
    const struct target *target = part->tier.searched.target;
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    TRY(artifact_writer_new(ARTIFACT_TIER, &writer, err));
    TRY(fitted_write(part->tier.searched.fitted, part->tier.searched.spec, "tier", writer, err));
    if (part->has_size)
        TRY(fitted_write(part->size.searched.fitted, part->size.searched.spec, "size", writer,
                         err));
    struct calibration tier = {target->n_classes, part->tier.calibrated.terms};
    struct calibration size = {part->sizes.n, part->size.calibrated.terms};
    struct tier_extra extra = {
        .target = part->target,
        .n_tiers = target->n_classes,
        .names = target->class_names,
        .temperature = part->tier.calibrated.temperature,
        .calibration = &tier,
        .n_sizes = part->sizes.n,
        .size_names = part->sizes.names,
        .size_cuts = part->sizes.cuts,
        .has_size_predictor = part->has_size,
        .size_temperature = part->has_size ? part->size.calibrated.temperature : 1.0,
        .size_calibration = part->has_size ? &size : NULL,
    };
    TRY(tier_extra_write(writer, &extra, err));
    TRY(audience_part_write(training, writer, err));
    TRY(write_drift(training, writer, err));
    return artifact_finish(writer, &training->blob[ENGINE_TIER], &training->blob_bytes[ENGINE_TIER],
                           err);
}
