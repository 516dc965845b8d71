/* SPDX-License-Identifier: Apache-2.0 */

/* The linear regressions: constant, ridge, Huber. Ridge and Huber tune their penalty by inner folds
 * over the training rows. */
#include "learn/tune.h"

#include <math.h>
#include <stdlib.h>

#include "dataset/split.h"
#include "learn/folds.h"
#include "learn/least_squares.h"
#include "learn/metrics.h"

#define INNER_FOLDS 5
/* Beyond this many rows the penalty is tuned on the first so many of a random order. */
#define MAX_TUNING_ROWS 2000
/* The search ends when so many smaller penalties in a row were no better. */
#define TUNING_PATIENCE 2

/* Penalties as a share of the rows, so that a grid fits every size. Falling: of two that do
 * equally well the first, the larger one, is taken. */
static const double penalty_grid[] = {10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4};

typedef enum status (*linear_solver)(const struct linear_rows *rows, double penalty,
                                     double *ret_weights, struct error *err);

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median; sorts in place. */
static double median(double *values, size_t n)
{
    qsort(values, n, sizeof values[0], compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

static enum status constant_fit(const struct problem *problem, struct fitted **ret_fitted,
                                struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights;
    TRY(fitted_new_linear(problem->p, 1, &fitted, &weights, err));
    AUTO(free_slot) double *y = calloc(problem->n + 1, sizeof *y);
    if (!y)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < problem->n; i++)
        y[i] = problem->y[i];
    bool absolute = problem->loss == LOSS_ABSOLUTE;
    weights[problem->p] = absolute ? median(y, problem->n) : metrics_mean(y, problem->n);
    fitted->settings = absolute ? "median" : "mean";
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static double held_out_loss(const struct problem *problem, const double *weights,
                            const size_t *rows, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double residual = problem->y[rows[i]] -
                          linear_value(weights, problem->scaled + rows[i] * problem->p, problem->p);
        sum += problem->loss == LOSS_ABSOLUTE ? fabs(residual) : residual * residual;
    }
    return sum;
}

struct tuning {
    struct fold_rows rows;
    uint32_t *fold_of_row; /* [n] */
    double *weights;       /* [INNER_FOLDS][p + 1]: each fold goes on from its own */
};

static void tuning_deinit(struct tuning *tuning)
{
    fold_rows_deinit(&tuning->rows);
    free(tuning->fold_of_row);
    free(tuning->weights);
}

static enum status tuning_init(struct tuning *tuning, const struct problem *problem,
                               struct error *err)
{
    tuning->fold_of_row = calloc(problem->n, sizeof *tuning->fold_of_row);
    tuning->weights = calloc(INNER_FOLDS * (problem->p + 1), sizeof *tuning->weights);
    if (!tuning->fold_of_row || !tuning->weights)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(fold_rows_init(&tuning->rows, problem->n, err));
    /* Folds of MAX_TUNING_ROWS in all: of a larger table, the other folds are left out. */
    size_t n = problem->n < MAX_TUNING_ROWS ? problem->n : MAX_TUNING_ROWS;
    return split_plain(problem->n, problem->n / n * INNER_FOLDS, problem->seed, tuning->fold_of_row,
                       err);
}

/* The held-out loss of a penalty, as a share of the rows, over the inner folds. */
static enum status try_penalty(const struct problem *problem, linear_solver solve, double share,
                               struct tuning *tuning, double *ret_loss, struct error *err)
{
    const struct fold_rows *rows = &tuning->rows;
    double loss = 0;
    for (uint32_t fold = 0; fold < INNER_FOLDS; fold++) {
        double *weights = tuning->weights + fold * (problem->p + 1);
        fold_rows_take(&tuning->rows, tuning->fold_of_row, problem->n, fold, INNER_FOLDS);
        struct linear_rows part = {problem->scaled, problem->y, rows->train,
                                   rows->n_train,   problem->p, NULL};
        TRY(solve(&part, share * (double)rows->n_train, weights, err));
        loss += held_out_loss(problem, weights, rows->held, rows->n_held);
    }
    *ret_loss = loss;
    return STATUS_OK;
}

/* The penalty with the least loss over the inner folds; of equals the largest. */
static enum status tune_penalty(const struct problem *problem, linear_solver solve,
                                double *ret_share, struct error *err)
{
    *ret_share = 0.1;
    if (problem->n < 2 * INNER_FOLDS)
        return STATUS_OK;
    AUTO(tuning_deinit) struct tuning tuning = {0};
    TRY(tuning_init(&tuning, problem, err));
    double best_loss = INFINITY;
    size_t best = 0;
    for (size_t g = 0; g < ARRAY_LENGTH(penalty_grid) && g <= best + TUNING_PATIENCE; g++) {
        double loss;
        TRY(try_penalty(problem, solve, penalty_grid[g], &tuning, &loss, err));
        if (loss < best_loss) {
            best_loss = loss;
            best = g;
        }
    }
    *ret_share = penalty_grid[best];
    return STATUS_OK;
}

static enum status linear_fit(const struct problem *problem, linear_solver solve,
                              struct fitted **ret_fitted, struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights;
    TRY(fitted_new_linear(problem->p, 1, &fitted, &weights, err));
    double share = 0;
    if (problem_deciding(problem))
        TRY(tune_penalty(problem_deciding(problem), solve, &share, err));
    TRY(collective_broadcast(problem->group, &share, sizeof share, 0, err));
    struct linear_rows all = {problem->scaled, problem->y, NULL,
                              problem->n,      problem->p, problem->group};
    double penalty = share * (double)problem_n_all(problem);
    TRY(solve(&all, penalty, weights, err));
    fitted->settings = arena_printf(&fitted->memory, "alpha = %g", penalty);
    if (!fitted->settings)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status ridge_fit(const struct problem *problem, struct fitted **ret_fitted,
                             struct error *err)
{
    return linear_fit(problem, ridge_solve, ret_fitted, err);
}

static enum status huber_fit(const struct problem *problem, struct fitted **ret_fitted,
                             struct error *err)
{
    return linear_fit(problem, huber_solve, ret_fitted, err);
}

/* ---- elastic net ---- */

static const double net_shares[] = {0.03, 0.003, 0.01, 0.1, 0.3, 0.001};
static const double net_mixes[] = {0.5, 0.1, 0.9};

static const struct knob net_knobs[] = {
    {"penalty", net_shares, ARRAY_LENGTH(net_shares)},
    {"l1", net_mixes, ARRAY_LENGTH(net_mixes)},
};

/* value: the penalty as a share of the rows (and, of |w|, of the target's deviation), and how much
 * of it is on |w|. */
static enum status net_fit(const struct problem *problem, const double *value,
                           struct fitted **ret_fitted, struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights;
    TRY(fitted_new_linear(problem->p, 1, &fitted, &weights, err));
    struct linear_rows rows = {problem->scaled, problem->y, NULL,
                               problem->n,      problem->p, problem->group};
    double sd;
    TRY(problem_sd(problem, &sd, err));
    double penalty = value[0] * (double)problem_n_all(problem);
    double l1 = penalty * value[1] * sd;
    TRY(elastic_net_solve(&rows, l1, penalty * (1.0 - value[1]), weights, err));
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status elastic_net_fit(const struct problem *problem, struct fitted **ret_fitted,
                                   struct error *err)
{
    static const struct recipe recipe = {net_knobs, ARRAY_LENGTH(net_knobs), net_fit};
    return tune_recipe(&recipe, problem, ret_fitted, err);
}

const struct trainer trainer_elastic_net = {
    .name = "elastic_net",
    .task = TASK_REGRESSION,
    .help = "least squares with L1 and L2 penalties: what does not help is left out",
    .joins_groups = true,
    .fit = elastic_net_fit,
};
const struct trainer trainer_constant = {
    .name = "constant",
    .task = TASK_REGRESSION,
    .help = "the median (or the mean) of the target: what every other model has to beat",
    .fit = constant_fit,
};
const struct trainer trainer_ridge = {
    .name = "ridge",
    .task = TASK_REGRESSION,
    .help = "least squares with an L2 penalty",
    .joins_groups = true,
    .fit = ridge_fit,
};
const struct trainer trainer_huber = {
    .name = "huber",
    .task = TASK_REGRESSION,
    .help = "Huber's loss with an L2 penalty: outliers pull with bounded force",
    .fit = huber_fit,
};
