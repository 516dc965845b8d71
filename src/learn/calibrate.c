/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Offsets from sorted residuals. */
static struct conformal offsets_of(const double *sorted, size_t n, double coverage)
{
    double tail = (1.0 - coverage) / 2.0;
    /* A shade less than the exact rank, so that rounding cannot push a whole number up. */
    double rank = ceil((double)(n + 1) * (1.0 - tail) - 1e-9);
    size_t high = rank > (double)n ? n : (size_t)rank;
    return (struct conformal){.low = sorted[n - high], .high = sorted[high - 1]};
}

enum status conformal_fit(const double *residual, size_t n, double coverage,
                          struct conformal *ret_offsets, struct error *err)
{
    if (n == 0)
        return fail(err, STATUS_INVALID, "no residuals to make an interval of");
    AUTO(free_slot) double *sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    memcpy(sorted, residual, n * sizeof *sorted);
    qsort(sorted, n, sizeof sorted[0], compare_doubles);
    *ret_offsets = offsets_of(sorted, n, coverage);
    return STATUS_OK;
}

enum status conformal_measure(const double *residual, const uint32_t *fold, size_t n,
                              size_t n_folds, double coverage, double *ret_covered,
                              struct error *err)
{
    AUTO(free_slot) double *others = calloc(n + 1, sizeof *others);
    if (!others)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n_covered = 0;
    for (uint32_t f = 0; f < n_folds; f++) {
        size_t n_others = 0;
        for (size_t i = 0; i < n; i++)
            if (fold[i] != f)
                others[n_others++] = residual[i];
        struct conformal offsets;
        TRY(conformal_fit(others, n_others, coverage, &offsets, err));
        for (size_t i = 0; i < n; i++)
            n_covered += fold[i] == f && residual[i] >= offsets.low && residual[i] <= offsets.high;
    }
    *ret_covered = n ? (double)n_covered / (double)n : (double)NAN;
    return STATUS_OK;
}

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
