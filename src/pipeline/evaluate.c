/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/model_names.h"
#include "pipeline/network.h"
#include "pipeline/train_config.h"

#define MAX_TRAINERS 32

void evaluation_free(struct evaluation *evaluation)
{
    if (!evaluation)
        return;
    crossval_free(evaluation->crossval);
    feature_spec_free(evaluation->spec);
    evaluation_certainty_deinit(&evaluation->certainty);
    own_cases_deinit(&evaluation->cases);
    arena_deinit(&evaluation->memory);
    free(evaluation);
}

/* ---- what may be seen ---- */

#define LIKENESS_NEIGHBOURS 10

/* Columns of neighbours, who are found by nothing but what may be seen. */
static enum status join_neighbours(const struct evaluate_input *input,
                                   struct evaluation *evaluation, struct error *err)
{
    struct table *table = evaluation->cases.table;
    struct design_options options = evaluation->visible.options;
    network_exclude_features(&options);
    options.may_be_empty = true;
    options.level_weight = 1;
    TRY(design_choose(table, &options, &evaluation->finder, err));
    if (!evaluation->finder.has_columns || (evaluation->links.n == 0 && !input->similarity))
        return STATUS_OK;
    const struct network_likeness likeness = {&evaluation->finder, LIKENESS_NEIGHBOURS, input->seed,
                                              input->progress};
    if (evaluation->links.n == 0)
        TRY(network_join_similar(&likeness, table, err));
    return network_score_neighbours(&evaluation->finder, &evaluation->links, input->seed, table,
                                    err);
}

static enum status choose_design(const struct evaluate_input *input, struct evaluation *evaluation,
                                 struct error *err)
{
    struct target *target = evaluation->cases.target;
    TRY(visible_choose(evaluation->cases.table, target, &input->names, &evaluation->memory,
                       &evaluation->visible, err));
    TRY(join_neighbours(input, evaluation, err));
    TRY(design_choose(evaluation->cases.table, &evaluation->visible.options, &evaluation->design,
                      err));
    return design_fit(&evaluation->design, evaluation->cases.table, target->rows, target->n,
                      &evaluation->spec, err);
}

/* ---- the run ---- */

static enum status choose_trainers(const struct evaluate_input *input,
                                   struct evaluation *evaluation,
                                   const struct trainer **ret_trainers, size_t *ret_n,
                                   struct error *err)
{
    const struct target *target = evaluation->cases.target;
    enum task task = target->task;
    size_t n = 0;
    const char *list = input->models;
    char *name;
    for (size_t t = 0; !list && t < n_trainers && n < MAX_TRAINERS; t++)
        if (crossval_can_learn(trainers[t], target, &evaluation->design))
            ret_trainers[n++] = trainers[t];
    while (list && (name = train_config_word(&list, ", ", &evaluation->memory))) {
        if (n == MAX_TRAINERS)
            return fail(err, STATUS_LIMIT, "--models: at most %d are compared", MAX_TRAINERS);
        ret_trainers[n++] = trainer_find(name, task);
    }
    *ret_n = n;
    return STATUS_OK;
}

static enum status choose_metric(const struct evaluate_input *input, enum task task,
                                 enum metric *ret_metric, struct error *err)
{
    enum metric first;
    enum metric end;
    metrics_of_task(task, &first, &end);
    *ret_metric = task == TASK_REGRESSION ? METRIC_MAE : METRIC_MACRO_F1;
    for (size_t m = first; input->select && m < end; m++) {
        if (strcmp(metric_names[m], input->select) == 0) {
            *ret_metric = (enum metric)m;
            return STATUS_OK;
        }
    }
    return input->select ? fail(err, STATUS_INVALID, "--select: '%s' is no metric of this target",
                                input->select)
                         : STATUS_OK;
}

/* What is asked for in words, before there is any work to lose. */
static enum status check_words(const struct evaluate_input *input, struct evaluation *evaluation,
                               struct row_plan *ret_plan, struct error *err)
{
    const struct own_cases *cases = &evaluation->cases;
    enum task task = cases->target->task;
    TRY(model_names_check("--models", input->models, model_kind_of(task), err));
    TRY(choose_metric(input, task, &evaluation->metric, err));
    TRY(visible_check_names(cases->table, &input->names, err));
    return row_options_apply(&input->rows, cases->table, cases->target, &evaluation->memory,
                             ret_plan, err);
}

