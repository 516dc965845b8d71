/* SPDX-License-Identifier: Apache-2.0 */

/* The search for a model: cross-validation of the trainers, choice, refit on all rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "pipeline/train.h"

void searched_deinit(struct searched *searched)
{
    if (searched->sample != searched->target)
        target_free(searched->sample);
    target_free(searched->target);
    crossval_free(searched->crossval);
    feature_spec_free(searched->spec);
    fitted_free(searched->fitted);
}

/* Constant models cannot be told apart, so that leakage shows as a rank correlation near 1. */
#define SUSPICIOUS_RHO 0.98

/* Warn of features that rank the rows as the target does. */
static enum status check_leakage(struct training *training, const struct searched *searched,
                                 const struct table *table, struct error *err)
{
    const struct target *target = searched->sample;
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    AUTO(free_slot) double *column = calloc(2 * target->n + 1, sizeof *column);
    if (!column)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(design_fit(&searched->design, table, target->rows, target->n, &spec, err));
    TRY(matrix_make(spec, table, target->rows, target->n, &matrix, err));
    bool ordered = target->n > 0 && !isnan(target->y[0]);
    for (size_t c = 0; c < matrix.p && ordered; c++) {
        size_t n = 0;
        for (size_t i = 0; i < target->n; i++) {
            float x = matrix.raw[i * matrix.p + c];
            if (isnan(x))
                continue;
            column[n] = (double)x;
            column[target->n + n++] = target->y[i];
        }
        double rho = 0;
        TRY(metrics_spearman(column, column + target->n, n, &rho, err));
        if (n >= 20 && fabs(rho) > SUSPICIOUS_RHO)
            training_warn(training,
                          "%s ranks the rows as %s does (rho %.3f): it may leak the target",
                          spec->columns[c].name, target->name, rho);
    }
    return STATUS_OK;
}

static enum task other_task(enum task task)
{
    return task == TASK_REGRESSION ? TASK_CLASSIFICATION : TASK_REGRESSION;
}

static bool stands_already(const struct trainer *trainer, const struct trainer *const *list,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == trainer)
            return true;
    return false;
}

/* Those of the network's list that are of the task, behind the others. */
static enum status add_of_network(struct training *training, const struct crossval_input *input,
                                  const struct trainer **trainers_so_far, size_t *n,
                                  struct error *err)
{
    enum task task = input->target->task;
    const char *models = training->config->network_models;
    char *name;
    while ((name = train_config_word(&models, ", ", &training->memory))) {
        const struct trainer *trainer = trainer_find(name, task);
        if (!trainer && !trainer_find(name, other_task(task)))
            return fail(err, STATUS_INVALID, "network.models: there is no model '%s'", name);
        if (trainer && *n < n_trainers && !stands_already(trainer, trainers_so_far, *n) &&
            crossval_can_learn(trainer, input->target, input->design))
            trainers_so_far[(*n)++] = trainer;
    }
    return STATUS_OK;
}

/* Hashtags tell what an account is about; of a number's bins they tell little, for much time. */
static bool is_worth_it(const struct trainer *trainer, const struct target *target)
{
    return !trainer->needs_words || !target_is_ordered(target);
}

/* Those of the list that can learn the target: what needs an order or words is left out where
 * there are none; with real edges those of the network's list too. */
static enum status find_trainers(struct training *training, const char *models,
                                 const struct crossval_input *input,
                                 const struct trainer **ret_trainers, size_t *ret_n,
                                 struct error *err)
{
    enum task task = input->target->task;
    size_t n = 0;
    char *name;
    while ((name = train_config_word(&models, ", ", &training->memory))) {
        const struct trainer *trainer = trainer_find(name, task);
        if (!trainer || n == n_trainers)
            return fail(err, STATUS_INVALID, "there is no model '%s' for a %s", name,
                        task == TASK_REGRESSION ? "score" : "tier");
        if (is_worth_it(trainer, input->target) &&
            crossval_can_learn(trainer, input->target, input->design))
            ret_trainers[n++] = trainer;
    }
    if (input->links)
        TRY(add_of_network(training, input, ret_trainers, &n, err));
    if (n == 0)
        return fail(err, STATUS_INVALID, "no models are named for the %s",
                    task == TASK_REGRESSION ? "score" : "tier");
    *ret_n = n;
    return STATUS_OK;
}

/* ---- what may be seen ---- */

static void warn_of_leaks(struct training *training, const struct searched *searched)
{
    for (size_t i = 0; i < searched->n_leaks; i++)
        if (!searched->leaks[i].is_known)
            training_warn(training, "%s gives %s away (%s): it is not seen (--allow-leakage %s)",
                          searched->leaks[i].column, searched->target->name,
                          searched->leaks[i].reason, searched->leaks[i].column);
}

