/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/boosting.h"

#include <stdio.h>

#include "learn/boosting_inner.h"
#include "learn/boosting_trees.h"

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
    size_t n = problem->n * boosting_outputs(problem) * width;
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
    size_t n = problem->n * boosting_outputs(problem);
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
    double *bases = ARENA_ARRAY(&fitted->memory, double, boosting_outputs(problem));
    if (!bases)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t o = 0; o < boosting_outputs(problem); o++)
        bases[o] = base;
    fitted->trees = (struct tree_model){
        .n_inputs = problem->p, .n_outputs = boosting_outputs(problem), .base = bases};
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
    TRY(boosting_base(problem, settings, &base, err));
    AUTO(boosting_matrix_slot) DMatrixHandle matrix = NULL;
    TRY(boosting_matrix_new(problem, base, &matrix, err));
    int rounds;
    double loss;
    TRY(boosting_rounds(problem, settings, matrix, &rounds, &loss, err));
    struct boosting_objective objective;
    TRY(boosting_objective_init(problem, settings, &objective, err));
    AUTO(boosting_booster_slot) BoosterHandle booster = NULL;
    TRY(boosting_booster_new(problem, settings, matrix, &booster, err));
    for (int round = 0; round < rounds; round++)
        TRY(boosting_round(&objective, booster, matrix, round, err));
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
