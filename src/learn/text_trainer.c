/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/split.h"
#include "learn/folds.h"
#include "learn/metrics.h"
#include "learn/text_svm.h"
#include "learn/trainer.h"
#include "learn/tune.h"
#include "runtime/softmax.h"

#define INNER_FOLDS 3
#define MAX_TUNING_ROWS 20000

/* Together the standardised columns weigh half as much as a row's words, whose length is 1. */
#define DENSE_LENGTH 0.5

static const double costs[] = {0.1, 0.03, 0.3};
/* Margins to logits: what makes them probabilities. */
static const double sharpness[] = {1, 1.5, 2, 3, 4, 6};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- tuning ---- */

/* Held-out margins of the inner folds. */
struct tuning {
    struct fold_rows rows;
    uint32_t *fold_of_row; /* [n] */
    size_t n_folds;        /* dealt, of which INNER_FOLDS are used */
    double *weights;       /* [k][width] */
    double *margin;        /* [n][k] of the rows in the order they were held out */
    double *probability;   /* [n][k] */
    uint32_t *label;       /* [n] of these */
    size_t n_held;
};

static void tuning_deinit(struct tuning *tuning)
{
    fold_rows_deinit(&tuning->rows);
    free(tuning->fold_of_row);
    free(tuning->weights);
    free(tuning->margin);
    free(tuning->probability);
    free(tuning->label);
}

static enum status tuning_init(struct tuning *tuning, const struct problem *problem,
                               const struct text_svm *svm, struct error *err)
{
    size_t n = problem->n;
    size_t width = svm->p + 1 + svm->words->n_words;
    tuning->n_folds = n > MAX_TUNING_ROWS ? n * INNER_FOLDS / MAX_TUNING_ROWS : INNER_FOLDS;
    tuning->fold_of_row = calloc(n + 1, sizeof *tuning->fold_of_row);
    tuning->weights = calloc(svm->k * width + 1, sizeof *tuning->weights);
    tuning->margin = calloc(n * svm->k + 1, sizeof *tuning->margin);
    tuning->probability = calloc(n * svm->k + 1, sizeof *tuning->probability);
    tuning->label = calloc(n + 1, sizeof *tuning->label);
    if (!tuning->fold_of_row || !tuning->weights || !tuning->margin || !tuning->probability ||
        !tuning->label)
        return no_memory(err);
    TRY(fold_rows_init(&tuning->rows, n, err));
    return split_stratified(problem->label, n, tuning->n_folds, problem->seed, tuning->fold_of_row,
                            err);
}

static enum status hold_out(struct tuning *tuning, const struct text_svm *svm, size_t n,
                            struct error *err)
{
    struct fold_rows *rows = &tuning->rows;
    tuning->n_held = 0;
    for (uint32_t fold = 0; fold < INNER_FOLDS; fold++) {
        fold_rows_take(rows, tuning->fold_of_row, n, fold, INNER_FOLDS);
        TRY(text_svm_fit(svm, rows->train, rows->n_train, tuning->weights, err));
        for (size_t i = 0; i < rows->n_held; i++) {
            tuning->label[tuning->n_held] = svm->label[rows->held[i]];
            text_svm_run(svm, tuning->weights, rows->held[i],
                         tuning->margin + tuning->n_held++ * svm->k);
        }
    }
    return STATUS_OK;
}

static enum status judge(struct tuning *tuning, size_t k, double sharp,
                         struct class_metrics *ret_metrics, struct error *err)
{
    for (size_t i = 0; i < tuning->n_held; i++)
        softmax(tuning->margin + i * k, k, 1 / sharp, tuning->probability + i * k);
    return metrics_classification(tuning->label, tuning->probability, tuning->n_held, k,
                                  ret_metrics, err);
}

/* The cost with the best macro-F1, which sharpness does not change; then the sharpness with the
 * least log loss. */
