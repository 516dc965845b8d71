/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the parts of boosting share: XGBoost's objects of a problem (boosting_booster.c), the rounds
 * and their number (boosting_rounds.c), and what is made of them (boosting.c). */
#include <stddef.h>

#include <xgboost/c_api.h>

#include "learn/boosting.h"
#include "learn/boosting_losses.h"

void boosting_matrix_slot(DMatrixHandle *slot);
void boosting_booster_slot(BoosterHandle *slot);

/* Tell XGBoost's last failure. */
void boosting_tell_failure(struct error *err);

#define TRY_XGB(call)                   \
    do {                                \
        if ((call) != 0) {              \
            boosting_tell_failure(err); \
            return STATUS_INTERNAL;     \
        }                               \
    } while (0)

size_t boosting_outputs(const struct problem *problem);

/* What the trees add to: the mean, the median or the quantile of the target; zeros for classes. */
enum status boosting_base(const struct problem *problem, const struct boosting_settings *settings,
                          double *ret_base, struct error *err);

/* The rows of a problem, whose labels are told from `base`. */
enum status boosting_matrix_new(const struct problem *problem, double base,
                                DMatrixHandle *ret_matrix, struct error *err);

enum status boosting_booster_new(const struct problem *problem,
                                 const struct boosting_settings *settings, DMatrixHandle matrix,
                                 BoosterHandle *ret_booster, struct error *err);

/* What a run boosts for. */
struct boosting_objective {
    const struct boosting_settings *settings;
    struct own_loss own; /* of the losses that are ours */
    struct collective *group;
};

enum status boosting_objective_init(const struct problem *problem,
                                    const struct boosting_settings *settings,
                                    struct boosting_objective *objective, struct error *err);

enum status boosting_round(const struct boosting_objective *objective, BoosterHandle booster,
                           DMatrixHandle matrix, int round, struct error *err);

/* Boost all inner folds in step until their pooled loss has not fallen for `patience` rounds.
 * all: the matrix of the problem. */
enum status boosting_rounds(const struct problem *problem, const struct boosting_settings *settings,
                            DMatrixHandle all, int *ret_rounds, double *ret_loss,
                            struct error *err);
