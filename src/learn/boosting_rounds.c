/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/boosting_inner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dataset/split.h"
#include "learn/folds.h"

#define MAX_INNER_FOLDS 5

/* ---- one round ---- */

static bool is_own(const struct boosting_objective *objective)
{
    return objective->settings->loss == BOOSTING_HUBER ||
           objective->settings->loss == BOOSTING_QUANTILE;
}

enum status boosting_objective_init(const struct problem *problem,
                                    const struct boosting_settings *settings,
                                    struct boosting_objective *objective, struct error *err)
{
    objective->settings = settings;
    objective->group = problem->group;
    if (!is_own(objective))
        return STATUS_OK;
    double quantile = settings->loss == BOOSTING_QUANTILE ? settings->quantile : 0;
    const struct problem *deciding = problem_deciding(problem);
    if (deciding)
        TRY(own_loss_init(&objective->own, quantile, deciding->y, deciding->n, err));
    return collective_broadcast(problem->group, &objective->own, sizeof objective->own, 0, err);
}

/* Labels and present predictions of a matrix; both borrow XGBoost's memory until its next call for
 * them. */
static enum status look(BoosterHandle booster, DMatrixHandle matrix, const float **ret_label,
                        const float **ret_predicted, size_t *ret_n, struct error *err)
{
    bst_ulong n_labels;
    bst_ulong n;
    TRY_XGB(XGDMatrixGetFloatInfo(matrix, "label", &n_labels, ret_label));
    TRY_XGB(XGBoosterPredict(booster, matrix, 1, 0, 0, &n, ret_predicted));
    if (n != n_labels)
        return fail(err, STATUS_INTERNAL, "XGBoost: predictions of another shape");
    *ret_n = n;
    return STATUS_OK;
}

enum status boosting_round(const struct boosting_objective *objective, BoosterHandle booster,
                           DMatrixHandle matrix, int round, struct error *err)
{
    if (!is_own(objective)) {
        TRY_XGB(XGBoosterUpdateOneIter(booster, round, matrix));
        return STATUS_OK;
    }
    const float *label;
    const float *predicted;
    size_t n;
    TRY(look(booster, matrix, &label, &predicted, &n, err));
    AUTO(free_slot) float *gradient = calloc(2 * n + 1, sizeof *gradient);
    if (!gradient)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    own_loss_gradient(&objective->own, label, predicted, n, gradient);
    for (size_t i = 0; i < n; i++)
        gradient[n + i] = 1.0F;
    TRY_XGB(XGBoosterBoostOneIter(booster, matrix, gradient, gradient + n, n));
    return STATUS_OK;
}

/* ---- the number of rounds ---- */

struct fold_run {
    DMatrixHandle train, held;
    BoosterHandle booster;
    size_t n_held; /* of all processes */
};

static void runs_deinit(struct fold_run (*runs)[MAX_INNER_FOLDS])
{
    for (size_t f = 0; f < MAX_INNER_FOLDS; f++) {
        boosting_booster_slot(&(*runs)[f].booster);
        boosting_matrix_slot(&(*runs)[f].train);
        boosting_matrix_slot(&(*runs)[f].held);
    }
}

static enum status slice(DMatrixHandle all, const size_t *rows, size_t n, DMatrixHandle *ret_part,
                         struct error *err)
{
    AUTO(free_slot) int *index = calloc(n + 1, sizeof *index);
    if (!index)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        index[i] = (int)rows[i];
    TRY_XGB(XGDMatrixSliceDMatrix(all, index, n, ret_part));
    return STATUS_OK;
}

/* The mean of a loss that is ours over the held-out rows of all processes. */
static enum status evaluate_own(const struct boosting_objective *objective,
                                const struct fold_run *run, double *ret_loss, struct error *err)
{
    const float *label;
    const float *predicted;
    size_t n;
    TRY(look(run->booster, run->held, &label, &predicted, &n, err));
    if (!objective->group) {
        *ret_loss = own_loss_mean(&objective->own, label, predicted, n);
        return STATUS_OK;
    }
    double sums[] = {own_loss_mean(&objective->own, label, predicted, n) * (double)n, (double)n};
    TRY(collective_sum(objective->group, sums, 2, err));
    *ret_loss = sums[0] / fmax(sums[1], 1.0);
    return STATUS_OK;
}

