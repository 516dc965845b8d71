/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/crossval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "learn/fold_data.h"

/* Where held-out rows are as unseen profiles are, nobody knows their links. */
static const struct links *links_of_held(const struct crossval_input *input)
{
    return input->similar ? NULL : input->links;
}

enum status crossval_find_broken(const struct crossval_input *input,
                                 const struct feature_spec *spec, const struct fitted *fitted,
                                 const char **ret_name, struct error *err)
{
    *ret_name = NULL;
    if (!input->monotone)
        return STATUS_OK;
    AUTO(free_slot) signed char *sign = calloc(spec->n_columns + 1, sizeof *sign);
    if (!sign)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    monotone_signs(input->monotone, spec, sign);
    size_t column = monotone_broken(fitted, sign, spec->n_columns);
    for (size_t i = 0; column != SIZE_MAX && i < input->monotone->n; i++)
        if (monotone_names(&input->monotone->items[i], spec, column))
            *ret_name = input->monotone->items[i].name;
    return STATUS_OK;
}

/* Fit, ship, and score the held-out rows into ret_output [n of the target][n_outputs]. */
static enum status run_trainer(const struct crossval_input *input, const struct fold_data *data,
                               const struct fold_rows *rows, uint64_t seed,
                               struct crossval_entry *entry, double *ret_output, struct error *err)
{
    struct problem problem = fold_data_problem(input, data, seed);
    uint64_t begin = clock_monotonic_ns();
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    TRY(entry->trainer->fit(&problem, &fitted, err));
    entry->family = fitted->family;
    uint64_t fit_ns = clock_monotonic_ns() - begin;
    TRY(crossval_find_broken(input, data->spec, fitted, &entry->broken, err));
    if (entry->broken)
        return STATUS_OK;
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    TRY(shipped_open(fitted, data->spec, &shipped, err));
    size_t k = input->target->task == TASK_CLASSIFICATION ? input->target->n_classes : 1;
    AUTO(free_slot) double *output = calloc(rows->n_held * k + 1, sizeof *output);
    if (!output)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    begin = clock_monotonic_ns();
    const struct shipped_rows held = {
        .n = rows->n_held,
        .raw = data->held.raw,
        .words = entry->trainer->needs_words ? data->held.words : NULL,
        .links = links_of_held(input),
        .nodes = data->held.nodes,
    };
    shipped_run_rows(shipped, &held, output);
    uint64_t run_ns = clock_monotonic_ns() - begin;
    for (size_t i = 0; i < rows->n_held; i++)
        for (size_t c = 0; c < k; c++)
            ret_output[rows->held[i] * k + c] = output[i * k + c];
    double share = 1.0 / (double)(input->n_folds * input->n_repeats);
    entry->fit_seconds += (double)fit_ns * 1e-9 * share;
    entry->predict_us += (double)run_ns * 1e-3 * share / (double)(rows->n_held ? rows->n_held : 1);
    entry->n_bytes += (double)shipped_bytes(shipped) * share;
    return STATUS_OK;
}

/* ---- the run ---- */

bool crossval_can_learn(const struct trainer *trainer, const struct target *target,
                        const struct design *design)
{
    bool is_baseline = trainer == &trainer_constant || trainer == &trainer_prior;
    return trainer->task == target->task && (!trainer->needs_order || target_is_ordered(target)) &&
           (trainer->needs_words ? design->hashtags || design->brands
                                 : design->has_columns || is_baseline);
}

static enum status check(const struct crossval_input *input, struct error *err)
{
    const struct target *target = input->target;
    if (target->n < 2 * input->n_folds)
        return fail(err, STATUS_INVALID, "%zu rows have '%s': too few for %zu folds", target->n,
                    target->name, input->n_folds);
    if (target->task == TASK_CLASSIFICATION && target->n_classes < 2)
        return fail(err, STATUS_INVALID, "'%s' has one class only: nothing to tell apart",
                    target->name);
    if (input->n_trainers > CROSSVAL_MAX_ENTRIES)
        return fail(err, STATUS_LIMIT, "at most %d models are compared", CROSSVAL_MAX_ENTRIES);
    for (size_t i = 0; i < input->n_trainers; i++)
        if (!crossval_can_learn(input->trainers[i], target, input->design))
            return fail(err, STATUS_INVALID, "%s cannot learn '%s'", input->trainers[i]->name,
                        target->name);
    return STATUS_OK;
}

