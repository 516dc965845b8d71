/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the steps that decide units share. */
#include "dataset/work.h"

#define UNITS_MIN_ROWS 3 /* for a decision by comparing columns */

/* Median of values[0..n-1], which are reordered; NaN of none. O(n). */
double units_median(double *values, size_t n);

/* Median of a[i] / b[i] over rows where both are above zero; *ret_n: how many. b NULL: of a.
 * scratch: [n_rows]. */
double units_median_ratio(const double *a, const double *b, size_t n_rows, double *scratch,
                          size_t *ret_n);

/* Set a column aside: it is not in the table. */
void units_refuse_column(struct column *column);

/* "numbers", or "numbers with k, m, b". */
void units_name_count(struct column *column);

/* Percent or fraction, for the bare numbers of a rate. bare, scratch: [n_rows]. */
void rates_settle(struct work *work, struct column *column, double *bare, double *scratch);

/* The same, as it was decided for earlier rows. */
void rates_apply(struct work *work, struct column *column, double *bare, double *scratch);

/* "92 %" of a score are 92 points. */
void rates_settle_marks(const struct work *work, struct column *column);
