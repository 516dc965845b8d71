/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/crossval.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "dataset/split.h"
#include "learn/fold_places.h"
#include "learn/folds.h"
#include "learn/neighbour_scores.h"
#include "learn/tune.h"

/* ---- one fold ---- */

/* The rows of a fold with everything that trainers need. Borrows the target. */
struct fold_data {
    struct table seen; /* the input's, with the neighbours' scores as the fold may know them */
    double *neighbour_score; /* [n_rows] or NULL; behind it */
    struct feature_spec *spec;
    struct matrix train, held;
    double *y;             /* [n_train] */
    uint32_t *label;       /* [n_train] */
    signed char *monotone; /* [columns of the spec] NULL: no constraints */
};

static void fold_data_deinit(struct fold_data *data)
{
    feature_spec_free(data->spec);
    matrix_deinit(&data->train);
    matrix_deinit(&data->held);
    free(data->y);
    free(data->label);
    free(data->monotone);
    free(data->neighbour_score);
}

static bool reads_neighbour_score(const struct design *design)
{
    for (size_t i = 0; i < design->n_features; i++)
        if (design->features[i] == FEATURE_net_neighbour_score)
            return true;
    return false;
}

/* train: [n_train] rows of the table. */
static enum status score_neighbours(struct fold_data *data, const struct crossval_input *input,
                                    const size_t *train, const struct fold_rows *rows,
                                    struct error *err)
{
    data->seen = *input->table;
    if (!input->finder || !reads_neighbour_score(input->design))
        return STATUS_OK;
    const struct neighbour_scores scores = {
        .table = input->table,
        .finder = input->finder,
        .links = input->links,
        .train = train,
        .n_train = rows->n_train,
        .seed = input->seed,
    };
    data->neighbour_score = calloc(input->table->n_rows + 1, sizeof *data->neighbour_score);
    if (!data->neighbour_score)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    data->seen.number[PROFILE_net_neighbour_score] = data->neighbour_score;
    return neighbour_scores_fill(&scores, data->neighbour_score, err);
}

/* The held-out rows as an unseen profile would look. */
static enum status make_held(struct fold_data *data, const struct crossval_input *input,
                             const struct fold_rows *rows, const size_t *train, struct error *err)
{
    AUTO(free_slot) size_t *held = calloc(rows->n_held + 1, sizeof *held);
    if (!held)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < rows->n_held; i++)
        held[i] = input->target->rows[rows->held[i]];
    TRY(matrix_make(data->spec, &data->seen, held, rows->n_held, &data->held, err));
    assert(data->spec);
    if (!input->similar || rows->n_held == 0 || !feature_reads_places(data->spec))
        return STATUS_OK;
    const struct fold_places places = {
        .table = &data->seen,
        .similar = input->similar,
        .train = train,
        .n_train = rows->n_train,
        .seed = input->seed,
    };
    return fold_places_fill(&places, data->spec, held, &data->held, err);
}

/* train, held: positions in the target. */
static enum status fold_data_init(struct fold_data *data, const struct crossval_input *input,
                                  const struct fold_rows *rows, struct error *err)
{
    const struct target *target = input->target;
    size_t n_train = rows->n_train;
    AUTO(free_slot) size_t *of_table = calloc(target->n + 1, sizeof *of_table);
    data->y = calloc(n_train + 1, sizeof *data->y);
    data->label = calloc(n_train + 1, sizeof *data->label);
    if (!of_table || !data->y || !data->label)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n_train; i++) {
        of_table[i] = target->rows[rows->train[i]];
        data->y[i] = target->y[rows->train[i]];
        data->label[i] = target->label[rows->train[i]];
    }
    TRY(score_neighbours(data, input, of_table, rows, err));
    TRY(design_fit(input->design, &data->seen, of_table, n_train, &data->spec, err));
    TRY(matrix_make(data->spec, &data->seen, of_table, n_train, &data->train, err));
    if (input->monotone) {
        data->monotone = calloc(data->train.p + 1, sizeof *data->monotone);
        if (!data->monotone)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        monotone_signs(input->monotone, data->spec, data->monotone);
    }
    return make_held(data, input, rows, of_table, err);
}

