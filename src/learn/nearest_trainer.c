/* SPDX-License-Identifier: Apache-2.0 */

/* Nearest neighbours: the training rows are the model; k is searched. */
#include <stdlib.h>
#include <string.h>

#include "learn/tune.h"

static const double counts[] = {15, 5, 8, 11, 20, 30, 50, 80};

static const struct knob knobs[] = {{"k", counts, ARRAY_LENGTH(counts)}};

static enum status nearest_fit(const struct problem *problem, const double *value,
                               struct fitted **ret_fitted, struct error *err)
{
    bool classes = problem->task == TASK_CLASSIFICATION;
    size_t n = problem->n;
    size_t k = classes ? problem->n_classes : 1;
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("nearest");
    if (!fitted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    float *rows = ARENA_ARRAY(&fitted->memory, float, n * problem->p);
    double *values = ARENA_ARRAY(&fitted->memory, double, n);
    double *prior = ARENA_ARRAY(&fitted->memory, double, k);
    if (!rows || !values || !prior)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    memcpy(rows, problem->scaled, n * problem->p * sizeof *rows);
    for (size_t c = 0; c < k; c++)
        prior[c] = classes ? 1.0 / (double)(n + k) : 0;
    for (size_t i = 0; i < n; i++) {
        values[i] = classes ? (double)problem->label[i] : problem->y[i];
        prior[classes ? problem->label[i] : 0] +=
            classes ? 1.0 / (double)(n + k) : problem->y[i] / (double)n;
    }
    fitted->nearest = (struct nearest_model){
        .n_inputs = problem->p,
        .n_outputs = k,
        .n_rows = n,
        .k = (size_t)value[0] < n ? (size_t)value[0] : n,
        .answer = classes                          ? NEAREST_SHARES
                  : problem->loss == LOSS_ABSOLUTE ? NEAREST_MEDIAN
                                                   : NEAREST_MEAN,
        .rows = rows,
        .values = values,
        .prior = prior,
        .seed = problem->seed,
    };
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status nearest_train(const struct problem *problem, struct fitted **ret_fitted,
                                 struct error *err)
{
    static const struct recipe recipe = {knobs, ARRAY_LENGTH(knobs), nearest_fit};
    return tune_recipe(&recipe, problem, ret_fitted, err);
}

const struct trainer trainer_nearest = {
    .name = "neighbours",
    .task = TASK_REGRESSION,
    .help = "the median (or the mean) of the nearest rows",
    .fit = nearest_train,
};
const struct trainer trainer_nearest_classes = {
    .name = "neighbours",
    .task = TASK_CLASSIFICATION,
    .help = "the classes of the nearest rows",
    .fit = nearest_train,
};