static enum status validate(const struct evaluate_input *input, const struct row_plan *plan,
                            struct evaluation *evaluation, struct error *err)
{
    const struct trainer *chosen[MAX_TRAINERS];
    struct crossval_input crossval = {
        .when = plan->when,
        .counted = plan->counted,
        .n_fits = input->n_fits,
        .table = evaluation->cases.table,
        .design = &evaluation->design,
        .finder = &evaluation->finder,
        .links = evaluation->links.n > 0 ? &evaluation->links : NULL,
        .target = evaluation->cases.target,
        .trainers = chosen,
        .n_folds = input->n_folds,
        .n_repeats = input->n_repeats,
        .seed = input->seed,
        .n_threads = input->n_threads,
        .progress = input->progress,
        .stage = "cross-validation",
    };
    struct monotone monotone;
    if (input->monotone) {
        TRY(monotone_for(input->monotone, evaluation->cases.target->task, evaluation->spec,
                         &evaluation->memory, &monotone, err));
        crossval.monotone = &monotone;
    }
    /* Trainers tune for what they are picked by. */
    bool squared = evaluation->metric == METRIC_R2 || evaluation->metric == METRIC_RMSE;
    crossval.loss = squared ? LOSS_SQUARED : LOSS_ABSOLUTE;
    TRY(choose_trainers(input, evaluation, chosen, &crossval.n_trainers, err));
    TRY(crossval_run(&crossval, &evaluation->crossval, err));
    enum select_rule rule = input->one_se ? SELECT_ONE_SE : SELECT_BEST;
    evaluation->chosen = crossval_select(evaluation->crossval, evaluation->metric, rule);
    if (evaluation->crossval->entries[evaluation->chosen].broken)
        return fail(err, STATUS_INVALID, "--monotone: no model keeps all of %s", input->monotone);
    TRY(crossval_judge_selection(evaluation->crossval, evaluation->cases.target, evaluation->metric,
                                 rule, &evaluation->selection, err));
    struct train_config defaults;
    TRY(config_set_defaults(&train_config_table, &defaults, &evaluation->memory, err));
    TRY(train_config_sizes(&defaults, &evaluation->memory, &evaluation->sizes, err));
    TRY(evaluation_measure_groups(evaluation, err));
    evaluation->is_partial = plan->when != NULL;
    if (evaluation->is_partial)
        return STATUS_OK;
    return evaluation_measure_certainty(evaluation, err);
}

/* Of few rows, of rare classes, of labels that joined nothing, and of columns that drifted. The
 * snapshots are read again for it, as their join leaves nothing to be compared. */
static enum status warn(const struct evaluate_input *input, struct evaluation *evaluation,
                        struct error *err)
{
    AUTO(explore_snapshots_deinit) struct explore_snapshots snapshots = {0};
    const struct import_options options = {.schema_dir = input->target.schema_dir};
    const struct labels_joined *labels = &evaluation->cases.labels;
    warnings_add_few(&evaluation->warnings, &evaluation->memory, evaluation->cases.target->n);
    warnings_add_rare(&evaluation->warnings, &evaluation->memory, evaluation->cases.target);
    size_t n_lost = labels->n_labels - labels->n_matched;
    if (n_lost > 0)
        warnings_add(&evaluation->warnings, &evaluation->memory,
                     "%zu of %zu labels are of accounts that the table does not have: nothing is "
                     "learnt from them",
                     n_lost, labels->n_labels);
    TRY(explore_snapshots_load(input->target.files, input->target.n_files, &options,
                               evaluation->cases.imported, &snapshots, err));
    return warnings_add_drift(&evaluation->warnings, &evaluation->memory, &snapshots, err);
}

enum status evaluate_check(const struct evaluate_input *input, struct error *err)
{
    return model_names_check("--models", input->models, MODELS_OF_BOTH, err);
}

enum status evaluate_run(const struct evaluate_input *input, struct evaluation **ret_evaluation,
                         struct error *err)
{
    AUTO(evaluation_free_slot) struct evaluation *evaluation = calloc(1, sizeof *evaluation);
    if (!evaluation)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&evaluation->memory, 4096);
    struct own_target own = input->target;
    own.progress = input->progress;
    struct row_plan plan;
    TRY(evaluate_check(input, err));
    TRY(own_target_make(&own, &evaluation->cases, err));
    TRY(check_words(input, evaluation, &plan, err));
    TRY(warn(input, evaluation, err));
    /* The rows of a post's lift are posts. */
    if (!own.target || strcmp(own.target, OWN_TARGET_POST_LIFT) != 0)
        TRY(network_join(&own.joins, evaluation->cases.table, input->seed, &evaluation->links,
                         err));
    TRY(choose_design(input, evaluation, err));
    TRY(validate(input, &plan, evaluation, err));
    *ret_evaluation = STEAL(evaluation);
    return STATUS_OK;
}