static struct problem problem_of(const struct crossval_input *input, const struct fold_data *data,
                                 uint64_t seed)
{
    return (struct problem){
        .task = input->target->task,
        .loss = input->loss,
        .n = data->train.n,
        .p = data->train.p,
        .raw = data->train.raw,
        .scaled = data->train.scaled,
        .y = data->y,
        .label = data->label,
        .n_classes = input->target->n_classes,
        .monotone = data->monotone,
        .is_ordered = target_is_ordered(input->target),
        .spec = data->spec,
        .hashtags = input->design->hashtags ? data->train.hashtags : NULL,
        .links = input->links,
        .nodes = input->links ? data->train.nodes : NULL,
        .n_fits = tune_fits_for(input->n_fits ? input->n_fits : TUNE_DEFAULT_FITS, data->train.n),
        .seed = seed,
        .n_threads = input->n_threads,
    };
}

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
    struct problem problem = problem_of(input, data, seed);
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
        .hashtags = entry->trainer->needs_hashtags ? data->held.hashtags : NULL,
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
           (trainer->needs_hashtags ? design->hashtags : design->has_columns || is_baseline);
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

struct dated {
    double when;
    size_t row;
};

static int compare_dated(const void *a, const void *b)
{
    const struct dated *x = a;
    const struct dated *y = b;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static enum status split_by_time(const struct crossval_input *input, uint32_t *ret_fold,
                                 struct error *err)
{
    size_t n = input->target->n;
    AUTO(free_slot) struct dated *dated = calloc(n + 1, sizeof *dated);
    if (!dated)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        dated[i] = (struct dated){input->when[i], i};
    qsort(dated, n, sizeof dated[0], compare_dated);
    size_t part = 0;
    for (size_t i = 0; i < n; i++) {
        bool begins = i > 0 && dated[i].when != dated[i - 1].when;
        size_t due = i * (input->n_folds + 1) / n;
        if (begins && part < due)
            part++;
        ret_fold[dated[i].row] = part == 0 ? CROSSVAL_NEVER : (uint32_t)(part - 1);
    }
    if (part < input->n_folds)
        return fail(err, STATUS_INVALID,
                    "the rows have too few different times for %zu folds: %zu would do at most",
                    input->n_folds, part);
    return STATUS_OK;
}

static enum status split(const struct crossval_input *input, uint64_t seed, uint32_t *ret_fold,
                         struct error *err)
{
    const struct target *target = input->target;
    if (input->when)
        return split_by_time(input, ret_fold, err);
    if (target->group)
        return split_grouped(target->group, target->n, input->n_folds, seed, ret_fold, err);
    if (target->task == TASK_CLASSIFICATION)
        return split_stratified(target->label, target->n, input->n_folds, seed, ret_fold, err);
    return split_plain(target->n, input->n_folds, seed, ret_fold, err);
}

/* Of folds by time, what is trained on is older. */
static void take_fold(const struct crossval_input *input, const uint32_t *fold_of_row,
                      uint32_t fold, struct fold_rows *rows)
{
    fold_rows_take(rows, fold_of_row, input->target->n, fold,
                   input->when ? fold : (uint32_t)input->n_folds);
    if (!input->when)
        return;
    rows->n_train = 0;
    for (size_t i = 0; i < input->target->n; i++)
        if (fold_of_row[i] == CROSSVAL_NEVER || fold_of_row[i] < fold)
            rows->train[rows->n_train++] = i;
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
    TRY(split(input, seed, fold_of_row, err));
    if (repeat == 0)
        TRY(list_counted(input, crossval, err));
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, target->n, err));
    size_t at = repeat * crossval->n * crossval->n_outputs;
    for (uint32_t fold = 0; fold < input->n_folds; fold++) {
        progress_show(input->progress, input->stage,
                      (double)(repeat * input->n_folds + fold) /
                          (double)(input->n_repeats * input->n_folds));
        take_fold(input, fold_of_row, fold, &rows);
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

static enum status visit_fold(const struct crossval_input *input, const struct trainer *trainer,
                              const struct fold_rows *rows, crossval_visitor *visit, void *context,
                              struct error *err)
{
    AUTO(fold_data_deinit) struct fold_data data = {0};
    TRY(fold_data_init(&data, input, rows, err));
    struct problem problem = problem_of(input, &data, input->seed);
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
    struct problem problem = problem_of(input, &data, input->seed);
    if (input->together.group && trainer->joins_groups)
        TRY(together_fit(&input->together, trainer, input->target, &problem, ret_fitted, err));
    else
        TRY(trainer->fit(&problem, ret_fitted, err));
    *ret_spec = STEAL(data.spec);
    return STATUS_OK;
}
