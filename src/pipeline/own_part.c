/* SPDX-License-Identifier: Apache-2.0 */

/* The target that training was asked for: a number is what the score learns, classes are tiers. */
#include <string.h>

#include "pipeline/train.h"

/* Names of what tiers are otherwise: a column that is called so is told apart. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"size", "score_quantile", "score_cuts",
                                           "followers_quantile"};
    for (size_t i = 0; i < ARRAY_LENGTH(reserved); i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

static enum status take_tier(struct training *training, struct target *target, struct error *err)
{
    struct tier_part *part = &training->tier;
    if (target->n_classes < 2)
        return fail(err, STATUS_INVALID, "--target: '%s' has one class only", target->name);
    if (target->n_classes > TIERS_MAX)
        return fail(err, STATUS_INVALID,
                    "--target: '%s' has %zu classes, at most %d are taken: --top K keeps the most "
                    "frequent, --bins cuts numbers",
                    target->name, target->n_classes, TIERS_MAX);
    part->target = is_reserved(target->name)
                       ? arena_printf(&training->memory, "column:%s", target->name)
                       : target->name;
    if (!part->target)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    training->own_is_tier = true;
    return STATUS_OK;
}

/* What a bundle, which answers for accounts as they are, cannot answer. */
static enum status refuse_others(const struct training *training, struct error *err)
{
    const struct own_target *own = &training->input->target;
    const struct visible_names *names = &training->input->names;
    if (own->target && strcmp(own->target, OWN_TARGET_POST_LIFT) == 0)
        return fail(err, STATUS_INVALID,
                    "--target " OWN_TARGET_POST_LIFT
                    ": it is of posts, and a bundle answers for accounts; `influence evaluate` "
                    "takes it, and the report says what lifts a post");
    if (own_target_is_growth(own) && (own->bins || own->top > 0 || names->features ||
                                      names->exclude || names->allow || names->extras))
        return fail(err, STATUS_INVALID,
                    "--target %s: a bundle foresees it as a number, by all there is; `influence "
                    "evaluate` takes --bins, --features and --exclude",
                    own->target);
    return STATUS_OK;
}

enum status own_part_train(struct training *training, struct error *err)
{
    const struct own_target *own = &training->input->target;
    training->score.is_composite = own->target && strcmp(own->target, "composite") == 0;
    bool is_cut = own->bins || own->top > 0;
    if (is_cut && (training->score.is_composite || !own_target_is_asked(own)))
        return fail(err, STATUS_INVALID, "--bins, --top: a column to be cut is needed (--target)");
    if (training->score.is_composite || !own_target_is_asked(own))
        return STATUS_OK;
    bool has_column = own->target && table_find_extra(training->table, own->target) != SIZE_MAX;
    if (!has_column)
        TRY(refuse_others(training, err));
    training->own_is_growth = !has_column && own_target_is_growth(own);
    if (training->own_is_growth)
        return STATUS_OK;
    AUTO(target_free_slot) struct target *target = NULL;
    TRY(own_target_choose(own, training->table, &target, err));
    if (target->task == TASK_CLASSIFICATION) {
        TRY(take_tier(training, target, err));
        training->tier.tier.searched.target = STEAL(target);
    } else {
        training->score.searched.target = STEAL(target);
    }
    return STATUS_OK;
}
