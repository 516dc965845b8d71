/* SPDX-License-Identifier: Apache-2.0 */

/* Ordered classes: adjacent-categories logits with one slope (Agresti 2010, "Analysis of ordinal
 * categorical data", 4.1): ln p(c + 1) / p(c) = a_c + w.x. That is a softmax in which class c has
 * the weights c w: a linear model with p + k - 1 numbers instead of (p + 1) k, which is why it does
 * better than softmax where the order holds and rows are few. */
#include <math.h>
#include <stdlib.h>

#include "learn/lbfgs.h"
#include "learn/tune.h"
#include "runtime/softmax.h"

static const double penalties[] = {1, 0.1, 0.3, 3, 10, 30, 100};
static const struct knob knobs[] = {{"penalty", penalties, ARRAY_LENGTH(penalties)}};

struct ordinal {
    const struct problem *problem;
    double penalty;  /* on |w|^2 / 2 */
    double *scratch; /* [2 k] */
};

/* Parameters: w [p], then the intercepts of classes 1..k-1, that of class 0 being 0. The mean over
 * the rows, as logistic_loss(). */
static double ordinal_loss(void *user, const double *at, double *ret_gradient)
{
    const struct ordinal *ordinal = user;
    const struct problem *problem = ordinal->problem;
    size_t p = problem->p;
    size_t k = problem->n_classes;
    double *logit = ordinal->scratch;
    double *probability = ordinal->scratch + k;
    double loss = 0;
    for (size_t i = 0; i < p + k - 1; i++)
        ret_gradient[i] = 0;
    for (size_t i = 0; i < problem->n; i++) {
        const float *x = problem->scaled + i * p;
        double sum = 0;
        for (size_t j = 0; j < p; j++)
            sum += at[j] * (double)x[j];
        for (size_t c = 0; c < k; c++)
            logit[c] = (double)c * sum + (c > 0 ? at[p + c - 1] : 0);
        softmax(logit, k, 1.0, probability);
        size_t label = problem->label[i];
        loss -= log(fmax(probability[label], 1e-300));
        double slope = -(double)label;
        for (size_t c = 1; c < k; c++) {
            slope += (double)c * probability[c];
            ret_gradient[p + c - 1] += probability[c] - (c == label ? 1.0 : 0.0);
        }
        for (size_t j = 0; j < p; j++)
            ret_gradient[j] += slope * (double)x[j];
    }
    for (size_t j = 0; j < p; j++) {
        loss += ordinal->penalty / 2.0 * at[j] * at[j];
        ret_gradient[j] += ordinal->penalty * at[j];
    }
    for (size_t i = 0; i < p + k - 1; i++)
        ret_gradient[i] /= (double)problem->n;
    return loss / (double)problem->n;
}

static enum status ordinal_fit(const struct problem *problem, const double *value,
                               struct fitted **ret_fitted, struct error *err)
{
    size_t p = problem->p;
    size_t k = problem->n_classes;
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights;
    TRY(fitted_new_linear(p, k, &fitted, &weights, err));
    AUTO(free_slot) double *at = calloc(p + k, sizeof *at);
    AUTO(free_slot) double *scratch = calloc(2 * k, sizeof *scratch);
    if (!at || !scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct ordinal ordinal = {problem, value[0], scratch};
    const struct lbfgs_options options = {.max_iterations = 200, .tolerance = 1e-5};
    TRY(lbfgs_minimise(ordinal_loss, &ordinal, at, p + k - 1, &options, err));
    for (size_t c = 0; c < k; c++) {
        for (size_t j = 0; j < p; j++)
            weights[c * (p + 1) + j] = (double)c * at[j];
        weights[c * (p + 1) + p] = c > 0 ? at[p + c - 1] : 0;
    }
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status ordinal_train(const struct problem *problem, struct fitted **ret_fitted,
                                 struct error *err)
{
    static const struct recipe recipe = {knobs, ARRAY_LENGTH(knobs), ordinal_fit};
    if (!problem->is_ordered)
        return fail(err, STATUS_INVALID, "ordinal: the classes have no order");
    return tune_recipe(&recipe, problem, ret_fitted, err);
}

const struct trainer trainer_ordinal = {
    .name = "ordinal",
    .task = TASK_CLASSIFICATION,
    .help = "one line through ordered classes, with an L2 penalty",
    .needs_order = true,
    .fit = ordinal_train,
};