/* What evaluate sees of the same target, and the bundle was not told to. */
static void warn_of_unseen(struct training *training, const struct design_options *options)
{
    AUTO(buffer_deinit) struct buffer names = {0};
    struct design_options more = *options;
    struct design design;
    more.extras = true;
    if (design_choose(training->table, &more, &design, NULL) != STATUS_OK)
        return;
    for (size_t i = 0; i < design.n_extras && i < 8; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "",
                      training->table->extras[design.extras[i].index].name);
    if (names.length > 0)
        training_warn(training,
                      "columns of the table's own are not seen: %s%s (--extras, and requests bring "
                      "them by these names)",
                      names.at, design.n_extras > 8 ? ", ..." : "");
}

enum status search_look(struct training *training, const struct target *target, bool is_own,
                        struct visible *ret_visible, struct error *err)
{
    /* What was asked for is of one target; what was excluded is so for all. */
    struct visible_names names = {.exclude = training->input->names.exclude};
    if (is_own)
        names = training->input->names;
    names.peers = training->config->search_peers;
    names.served = true;
    return visible_choose(training->table, target, &names, &training->memory, ret_visible, err);
}

enum status search_choose_design(struct training *training, const struct search_view *view,
                                 struct searched *searched, struct error *err)
{
    struct visible visible;
    TRY(search_look(training, searched->target, view->is_own, &visible, err));
    visible.options.may_be_empty = view->may_be_empty;
    searched->leaks = visible.leaks;
    searched->n_leaks = visible.n_leaks;
    warn_of_leaks(training, searched);
    TRY(network_hide_places(training, searched->target, &visible.options, err));
    TRY(design_choose(training->table, &visible.options, &searched->design, err));
    if (view->is_own && own_target_is_asked(&training->input->target) &&
        !training->input->names.features && !training->input->names.extras)
        warn_of_unseen(training, &visible.options);
    return STATUS_OK;
}

/* Rows of a group stay in one fold. */
static enum status group_rows(struct training *training, const struct table *table,
                              struct target *target, struct error *err)
{
    struct row_options rows = {.group = training->input->group};
    struct row_plan plan;
    enum status status = row_options_apply(&rows, table, target, &training->memory, &plan, err);
    /* Labels are not in the table of another month. */
    return status == STATUS_NOT_FOUND && table != training->table ? STATUS_OK : status;
}

/* The times of the rows that are searched on; NULL: folds do not go by time. The growth of another
 * month's accounts is of one period, and judged by one before it. */
static enum status find_times(struct training *training, const struct table *table,
                              struct target *sample, const double **ret_when, struct error *err)
{
    struct row_options rows = {.when = training->input->when};
    struct row_plan plan;
    *ret_when = NULL;
    if (!rows.when || table != training->table)
        return STATUS_OK;
    TRY(row_options_apply(&rows, table, sample, &training->memory, &plan, err));
    *ret_when = plan.when;
    return STATUS_OK;
}

/* The oldest rows of folds by time were never held out: what is to be said of held-out rows is of
 * the others. */
static enum status keep_held(struct searched *searched, struct error *err)
{
    AUTO(free_slot) bool *kept = calloc(searched->sample->n + 1, sizeof *kept);
    AUTO(target_free_slot) struct target *part = NULL;
    if (!kept)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    crossval_keep_held(searched->crossval, kept);
    TRY(target_part(searched->sample, kept, &part, err));
    if (searched->sample != searched->target)
        target_free(searched->sample);
    searched->sample = STEAL(part);
    return STATUS_OK;
}

/* ---- the search ---- */

static size_t repeats_for(const struct train_config *config, size_t n)
{
    int64_t repeats = config->search_budget_rows / (int64_t)(n ? n : 1);
    if (repeats > config->search_repeats)
        repeats = config->search_repeats;
    return repeats < 1 ? 1 : (size_t)repeats;
}

/* Trainers tune for what they are picked by; for ranks, for what outliers sway least. */
static enum loss loss_of(const struct train_config *config, enum metric select)
{
    if (select == METRIC_SPEARMAN)
        return LOSS_ABSOLUTE;
    return config->search_select == 0 ? LOSS_ABSOLUTE : LOSS_SQUARED;
}

