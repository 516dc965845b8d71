/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the answers of a model move with one input, or with two at once: partial dependence (Friedman
 * 2001) with the density of the data beside it, and the strength of interactions (the H-statistic,
 * Friedman and Popescu 2008). It is what the model does, not what the world would do. */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "features/spec.h"
#include "learn/shipped.h"

#define DEPENDENCE_MAX_CURVES 8
#define DEPENDENCE_PAIR_POINTS 10 /* a side of the grid of two inputs */
#define DEPENDENCE_MAX_STRONG 4   /* inputs whose pairs are tried for interactions */
#define DEPENDENCE_MAX_PAIRS (DEPENDENCE_MAX_STRONG * (DEPENDENCE_MAX_STRONG - 1) / 2)

/* A numeric feature, in the unit that a person would recognise where it reads one field alone. */
struct dependence_axis {
    const char *feature, *unit;
    const char *input; /* the field, or "": x is in the feature's own unit */
    size_t column;     /* of the spec */
    size_t n;
    double *value; /* [n] of the feature, rising */
    double *x;     /* [n] the same for people */
};

struct dependence_curve {
    struct dependence_axis axis;
    double *mean;       /* [n] of the answers when all rows have this value */
    double *low, *high; /* [n] the middle 80 % of the rows */
    double *density;    /* [n] share of the rows nearest to each value; sums to 1 */
};

/* H: the share of the two inputs' joint effect, as a standard deviation, that is not the sum of the
 * two alone; 0 none, 1 all. */
struct dependence_pair {
    const char *a, *b;
    double h;
};

struct dependence {
    struct arena memory; /* owns everything below */
    size_t n_curves;
    struct dependence_curve curves[DEPENDENCE_MAX_CURVES];
    size_t n_pairs; /* among the strongest inputs, in their order */
    struct dependence_pair pairs[DEPENDENCE_MAX_PAIRS];
    /* The two strongest together; false: there are fewer than two. */
    bool has_surface;
    struct dependence_axis side[2];
    double *surface; /* [side[1].n][side[0].n] mean answer */
    size_t *count;   /* likewise: rows nearest to each point */
};

struct dependence_input {
    const struct shipped *model; /* its first output is looked at */
    const struct feature_spec *spec;
    const float *raw; /* [n][n_columns] */
    size_t n;
    const char *const *names; /* [n_names] inputs, strongest first; texts among them are passed */
    size_t n_names;
};

enum status dependence_run(const struct dependence_input *input, struct dependence **ret_dependence,
                           struct error *err);
void dependence_free(struct dependence *dependence);
DEFINE_SLOT(dependence_free, struct dependence)
