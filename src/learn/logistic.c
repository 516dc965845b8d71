/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/logistic.h"

#include <math.h>
#include <stdlib.h>

#include "dataset/split.h"
#include "learn/folds.h"
#include "learn/lbfgs.h"
#include "learn/least_squares.h"
#include "learn/metrics.h"
#include "learn/tune.h"
#include "runtime/softmax.h"

#define INNER_FOLDS 5
#define MAX_TUNING_ROWS 2000

/* Enough to tell penalties apart; the fit that ships is solved to the end. */
#define TUNING_TOLERANCE 1e-3

/* The search ends when so many smaller penalties in a row were no better. */
#define TUNING_PATIENCE 2

/* Penalties; 1 / C in the terms of other libraries. Falling, so that each fit starts from the one
 * before, which is nearer to zero. */
static const double penalty_grid[] = {300, 100, 30, 10, 3, 1, 0.3, 0.1, 0.03};

/* Adds one row's gradient; returns its loss. */
static double add_row(const struct logistic_problem *problem, size_t row, const double *weights,
                      double *gradient)
{
    const float *x = problem->x + row * problem->p;
    size_t p = problem->p;
    double *logit = problem->scratch;
    double *probability = problem->scratch + problem->k;
    for (size_t c = 0; c < problem->k; c++)
        logit[c] = linear_value(weights + c * (p + 1), x, p);
    softmax(logit, problem->k, 1.0, probability);
    uint32_t label = problem->label[row];
    double weight = problem->class_weight ? problem->class_weight[label] : 1.0;
    for (size_t c = 0; c < problem->k; c++) {
        double slope = weight * (probability[c] - (c == label ? 1.0 : 0.0));
        double *to = gradient + c * (p + 1);
        for (size_t i = 0; i < p; i++)
            to[i] += slope * (double)x[i];
        to[p] += slope;
    }
    return -weight * log(fmax(probability[label], 1e-300));
}

double logistic_loss(void *user, const double *weights, double *ret_gradient)
{
    const struct logistic_problem *problem = user;
    size_t width = problem->p + 1;
    for (size_t i = 0; i < problem->k * width; i++)
        ret_gradient[i] = 0;
    double loss = 0;
    for (size_t i = 0; i < problem->n; i++)
        loss += add_row(problem, problem->rows ? problem->rows[i] : i, weights, ret_gradient);
    for (size_t i = 0; i < problem->k * width; i++) {
        if (i % width == problem->p)
            continue;
        loss += problem->penalty / 2.0 * weights[i] * weights[i];
        ret_gradient[i] += problem->penalty * weights[i];
    }
    double scale = 1.0 / (double)problem->n;
    for (size_t i = 0; i < problem->k * width; i++)
        ret_gradient[i] *= scale;
    return loss * scale;
}

enum status logistic_fit(const struct logistic_problem *problem, double *weights, struct error *err)
{
    AUTO(free_slot) double *scratch = calloc(2 * problem->k, sizeof *scratch);
    if (!scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct logistic_problem own = *problem;
    own.scratch = scratch;
    const struct lbfgs_options options = {
        .max_iterations = 200,
        .tolerance = problem->tolerance > 0 ? problem->tolerance : 1e-5,
    };
    return lbfgs_minimise(logistic_loss, &own, weights, own.k * (own.p + 1), &options, err);
}

static double held_out_loss(const struct logistic_problem *problem, const double *weights,
                            const size_t *rows, size_t n, double *scratch)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t label = problem->label[rows[i]];
        const float *x = problem->x + rows[i] * problem->p;
        for (size_t c = 0; c < problem->k; c++)
            scratch[c] = linear_value(weights + c * (problem->p + 1), x, problem->p);
        softmax(scratch, problem->k, 1.0, scratch + problem->k);
        double row_loss = -log(fmax(scratch[problem->k + label], 1e-15));
        loss += problem->class_weight ? problem->class_weight[label] * row_loss : row_loss;
    }
    return loss;
}

struct tuning {
    struct fold_rows rows;
    uint32_t *fold_of_row; /* [n] */
    double *weights;       /* [INNER_FOLDS][k][p + 1]: each fold goes on from its own */
    double *scratch;       /* [2 k] */
};

static void tuning_deinit(struct tuning *tuning)
{
    fold_rows_deinit(&tuning->rows);
    free(tuning->fold_of_row);
    free(tuning->weights);
    free(tuning->scratch);
}

