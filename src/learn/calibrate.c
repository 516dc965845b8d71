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
#define SHARES 8         /* parts of the way to a scale and a shift a class that are tried */
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

/* Terms fitted outside each fold. ret_terms: [n_folds][k][2]. */
static enum status fit_across(const struct calibrate_rows *rows, enum method method,
                              double *ret_terms, struct error *err)
{
    size_t k = rows->k;
    AUTO(free_slot) double *logit = calloc(rows->n * k + 1, sizeof *logit);
    AUTO(free_slot) uint32_t *label = calloc(rows->n + 1, sizeof *label);
    if (!logit || !label)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (uint32_t f = 0; f < rows->n_folds; f++) {
        size_t n = 0;
        for (size_t i = 0; i < rows->n; i++) {
            if (rows->fold[i] == f)
                continue;
            memcpy(logit + n * k, rows->logit + i * k, k * sizeof *logit);
            label[n++] = rows->label[i];
        }
        TRY(fit_terms(logit, label, n, k, method, ret_terms + f * 2 * k, err));
    }
    return STATUS_OK;
}

/* What the terms of its fold make of each row. */
static enum status apply_across(const struct calibrate_rows *rows, const double *terms,
                                double *ret_probability, struct class_metrics *ret_metrics,
                                struct error *err)
{
    size_t k = rows->k;
    for (size_t i = 0; i < rows->n; i++) {
        struct calibration calibration = {k, terms + (size_t)rows->fold[i] * 2 * k};
        calibration_apply(&calibration, rows->logit + i * k, ret_probability + i * k);
    }
    return metrics_classification(rows->label, ret_probability, rows->n, k, ret_metrics, err);
}

/* share of the way from the plain terms to the rich ones, into the rich ones. */
static void mix(const double *plain, double share, size_t n, double *rich)
{
    for (size_t i = 0; i < n; i++)
        rich[i] = plain[i] + share * (rich[i] - plain[i]);
}

static bool is_worth_it(const struct class_metrics *richer, const struct class_metrics *simpler)
{
    return richer->log_loss < WORTH_IT * simpler->log_loss;
}

static bool costs_little(const struct class_metrics *richer, const struct class_metrics *simpler)
{
    return richer->accuracy >= simpler->accuracy - MAY_COST &&
           richer->macro_f1 >= simpler->macro_f1 - MAY_COST;
}

struct choice {
    enum method method;
    double share; /* of the way from a temperature to the vector */
    struct class_metrics metrics;
};

/* The vector, or as much of it as does not cost too much. */
static enum status try_vector(const struct calibrate_rows *rows, double *ret_probability,
                              struct choice *choice, struct error *err)
{
    size_t n_values = rows->n * rows->k;
    size_t n_terms = rows->n_folds * 2 * rows->k;
    AUTO(free_slot) double *probability = calloc(n_values + 1, sizeof *probability);
    AUTO(free_slot) double *plain = calloc(n_terms, sizeof *plain);
    AUTO(free_slot) double *rich = calloc(n_terms, sizeof *rich);
    AUTO(free_slot) double *mixed = calloc(n_terms, sizeof *mixed);
    if (!probability || !plain || !rich || !mixed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(fit_across(rows, TEMPERATURE, plain, err));
    TRY(fit_across(rows, VECTOR, rich, err));
    for (size_t step = SHARES; step > 0; step--) {
        struct class_metrics measured;
        double share = (double)step / SHARES;
        memcpy(mixed, rich, n_terms * sizeof *mixed);
        if (step < SHARES)
            mix(plain, share, n_terms, mixed);
        TRY(apply_across(rows, mixed, probability, &measured, err));
        if (!is_worth_it(&measured, &choice->metrics))
            return STATUS_OK;
        if (!costs_little(&measured, &choice->metrics))
            continue;
        /* Half the way may leave the told class less well stated than none of it. */
        if (step < SHARES && measured.ece > choice->metrics.ece)
            continue;
        memcpy(ret_probability, probability, n_values * sizeof *probability);
        *choice = (struct choice){VECTOR, share, measured};
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status try_temperature(const struct calibrate_rows *rows, double *ret_probability,
                                   struct choice *choice, struct error *err)
{
    size_t n_values = rows->n * rows->k;
    struct class_metrics measured;
    AUTO(free_slot) double *probability = calloc(n_values + 1, sizeof *probability);
    AUTO(free_slot) double *terms = calloc(rows->n_folds * 2 * rows->k, sizeof *terms);
    if (!probability || !terms)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(fit_across(rows, AS_IT_IS, terms, err));
    TRY(apply_across(rows, terms, ret_probability, &choice->metrics, err));
    TRY(fit_across(rows, TEMPERATURE, terms, err));
    TRY(apply_across(rows, terms, probability, &measured, err));
    if (!is_worth_it(&measured, &choice->metrics) || !costs_little(&measured, &choice->metrics))
        return STATUS_OK;
    memcpy(ret_probability, probability, n_values * sizeof *probability);
    *choice = (struct choice){TEMPERATURE, 0, measured};
    return STATUS_OK;
}

enum status calibrate_fit(const struct calibrate_rows *rows, double *ret_terms,
                          double *ret_probability, const char **ret_method, struct error *err)
{
    size_t k = rows->k;
    struct choice choice = {.method = AS_IT_IS};
    AUTO(free_slot) double *plain = calloc(2 * k, sizeof *plain);
    if (!plain)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(try_temperature(rows, ret_probability, &choice, err));
    TRY(try_vector(rows, ret_probability, &choice, err));
    *ret_method = method_names[choice.method];
    TRY(fit_terms(rows->logit, rows->label, rows->n, k, choice.method, ret_terms, err));
    if (choice.method != VECTOR || choice.share == 1)
        return STATUS_OK;
    TRY(fit_terms(rows->logit, rows->label, rows->n, k, TEMPERATURE, plain, err));
    mix(plain, choice.share, 2 * k, ret_terms);
    return STATUS_OK;
}
