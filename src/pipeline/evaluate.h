/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence evaluate`: how well any column can be predicted from the others, by repeated
 * cross-validation of the whole way, with the folds of the evaluation protocol. Every row that has
 * the target is used; everything that is estimated or tuned is so inside the training folds. */
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "base/progress.h"
#include "learn/crossval.h"
#include "pipeline/leaderboard.h"
#include "pipeline/own_target.h"
#include "pipeline/visible.h"

struct evaluate_input {
    struct own_target target;   /* with the files; its progress is ours */
    struct visible_names names; /* what may be seen */
    const char *models;         /* NULL: all; or a list of trainers */
    const char *select;         /* NULL: mae or macro_f1; or the name of a metric */
    size_t n_folds, n_repeats;
    uint64_t seed;
    int n_threads;
    struct progress progress;
};

struct evaluation {
    struct arena memory;
    struct table *table;
    struct import_report *imported;
    struct target *target;
    struct visible visible;
    struct design design;
    struct feature_spec *spec; /* fitted on all rows, to say what was seen */
    struct crossval *crossval;
    enum metric metric;
    size_t chosen;
    double covered; /* a regression: share of held-out rows within 90 % conformal intervals */
};

/* STATUS_INVALID, STATUS_NOT_FOUND: the target, a feature or a bin that cannot be. A feature that
 * gives the target away is refused by name when it was asked for, and left out otherwise. */
enum status evaluate_run(const struct evaluate_input *input, struct evaluation **ret_evaluation,
                         struct error *err);
void evaluation_free(struct evaluation *evaluation);
DEFINE_SLOT(evaluation_free, struct evaluation)

void evaluation_print(const struct evaluation *evaluation, FILE *out);
void evaluation_put_json(const struct evaluation *evaluation, struct json_writer *w);
