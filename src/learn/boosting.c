/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/boosting.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xgboost/c_api.h>

#include "base/json.h"
#include "base/text.h"
#include "dataset/split.h"
#include "learn/boosting_losses.h"
#include "learn/boosting_trees.h"
#include "learn/folds.h"
#include "learn/metrics.h"

#define MAX_INNER_FOLDS 5
#define SMALL_ROWS 500
#define MIN_THREADED_ROWS 5000

static void matrix_slot(DMatrixHandle *slot)
{
    if (*slot)
        XGDMatrixFree(*slot);
}

static void booster_slot(BoosterHandle *slot)
{
    if (*slot)
        XGBoosterFree(*slot);
}

/* XGBoost reports a failure as -1 and a text, which may have lines: the first one is enough. */
static enum status failed(struct error *err)
{
    const char *text = XGBGetLastError();
    return fail(err, STATUS_INTERNAL, "XGBoost: %.*s", (int)strcspn(text, "\n"), text);
}

#define TRY_XGB(call)           \
    do {                        \
        if ((call) != 0)        \
            return failed(err); \
    } while (0)

static size_t n_outputs(const struct problem *problem)
{
    return problem->task == TASK_CLASSIFICATION ? problem->n_classes : 1;
}

/* What the trees add to: the mean, the median or the quantile of the target; zeros for classes. */
static enum status find_base(const struct problem *problem,
                             const struct boosting_settings *settings, double *ret_base,
                             struct error *err)
{
    *ret_base = 0;
    if (settings->loss == BOOSTING_CLASSES)
        return STATUS_OK;
    if (settings->loss == BOOSTING_SQUARED)
        return problem_mean(problem, ret_base, err);
    const struct problem *deciding = problem_deciding(problem);
    if (deciding)
        TRY(quantile_of(deciding->y, deciding->n,
                        settings->loss == BOOSTING_QUANTILE ? settings->quantile : 0.5, ret_base,
                        err));
    return collective_broadcast(problem->group, ret_base, sizeof *ret_base, 0, err);
}

static enum status new_matrix(const struct problem *problem, double base, DMatrixHandle *ret_matrix,
                              struct error *err)
{
    AUTO(matrix_slot) DMatrixHandle matrix = NULL;
    TRY_XGB(XGDMatrixCreateFromMat(problem->raw, problem->n, problem->p, NAN, &matrix));
    AUTO(free_slot) float *label = calloc(problem->n + 1, sizeof *label);
    if (!label)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < problem->n; i++)
        label[i] = problem->task == TASK_CLASSIFICATION ? (float)problem->label[i]
                                                        : (float)(problem->y[i] - base);
    TRY_XGB(XGDMatrixSetFloatInfo(matrix, "label", label, problem->n));
    if (problem->task == TASK_CLASSIFICATION && problem->class_weight) {
        for (size_t i = 0; i < problem->n; i++)
            label[i] = (float)problem->class_weight[problem->label[i]];
        TRY_XGB(XGDMatrixSetFloatInfo(matrix, "weight", label, problem->n));
    }
    *ret_matrix = STEAL(matrix);
    return STATUS_OK;
}

static enum status set_number(BoosterHandle booster, const char *name, double value,
                              struct error *err)
{
    char text[TEXT_NUMBER_BYTES];
    text_format_number(value, text);
    TRY_XGB(XGBoosterSetParam(booster, name, text));
    return STATUS_OK;
}

/* "(1,0,-1)" */
static enum status set_monotone(BoosterHandle booster, const struct problem *problem,
                                struct error *err)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    for (size_t c = 0; c < problem->p; c++)
        buffer_printf(&text, "%s%d", c ? "," : "(", problem->monotone[c]);
    buffer_put_char(&text, ')');
    if (text.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY_XGB(XGBoosterSetParam(booster, "monotone_constraints", text.at));
    return STATUS_OK;
}