static enum status tune(const struct problem *problem, struct text_svm *svm, double *ret_sharp,
                        struct error *err)
{
    struct class_metrics metrics;
    double best = -1;
    double best_loss = INFINITY;
    *ret_sharp = 1;
    svm->cost = costs[0];
    if (problem->n < 10 * INNER_FOLDS)
        return STATUS_OK;
    AUTO(tuning_deinit) struct tuning tuning = {0};
    TRY(tuning_init(&tuning, problem, svm, err));
    double cost = costs[0];
    for (size_t c = 0; c < ARRAY_LENGTH(costs); c++) {
        svm->cost = costs[c];
        TRY(hold_out(&tuning, svm, problem->n, err));
        TRY(judge(&tuning, svm->k, 1, &metrics, err));
        if (metrics.macro_f1 <= best)
            continue;
        best = metrics.macro_f1;
        best_loss = INFINITY;
        cost = costs[c];
        for (size_t s = 0; s < ARRAY_LENGTH(sharpness); s++) {
            TRY(judge(&tuning, svm->k, sharpness[s], &metrics, err));
            if (metrics.log_loss >= best_loss)
                continue;
            best_loss = metrics.log_loss;
            *ret_sharp = sharpness[s];
        }
    }
    svm->cost = cost;
    return STATUS_OK;
}

/* ---- the model ---- */

/* What is fitted, times the sharpness, in the shape of the runtime. */
static enum status to_model(const struct text_svm *svm, const double *weights, double sharp,
                            struct fitted *fitted, struct error *err)
{
    size_t k = svm->k;
    size_t p = svm->p;
    size_t n_words = svm->words->n_words;
    struct arena *memory = &fitted->memory;
    double *dense = ARENA_ARRAY(memory, double, k *(p + 1));
    const char **words = ARENA_ARRAY(memory, const char *, n_words + 1);
    float *idf = ARENA_ARRAY(memory, float, n_words + 1);
    float *word_weights = ARENA_ARRAY(memory, float, n_words *k + 1);
    if (!dense || !words || !idf || !word_weights)
        return no_memory(err);
    for (size_t c = 0; c < k; c++) {
        const double *w = weights + c * (p + 1 + n_words);
        for (size_t i = 0; i <= p; i++)
            dense[c * (p + 1) + i] = w[i] * sharp;
        for (size_t i = 0; i < n_words; i++)
            word_weights[i * k + c] = (float)(w[p + 1 + i] * sharp);
    }
    for (size_t i = 0; i < n_words; i++) {
        idf[i] = svm->words->idf[i];
        words[i] = arena_strdup(memory, svm->words->words[i]);
        if (!words[i])
            return no_memory(err);
    }
    fitted->text = (struct text_model){p, k, n_words, dense, words, idf, word_weights};
    fitted->settings =
        arena_printf(memory, "C = %g, %zu words, sharpness %g", svm->cost, n_words, sharp);
    return fitted->settings ? STATUS_OK : no_memory(err);
}

static enum status fit_rows(const struct problem *problem, const struct text_rows *words,
                            struct fitted **ret_fitted, struct error *err)
{
    size_t k = problem->n_classes;
    AUTO(free_slot) double *class_weight = calloc(k + 1, sizeof *class_weight);
    AUTO(free_slot)
    double *weights = calloc(k * (problem->p + 1 + words->n_words), sizeof *weights);
    AUTO(free_slot) size_t *rows = calloc(problem->n + 1, sizeof *rows);
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("text");
    if (!class_weight || !weights || !rows || !fitted)
        return no_memory(err);
    TRY(class_weights_balanced(problem, class_weight, err));
    struct text_svm svm = {
        .dense = problem->scaled,
        .p = problem->p,
        .dense_weight = problem->p ? (float)(DENSE_LENGTH / sqrt((double)problem->p)) : 1,
        .words = words,
        .label = problem->label,
        .k = k,
        .class_weight = class_weight,
        .seed = problem->seed,
    };
    double sharp;
    TRY(tune(problem, &svm, &sharp, err));
    for (size_t i = 0; i < problem->n; i++)
        rows[i] = i;
    TRY(text_svm_fit(&svm, rows, problem->n, weights, err));
    TRY(to_model(&svm, weights, sharp, fitted, err));
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status text_train(const struct problem *problem, struct fitted **ret_fitted,
                              struct error *err)
{
    if (!problem->words)
        return fail(err, STATUS_INVALID,
                    "no hashtags and no brands are seen, and text models are made of them");
    AUTO(text_rows_deinit) struct text_rows words = {0};
    TRY(text_rows_init(&words, problem->words, problem->n, err));
    return fit_rows(problem, &words, ret_fitted, err);
}

const struct trainer trainer_text = {
    .name = "text",
    .task = TASK_CLASSIFICATION,
    .help = "linear classifier of hashtags and brands (TF-IDF) and columns, classes balanced",
    .needs_words = true,
    .fit = text_train,
};
