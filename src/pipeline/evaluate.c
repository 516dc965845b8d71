/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/calibrate.h"
#include "learn/leakage.h"
#include "pipeline/train_config.h"

#define COVERAGE 0.9
#define MAX_BINS 64
#define MAX_TRAINERS 16

void evaluation_free(struct evaluation *evaluation)
{
    if (!evaluation)
        return;
    crossval_free(evaluation->crossval);
    feature_spec_free(evaluation->spec);
    target_free(evaluation->target);
    import_report_free(evaluation->imported);
    table_free(evaluation->table);
    arena_deinit(&evaluation->memory);
    free(evaluation);
}

/* ---- the target ---- */

static enum status cut_target(const struct evaluate_input *input, struct target *target,
                              struct error *err)
{
    double cuts[MAX_BINS];
    size_t n_cuts = 0;
    const char *bins = input->bins;
    bool tertile = strcmp(bins, "tertile") == 0;
    if (!tertile && !text_starts_with(bins, "quantiles:")) {
        TRY(train_config_numbers("--bins", bins, MAX_BINS, cuts, &n_cuts, err));
    } else {
        int64_t n_bins = 3;
        const char *number = bins + strlen("quantiles:");
        if (!tertile && (!text_parse_integer(number, strlen(number), &n_bins) || n_bins < 2 ||
                         n_bins > MAX_BINS))
            return fail(err, STATUS_INVALID, "--bins: quantiles:N takes 2 to %d, got '%s'",
                        MAX_BINS, number);
        TRY(target_quantiles(target, (size_t)n_bins, cuts, err));
        n_cuts = (size_t)n_bins - 1;
    }
    TRY(target_cut(target, cuts, n_cuts, NULL, err));
    target_drop_empty(target);
    return STATUS_OK;
}

/* ---- what may be seen ---- */

/* What a name in --features or --exclude stands for: one feature, or a field and what reads it. */
struct named {
    enum feature_id feature; /* FEATURE_N: a field */
    const struct profile_field *field;
};

static enum status look_up(const char *option, const char *name, struct named *ret_named,
                           struct error *err)
{
    struct named named = {.feature = feature_find(name),
                          .field = profile_field_find(name, strlen(name))};
    if (named.feature == FEATURE_N && !named.field)
        return fail(err, STATUS_NOT_FOUND, "%s: there is no feature or field '%s'", option, name);
    *ret_named = named;
    return STATUS_OK;
}

static enum status exclude(const char *list, struct arena *arena, struct design_options *options,
                           struct error *err)
{
    char *name;
    while ((name = train_config_word(&list, ", ", arena))) {
        struct named named;
        TRY(look_up("--exclude", name, &named, err));
        if (named.feature != FEATURE_N)
            options->excluded[named.feature] = true;
        else if (named.field->kind == PROFILE_TEXT)
            options->hidden_text[named.field->index] = true;
        else
            options->hidden |= UINT64_C(1) << named.field->index;
    }
    return STATUS_OK;
}

static enum status refuse_leak(const struct target *target, const struct named *named,
                               const char *name, struct error *err)
{
    bool leaks = named->feature != FEATURE_N ? leakage_hides(target->hidden, named->feature)
                 : named->field->kind == PROFILE_TEXT
                     ? target->hidden_text[named->field->index]
                     : (target->hidden >> named->field->index & 1) != 0;
    if (!leaks)
        return STATUS_OK;
    return fail(err, STATUS_INVALID, "--features: '%s' gives '%s' away", name, target->name);
}

/* Only what is listed: the features named, and those that read nothing but fields named. */
static enum status include(const struct target *target, const char *list, struct arena *arena,
                           struct design_options *options, struct error *err)
{
    uint64_t fields = 0;
    bool wanted[FEATURE_N] = {false};
    bool texts[PROFILE_N_TEXTS] = {false};
    char *name;
    while ((name = train_config_word(&list, ", ", arena))) {
        struct named named;
        TRY(look_up("--features", name, &named, err));
        TRY(refuse_leak(target, &named, name, err));
        if (named.feature != FEATURE_N)
            wanted[named.feature] = true;
        else if (named.field->kind == PROFILE_TEXT)
            texts[named.field->index] = true;
        else
            fields |= UINT64_C(1) << named.field->index;
    }
    for (size_t f = 0; f < FEATURE_N; f++)
        options->excluded[f] = !wanted[f] && (feature_definitions[f].inputs & ~fields) != 0;
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++)
        options->hidden_text[t] |= !texts[t];
    return STATUS_OK;
}

static enum status choose_design(const struct evaluate_input *input, struct evaluation *evaluation,
                                 struct error *err)
{
    const struct target *target = evaluation->target;
    struct design_options options = {.hidden = target->hidden};
    memcpy(options.hidden_text, target->hidden_text, sizeof options.hidden_text);
    if (input->features)
        TRY(include(target, input->features, &evaluation->memory, &options, err));
    if (input->exclude)
        TRY(exclude(input->exclude, &evaluation->memory, &options, err));
    TRY(design_choose(evaluation->table, &options, &evaluation->design, err));
    return design_fit(&evaluation->design, evaluation->table, target->rows, target->n,
                      &evaluation->spec, err);
}

/* ---- the run ---- */

