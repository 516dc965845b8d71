/* SPDX-License-Identifier: Apache-2.0 */

/* What is asked for and cannot be had: said at once, and not after minutes of learning. */
#include <string.h>

#include "artifact/bundle.h"
#include "pipeline/model_names.h"
#include "pipeline/row_options.h"
#include "pipeline/train.h"

enum status train_check(const struct train_input *input, struct error *err)
{
    const struct train_config *config = input->config;
    TRY(model_names_check("--models", input->models, MODELS_OF_BOTH, err));
    TRY(model_names_check("score.models", config->score_models, MODELS_OF_NUMBERS, err));
    TRY(model_names_check("growth.models", config->growth_models, MODELS_OF_NUMBERS, err));
    TRY(model_names_check("tier.models", config->tier_models, MODELS_OF_CLASSES, err));
    if (config->network_models[strspn(config->network_models, ", ")] != '\0')
        TRY(model_names_check("network.models", config->network_models, MODELS_OF_BOTH, err));
    return bundle_check_place(input->models_dir, err);
}

static enum status check_models(const struct training *training, struct error *err)
{
    const char *models = training->input->models;
    if (training->own_is_tier)
        return model_names_check("--models", models, MODELS_OF_CLASSES, err);
    if (models && training->score.is_composite && !training->own_is_growth)
        return fail(err, STATUS_INVALID,
                    "--models: the score is a formula here, not learnt; tier.models and "
                    "growth.models name the models of the others");
    return model_names_check("--models", models, MODELS_OF_NUMBERS, err);
}

/* Constraints on what the score's model will see. */
static enum status check_monotone(struct training *training, const struct design *design,
                                  struct error *err)
{
    const struct target *target = training->score.searched.target;
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    struct monotone monotone;
    TRY(design_fit(design, training->table, target->rows, target->n, &spec, err));
    return monotone_for(training->input->monotone, target->task, spec, &training->memory, &monotone,
                        err);
}

/* Whether anything is left to be seen for a model that words limit; what joins the table later, the
 * places in a network, is not known yet. */
static enum status rehearse(struct training *training, const struct target *target, bool is_own,
                            struct error *err)
{
    const struct train_input *input = training->input;
    bool is_score = target == training->score.searched.target;
    const char *monotone = is_score ? input->monotone : NULL;
    bool is_limited = input->names.exclude || (is_own && input->names.features);
    if (!target || (!is_limited && !monotone))
        return STATUS_OK;
    struct visible visible;
    struct design design;
    TRY(search_look(training, target, is_own, &visible, err));
    if (input->target.joins.n_edges > 0 || training->config->network_features)
        return STATUS_OK;
    visible.options.may_be_empty = !is_score && !is_own;
    TRY(design_choose(training->table, &visible.options, &design, err));
    return monotone ? check_monotone(training, &design, err) : STATUS_OK;
}

enum status train_choose_targets(struct training *training, struct error *err)
{
    const struct train_input *input = training->input;
    TRY(own_part_train(training, err));
    TRY(score_part_choose(training, err));
    TRY(tier_part_choose(training, err));
    TRY(growth_part_check(training, err));
    TRY(check_models(training, err));
    TRY(visible_check_names(training->table, &input->names, err));
    if (input->when)
        TRY(row_options_check_column(training->table, "--time", input->when, err));
    if (input->group)
        TRY(row_options_check_column(training->table, "--group", input->group, err));
    bool score_is_own = !training->own_is_tier && !training->own_is_growth;
    TRY(rehearse(training, training->score.searched.target, score_is_own, err));
    return rehearse(training, training->tier.tier.searched.target, training->own_is_tier, err);
}
