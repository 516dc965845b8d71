/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How good predictions are: the figures of leaderboards, reports and model cards. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct regression_metrics {
    double r2; /* 1 - SSE / SST; 0 is the mean of y, below is worse; NaN when y is constant */
    double mae;
    double rmse;
    double spearman; /* rank correlation, ties by mid-rank; NaN when either side is constant */
};

/* y, predicted: [n]. STATUS_INVALID: n is 0 or a value is not finite. */
enum status metrics_regression(const double *y, const double *predicted, size_t n,
                               struct regression_metrics *ret_metrics, struct error *err);

/* Spearman's rank correlation alone. */
enum status metrics_spearman(const double *a, const double *b, size_t n, double *ret_rho,
                             struct error *err);

struct class_metrics {
    double accuracy;
    double macro_f1; /* mean F1 over the classes that occur or are predicted */
    double log_loss; /* mean -ln p(true class), p kept above 1e-15 */
    double ece;      /* expected calibration error of the top class, 10 bins of equal width */
    double auc;      /* area under the ROC curve, ties count half; the mean over the classes that
                      * occur, each against the rest; NaN when only one does */
};

/* label: [n] below k. probability: [n][k], rows sum to 1; the class is the first largest.
 * STATUS_INVALID: n or k is 0, a label out of range, a probability that is not one. */
enum status metrics_classification(const uint32_t *label, const double *probability, size_t n,
                                   size_t k, struct class_metrics *ret_metrics, struct error *err);

/* ret_counts: [k][k], true class by predicted class. */
void metrics_confusion(const uint32_t *label, const double *probability, size_t n, size_t k,
                       size_t *ret_counts);

/* Mean silhouette (Rousseeuw 1987) of rows [n][p] under `cluster` [n], clusters below k; a row
 * alone in its cluster counts 0. STATUS_INVALID: fewer than two clusters have members.
 * Cost O(n^2 p): pass a sample. */
enum status metrics_silhouette(const float *rows, size_t n, size_t p, const uint32_t *cluster,
                               size_t k, double *ret_silhouette, struct error *err);

double metrics_mean(const double *values, size_t n);
double metrics_sd(const double *values, size_t n); /* sample sd (n - 1); 0 for n < 2 */
