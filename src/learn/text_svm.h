/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Linear classifiers over dense columns and sparse words together: one against the rest, squared
 * hinge loss, L2 penalty, solved in the dual (Hsieh et al. 2008, "A dual coordinate descent method
 * for large-scale linear SVM", alg. 1). O(epochs n (p + words of a row)) a class. */
#include "learn/text_rows.h"

struct text_svm {
    const float *dense; /* [all rows][p] */
    size_t p;
    float dense_weight; /* what a dense column is multiplied with */
    const struct text_rows *words;
    const uint32_t *label; /* [all rows] */
    size_t k;
    const double *class_weight; /* [k] of the class against the rest; NULL: 1 */
    double cost;                /* C: what a row's loss counts against the penalty */
    uint64_t seed;
};

/* Fit to `rows` [n]. ret_weights: [k][p + 1 + n_words]: dense, intercept, words; of the columns as
 * they are, dense_weight is inside. */
enum status text_svm_fit(const struct text_svm *svm, const size_t *rows, size_t n,
                         double *ret_weights, struct error *err);

/* Margins of one row. ret_margin: [k] */
void text_svm_run(const struct text_svm *svm, const double *weights, size_t row,
                  double *ret_margin);