/* The held-out loss after this round, over all processes: the number behind "[12]\theld-mae:". */
static enum status evaluate(const struct boosting_objective *objective, struct fold_run *run,
                            int round, double *ret_loss, struct error *err)
{
    if (is_own(objective))
        return evaluate_own(objective, run, ret_loss, err);
    const char *name = "held";
    const char *text;
    TRY_XGB(XGBoosterEvalOneIter(run->booster, round, &run->held, &name, 1, &text));
    const char *colon = strrchr(text, ':');
    if (!colon || !text_parse_number(colon + 1, strlen(colon + 1), ret_loss))
        return fail(err, STATUS_INTERNAL, "XGBoost: an evaluation that cannot be read: %s", text);
    return STATUS_OK;
}

static enum status start_runs(const struct problem *problem,
                              const struct boosting_settings *settings, DMatrixHandle all,
                              struct fold_run *runs, struct error *err)
{
    AUTO(free_slot) uint32_t *fold_of_row = calloc(problem->n, sizeof *fold_of_row);
    if (!fold_of_row)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, problem->n, err));
    size_t n_folds = settings->inner_folds == 1 ? 5 : (size_t)settings->inner_folds;
    if (problem->task == TASK_CLASSIFICATION)
        TRY(split_stratified(problem->label, problem->n, n_folds, problem->seed, fold_of_row, err));
    else
        TRY(split_plain(problem->n, n_folds, problem->seed, fold_of_row, err));
    for (int f = 0; f < settings->inner_folds; f++) {
        fold_rows_take(&rows, fold_of_row, problem->n, (uint32_t)f, (uint32_t)n_folds);
        runs[f].n_held = rows.n_held;
        TRY(slice(all, rows.train, rows.n_train, &runs[f].train, err));
        TRY(slice(all, rows.held, rows.n_held, &runs[f].held, err));
        TRY(boosting_booster_new(problem, settings, runs[f].train, &runs[f].booster, err));
    }
    return STATUS_OK;
}

/* Boost all inner folds in step until their pooled loss has not fallen for `patience` rounds. */
enum status boosting_rounds(const struct problem *problem, const struct boosting_settings *settings,
                            DMatrixHandle all, int *ret_rounds, double *ret_loss, struct error *err)
{
    *ret_rounds = settings->max_rounds;
    *ret_loss = 0;
    if (settings->inner_folds == 0 || problem_n_all(problem) < 20)
        return STATUS_OK;
    AUTO(runs_deinit) struct fold_run runs[MAX_INNER_FOLDS] = {0};
    TRY(start_runs(problem, settings, all, runs, err));
    struct boosting_objective objective;
    TRY(boosting_objective_init(problem, settings, &objective, err));
    double n_held = 0;
    for (int f = 0; f < settings->inner_folds; f++) {
        double n = (double)runs[f].n_held;
        TRY(collective_sum(problem->group, &n, 1, err));
        runs[f].n_held = (size_t)n;
        n_held += n;
    }
    double best = INFINITY;
    int best_rounds = 1;
    for (int round = 0; round < settings->max_rounds; round++) {
        double loss = 0;
        for (int f = 0; f < settings->inner_folds; f++) {
            double part;
            TRY(boosting_round(&objective, runs[f].booster, runs[f].train, round, err));
            TRY(evaluate(&objective, &runs[f], round, &part, err));
            /* rmse is pooled as a square. */
            loss +=
                (settings->loss == BOOSTING_SQUARED ? part * part : part) * (double)runs[f].n_held;
        }
        if (loss < best) {
            best = loss;
            best_rounds = round + 1;
        } else if (round + 1 - best_rounds >= settings->patience) {
            break;
        }
    }
    *ret_rounds = best_rounds;
    *ret_loss = best / n_held;
    return STATUS_OK;
}

enum status boosting_tune(const struct problem *problem, const struct boosting_settings *settings,
                          int *ret_rounds, double *ret_loss, struct error *err)
{
    double base;
    TRY(boosting_base(problem, settings, &base, err));
    AUTO(boosting_matrix_slot) DMatrixHandle matrix = NULL;
    TRY(boosting_matrix_new(problem, base, &matrix, err));
    return boosting_rounds(problem, settings, matrix, ret_rounds, ret_loss, err);
}
