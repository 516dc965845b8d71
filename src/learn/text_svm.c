/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/text_svm.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/rng.h"

#define MAX_EPOCHS 60
#define TOLERANCE 0.1 /* of the projected gradient's range */

/* The sum over dense columns (times dense_weight), intercept and words. */
static double value_of(const struct text_svm *svm, const double *w, size_t row)
{
    const struct text_rows *words = svm->words;
    const float *x = svm->dense + row * svm->p;
    double dense = 0;
    for (size_t i = 0; i < svm->p; i++)
        dense += w[i] * (double)x[i];
    double sum = dense * (double)svm->dense_weight + w[svm->p];
    for (size_t e = words->start[row]; e < words->start[row + 1]; e++)
        sum += w[svm->p + 1 + words->word[e]] * (double)words->weight[e];
    return sum;
}

static void add_row(const struct text_svm *svm, double *w, size_t row, double step)
{
    const struct text_rows *words = svm->words;
    const float *x = svm->dense + row * svm->p;
    double dense = step * (double)svm->dense_weight;
    for (size_t i = 0; i < svm->p; i++)
        w[i] += dense * (double)x[i];
    w[svm->p] += step;
    for (size_t e = words->start[row]; e < words->start[row + 1]; e++)
        w[svm->p + 1 + words->word[e]] += step * (double)words->weight[e];
}

static double square_of(const struct text_svm *svm, size_t row)
{
    const float *x = svm->dense + row * svm->p;
    double square = 0;
    for (size_t i = 0; i < svm->p; i++)
        square += (double)x[i] * (double)x[i];
    square *= (double)svm->dense_weight * (double)svm->dense_weight;
    bool has_words = svm->words->start[row] < svm->words->start[row + 1];
    return square + 1 + has_words;
}

/* One class against the rest. square, alpha, order: [n] */
static void fit_class(const struct text_svm *svm, const size_t *rows, size_t n, uint32_t class,
                      const double *square, double *alpha, size_t *order, double *w)
{
    double own = svm->cost * (svm->class_weight ? svm->class_weight[class] : 1);
    struct rng rng = rng_seed(svm->seed + class);
    for (size_t i = 0; i < n; i++) {
        alpha[i] = 0;
        order[i] = i;
    }
    for (int epoch = 0; epoch < MAX_EPOCHS; epoch++) {
        double high = -INFINITY;
        double low = INFINITY;
        rng_shuffle(&rng, order, n);
        for (size_t at = 0; at < n; at++) {
            size_t i = order[at];
            bool is_own = svm->label[rows[i]] == class;
            double sign = is_own ? 1 : -1;
            double diagonal = 1 / (2 * (is_own ? own : svm->cost));
            double gradient = sign * value_of(svm, w, rows[i]) - 1 + diagonal * alpha[i];
            double projected = alpha[i] > 0 ? gradient : fmin(gradient, 0);
            high = fmax(high, projected);
            low = fmin(low, projected);
            if (projected == 0)
                continue;
            double before = alpha[i];
            alpha[i] = fmax(before - gradient / (square[i] + diagonal), 0);
            add_row(svm, w, rows[i], sign * (alpha[i] - before));
        }
        if (high - low < TOLERANCE)
            return;
    }
}

enum status text_svm_fit(const struct text_svm *svm, const size_t *rows, size_t n,
                         double *ret_weights, struct error *err)
{
    size_t width = svm->p + 1 + svm->words->n_words;
    AUTO(free_slot) double *square = calloc(n + 1, sizeof *square);
    AUTO(free_slot) double *alpha = calloc(n + 1, sizeof *alpha);
    AUTO(free_slot) size_t *order = calloc(n + 1, sizeof *order);
    if (!square || !alpha || !order)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        square[i] = square_of(svm, rows[i]);
    for (size_t class = 0; class < svm->k; class ++) {
        double *w = ret_weights + class * width;
        for (size_t i = 0; i < width; i++)
            w[i] = 0;
        fit_class(svm, rows, n, (uint32_t) class, square, alpha, order, w);
        for (size_t i = 0; i < svm->p; i++)
            w[i] *= (double)svm->dense_weight;
    }
    return STATUS_OK;
}

void text_svm_run(const struct text_svm *svm, const double *weights, size_t row, double *ret_margin)
{
    size_t width = svm->p + 1 + svm->words->n_words;
    struct text_svm plain = *svm;
    plain.dense_weight = 1;
    for (size_t class = 0; class < svm->k; class ++)
        ret_margin[class] = value_of(&plain, weights + class * width, row);
}