static enum status choose_trainers(const struct evaluate_input *input, enum task task,
                                   struct arena *arena, const struct trainer **ret_trainers,
                                   size_t *ret_n, struct error *err)
{
    size_t n = 0;
    const char *list = input->models;
    char *name;
    for (size_t t = 0; !list && t < n_trainers && n < MAX_TRAINERS; t++)
        if (trainers[t]->task == task)
            ret_trainers[n++] = trainers[t];
    while (list && (name = train_config_word(&list, ", ", arena))) {
        const struct trainer *trainer = trainer_find(name, task);
        if (!trainer || n == MAX_TRAINERS)
            return fail(err, STATUS_INVALID, "--models: there is no '%s' for this target", name);
        ret_trainers[n++] = trainer;
    }
    *ret_n = n;
    return n > 0 ? STATUS_OK : fail(err, STATUS_INVALID, "--models: names none");
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

static enum status measure_coverage(struct evaluation *evaluation, struct error *err)
{
    const struct crossval *crossval = evaluation->crossval;
    const struct target *target = evaluation->target;
    const double *output = crossval->entries[evaluation->chosen].output;
    AUTO(free_slot) double *residual = calloc(target->n + 1, sizeof *residual);
    if (!residual)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t r = 0; r < crossval->n_repeats; r++) {
        double covered;
        for (size_t i = 0; i < target->n; i++)
            residual[i] = target->y[i] - output[r * target->n + i];
        TRY(conformal_measure(residual, crossval->fold + r * target->n, target->n,
                              crossval->n_folds, COVERAGE, &covered, err));
        evaluation->covered += covered / (double)crossval->n_repeats;
    }
    return STATUS_OK;
}

static enum status validate(const struct evaluate_input *input, struct evaluation *evaluation,
                            struct error *err)
{
    const struct trainer *chosen[MAX_TRAINERS];
    enum task task = evaluation->target->task;
    struct crossval_input crossval = {
        .table = evaluation->table,
        .design = &evaluation->design,
        .target = evaluation->target,
        .trainers = chosen,
        .n_folds = input->n_folds,
        .n_repeats = input->n_repeats,
        .seed = input->seed,
        .n_threads = input->n_threads,
        .progress = input->progress,
        .stage = "cross-validation",
    };
    TRY(choose_metric(input, task, &evaluation->metric, err));
    /* Trainers tune for what they are picked by. */
    bool squared = evaluation->metric == METRIC_R2 || evaluation->metric == METRIC_RMSE;
    crossval.loss = squared ? LOSS_SQUARED : LOSS_ABSOLUTE;
    TRY(choose_trainers(input, task, &evaluation->memory, chosen, &crossval.n_trainers, err));
    TRY(crossval_run(&crossval, &evaluation->crossval, err));
    evaluation->chosen = crossval_select(evaluation->crossval, evaluation->metric, SELECT_BEST);
    return task == TASK_REGRESSION ? measure_coverage(evaluation, err) : STATUS_OK;
}

enum status evaluate_run(const struct evaluate_input *input, struct evaluation **ret_evaluation,
                         struct error *err)
{
    AUTO(evaluation_free_slot) struct evaluation *evaluation = calloc(1, sizeof *evaluation);
    if (!evaluation)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&evaluation->memory, 4096);
    struct import_options options = {.schema_dir = input->schema_dir};
    progress_show(input->progress, "importing", -1);
    TRY(import_files(input->files, input->n_files, &options, &evaluation->table,
                     &evaluation->imported, err));
    TRY(target_column(evaluation->table, input->target, &evaluation->target, err));
    if (input->bins)
        TRY(cut_target(input, evaluation->target, err));
    TRY(choose_design(input, evaluation, err));
    TRY(validate(input, evaluation, err));
    *ret_evaluation = STEAL(evaluation);
    return STATUS_OK;
}

/* ---- what came out ---- */

static struct leaderboard board_of(const struct evaluation *evaluation)
{
    return (struct leaderboard){evaluation->crossval, evaluation->metric, evaluation->chosen, ""};
}

void evaluation_print(const struct evaluation *evaluation, FILE *out)
{
    const struct target *target = evaluation->target;
    const struct crossval *crossval = evaluation->crossval;
    struct leaderboard board = board_of(evaluation);
    fprintf(out, "%s: %zu rows, %zu folds x %zu, by %s\n", target->name, target->n,
            crossval->n_folds, crossval->n_repeats, metric_names[evaluation->metric]);
    for (size_t c = 0; c < target->n_classes; c++)
        fprintf(out, "%s%s %zu%s", c ? ", " : "classes: ", target->class_names[c],
                target->class_counts[c], c + 1 == target->n_classes ? "\n" : "");
    fputs("seen:", out);
    for (size_t i = 0; i < evaluation->spec->n_columns; i++)
        fprintf(out, "%s %s", i ? "," : "", evaluation->spec->columns[i].name);
    fputs("\n\n", out);
    leaderboard_print(&board, out);
    if (target->task == TASK_REGRESSION)
        fprintf(out, "\n90 %% intervals covered %.1f %% of held-out rows\n",
                100 * evaluation->covered);
}

void evaluation_put_json(const struct evaluation *evaluation, struct json_writer *w)
{
    const struct target *target = evaluation->target;
    const struct crossval *crossval = evaluation->crossval;
    struct leaderboard board = board_of(evaluation);
    json_begin_object(w);
    json_member_string(w, "target", target->name);
    json_member_string(w, "task",
                       target->task == TASK_REGRESSION ? "regression" : "classification");
    json_member_integer(w, "rows", (int64_t)target->n);
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
    json_member_string(w, "selected_by", metric_names[evaluation->metric]);
    json_member_string(w, "chosen", crossval->entries[evaluation->chosen].trainer->name);
    if (target->task == TASK_REGRESSION) {
        json_member_number(w, "interval_coverage", COVERAGE);
        json_member_number(w, "interval_covered", evaluation->covered);
    }
    json_put_key(w, "leaderboard");
    leaderboard_put_json(&board, w);
    json_end_object(w);
}
