/* SPDX-License-Identifier: Apache-2.0 */

/* A weighted mean of other trainers' models. The weights come from inner folds, by greedy selection
 * with replacement (Caruana, Niculescu-Mizil, Crew, Ksikes 2004): the member that lowers the loss
 * of the mean most is taken, STEPS times; how often one was taken is its weight. Equal steps leave
 * little to overfit. Of classes it is the logits that are averaged. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "learn/folds.h"
#include "learn/shipped.h"
#include "learn/tune.h"

#define STEPS 8
#define MIN_ROWS 30 /* fewer are not split: all members count the same */

static const struct trainer *const number_members[] = {
    &trainer_ridge,
    &trainer_huber,
    &trainer_svr,
    &trainer_boosting_squared,
    &trainer_boosting_absolute,
    &trainer_forest,
};
static const struct trainer *const class_members[] = {
    &trainer_softmax,          &trainer_ordinal,        &trainer_nearest_classes,
    &trainer_boosting_classes, &trainer_forest_classes,
};

struct pool {
    const struct problem *problem;
    const struct trainer *trainers[BLEND_MAX_MEMBERS];
    size_t n_members, k;
    double *output; /* [n_members][n][k] of held-out rows */
    double *mean;   /* [n][k] of what was taken so far, summed */
    uint32_t *fold; /* [n] */
    size_t taken[BLEND_MAX_MEMBERS];
};

static void pool_deinit(struct pool *pool)
{
    free(pool->output);
    free(pool->mean);
    free(pool->fold);
}

static void add_members(struct pool *pool, const struct trainer *const *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!members[i]->needs_order || pool->problem->is_ordered)
            pool->trainers[pool->n_members++] = members[i];
}

static enum status pool_init(struct pool *pool, struct error *err)
{
    const struct problem *problem = pool->problem;
    if (problem->task == TASK_REGRESSION)
        add_members(pool, number_members, ARRAY_LENGTH(number_members));
    else
        add_members(pool, class_members, ARRAY_LENGTH(class_members));
    pool->k = problem->task == TASK_REGRESSION ? 1 : problem->n_classes;
    pool->output = calloc(pool->n_members * problem->n * pool->k + 1, sizeof *pool->output);
    pool->mean = calloc(problem->n * pool->k + 1, sizeof *pool->mean);
    pool->fold = calloc(problem->n + 1, sizeof *pool->fold);
    if (!pool->output || !pool->mean || !pool->fold)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

static enum status fit_part(const struct pool *pool, size_t member,
                            const struct problem_part *train, const struct fold_rows *rows,
                            struct error *err)
{
    const struct problem *problem = pool->problem;
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    TRY(pool->trainers[member]->fit(&train->problem, &fitted, err));
    TRY(shipped_open(fitted, problem->spec, &shipped, err));
    double *output = pool->output + member * problem->n * pool->k;
    for (size_t i = 0; i < rows->n_held; i++)
        shipped_run(shipped, problem->raw + rows->held[i] * problem->p, 1,
                    output + rows->held[i] * pool->k);
    return STATUS_OK;
}

/* What each member says of rows it has not seen, with its default settings. */
static enum status fill_outputs(struct pool *pool, struct error *err)
{
    const struct problem *problem = pool->problem;
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, problem->n, err));
    TRY(tune_folds(problem, pool->fold, err));
    for (uint32_t fold = 0; fold < TUNE_FOLDS; fold++) {
        fold_rows_take(&rows, pool->fold, problem->n, fold, TUNE_FOLDS);
        AUTO(problem_part_deinit) struct problem_part train = {0};
        TRY(problem_part_init(&train, problem, rows.train, rows.n_train, err));
        train.problem.n_fits = 1;
        for (size_t m = 0; m < pool->n_members; m++)
            TRY(fit_part(pool, m, &train, &rows, err));
    }
    return STATUS_OK;
}

/* The loss of the mean of what was taken in `step` steps and one more of `member`. */
static double loss_with(const struct pool *pool, size_t member, size_t step, double *row)
{
    const struct problem *problem = pool->problem;
    const double *output = pool->output + member * problem->n * pool->k;
    double loss = 0;
    for (size_t i = 0; i < problem->n; i++) {
        for (size_t c = 0; c < pool->k; c++)
            row[c] = (pool->mean[i * pool->k + c] + output[i * pool->k + c]) / (double)(step + 1);
        loss += problem_row_loss(problem, i, row);
    }
    return loss;
}

static enum status take_members(struct pool *pool, struct error *err)
{
    AUTO(free_slot) double *row = calloc(pool->k + 1, sizeof *row);
    if (!row)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = pool->problem->n * pool->k;
    for (size_t step = 0; step < STEPS; step++) {
        size_t best = 0;
        double best_loss = HUGE_VAL;
        for (size_t m = 0; m < pool->n_members; m++) {
            double loss = loss_with(pool, m, step, row);
            if (loss < best_loss) {
                best_loss = loss;
                best = m;
            }
        }
        pool->taken[best]++;
        for (size_t i = 0; i < n; i++)
            pool->mean[i] += pool->output[best * n + i];
    }
    return STATUS_OK;
}

/* Fit the members that were taken to all rows. */
static enum status assemble(const struct pool *pool, struct fitted **ret_fitted, struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("blend");
    double *weights = fitted ? ARENA_ARRAY(&fitted->memory, double, BLEND_MAX_MEMBERS) : NULL;
    const char **families =
        fitted ? ARENA_ARRAY(&fitted->memory, const char *, BLEND_MAX_MEMBERS) : NULL;
    if (!weights || !families)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    AUTO(buffer_deinit) struct buffer text = {0};
    size_t total = 0;
    size_t n = 0;
    for (size_t m = 0; m < pool->n_members; m++)
        total += pool->taken[m];
    for (size_t m = 0; m < pool->n_members; m++) {
        if (pool->taken[m] == 0)
            continue;
        TRY(pool->trainers[m]->fit(pool->problem, &fitted->members[n], err));
        weights[n] = (double)pool->taken[m] / (double)total;
        families[n] = fitted->members[n]->family;
        buffer_printf(&text, "%s%g %s", n ? " + " : "", weights[n], pool->trainers[m]->name);
        n++;
    }
    fitted->blend = (struct blend_model){n, weights, families};
    fitted->settings = arena_strndup(&fitted->memory, text.at ? text.at : "", text.length);
    if (!fitted->settings)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status blend_train(const struct problem *problem, struct fitted **ret_fitted,
                               struct error *err)
{
    AUTO(pool_deinit) struct pool pool = {.problem = problem};
    TRY(pool_init(&pool, err));
    if (problem->n >= MIN_ROWS) {
        TRY(fill_outputs(&pool, err));
        TRY(take_members(&pool, err));
    } else {
        for (size_t m = 0; m < pool.n_members; m++)
            pool.taken[m] = 1;
    }
    return assemble(&pool, ret_fitted, err);
}

const struct trainer trainer_blend = {
    .name = "blend",
    .task = TASK_REGRESSION,
    .help = "a weighted mean of ridge, huber, svr, boosting and forest, weighted by inner folds",
    .fit = blend_train,
};
const struct trainer trainer_blend_classes = {
    .name = "blend",
    .task = TASK_CLASSIFICATION,
    .help = "a weighted mean of softmax, ordinal, neighbours, boosting and forest",
    .fit = blend_train,
};
