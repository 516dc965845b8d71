/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/metrics.h"

const struct trainer *const trainers[] = {
    &trainer_constant,
    &trainer_ridge,
    &trainer_elastic_net,
    &trainer_huber,
    &trainer_nearest,
    &trainer_svr,
    &trainer_boosting_squared,
    &trainer_boosting_absolute,
    &trainer_boosting_huber,
    &trainer_boosting_quantile,
    &trainer_forest,
    &trainer_smoothing,
    &trainer_blend,
    &trainer_prior,
    &trainer_ordinal,
    &trainer_softmax,
    &trainer_softmax_balanced,
    &trainer_nearest_classes,
    &trainer_propagation,
    &trainer_propagation_balanced,
    &trainer_boosting_classes,
    &trainer_boosting_balanced,
    &trainer_forest_classes,
    &trainer_forest_balanced,
    &trainer_blend_classes,
    &trainer_text,
};
const size_t n_trainers = ARRAY_LENGTH(trainers);

const struct trainer *trainer_find(const char *name, enum task task)
{
    for (size_t i = 0; i < n_trainers; i++)
        if (trainers[i]->task == task && strcmp(trainers[i]->name, name) == 0)
            return trainers[i];
    return NULL;
}

enum status problem_mean(const struct problem *problem, double *ret_mean, struct error *err)
{
    if (!problem->group) {
        *ret_mean = metrics_mean(problem->y, problem->n);
        return STATUS_OK;
    }
    double sum = 0;
    for (size_t i = 0; i < problem->n; i++)
        sum += problem->y[i];
    TRY(collective_sum(problem->group, &sum, 1, err));
    *ret_mean = sum / (double)problem->n_all;
    return STATUS_OK;
}

enum status problem_sd(const struct problem *problem, double *ret_sd, struct error *err)
{
    if (!problem->group) {
        *ret_sd = metrics_sd(problem->y, problem->n);
        return STATUS_OK;
    }
    double mean;
    TRY(problem_mean(problem, &mean, err));
    double sum = 0;
    for (size_t i = 0; i < problem->n; i++)
        sum += (problem->y[i] - mean) * (problem->y[i] - mean);
    TRY(collective_sum(problem->group, &sum, 1, err));
    *ret_sd = problem->n_all > 1 ? sqrt(sum / (double)(problem->n_all - 1)) : 0;
    return STATUS_OK;
}

struct fitted *fitted_new(const char *family)
{
    struct fitted *fitted = calloc(1, sizeof *fitted);
    if (!fitted)
        return NULL;
    arena_init(&fitted->memory, 4096);
    fitted->family = family;
    fitted->settings = "";
    return fitted;
}

void fitted_free(struct fitted *fitted)
{
    if (!fitted)
        return;
    for (size_t i = 0; i < BLEND_MAX_MEMBERS; i++)
        fitted_free(fitted->members[i]);
    arena_deinit(&fitted->memory);
    free(fitted);
}

enum status fitted_new_linear(size_t n_inputs, size_t n_outputs, struct fitted **ret_fitted,
                              double **ret_weights, struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("linear");
    double *weights =
        fitted ? ARENA_ARRAY(&fitted->memory, double, n_outputs *(n_inputs + 1)) : NULL;
    if (!weights)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    fitted->linear = (struct linear_model){n_inputs, n_outputs, weights};
    *ret_weights = weights;
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}