/* ---- what came out ---- */

static struct leaderboard board_of(const struct evaluation *evaluation)
{
    return (struct leaderboard){
        .crossval = evaluation->crossval,
        .metric = evaluation->metric,
        .chosen = evaluation->chosen,
        .settings = "",
        .selection = &evaluation->selection,
    };
}

/* What choosing the best costs: the same figure when other folds chose. */
static void print_selection(const struct leaderboard *board, FILE *out)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    leaderboard_put_selection(board, "+-", &text);
    fprintf(out, "\nselection as a whole, each fold's model chosen by the other folds: %s\n",
            text.length ? text.at : "");
}

void evaluation_print(const struct evaluation *evaluation, FILE *out)
{
    const struct target *target = evaluation->cases.target;
    const struct crossval *crossval = evaluation->crossval;
    struct leaderboard board = board_of(evaluation);
    fprintf(out, "%s: %zu rows, %zu folds x %zu, by %s\n", target->name, target->n,
            crossval->n_folds, crossval->n_repeats, metric_names[evaluation->metric]);
    if (crossval->n_counted < target->n)
        fprintf(out, "scored on %zu of them\n", crossval->n_counted);
    for (size_t c = 0; c < target->n_classes; c++)
        fprintf(out, "%s%s %zu%s", c ? ", " : "classes: ", target->class_names[c],
                target->class_counts[c], c + 1 == target->n_classes ? "\n" : "");
    fputs("seen:", out);
    for (size_t i = 0; i < evaluation->spec->n_columns; i++)
        fprintf(out, "%s %s", i ? "," : "", evaluation->spec->columns[i].name);
    const char *comma = evaluation->spec->n_columns ? "," : "";
    if (evaluation->design.hashtags)
        fprintf(out, "%s hashtags", comma);
    if (evaluation->design.brands)
        fprintf(out, "%s brands", evaluation->design.hashtags ? "," : comma);
    fputs("\n", out);
    for (size_t i = 0; i < evaluation->visible.n_leaks; i++)
        fprintf(out, "leakage, not seen: %s: %s\n", evaluation->visible.leaks[i].column,
                evaluation->visible.leaks[i].reason);
    fputs("\n", out);
    leaderboard_print(&board, out);
    if (crossval->n_entries > 1)
        print_selection(&board, out);
    if (!evaluation->is_partial)
        evaluation_print_certainty(evaluation, out);
    evaluation_print_groups(evaluation, out);
    warnings_print(&evaluation->warnings, out);
}

void evaluation_put_json(const struct evaluation *evaluation, struct json_writer *w)
{
    const struct target *target = evaluation->cases.target;
    const struct crossval *crossval = evaluation->crossval;
    struct leaderboard board = board_of(evaluation);
    json_begin_object(w);
    json_member_string(w, "target", target->name);
    json_member_string(w, "task",
                       target->task == TASK_REGRESSION ? "regression" : "classification");
    json_member_integer(w, "rows", (int64_t)target->n);
    json_member_integer(w, "scored", (int64_t)crossval->n_counted);
    json_put_key(w, "classes");
    json_begin_array(w);
    for (size_t c = 0; c < target->n_classes; c++) {
        json_begin_object(w);
        json_member_string(w, "name", target->class_names[c]);
        json_member_integer(w, "rows", (int64_t)target->class_counts[c]);
        json_end_object(w);
    }
    json_end_array(w);
    json_member_integer(w, "folds", (int64_t)crossval->n_folds);
    json_member_integer(w, "repeats", (int64_t)crossval->n_repeats);
    json_put_key(w, "features");
    json_begin_array(w);
    for (size_t i = 0; i < evaluation->spec->n_columns; i++)
        json_put_string(w, evaluation->spec->columns[i].name);
    json_end_array(w);
    visible_put_leaks(evaluation->visible.leaks, evaluation->visible.n_leaks, w);
    json_member_string(w, "selected_by", metric_names[evaluation->metric]);
    json_member_string(w, "chosen", crossval->entries[evaluation->chosen].trainer->name);
    leaderboard_put_selection_json(&board, w);
    warnings_put_json(&evaluation->warnings, w);
    if (!evaluation->is_partial)
        evaluation_put_certainty(evaluation, w);
    evaluation_put_groups(evaluation, w);
    json_put_key(w, "leaderboard");
    leaderboard_put_json(&board, w);
    json_end_object(w);
}
