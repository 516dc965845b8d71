/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Losses that XGBoost 1.7 has not, or has in a form that needs the target's unit: Huber's (of the
 * gradient kind: Friedman 2001, algorithm 4, with leaves that hold means of clipped residuals) and
 * the quantile's (Koenker 2005). Both with a hessian of 1, so that a leaf counts rows. */
#include <stddef.h>

#include "base/status.h"

struct own_loss {
    double clip;     /* Huber: residuals count up to this; 0: the quantile's loss */
    double quantile; /* 0..1 */
    double step;     /* the quantile's gradient is this long */
};

/* Widths from the target: its median distance from the median / 0.6745 stands for a standard
 * deviation. y: [n]. quantile 0: Huber's loss. */
enum status own_loss_init(struct own_loss *loss, double quantile, const double *y, size_t n,
                          struct error *err);

/* Of predictions [n] for labels [n]. */
void own_loss_gradient(const struct own_loss *loss, const float *label, const float *predicted,
                       size_t n, float *ret_gradient);
double own_loss_mean(const struct own_loss *loss, const float *label, const float *predicted,
                     size_t n);

/* The order statistic of y [n] at `quantile`. STATUS_NO_MEMORY. */
enum status quantile_of(const double *y, size_t n, double quantile, double *ret_value,
                        struct error *err);
