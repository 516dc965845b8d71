/* SPDX-License-Identifier: Apache-2.0 */

/* What the chosen models go by: importance on held-out rows, and dependence of the model that
 * ships. */
#include <stdlib.h>
#include <string.h>

#include "learn/shipped.h"
#include "pipeline/training.h"

void why_part_deinit(struct why_part *part)
{
    importance_free(part->score);
    importance_free(part->tier);
    dependence_free(part->score_dependence);
}

/* A model that answers the same whatever it is told. */
static bool is_constant(const struct searched *searched)
{
    const struct trainer *trainer = searched->crossval->entries[searched->chosen].trainer;
    return trainer == &trainer_constant || trainer == &trainer_prior ||
           searched->spec->n_columns == 0;
}

static enum status find_importance(struct training *training, const struct searched *searched,
                                   const char *stage, struct importance **ret_importance,
                                   struct error *err)
{
    const struct train_config *config = training->config;
    struct design similar;
    TRY(similar_part_design(training, &similar, err));
    struct crossval_input input = {
        .table = training->table,
        .design = &searched->design,
        .similar = config->network_known ? NULL : &similar,
        .finder = &similar,
        .links = training->links.n > 0 ? &training->links : NULL,
        .target = searched->sample,
        .n_folds = searched->crossval->n_folds,
        .n_repeats = 1,
        .seed = training->seed,
        .loss = config->search_select == 0 ? LOSS_ABSOLUTE : LOSS_SQUARED,
        .n_threads = (int)config->search_threads,
        .progress = training->progress,
        .stage = stage,
    };
    return importance_run(&input, searched->crossval->entries[searched->chosen].trainer,
                          searched->crossval->fold, ret_importance, err);
}

static enum status find_dependence(struct training *training, const struct searched *searched,
                                   const struct importance *importance,
                                   struct dependence **ret_dependence, struct error *err)
{
    const struct target *sample = searched->sample;
    AUTO(shipped_close_slot) struct shipped *model = NULL;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    TRY(shipped_open(searched->fitted, searched->spec, &model, err));
    TRY(matrix_make(searched->spec, training->table, sample->rows, sample->n, &matrix, err));
    struct dependence_input input = {.model = model,
                                     .spec = searched->spec,
                                     .raw = matrix.raw,
                                     .n = matrix.n,
                                     .names = importance->name,
                                     .n_names = importance->n};
    return dependence_run(&input, ret_dependence, err);
}

enum status why_part_train(struct training *training, struct error *err)
{
    struct why_part *part = &training->why;
    const struct searched *score = &training->score.searched;
    const struct searched *tier = &training->tier.tier.searched;
    if (!training->score.is_composite && !is_constant(score)) {
        TRY(find_importance(training, score, "what the score goes by", &part->score, err));
        TRY(find_dependence(training, score, part->score, &part->score_dependence, err));
    }
    if (!is_constant(tier))
        TRY(find_importance(training, tier, "what the tier goes by", &part->tier, err));
    return STATUS_OK;
}
