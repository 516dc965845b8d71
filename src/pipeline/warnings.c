/* SPDX-License-Identifier: Apache-2.0 */

/* What a reader of figures should be warned of, beyond what the parts find. */
#include "explore/compare.h"
#include "pipeline/evaluate.h"
#include "pipeline/training.h"

/* Beyond it a distribution has moved much: the usual reading of the population stability index. */
#define PSI_MUCH 0.25

typedef void say_function(void *user, const char *text);

/* Each column that moved much between the two newest snapshots, if there are two. */
static enum status tell_drift(const struct explore_snapshots *snapshots, struct arena *arena,
                              say_function *say, void *user, struct error *err)
{
    if (!snapshots->before || !snapshots->after)
        return STATUS_OK;
    struct comparison comparison;
    TRY(compare_tables(snapshots->before, snapshots->after, &comparison, err));
    for (size_t i = 0; i < comparison.n_columns; i++) {
        const struct compared_column *column = &comparison.columns[i];
        if (!(column->psi > PSI_MUCH))
            continue;
        const char *text =
            arena_printf(arena,
                         "%s drifted between %s and %s (PSI %.2f): what was learnt of one month "
                         "may not hold in the next",
                         column->name, snapshots->before_name, snapshots->after_name, column->psi);
        if (!text)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        say(user, text);
    }
    return STATUS_OK;
}

static void warn_training(void *user, const char *text)
{
    training_warn(user, "%s", text);
}

enum status warn_of_drift(struct training *training, struct error *err)
{
    return tell_drift(&training->snapshots, &training->memory, warn_training, training, err);
}

static void warn_evaluation(void *user, const char *text)
{
    struct evaluation *evaluation = user;
    if (text && evaluation->n_warnings < EVALUATION_MAX_WARNINGS)
        evaluation->warnings[evaluation->n_warnings++] = text;
}

static enum status warn_of_months(const struct evaluate_input *input, struct evaluation *evaluation,
                                  struct error *err)
{
    AUTO(explore_snapshots_deinit) struct explore_snapshots snapshots = {0};
    const struct import_options options = {.schema_dir = input->target.schema_dir};
    TRY(explore_snapshots_load(input->target.files, input->target.n_files, &options,
                               evaluation->cases.imported, &snapshots, err));
    return tell_drift(&snapshots, &evaluation->memory, warn_evaluation, evaluation, err);
}

enum status evaluation_warn(const struct evaluate_input *input, struct evaluation *evaluation,
                            struct error *err)
{
    const struct labels_joined *labels = &evaluation->cases.labels;
    size_t n_lost = labels->n_labels - labels->n_matched;
    if (n_lost > 0)
        warn_evaluation(evaluation,
                        arena_printf(&evaluation->memory,
                                     "%zu of %zu labels are of accounts that the table does not "
                                     "have: nothing is learnt from them",
                                     n_lost, labels->n_labels));
    return warn_of_months(input, evaluation, err);
}
