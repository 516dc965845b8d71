/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "learn/lbfgs.h"
#include "learn/metrics.h"
#include "runtime/calibration.h"
#include "runtime/softmax.h"

#define RIDGE 1e-3       /* draws a class's terms to the common ones */
#define WORTH_IT 0.998   /* of the log-loss of a temperature */
#define MAY_COST 0.005   /* of accuracy and macro-F1 */
#define LEAST_SCALE 0.02 /* a class's outputs are never turned around */

/* Mean log-loss at a temperature, by the log-sum-exp of each row. */
static double loss_at(const double *logit, const uint32_t *label, size_t n, size_t k,
                      double temperature)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const double *row = logit + i * k;
        double max = row[0];
        for (size_t c = 1; c < k; c++)
            max = fmax(max, row[c]);
        double sum = 0;
        for (size_t c = 0; c < k; c++)
            sum += exp((row[c] - max) / temperature);
        loss += log(sum) - (row[label[i]] - max) / temperature;
    }
    return loss;
}

double temperature_fit(const double *logit, const uint32_t *label, size_t n, size_t k)
{
    static const double golden = 0.6180339887498949;
    double low = log(0.05);
    double high = log(20.0);
    double a = high - golden * (high - low);
    double b = low + golden * (high - low);
    double loss_a = loss_at(logit, label, n, k, exp(a));
    double loss_b = loss_at(logit, label, n, k, exp(b));
    while (high - low > 1e-4) {
        if (loss_a <= loss_b) {
            high = b;
            b = a;
            loss_b = loss_a;
            a = high - golden * (high - low);
            loss_a = loss_at(logit, label, n, k, exp(a));
        } else {
            low = a;
            a = b;
            loss_a = loss_b;
            b = low + golden * (high - low);
            loss_b = loss_at(logit, label, n, k, exp(b));
        }
    }
    return exp((low + high) / 2.0);
}

/* ---- a scale and a shift a class ---- */

struct vector_problem {
    const double *logit;
    const uint32_t *label;
    size_t n, k;
    double common; /* scale */
    double *probability;
};

/* x: [k] scales, in units of the common one, then [k] shifts. */
static double vector_loss(void *user, const double *x, double *ret_gradient)
{
    struct vector_problem *problem = user;
    size_t k = problem->k;
    double *p = problem->probability;
    double loss = 0;
    for (size_t c = 0; c < k; c++) {
        loss += RIDGE * ((x[c] - 1) * (x[c] - 1) + x[k + c] * x[k + c]);
        ret_gradient[c] = 2 * RIDGE * (x[c] - 1);
        ret_gradient[k + c] = 2 * RIDGE * x[k + c];
    }
    for (size_t i = 0; i < problem->n; i++) {
        const double *logit = problem->logit + i * k;
        for (size_t c = 0; c < k; c++)
            p[c] = logit[c] * problem->common * x[c] + x[k + c];
        softmax(p, k, 1, p);
        loss -= log(fmax(p[problem->label[i]], 1e-15)) / (double)problem->n;
        for (size_t c = 0; c < k; c++) {
            double error = (p[c] - (c == problem->label[i])) / (double)problem->n;
            ret_gradient[c] += error * logit[c] * problem->common;
            ret_gradient[k + c] += error;
        }
    }
    return loss;
}

/* The simpler first. */
enum method {
    AS_IT_IS,
    TEMPERATURE,
    VECTOR,
    N_METHODS
};
static const char *const method_names[N_METHODS] = {"none", "temperature", "vector"};

/* Rows in a row: logit [n][k]. */
static enum status fit_terms(const double *logit, const uint32_t *label, size_t n, size_t k,
                             enum method method, double *ret_terms, struct error *err)
{
    double common = method == AS_IT_IS ? 1 : 1 / temperature_fit(logit, label, n, k);
    for (size_t c = 0; c < k; c++) {
        ret_terms[2 * c] = common;
        ret_terms[2 * c + 1] = 0;
    }
    if (method != VECTOR)
        return STATUS_OK;
    AUTO(free_slot) double *x = calloc(3 * k, sizeof *x);
    if (!x)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t c = 0; c < k; c++)
        x[c] = 1;
    struct vector_problem problem = {logit, label, n, k, common, x + 2 * k};
    struct lbfgs_options options = {.max_iterations = 200, .tolerance = 1e-6};
    TRY(lbfgs_minimise(vector_loss, &problem, x, 2 * k, &options, err));
    for (size_t c = 0; c < k; c++) {
        ret_terms[2 * c] = common * fmax(x[c], LEAST_SCALE);
        ret_terms[2 * c + 1] = x[k + c];
    }
    return STATUS_OK;
}

/* Each row by the other folds. */
static enum status fit_across(const struct calibrate_rows *rows, enum method method,
                              double *ret_probability, struct class_metrics *ret_metrics,
                              struct error *err)
{
    size_t k = rows->k;
    AUTO(free_slot) double *logit = calloc(rows->n * k + 1, sizeof *logit);
    AUTO(free_slot) uint32_t *label = calloc(rows->n + 1, sizeof *label);
    AUTO(free_slot) double *terms = calloc(2 * k, sizeof *terms);
    if (!logit || !label || !terms)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (uint32_t f = 0; f < rows->n_folds; f++) {
        size_t n = 0;
        for (size_t i = 0; i < rows->n; i++) {
            if (rows->fold[i] == f)
                continue;
            memcpy(logit + n * k, rows->logit + i * k, k * sizeof *logit);
            label[n++] = rows->label[i];
        }
        TRY(fit_terms(logit, label, n, k, method, terms, err));
        struct calibration calibration = {k, terms};
        for (size_t i = 0; i < rows->n; i++)
            if (rows->fold[i] == f)
                calibration_apply(&calibration, rows->logit + i * k, ret_probability + i * k);
    }
    return metrics_classification(rows->label, ret_probability, rows->n, k, ret_metrics, err);
}

/* Whether the richer one is worth its terms. */
static bool is_better(const struct class_metrics *richer, const struct class_metrics *simpler)
{
    return richer->log_loss < WORTH_IT * simpler->log_loss &&
           richer->accuracy >= simpler->accuracy - MAY_COST &&
           richer->macro_f1 >= simpler->macro_f1 - MAY_COST;
}

enum status calibrate_fit(const struct calibrate_rows *rows, double *ret_terms,
                          double *ret_probability, const char **ret_method, struct error *err)
{
    size_t n_values = rows->n * rows->k;
    AUTO(free_slot) double *probability = calloc(n_values + 1, sizeof *probability);
    if (!probability)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    enum method chosen = AS_IT_IS;
    struct class_metrics best;
    TRY(fit_across(rows, AS_IT_IS, ret_probability, &best, err));
    for (enum method method = TEMPERATURE; method < N_METHODS; method++) {
        struct class_metrics measured;
        TRY(fit_across(rows, method, probability, &measured, err));
        if (!is_better(&measured, &best))
            continue;
        memcpy(ret_probability, probability, n_values * sizeof *probability);
        best = measured;
        chosen = method;
    }
    *ret_method = method_names[chosen];
    return fit_terms(rows->logit, rows->label, rows->n, rows->k, chosen, ret_terms, err);
}
