/* SPDX-License-Identifier: Apache-2.0 */

/* What the outputs of a cross-validation are worth, and which model to take. */
#include "learn/crossval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/softmax.h"

const char *const metric_names[N_METRICS] = {
    [METRIC_MAE] = "mae",           [METRIC_RMSE] = "rmse",         [METRIC_R2] = "r2",
    [METRIC_SPEARMAN] = "spearman", [METRIC_ACCURACY] = "accuracy", [METRIC_MACRO_F1] = "macro_f1",
    [METRIC_AUC] = "auc",           [METRIC_LOG_LOSS] = "log_loss", [METRIC_ECE] = "ece",
};

void metrics_of_task(enum task task, enum metric *ret_first, enum metric *ret_end)
{
    *ret_first = task == TASK_REGRESSION ? METRIC_MAE : METRIC_ACCURACY;
    *ret_end = task == TASK_REGRESSION ? METRIC_ACCURACY : N_METRICS;
}

/* ---- metrics ---- */

static enum status measure_numbers(const struct target *target, const double *output,
                                   const size_t *rows, size_t n, double *ret_metric,
                                   struct error *err)
{
    AUTO(free_slot) double *work = calloc(2 * n + 1, sizeof *work);
    if (!work)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        work[i] = target->y[rows[i]];
        work[n + i] = output[rows[i]];
    }
    struct regression_metrics m;
    TRY(metrics_regression(work, work + n, n, &m, err));
    ret_metric[METRIC_MAE] = m.mae;
    ret_metric[METRIC_RMSE] = m.rmse;
    ret_metric[METRIC_R2] = m.r2;
    ret_metric[METRIC_SPEARMAN] = m.spearman;
    return STATUS_OK;
}

static enum status measure_classes(const struct target *target, const double *output,
                                   const size_t *rows, size_t n, double *ret_metric,
                                   struct error *err)
{
    size_t k = target->n_classes;
    AUTO(free_slot) double *probability = calloc(n * k + 1, sizeof *probability);
    AUTO(free_slot) uint32_t *label = calloc(n + 1, sizeof *label);
    if (!probability || !label)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        label[i] = target->label[rows[i]];
        softmax(output + rows[i] * k, k, 1.0, probability + i * k);
    }
    struct class_metrics m;
    TRY(metrics_classification(label, probability, n, k, &m, err));
    ret_metric[METRIC_ACCURACY] = m.accuracy;
    ret_metric[METRIC_MACRO_F1] = m.macro_f1;
    ret_metric[METRIC_AUC] = m.auc;
    ret_metric[METRIC_LOG_LOSS] = m.log_loss;
    ret_metric[METRIC_ECE] = m.ece;
    return STATUS_OK;
}

enum status metrics_of_rows(const struct target *target, const double *output, const size_t *rows,
                            size_t n, double ret_metric[static N_METRICS], struct error *err)
{
    for (size_t m = 0; m < N_METRICS; m++)
        ret_metric[m] = NAN;
    return target->task == TASK_REGRESSION
               ? measure_numbers(target, output, rows, n, ret_metric, err)
               : measure_classes(target, output, rows, n, ret_metric, err);
}

/* ---- choosing ---- */

void crossval_leave_out(struct crossval_entry *entry, const char *constraint)
{
    entry->broken = constraint;
    for (size_t m = 0; m < N_METRICS; m++)
        entry->mean[m] = entry->sd[m] = (double)NAN;
}

/* Larger is better; what cannot be computed is worst. */
static double goodness(const struct crossval *crossval, size_t entry, enum metric metric)
{
    double value = crossval->entries[entry].mean[metric];
    if (isnan(value))
        return -INFINITY;
    return metric_is_loss(metric) ? -value : value;
}

void crossval_order(const struct crossval *crossval, enum metric metric, size_t *ret_order)
{
    for (size_t i = 0; i < crossval->n_entries; i++) {
        size_t at = i;
        double own = goodness(crossval, i, metric);
        for (; at > 0 && goodness(crossval, ret_order[at - 1], metric) < own; at--)
            ret_order[at] = ret_order[at - 1];
        ret_order[at] = i;
    }
}

size_t crossval_select(const struct crossval *crossval, enum metric metric, enum select_rule rule)
{
    size_t best = 0;
    for (size_t i = 1; i < crossval->n_entries; i++)
        if (goodness(crossval, i, metric) > goodness(crossval, best, metric))
            best = i;
    if (rule == SELECT_BEST)
        return best;
    double error = crossval->entries[best].sd[metric] / sqrt((double)crossval->n_repeats);
    double bound = goodness(crossval, best, metric) - error;
    for (size_t i = 0; i < best; i++)
        if (goodness(crossval, i, metric) >= bound)
            return i;
    return best;
}