enum status searched_average(const struct searched *searched, double **ret_output,
                             struct error *err)
{
    const struct crossval *crossval = searched->crossval;
    const double *output = crossval->entries[searched->chosen].output;
    double *mean = calloc(crossval->n + 1, sizeof *mean);
    if (!mean)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t r = 0; r < crossval->n_repeats; r++)
        for (size_t i = 0; i < crossval->n; i++)
            mean[i] += output[r * crossval->n + i] / (double)crossval->n_repeats;
    *ret_output = mean;
    return STATUS_OK;
}

static enum status read_monotone(struct training *training, const char *text,
                                 const struct searched *searched, struct monotone *ret_monotone,
                                 struct error *err)
{
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    const struct target *target = searched->sample;
    TRY(design_fit(&searched->design, training->table, target->rows, target->n, &spec, err));
    return monotone_for(text, target->task, spec, &training->memory, ret_monotone, err);
}

/* The best, fitted on all rows; where that breaks a constraint that its folds kept, the next best.
 */
static enum status choose_and_refit(struct training *training, const struct search_options *options,
                                    const struct crossval_input *folds, struct searched *searched,
                                    struct error *err)
{
    struct crossval *crossval = searched->crossval;
    struct crossval_input input = *folds;
    input.target = searched->target;
    stages_enter(&training->stages, "refit on all rows");
    uint64_t begin = clock_monotonic_ns();
    for (;;) {
        searched->chosen = crossval_select(crossval, options->select,
                                           (enum select_rule)training->config->search_rule);
        struct crossval_entry *entry = &crossval->entries[searched->chosen];
        const char *broken = NULL;
        if (entry->broken)
            return fail(err, STATUS_INVALID, "--monotone: no model keeps all of %s",
                        options->monotone);
        TRY(crossval_refit(&input, entry->trainer, &searched->spec, &searched->fitted, err));
        TRY(crossval_find_broken(&input, searched->spec, searched->fitted, &broken, err));
        if (!broken)
            break;
        crossval_leave_out(entry, broken);
        fitted_free(searched->fitted);
        feature_spec_free(searched->spec);
        searched->fitted = NULL;
        searched->spec = NULL;
    }
    searched->refit_seconds = (double)(clock_monotonic_ns() - begin) * 1e-9;
    return STATUS_OK;
}

/* The figure of the choice, not of what it chose; before any model is left out for all rows. */
static enum status judge_choice(const struct training *training,
                                const struct search_options *options, struct searched *searched,
                                struct error *err)
{
    searched->is_judged = searched->crossval->n_entries > 1;
    return !searched->is_judged
               ? STATUS_OK
               : crossval_judge_selection(searched->crossval, searched->sample, options->select,
                                          (enum select_rule)training->config->search_rule,
                                          &searched->selection, err);
}

enum status search_run(struct training *training, const struct search_options *options,
                       struct searched *searched, struct error *err)
{
    const struct train_config *config = training->config;
    const struct table *table = options->table ? options->table : training->table;
    TRY(group_rows(training, table, searched->target, err));
    searched->sample = searched->target;
    if (searched->target->n > (size_t)config->search_max_rows)
        TRY(target_sample(searched->target, (size_t)config->search_max_rows, training->seed,
                          &searched->sample, err));
    stages_enter(&training->stages, options->stage);
    TRY(check_leakage(training, searched, table, err));
    const struct trainer *chosen[32];
    struct design similar;
    TRY(similar_part_design(training, &similar, err));
    struct crossval_input input = {
        .table = table,
        .design = &searched->design,
        .similar = options->table || config->network_known ? NULL : &similar,
        .finder = options->table ? NULL : &similar,
        .links = !options->table && training->links.n > 0 ? &training->links : NULL,
        .target = searched->sample,
        .trainers = chosen,
        .n_folds = (size_t)config->search_folds,
        .n_repeats = repeats_for(config, searched->sample->n),
        .seed = training->seed,
        .loss = loss_of(config, options->select),
        .n_fits = (size_t)config->search_fits,
        .n_threads = (int)config->search_threads,
        .progress = training->progress,
        .stage = options->stage,
    };
    /* Other workers have rows of the training's table only. */
    if (!options->table)
        input.together = training->together;
    TRY(find_trainers(training, options->models, &input, chosen, &input.n_trainers, err));
    struct monotone monotone;
    if (options->monotone) {
        TRY(read_monotone(training, options->monotone, searched, &monotone, err));
        input.monotone = &monotone;
    }
    TRY(find_times(training, table, searched->sample, &input.when, err));
    TRY(crossval_run(&input, &searched->crossval, err));
    if (input.when)
        TRY(keep_held(searched, err));
    TRY(judge_choice(training, options, searched, err));
    TRY(choose_and_refit(training, options, &input, searched, err));
    stages_enter(&training->stages, "intervals, calibration");
    return STATUS_OK;
}
