/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Principal components of standardised columns: eigenvectors of the correlation matrix (GSL). */
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

#define PCA_MAX_COLUMNS 512

struct pca {
    size_t n_columns, n_components;
    double *mean, *scale; /* [n_columns]; scale is 1 for a constant column */
    double *loadings;     /* [n_components][n_columns], unit length, the largest entry positive */
    double *explained;    /* [n_components] share of the variance, falling */
};

/* x: [n][p] without missing values. Memory comes from the arena. STATUS_INVALID: n < 2, p is 0 or
 * above PCA_MAX_COLUMNS, n_components above p, or nothing varies. Cost O(n p^2 + p^3). */
enum status pca_fit(const double *x, size_t n, size_t p, size_t n_components, struct arena *memory,
                    struct pca *ret_pca, struct error *err);

/* One row to its scores [n_components]. */
void pca_project(const struct pca *pca, const double *row, double *ret_scores);
