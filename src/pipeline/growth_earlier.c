/* SPDX-License-Identifier: Apache-2.0 */

/* How a growth model of the period before does on the newest period. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/shipped.h"
#include "pipeline/certainty.h"
#include "pipeline/growth.h"

struct learnt {
    struct design design;
    struct crossval *crossval;
    struct feature_spec *spec;
    struct fitted *fitted;
    struct interval_rule intervals;
};

static void learnt_deinit(struct learnt *learnt)
{
    crossval_free(learnt->crossval);
    feature_spec_free(learnt->spec);
    fitted_free(learnt->fitted);
}

static enum status learn(const struct growth_earlier_input *input, struct learnt *learnt,
                         struct error *err)
{
    TRY(growth_design(input->before, input->names, input->arena, &learnt->design, err));
    struct crossval_input crossval = {
        .table = input->before->table,
        .design = &learnt->design,
        .target = input->before->target,
        .trainers = &input->trainer,
        .n_trainers = 1,
        .n_folds = (size_t)input->config->search_folds,
        .n_repeats = 1,
        .seed = input->seed,
        .loss = LOSS_ABSOLUTE,
        .n_fits = (size_t)input->config->search_fits,
        .n_threads = (int)input->config->search_threads,
        .stage = "growth, an earlier period",
    };
    TRY(crossval_run(&crossval, &learnt->crossval, err));
    TRY(crossval_refit(&crossval, input->trainer, &learnt->spec, &learnt->fitted, err));
    struct certainty_input certainty = {
        .table = input->before->table,
        .target = input->before->target,
        .crossval = learnt->crossval,
        .sizes = input->sizes,
        .coverage = input->config->growth_coverage,
    };
    struct conformal_measure measure;
    return certainty_intervals(&certainty, &learnt->intervals, &measure, NULL, err);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

enum status growth_median(const struct target *target, double *ret_median, struct error *err)
{
    AUTO(free_slot) double *sorted = calloc(target->n + 1, sizeof *sorted);
    if (!sorted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    memcpy(sorted, target->y, target->n * sizeof *sorted);
    qsort(sorted, target->n, sizeof *sorted, compare_doubles);
    *ret_median = (sorted[(target->n - 1) / 2] + sorted[target->n / 2]) / 2;
    return STATUS_OK;
}

/* stretch: the length of the newest period by that of the earlier one. */
static enum status judge(const struct growth_earlier_input *input, const struct learnt *learnt,
                         double stretch, struct growth_earlier *earlier, struct error *err)
{
    const struct target *target = input->now->target;
    const struct table *table = input->now->table;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    AUTO(shipped_close_slot) struct shipped *model = NULL;
    AUTO(free_slot) double *predicted = calloc(target->n + 1, sizeof *predicted);
    double median = 0;
    if (!predicted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(growth_median(input->before->target, &median, err));
    TRY(matrix_make(learnt->spec, table, target->rows, target->n, &matrix, err));
    TRY(shipped_open(learnt->fitted, learnt->spec, &model, err));
    shipped_run(model, matrix.raw, target->n, predicted);
    TRY(metrics_spearman(target->y, predicted, target->n, &earlier->spearman, err));
    double n = (double)target->n;
    for (size_t i = 0; i < target->n; i++) {
        struct profile profile;
        design_profile(table, target->rows[i], &profile);
        struct interval_offsets offsets =
            interval_at(&learnt->intervals, predicted[i], profile.number[PROFILE_followers]);
        double miss = target->y[i] - stretch * predicted[i];
        earlier->mae += fabs(miss) / n;
        earlier->baseline_mae += fabs(target->y[i] - stretch * median) / n;
        earlier->covered += (miss >= stretch * offsets.low && miss <= stretch * offsets.high) / n;
    }
    return STATUS_OK;
}

enum status growth_judge_earlier(const struct growth_earlier_input *input,
                                 struct growth_earlier *ret_earlier, struct error *err)
{
    AUTO(learnt_deinit) struct learnt learnt = {0};
    const double *previous = input->before->table->number[PROFILE_previous_followers];
    struct growth_earlier earlier = {
        .base = input->before->base,
        .until = input->now->base,
        .n = input->now->target->n,
        .n_learnt = input->before->target->n,
        .had_growth = previous != NULL,
    };
    TRY(learn(input, &learnt, err));
    double stretch = (input->until - earlier.until) / (earlier.until - earlier.base);
    TRY(judge(input, &learnt, stretch, &earlier, err));
    *ret_earlier = earlier;
    return STATUS_OK;
}
