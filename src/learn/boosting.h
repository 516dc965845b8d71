/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Gradient boosting through XGBoost, whose only user it is. XGBoost trains; the trees are
 * taken out of its model and the engine runs them.
 *
 * The base is ours: targets are centred before training, in double, so that neither XGBoost's
 * base_score nor its float sums limit what comes out. */
#include <stdbool.h>
#include <stddef.h>

#include "learn/trainer.h"

enum boosting_loss {
    BOOSTING_SQUARED,
    BOOSTING_ABSOLUTE, /* leaves hold medians */
    BOOSTING_CLASSES,  /* softmax over one tree a class a round */
    BOOSTING_HUBER,    /* residuals beyond 1.345 standard deviations count no more than that */
    BOOSTING_QUANTILE, /* settings.quantile of the target */
};

struct boosting_settings {
    enum boosting_loss loss;
    int max_rounds;
    int patience; /* rounds without gain before the search for the number of rounds ends */
    int depth;
    int inner_folds; /* that choose the number of rounds; 1: one fifth is held out; 0: max_rounds */
    double rate;
    double min_leaf; /* sum of hessians in a leaf: rows, for both regressions */
    double row_share, column_share;
    double quantile;    /* BOOSTING_QUANTILE */
    int parallel_trees; /* a round; 0 is 1. A forest is one round of many */
    bool is_forest;     /* columns are drawn at each split and leaves are not shrunk */
};

/* Settings that suit a number of rows. */
struct boosting_settings boosting_settings_for(enum boosting_loss loss, size_t n);

/* The number of rounds with the least loss over settings.inner_folds, and that loss. */
enum status boosting_tune(const struct problem *problem, const struct boosting_settings *settings,
                          int *ret_rounds, double *ret_loss, struct error *err);

/* What XGBoost itself says of the training rows: what tests hold the engine to. */
struct boosting_own {
    double *margin;       /* [n][n_outputs] predictions */
    double *contribution; /* [n][n_outputs][p + 1], the bias last; NULL: not wanted */
};

/* Fit. own: NULL, or arrays to fill. */
enum status boosting_fit(const struct problem *problem, const struct boosting_settings *settings,
                         const struct boosting_own *own, struct fitted **ret_fitted,
                         struct error *err);