static enum status tuning_init(struct tuning *tuning, const struct logistic_problem *all,
                               uint64_t seed, struct error *err)
{
    tuning->fold_of_row = calloc(all->n, sizeof *tuning->fold_of_row);
    tuning->weights = calloc(INNER_FOLDS * all->k * (all->p + 1), sizeof *tuning->weights);
    tuning->scratch = calloc(2 * all->k, sizeof *tuning->scratch);
    if (!tuning->fold_of_row || !tuning->weights || !tuning->scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(fold_rows_init(&tuning->rows, all->n, err));
    size_t n_folds =
        all->n > MAX_TUNING_ROWS ? all->n / MAX_TUNING_ROWS * INNER_FOLDS : INNER_FOLDS;
    return split_stratified(all->label, all->n, n_folds, seed, tuning->fold_of_row, err);
}

/* The held-out loss of a penalty, over the inner folds. */
static enum status try_penalty(const struct logistic_problem *all, struct tuning *tuning,
                               double penalty, double *ret_loss, struct error *err)
{
    const struct fold_rows *rows = &tuning->rows;
    double loss = 0;
    for (uint32_t fold = 0; fold < INNER_FOLDS; fold++) {
        double *weights = tuning->weights + fold * all->k * (all->p + 1);
        fold_rows_take(&tuning->rows, tuning->fold_of_row, all->n, fold, INNER_FOLDS);
        struct logistic_problem part = *all;
        part.rows = rows->train;
        part.n = rows->n_train;
        part.tolerance = TUNING_TOLERANCE;
        /* The penalty is in rows' worth: a fold with fewer rows takes its share. */
        part.penalty = penalty * (double)part.n / (double)all->n;
        TRY(logistic_fit(&part, weights, err));
        loss += held_out_loss(all, weights, rows->held, rows->n_held, tuning->scratch);
    }
    *ret_loss = loss;
    return STATUS_OK;
}

static enum status tune_penalty(const struct logistic_problem *all, uint64_t seed,
                                double *ret_penalty, struct error *err)
{
    *ret_penalty = 1.0;
    if (all->n < 2 * INNER_FOLDS)
        return STATUS_OK;
    AUTO(tuning_deinit) struct tuning tuning = {0};
    TRY(tuning_init(&tuning, all, seed, err));
    double best_loss = INFINITY;
    size_t best = 0;
    for (size_t g = 0; g < ARRAY_LENGTH(penalty_grid) && g <= best + TUNING_PATIENCE; g++) {
        double loss;
        TRY(try_penalty(all, &tuning, penalty_grid[g], &loss, err));
        if (loss < best_loss) {
            best_loss = loss;
            best = g;
        }
    }
    *ret_penalty = penalty_grid[best];
    return STATUS_OK;
}

static enum status softmax_train(const struct problem *problem, struct fitted **ret_fitted,
                                 struct error *err)
{
    struct logistic_problem all = {
        .x = problem->scaled,
        .label = problem->label,
        .n = problem->n,
        .p = problem->p,
        .k = problem->n_classes,
        .class_weight = problem->class_weight,
    };
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights;
    TRY(fitted_new_linear(problem->p, problem->n_classes, &fitted, &weights, err));
    TRY(tune_penalty(&all, problem->seed, &all.penalty, err));
    TRY(logistic_fit(&all, weights, err));
    fitted->settings = arena_printf(&fitted->memory, "C = %g", 1.0 / all.penalty);
    if (!fitted->settings)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status balanced_train(const struct problem *problem, struct fitted **ret_fitted,
                                  struct error *err)
{
    AUTO(free_slot) double *weight = calloc(problem->n_classes + 1, sizeof *weight);
    if (!weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(class_weights_balanced(problem, weight, err));
    struct problem balanced = *problem;
    balanced.class_weight = weight;
    return softmax_train(&balanced, ret_fitted, err);
}

/* The classes' shares, with one more row a class so that none is impossible. */
static enum status prior_train(const struct problem *problem, struct fitted **ret_fitted,
                               struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights;
    TRY(fitted_new_linear(problem->p, problem->n_classes, &fitted, &weights, err));
    size_t width = problem->p + 1;
    for (size_t c = 0; c < problem->n_classes; c++)
        weights[c * width + problem->p] = 1.0;
    for (size_t i = 0; i < problem->n; i++)
        weights[problem->label[i] * width + problem->p] += 1.0;
    for (size_t c = 0; c < problem->n_classes; c++)
        weights[c * width + problem->p] = log(weights[c * width + problem->p]);
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

const struct trainer trainer_prior = {
    .name = "prior",
    .task = TASK_CLASSIFICATION,
    .help = "the classes' shares: what every other model has to beat",
    .fit = prior_train,
};
const struct trainer trainer_softmax = {
    .name = "softmax",
    .task = TASK_CLASSIFICATION,
    .help = "multinomial logistic regression with an L2 penalty",
    .fit = softmax_train,
};
const struct trainer trainer_softmax_balanced = {
    .name = "softmax_balanced",
    .task = TASK_CLASSIFICATION,
    .help = "softmax in which all classes count the same: rare ones are found, shares are not kept",
    .fit = balanced_train,
};
