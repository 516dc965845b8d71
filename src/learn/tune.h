/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The search for settings inside a training fold: a random search whose candidates are thinned out
 * by successive halving (Jamieson and Talwalkar 2016), the number of inner folds being what a
 * candidate has to earn. Candidate 0 is the family's default; it stays in to the end and is taken
 * unless another is better by more than chance: by about one standard error of a difference between
 * losses, TUNE_MARGIN / sqrt(rows that judged). Without that, a search on a few hundred rows finds
 * noise and does worse than the defaults. The budget is a number of fits, not of
 * seconds, so that the same seed gives the same model on any machine. */
#include <stddef.h>

#include "learn/trainer.h"

#define TUNE_FOLDS 5         /* the inner folds that are dealt; see tune_folds() */
#define TUNE_LAST_FOLDS 3    /* of them, those that the last candidates are judged by */
#define TUNE_DEFAULT_FITS 16 /* candidates times folds, about */
#define TUNE_MARGIN 0.5      /* of the loss */

struct halving {
    size_t n_candidates;
    size_t n_rows; /* of the problem */
    /* The mean loss of a candidate over the first n_folds inner folds. */
    enum status (*loss)(void *user, size_t candidate, size_t n_folds, double *ret_loss,
                        struct error *err);
    void *user;
};

/* What is left of a budget for a problem of n rows: beyond TUNE_FULL_ROWS fewer, in proportion, so
 * that the search costs about the same; at least 1. */
#define TUNE_FULL_ROWS 4000
size_t tune_fits_for(size_t n_fits, size_t n);

/* How many candidates n_fits pays for; at least 1, which is the default alone. */
size_t tune_candidates(size_t n_fits);

/* The candidate with the least loss over TUNE_LAST_FOLDS. Of one candidate, it is that one, and
 * nothing is fitted. */
enum status tune_halving(const struct halving *halving, size_t *ret_best, struct error *err);

/* Deal the inner folds of a problem: stratified for classes. ret_fold: [n]. */
enum status tune_folds(const struct problem *problem, uint32_t *ret_fold, struct error *err);

/* Some rows of a problem as a problem of their own. Owns its copies; zeros are a valid part. */
struct problem_part {
    struct problem problem;
    float *raw, *scaled;
    double *y;
    uint32_t *label;
    uint32_t *nodes;
};
enum status problem_part_init(struct problem_part *part, const struct problem *problem,
                              const size_t *rows, size_t n, struct error *err);
void problem_part_deinit(struct problem_part *part);

/* The loss of what is said of a row: the problem's, or the log loss of logits, times the weight of
 * its class. */
double problem_row_loss(const struct problem *problem, size_t row, const double *output);

/* ---- families whose fit is cheap enough to be called for each candidate and fold ---- */

/* A setting and the values it may take; the first is the default. */
struct knob {
    const char *name;
    const double *values;
    size_t n;
};

#define RECIPE_MAX_KNOBS 6

struct recipe {
    const struct knob *knobs;
    size_t n_knobs;
    /* Fit to all rows of the problem. value: [n_knobs]. While it searches, problem->n_fits is 0: a
     * smaller model will do that tells settings apart. */
    enum status (*fit)(const struct problem *problem, const double *value,
                       struct fitted **ret_fitted, struct error *err);
};

/* Search the recipe's knobs and fit with the best. What is compared is what the engine says of the
 * inner folds' held-out rows: the problem's loss, or the log loss of classes (weighted by
 * class_weight). The settings of the model say what was chosen. Of a group rank 0 chooses, and all
 * fit. */
enum status tune_recipe(const struct recipe *recipe, const struct problem *problem,
                        struct fitted **ret_fitted, struct error *err);

/* Weights that make all classes of the problem count the same: n / (k rows of the class), over all
 * processes. ret_weight: [n_classes]. */
enum status class_weights_balanced(const struct problem *problem, double *ret_weight,
                                   struct error *err);

/* Those to the power of CLASS_TEMPER, of mean 1 over the rows. Full balance gives up more rows of
 * frequent classes than it finds of rare ones, and macro F1, which counts both kinds of error, is
 * highest between it and none: flat from .6 to .8. ret_weight: [n_classes]. */
#define CLASS_TEMPER 0.75
enum status class_weights_tempered(const struct problem *problem, double *ret_weight,
                                   struct error *err);
