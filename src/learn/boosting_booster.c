/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/boosting_inner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "learn/metrics.h"

#define SMALL_ROWS 500
#define MIN_THREADED_ROWS 5000

void boosting_matrix_slot(DMatrixHandle *slot)
{
    if (*slot)
        XGDMatrixFree(*slot);
}

void boosting_booster_slot(BoosterHandle *slot)
{
    if (*slot)
        XGBoosterFree(*slot);
}

void boosting_tell_failure(struct error *err)
{
    /* A failure is -1 and a text, which may have lines: the first one is enough. */
    const char *text = XGBGetLastError();
    (void)fail(err, STATUS_INTERNAL, "XGBoost: %.*s", (int)strcspn(text, "\n"), text);
}

size_t boosting_outputs(const struct problem *problem)
{
    return problem->task == TASK_CLASSIFICATION ? problem->n_classes : 1;
}

enum status boosting_base(const struct problem *problem, const struct boosting_settings *settings,
                          double *ret_base, struct error *err)
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

enum status boosting_matrix_new(const struct problem *problem, double base,
                                DMatrixHandle *ret_matrix, struct error *err)
{
    AUTO(boosting_matrix_slot) DMatrixHandle matrix = NULL;
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

enum status boosting_booster_new(const struct problem *problem,
                                 const struct boosting_settings *settings, DMatrixHandle matrix,
                                 BoosterHandle *ret_booster, struct error *err)
{
    static const struct {
        const char *objective, *metric;
    } losses[] = {
        [BOOSTING_SQUARED] = {"reg:squarederror", "rmse"},
        [BOOSTING_ABSOLUTE] = {"reg:absoluteerror", "mae"},
        [BOOSTING_CLASSES] = {"multi:softprob", "mlogloss"},
        /* The gradients are ours: see boosting_round(). */
        [BOOSTING_HUBER] = {"reg:squarederror", "rmse"},
        [BOOSTING_QUANTILE] = {"reg:squarederror", "rmse"},
    };
    AUTO(boosting_booster_slot) BoosterHandle booster = NULL;
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
