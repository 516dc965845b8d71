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
#include "pipeline/certainty.h"
#include "pipeline/leaderboard.h"
#include "pipeline/own_target.h"
#include "pipeline/row_options.h"
#include "pipeline/visible.h"
#include "pipeline/warnings.h"

struct evaluate_input {
    struct own_target target;   /* with the files; its progress is ours */
    struct visible_names names; /* what may be seen */
    struct row_options rows;    /* how they are split and counted */
    const char *monotone;       /* NULL, or constraints on features; see learn/monotone.h */
    const char *models;         /* NULL: all; or a list of trainers */
    const char *select;         /* NULL: mae or macro_f1; or the name of a metric */
    bool one_se;                /* choose by SELECT_ONE_SE */
    bool similarity;            /* without edges: places in the network of likenesses are seen */
    size_t n_fits;              /* of a trainer's search; 0: the default of learn/tune.h */
    size_t n_folds, n_repeats;
    uint64_t seed;
    int n_threads;
    struct progress progress;
};

/* How sure the chosen model is, over held-out rows: means over repeats. Interval widths and
 * reliability are of one repeat. */
struct evaluation_certainty {
    struct interval_rule rule;        /* a regression */
    struct conformal_measure measure; /* of it; `covered` and the groups' are means over repeats */
    struct calibrated calibrated;     /* classes; `before` and `after` of the first repeat */
    double ece_before, ece_after;     /* means over repeats */
    struct reliability reliability;   /* of the first repeat, calibrated */
};

/* How the chosen model does in each size, and in the largest categories, over held-out rows that
 * are counted. */
struct evaluation_group {
    const char *by, *name; /* "size" or "category"; the table's, or a constant */
    size_t n;
    double value, low, high; /* mean absolute error, or the share told right; 95 % */
};
struct evaluation_groups {
    struct evaluation_group *groups; /* [n] in the evaluation's memory */
    size_t n;
};

struct evaluation {
    struct arena memory;
    struct warnings warnings; /* of what the figures are of */
    struct size_tiers sizes;  /* the standard ones */
    struct own_cases cases;
    struct visible visible;
    struct design design;
    struct design finder;      /* of neighbours: what may be seen, without places in the network */
    struct links links;        /* of real edges, in the memory of the table; n is 0 without */
    struct feature_spec *spec; /* fitted on all rows, to say what was seen */
    struct crossval *crossval;
    struct crossval_selection selection; /* as a whole */
    enum metric metric;
    size_t chosen;
    bool is_partial; /* not all rows were held out and counted: certainty is not known */
    struct evaluation_certainty certainty;
    struct evaluation_groups groups;
};

/* What is wrong with the words of an input, before any file is read. STATUS_INVALID: --models names
 * what is no model. */
enum status evaluate_check(const struct evaluate_input *input, struct error *err);

/* STATUS_INVALID, STATUS_NOT_FOUND: the target, a feature or a bin that cannot be. A feature that
 * gives the target away is refused by name when it was asked for, and left out otherwise. */
enum status evaluate_run(const struct evaluate_input *input, struct evaluation **ret_evaluation,
                         struct error *err);
void evaluation_free(struct evaluation *evaluation);
DEFINE_SLOT(evaluation_free, struct evaluation)

void evaluation_print(const struct evaluation *evaluation, FILE *out);
void evaluation_put_json(const struct evaluation *evaluation, struct json_writer *w);

/* Its certainty: measured by evaluate_run(), printed and put by the functions above. */
enum status evaluation_measure_certainty(struct evaluation *evaluation, struct error *err);
void evaluation_certainty_deinit(struct evaluation_certainty *certainty);
/* The groups; for a terminal; the member "groups". */
enum status evaluation_measure_groups(struct evaluation *evaluation, struct error *err);
void evaluation_print_groups(const struct evaluation *evaluation, FILE *out);
void evaluation_put_groups(const struct evaluation *evaluation, struct json_writer *w);

void evaluation_print_certainty(const struct evaluation *evaluation, FILE *out);
void evaluation_put_certainty(const struct evaluation *evaluation, struct json_writer *w);
