/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Honest certainty from out-of-fold predictions: conformal intervals for regressions, a temperature
 * for classes. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Split-conformal offsets from residuals y - predicted that were made out of fold (the CV form of
 * Vovk 2015): [predicted + low, predicted + high] covers a new row with at least `coverage`, up to
 * the dependence between folds. Each side gives away half of 1 - coverage, with the finite sample
 * correction: the ceil((n + 1) q)-th smallest residual, or the extreme where there are too few. */
struct conformal {
    double low, high;
};
enum status conformal_fit(const double *residual, size_t n, double coverage,
                          struct conformal *ret_offsets, struct error *err);

/* What such offsets cover in rows they have not seen: for each fold, offsets from the residuals of
 * the other folds. fold: [n] below n_folds. */
enum status conformal_measure(const double *residual, const uint32_t *fold, size_t n,
                              size_t n_folds, double coverage, double *ret_covered,
                              struct error *err);

/* The temperature that minimises the log-loss of softmax(logit / T): golden section on ln T in
 * [ln 0.05, ln 20] (Guo et al. 2017). logit: [n][k]. */
double temperature_fit(const double *logit, const uint32_t *label, size_t n, size_t k);