static enum status new_booster(const struct problem *problem,
                               const struct boosting_settings *settings, DMatrixHandle matrix,
                               BoosterHandle *ret_booster, struct error *err)
{
    static const struct {
        const char *objective, *metric;
    } losses[] = {
        [BOOSTING_SQUARED] = {"reg:squarederror", "rmse"},
        [BOOSTING_ABSOLUTE] = {"reg:absoluteerror", "mae"},
        [BOOSTING_CLASSES] = {"multi:softprob", "mlogloss"},
        /* The gradients are ours: see boost(). */
        [BOOSTING_HUBER] = {"reg:squarederror", "rmse"},
        [BOOSTING_QUANTILE] = {"reg:squarederror", "rmse"},
    };
    AUTO(booster_slot) BoosterHandle booster = NULL;
    TRY_XGB(XGBoosterCreate(&matrix, 1, &booster));
    TRY_XGB(XGBoosterSetParam(booster, "verbosity", "0"));
    TRY_XGB(XGBoosterSetParam(booster, "objective", losses[settings->loss].objective));
    TRY_XGB(XGBoosterSetParam(booster, "eval_metric", losses[settings->loss].metric));
    TRY_XGB(XGBoosterSetParam(booster, "base_score", "0"));
    /* The exact method is as fast on small tables, but knows no group. Elsewhere the time of a
     * shallow tree goes into looking at bins: 64 of them are enough for 0.1 steps. */
    bool is_small = problem_n_all(problem) <= SMALL_ROWS;
    TRY_XGB(
        XGBoosterSetParam(booster, "tree_method", is_small && !problem->group ? "exact" : "hist"));
    if (!is_small)
        TRY(set_number(booster, "max_bin", 64, err));
    if (settings->loss == BOOSTING_CLASSES)
        TRY(set_number(booster, "num_class", (double)problem->n_classes, err));
    TRY(set_number(booster, "eta", settings->rate, err));
    TRY(set_number(booster, "max_depth", settings->depth, err));
    TRY(set_number(booster, "min_child_weight", settings->min_leaf, err));
    TRY(set_number(booster, "subsample", settings->row_share, err));
    TRY(set_number(booster, settings->is_forest ? "colsample_bynode" : "colsample_bytree",
                   settings->column_share, err));
    if (settings->is_forest)
        TRY(set_number(booster, "lambda", 0, err));
    if (settings->parallel_trees > 1)
        TRY(set_number(booster, "num_parallel_tree", settings->parallel_trees, err));
    if (problem->monotone)
        TRY(set_monotone(booster, problem, err));
    TRY(set_number(booster, "seed", (double)(problem->seed & 0x7fffffff), err));
    TRY(set_number(booster, "nthread", problem->n <= MIN_THREADED_ROWS ? 1 : problem->n_threads,
                   err));
    *ret_booster = STEAL(booster);
    return STATUS_OK;
}

/* ---- one round ---- */

/* What a run boosts for. */
struct objective {
    const struct boosting_settings *settings;
    struct own_loss own; /* of the losses that are ours */
    struct collective *group;
};

static bool is_own(const struct objective *objective)
{
    return objective->settings->loss == BOOSTING_HUBER ||
           objective->settings->loss == BOOSTING_QUANTILE;
}

static enum status init_objective(const struct problem *problem,
                                  const struct boosting_settings *settings,
                                  struct objective *objective, struct error *err)
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

static enum status boost(const struct objective *objective, BoosterHandle booster,
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
        booster_slot(&(*runs)[f].booster);
        matrix_slot(&(*runs)[f].train);
        matrix_slot(&(*runs)[f].held);
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
static enum status evaluate_own(const struct objective *objective, const struct fold_run *run,
                                double *ret_loss, struct error *err)
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
static enum status evaluate(const struct objective *objective, struct fold_run *run, int round,
                            double *ret_loss, struct error *err)
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
        TRY(new_booster(problem, settings, runs[f].train, &runs[f].booster, err));
    }
    return STATUS_OK;
}

/* Boost all inner folds in step until their pooled loss has not fallen for `patience` rounds. */
static enum status tune_rounds(const struct problem *problem,
                               const struct boosting_settings *settings, DMatrixHandle all,
                               int *ret_rounds, double *ret_loss, struct error *err)
{
    *ret_rounds = settings->max_rounds;
    *ret_loss = 0;
    if (settings->inner_folds == 0 || problem_n_all(problem) < 20)
        return STATUS_OK;
    AUTO(runs_deinit) struct fold_run runs[MAX_INNER_FOLDS] = {0};
    TRY(start_runs(problem, settings, all, runs, err));
    struct objective objective;
    TRY(init_objective(problem, settings, &objective, err));
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
            TRY(boost(&objective, runs[f].booster, runs[f].train, round, err));
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
    TRY(find_base(problem, settings, &base, err));
    AUTO(matrix_slot) DMatrixHandle matrix = NULL;
    TRY(new_matrix(problem, base, &matrix, err));
    return tune_rounds(problem, settings, matrix, ret_rounds, ret_loss, err);
}

/* ---- fit ---- */