static enum status new_entry(struct crossval *crossval, const struct trainer *trainer,
                             struct crossval_entry *entry, struct error *err)
{
    entry->trainer = trainer;
    enum metric first;
    enum metric end;
    metrics_of_task(trainer->task, &first, &end);
    for (size_t m = first; m < end; m++) {
        entry->metric[m] = ARENA_ARRAY(&crossval->memory, double, crossval->n_repeats);
        if (!entry->metric[m])
            return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    entry->output = ARENA_ARRAY(&crossval->memory, double,
                                crossval->n_repeats * crossval->n * crossval->n_outputs);
    return entry->output ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status crossval_new(const struct crossval_input *input, struct crossval **ret_crossval,
                                struct error *err)
{
    AUTO(crossval_free_slot) struct crossval *crossval = calloc(1, sizeof *crossval);
    if (!crossval)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&crossval->memory, 65536);
    crossval->task = input->target->task;
    crossval->n = input->target->n;
    crossval->n_outputs = crossval->task == TASK_CLASSIFICATION ? input->target->n_classes : 1;
    crossval->n_folds = input->n_folds;
    crossval->n_repeats = input->n_repeats;
    crossval->n_entries = input->n_trainers;
    crossval->fold = ARENA_ARRAY(&crossval->memory, uint32_t, crossval->n_repeats * crossval->n);
    crossval->counted = ARENA_ARRAY(&crossval->memory, size_t, crossval->n + 1);
    crossval->entries =
        ARENA_ARRAY(&crossval->memory, struct crossval_entry, crossval->n_entries + 1);
    if (!crossval->fold || !crossval->counted || !crossval->entries)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t e = 0; e < crossval->n_entries; e++)
        TRY(new_entry(crossval, input->trainers[e], &crossval->entries[e], err));
    *ret_crossval = STEAL(crossval);
    return STATUS_OK;
}

static enum status measure(const struct crossval *crossval, const struct target *target,
                           size_t repeat, struct crossval_entry *entry, struct error *err)
{
    double metric[N_METRICS];
    size_t at = repeat * crossval->n * crossval->n_outputs;
    TRY(metrics_of_rows(target, entry->output + at, crossval->counted, crossval->n_counted, metric,
                        err));
    for (size_t m = 0; m < N_METRICS; m++)
        if (entry->metric[m])
            entry->metric[m][repeat] = metric[m];
    return STATUS_OK;
}

static enum status list_counted(const struct crossval_input *input, struct crossval *crossval,
                                struct error *err)
{
    for (size_t i = 0; i < crossval->n; i++)
        if (crossval->fold[i] != CROSSVAL_NEVER && (!input->counted || input->counted[i]))
            crossval->counted[crossval->n_counted++] = i;
    return crossval->n_counted > 1
               ? STATUS_OK
               : fail(err, STATUS_INVALID, "no rows are left for the metrics to count");
}

static enum status run_repeat(const struct crossval_input *input, struct crossval *crossval,
                              size_t repeat, struct error *err)
{
    const struct target *target = input->target;
    uint32_t *fold_of_row = crossval->fold + repeat * crossval->n;
    uint64_t seed = input->seed + repeat;
    TRY(fold_data_split(input, seed, fold_of_row, err));
    if (repeat == 0)
        TRY(list_counted(input, crossval, err));
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, target->n, err));
    size_t at = repeat * crossval->n * crossval->n_outputs;
    for (uint32_t fold = 0; fold < input->n_folds; fold++) {
        progress_show(input->progress, input->stage,
                      (double)(repeat * input->n_folds + fold) /
                          (double)(input->n_repeats * input->n_folds));
        fold_data_rows(input, fold_of_row, fold, &rows);
        AUTO(fold_data_deinit) struct fold_data data = {0};
        TRY(fold_data_init(&data, input, &rows, err));
        for (size_t e = 0; e < crossval->n_entries; e++)
            if (!crossval->entries[e].broken)
                TRY(run_trainer(input, &data, &rows, seed * 1009 + fold, &crossval->entries[e],
                                crossval->entries[e].output + at, err));
    }
    for (size_t e = 0; e < crossval->n_entries; e++)
        TRY(measure(crossval, target, repeat, &crossval->entries[e], err));
    return STATUS_OK;
}

