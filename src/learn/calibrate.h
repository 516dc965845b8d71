/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Probabilities that mean what they say, from outputs for rows that the model had not seen. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Outputs of held-out rows. */
struct calibrate_rows {
    size_t n, k;
    const double *logit;   /* [n][k] */
    const uint32_t *label; /* [n] below k */
    const uint32_t *fold;  /* [n] below n_folds */
    size_t n_folds;
};

/* Fit a calibration (runtime/calibration.h) on all rows, and each row's probabilities by one that
 * was fitted on the other folds: what is measured on those is honest. ret_terms: [k][2];
 * ret_probability: [n][k]; *ret_method: "none", "temperature" or "vector".
 *
 * Probabilities are left as they are, or get one scale, or a scale and a shift a class: the richer
 * where, fold by fold, it lowers the log-loss and does not cost accuracy or macro-F1: a shift moves
 * the borders between classes, which a classifier with class weights has put where they are on
 * purpose. Of scales and shifts that would cost too much, the largest part is taken that does not,
 * lowers the log-loss, and states the told class no worse. */
enum status calibrate_fit(const struct calibrate_rows *rows, double *ret_terms,
                          double *ret_probability, const char **ret_method, struct error *err);

/* The temperature that minimises the log-loss of softmax(logit / T): golden section on ln T in
 * [ln 0.05, ln 20] (Guo et al. 2017). logit: [n][k]. */
double temperature_fit(const double *logit, const uint32_t *label, size_t n, size_t k);