/* ---- the selection as a whole ---- */

struct judging {
    const struct crossval *crossval;
    const struct target *target;
    enum metric metric;
    enum select_rule rule;
    size_t *rows;   /* [n_counted] */
    double *output; /* [n][n_outputs] of what was chosen */
};

static void judging_deinit(struct judging *judging)
{
    free(judging->rows);
    free(judging->output);
}

/* The entry that does best on the counted rows of a repeat outside a fold. The one standard error
 * is that of the entry over repeats, as in crossval_select(). */
static enum status choose_without(const struct judging *judging, size_t repeat, uint32_t fold,
                                  size_t *ret_entry, struct error *err)
{
    const struct crossval *crossval = judging->crossval;
    size_t n = 0;
    for (size_t i = 0; i < crossval->n_counted; i++)
        if (crossval->fold[repeat * crossval->n + crossval->counted[i]] != fold)
            judging->rows[n++] = crossval->counted[i];
    double good[CROSSVAL_MAX_ENTRIES];
    size_t best = 0;
    for (size_t e = 0; e < crossval->n_entries; e++) {
        double metric[N_METRICS];
        TRY(metrics_of_rows(judging->target,
                            crossval->entries[e].output +
                                repeat * crossval->n * crossval->n_outputs,
                            judging->rows, n, metric, err));
        double value = metric[judging->metric];
        if (isnan(value) || crossval->entries[e].broken)
            value = metric_is_loss(judging->metric) ? HUGE_VAL : -HUGE_VAL;
        good[e] = metric_is_loss(judging->metric) ? -value : value;
        if (good[e] > good[best])
            best = e;
    }
    double error = judging->rule == SELECT_BEST ? 0
                                                : crossval->entries[best].sd[judging->metric] /
                                                      sqrt((double)crossval->n_repeats);
    size_t chosen = 0;
    while (chosen < best && (judging->rule == SELECT_BEST || good[chosen] < good[best] - error))
        chosen++;
    *ret_entry = chosen;
    return STATUS_OK;
}

static enum status judge_repeat(const struct judging *judging, size_t repeat,
                                struct crossval_selection *selection,
                                double ret_metric[static N_METRICS], struct error *err)
{
    const struct crossval *crossval = judging->crossval;
    size_t k = crossval->n_outputs;
    for (uint32_t fold = 0; fold < crossval->n_folds; fold++) {
        size_t chosen;
        TRY(choose_without(judging, repeat, fold, &chosen, err));
        selection->n_chosen[chosen]++;
        const double *from = crossval->entries[chosen].output + repeat * crossval->n * k;
        for (size_t i = 0; i < crossval->n; i++)
            if (crossval->fold[repeat * crossval->n + i] == fold)
                memcpy(judging->output + i * k, from + i * k, k * sizeof *from);
    }
    return metrics_of_rows(judging->target, judging->output, crossval->counted, crossval->n_counted,
                           ret_metric, err);
}

enum status crossval_judge_selection(const struct crossval *crossval, const struct target *target,
                                     enum metric metric, enum select_rule rule,
                                     struct crossval_selection *ret_selection, struct error *err)
{
    size_t n_repeats = crossval->n_repeats;
    AUTO(judging_deinit)
    struct judging judging = {
        .crossval = crossval,
        .target = target,
        .metric = metric,
        .rule = rule,
        .rows = calloc(crossval->n + 1, sizeof *judging.rows),
        .output = calloc(crossval->n * crossval->n_outputs + 1, sizeof *judging.output),
    };
    AUTO(free_slot) double *values = calloc(N_METRICS * n_repeats, sizeof *values);
    if (!judging.rows || !judging.output || !values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct crossval_selection selection = {0};
    for (size_t r = 0; r < n_repeats; r++) {
        double one[N_METRICS];
        TRY(judge_repeat(&judging, r, &selection, one, err));
        for (size_t m = 0; m < N_METRICS; m++)
            values[m * n_repeats + r] = one[m];
    }
    for (size_t m = 0; m < N_METRICS; m++) {
        selection.mean[m] = metrics_mean(values + m * n_repeats, n_repeats);
        selection.sd[m] = metrics_sd(values + m * n_repeats, n_repeats);
    }
    *ret_selection = selection;
    return STATUS_OK;
}