/* Mean and spread over the repeats. */
static void summarise(struct crossval *crossval)
{
    for (size_t e = 0; e < crossval->n_entries; e++) {
        struct crossval_entry *entry = &crossval->entries[e];
        for (size_t m = 0; m < N_METRICS; m++) {
            bool has = entry->metric[m] != NULL;
            entry->mean[m] =
                has ? metrics_mean(entry->metric[m], crossval->n_repeats) : (double)NAN;
            entry->sd[m] = has ? metrics_sd(entry->metric[m], crossval->n_repeats) : (double)NAN;
        }
        if (entry->broken)
            crossval_leave_out(entry, entry->broken);
    }
}

enum status crossval_run(const struct crossval_input *input, struct crossval **ret_crossval,
                         struct error *err)
{
    TRY(check(input, err));
    AUTO(crossval_free_slot) struct crossval *crossval = NULL;
    TRY(crossval_new(input, &crossval, err));
    for (size_t repeat = 0; repeat < input->n_repeats; repeat++)
        TRY(run_repeat(input, crossval, repeat, err));
    summarise(crossval);
    progress_show(input->progress, input->stage, 1.0);
    *ret_crossval = STEAL(crossval);
    return STATUS_OK;
}

void crossval_free(struct crossval *crossval)
{
    if (!crossval)
        return;
    arena_deinit(&crossval->memory);
    free(crossval);
}

void crossval_keep_held(struct crossval *crossval, bool *ret_kept)
{
    size_t n = crossval->n;
    size_t k = crossval->n_outputs;
    size_t n_kept = 0;
    /* Time is the same in all repeats, and so are the folds. */
    for (size_t i = 0; i < n; i++) {
        ret_kept[i] = crossval->fold[i] != CROSSVAL_NEVER;
        n_kept += ret_kept[i];
    }
    size_t to = 0;
    for (size_t at = 0; at < crossval->n_repeats * n; at++) {
        if (!ret_kept[at % n])
            continue;
        crossval->fold[to] = crossval->fold[at];
        for (size_t e = 0; e < crossval->n_entries; e++)
            memmove(crossval->entries[e].output + to * k, crossval->entries[e].output + at * k,
                    k * sizeof(double));
        to++;
    }
    size_t place = 0;
    size_t n_counted = 0;
    for (size_t i = 0, next = 0; i < n; i++) {
        bool is_counted = next < crossval->n_counted && crossval->counted[next] == i;
        next += is_counted;
        if (!ret_kept[i])
            continue;
        if (is_counted)
            crossval->counted[n_counted++] = place;
        place++;
    }
    crossval->n_counted = n_counted;
    crossval->n = n_kept;
}

static enum status visit_fold(const struct crossval_input *input, const struct trainer *trainer,
                              const struct fold_rows *rows, crossval_visitor *visit, void *context,
                              struct error *err)
{
    AUTO(fold_data_deinit) struct fold_data data = {0};
    TRY(fold_data_init(&data, input, rows, err));
    struct problem problem = fold_data_problem(input, &data, input->seed);
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    TRY(trainer->fit(&problem, &fitted, err));
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    TRY(shipped_open(fitted, data.spec, &shipped, err));
    struct crossval_fold fold = {rows->n_held, rows->held,           data.spec,
                                 &data.held,   links_of_held(input), shipped};
    return visit(&fold, context, err);
}

enum status crossval_visit(const struct crossval_input *input, const struct trainer *trainer,
                           const uint32_t *fold_of_row, crossval_visitor *visit, void *context,
                           struct error *err)
{
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, input->target->n, err));
    for (uint32_t fold = 0; fold < input->n_folds; fold++) {
        progress_show(input->progress, input->stage, (double)fold / (double)input->n_folds);
        fold_rows_take(&rows, fold_of_row, input->target->n, fold, (uint32_t)input->n_folds);
        TRY(visit_fold(input, trainer, &rows, visit, context, err));
    }
    return STATUS_OK;
}

enum status crossval_refit(const struct crossval_input *input, const struct trainer *trainer,
                           struct feature_spec **ret_spec, struct fitted **ret_fitted,
                           struct error *err)
{
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, input->target->n, err));
    for (size_t i = 0; i < input->target->n; i++)
        rows.train[rows.n_train++] = i;
    AUTO(fold_data_deinit) struct fold_data data = {0};
    TRY(fold_data_init(&data, input, &rows, err));
    struct problem problem = fold_data_problem(input, &data, input->seed);
    if (input->together.group && trainer->joins_groups)
        TRY(together_fit(&input->together, trainer, input->target, &problem, ret_fitted, err));
    else
        TRY(trainer->fit(&problem, ret_fitted, err));
    *ret_spec = STEAL(data.spec);
    return STATUS_OK;
}
