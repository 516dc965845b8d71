/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Trainers: each turns the rows of a training fold into a model that the engine can run.
 *
 * A trainer sees only the rows it is given and does its own tuning inside them, by folds of its
 * own. What it returns is plain numbers in the shape of runtime/predictor.h; predictions come from
 * the engine alone, so that what is measured is what ships. Deterministic by problem.seed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "learn/collective.h"
#include "runtime/predictor.h"

enum task {
    TASK_REGRESSION,
    TASK_CLASSIFICATION,
};

/* What tuning minimises in a regression. */
enum loss {
    LOSS_ABSOLUTE,
    LOSS_SQUARED,
};

/* One training problem; borrows everything. */
struct problem {
    enum task task;
    enum loss loss;        /* of tuning; the trainer's own loss is part of its name */
    size_t n, p;           /* rows, columns */
    const float *raw;      /* [n][p], NaN: missing */
    const float *scaled;   /* [n][p], imputed and standardised */
    const double *y;       /* [n]; regression */
    const uint32_t *label; /* [n], below n_classes; classification */
    size_t n_classes;
    bool is_ordered;                 /* the classes are: they are bins of a number */
    const signed char *monotone;     /* [p] +1, -1 or 0; NULL: none; trees are grown under them */
    const double *class_weight;      /* [n_classes] what a row of a class counts; NULL: 1 */
    const struct text_words *words;  /* [n]; NULL: none are seen */
    const struct links *links;       /* real edges among rows of the table; NULL: none are given */
    const uint32_t *nodes;           /* [n] rows of the table, as links know them; NULL: no links */
    const struct feature_spec *spec; /* of the columns; for trainers that try models on rows */
    size_t n_fits;                   /* what a search for settings may cost; see tune.h */
    uint64_t seed;
    int n_threads; /* of libraries that have threads */

    /* NULL: these are all the rows. A group: the processes of it fit together, and these are the
     * rows of this one. */
    struct collective *group;
    size_t n_all; /* rows of the group */
    /* Of a group, on rank 0: the rows by which it chooses settings for all. Borrowed. */
    const struct problem *deciding;
};

/* The rows of all processes. */
static inline size_t problem_n_all(const struct problem *problem)
{
    return problem->group ? problem->n_all : problem->n;
}

/* The rows that settings are chosen by. NULL: another process chooses, and says what by
 * collective_broadcast(). */
static inline const struct problem *problem_deciding(const struct problem *problem)
{
    return problem->group ? problem->deciding : problem;
}

/* Mean and deviation of the target, over all processes. */
enum status problem_mean(const struct problem *problem, double *ret_mean, struct error *err);
enum status problem_sd(const struct problem *problem, double *ret_sd, struct error *err);

/* A fitted model. Owns its numbers. */
struct fitted {
    struct arena memory;
    const char *family; /* of runtime/predictor.h: which of the next is filled */
    struct linear_model linear;
    struct tree_model trees;
    struct kernel_model kernel;
    struct nearest_model nearest;
    struct blend_model blend;
    struct fitted *members[BLEND_MAX_MEMBERS]; /* of the blend; owned */
    struct text_model text;
    const char *settings; /* what tuning chose, for people: "alpha = 1.6" */
};

struct trainer {
    const char *name;
    enum task task;
    const char *help;
    bool needs_order;  /* learns ordered classes only */
    bool needs_words;  /* learns only where hashtags or brands are seen */
    bool joins_groups; /* can be fitted by a group of processes */
    enum status (*fit)(const struct problem *problem, struct fitted **ret_fitted,
                       struct error *err);
};

/* All trainers, in the order of leaderboards' ties: the simpler first. */
extern const struct trainer *const trainers[];
extern const size_t n_trainers;

/* NULL when there is none of that name for the task. */
const struct trainer *trainer_find(const char *name, enum task task);

/* An empty model; NULL when out of memory. */
struct fitted *fitted_new(const char *family);
void fitted_free(struct fitted *fitted);
DEFINE_SLOT(fitted_free, struct fitted)

/* A linear model with weights [n_outputs][n_inputs + 1] of zeros, to be filled by the caller
 * through *ret_weights, which the model owns. */
enum status fitted_new_linear(size_t n_inputs, size_t n_outputs, struct fitted **ret_fitted,
                              double **ret_weights, struct error *err);

/* The trainers' own rooms. */
extern const struct trainer trainer_constant; /* the median, or the mean for squared loss */
extern const struct trainer trainer_ridge;
extern const struct trainer trainer_huber;
extern const struct trainer trainer_boosting_squared;
extern const struct trainer trainer_boosting_absolute;
extern const struct trainer trainer_elastic_net;
extern const struct trainer trainer_svr;
extern const struct trainer trainer_nearest;
extern const struct trainer trainer_boosting_huber;
extern const struct trainer trainer_boosting_quantile;
extern const struct trainer trainer_forest;
extern const struct trainer trainer_smoothing;
extern const struct trainer trainer_blend;
extern const struct trainer trainer_prior; /* the classes' shares */
extern const struct trainer trainer_softmax;
extern const struct trainer trainer_boosting_classes;
extern const struct trainer trainer_softmax_balanced;
extern const struct trainer trainer_ordinal;
extern const struct trainer trainer_nearest_classes;
extern const struct trainer trainer_propagation;
extern const struct trainer trainer_propagation_balanced;
extern const struct trainer trainer_boosting_balanced;
extern const struct trainer trainer_forest_classes;
extern const struct trainer trainer_forest_balanced;
extern const struct trainer trainer_blend_classes;
extern const struct trainer trainer_text;