/* XGBoost's numbers of one kind for the training rows: [n][n_outputs][width]. */
static enum status own_numbers(const struct problem *problem, BoosterHandle booster,
                               DMatrixHandle matrix, int type, size_t width, double *ret_own,
                               struct error *err)
{
    char config[120];
    snprintf(config, sizeof config,
             "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
             "\"strict_shape\":true}",
             type);
    const bst_ulong *shape;
    bst_ulong n_dims;
    const float *result;
    TRY_XGB(XGBoosterPredictFromDMatrix(booster, matrix, config, &shape, &n_dims, &result));
    size_t n = problem->n * n_outputs(problem) * width;
    size_t n_given = 1;
    for (bst_ulong i = 0; i < n_dims; i++)
        n_given *= shape[i];
    if (n_given != n)
        return fail(err, STATUS_INTERNAL, "XGBoost: predictions of another shape");
    for (size_t i = 0; i < n; i++)
        ret_own[i] = (double)result[i];
    return STATUS_OK;
}

static enum status take_own(const struct problem *problem, BoosterHandle booster,
                            DMatrixHandle matrix, double base, const struct boosting_own *own,
                            struct error *err)
{
    enum {
        MARGIN = 1,
        CONTRIBUTION = 2
    };
    size_t n = problem->n * n_outputs(problem);
    TRY(own_numbers(problem, booster, matrix, MARGIN, 1, own->margin, err));
    for (size_t i = 0; i < n; i++)
        own->margin[i] += base;
    if (!own->contribution)
        return STATUS_OK;
    size_t width = problem->p + 1;
    TRY(own_numbers(problem, booster, matrix, CONTRIBUTION, width, own->contribution, err));
    for (size_t i = 0; i < n; i++)
        own->contribution[i * width + problem->p] += base;
    return STATUS_OK;
}

static enum status take_trees(BoosterHandle booster, const struct problem *problem, double base,
                              struct fitted *fitted, struct error *err)
{
    bst_ulong length;
    const char *text;
    TRY_XGB(XGBoosterSaveModelToBuffer(booster, "{\"format\":\"json\"}", &length, &text));
    double *bases = ARENA_ARRAY(&fitted->memory, double, n_outputs(problem));
    if (!bases)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t o = 0; o < n_outputs(problem); o++)
        bases[o] = base;
    fitted->trees =
        (struct tree_model){.n_inputs = problem->p, .n_outputs = n_outputs(problem), .base = bases};
    return boosting_trees_read(text, length, &fitted->memory, &fitted->trees, err);
}

static enum status fit(const struct problem *problem, const struct boosting_settings *settings,
                       const struct boosting_own *own, struct fitted **ret_fitted,
                       struct error *err)
{
    if (problem->n > INT32_MAX)
        return fail(err, STATUS_LIMIT, "boosting takes at most %d rows", INT32_MAX);
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("trees");
    if (!fitted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    double base;
    TRY(find_base(problem, settings, &base, err));
    AUTO(matrix_slot) DMatrixHandle matrix = NULL;
    TRY(new_matrix(problem, base, &matrix, err));
    int rounds;
    double loss;
    TRY(tune_rounds(problem, settings, matrix, &rounds, &loss, err));
    struct objective objective;
    TRY(init_objective(problem, settings, &objective, err));
    AUTO(booster_slot) BoosterHandle booster = NULL;
    TRY(new_booster(problem, settings, matrix, &booster, err));
    for (int round = 0; round < rounds; round++)
        TRY(boost(&objective, booster, matrix, round, err));
    TRY(take_trees(booster, problem, base, fitted, err));
    if (own)
        TRY(take_own(problem, booster, matrix, base, own, err));
    fitted->settings =
        settings->is_forest
            ? arena_printf(&fitted->memory, "%d trees, depth %d, leaf %g, columns %g",
                           settings->parallel_trees, settings->depth, settings->min_leaf,
                           settings->column_share)
            : arena_printf(&fitted->memory, "%d rounds, depth %d, rate %g, leaf %g", rounds,
                           settings->depth, settings->rate, settings->min_leaf);
    if (!fitted->settings)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

struct fit_job {
    const struct problem *problem;
    const struct boosting_settings *settings;
    const struct boosting_own *own;
    struct fitted **ret_fitted;
};

static enum status run_job(void *user, struct error *err)
{
    const struct fit_job *job = user;
    return fit(job->problem, job->settings, job->own, job->ret_fitted, err);
}

enum status boosting_fit(const struct problem *problem, const struct boosting_settings *settings,
                         const struct boosting_own *own, struct fitted **ret_fitted,
                         struct error *err)
{
    struct fit_job job = {problem, settings, own, ret_fitted};
    return collective_run(problem->group, run_job, &job, err);
}
