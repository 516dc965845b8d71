/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the rows of a target are split and counted, by columns of the table: folds that keep groups
 * together, folds by time, and metrics of some of the rows. */
#include "learn/target.h"

struct row_options {
    const char *group;  /* NULL, or a column: rows with the same value stay in one fold */
    const char *when;   /* NULL, or a column of numbers: train on what is older */
    const char *scored; /* NULL, or conditions: only such held-out rows count; see row_filter.h */
};

/* What they come to, for struct crossval_input; arrays live in `arena`. `group` goes into the
 * target. STATUS_NOT_FOUND: no such column. STATUS_INVALID: a column that is not of numbers or a
 * row without a time, a condition that cannot be read, two ways to split. */
struct row_plan {
    const double *when;  /* [n of the target] or NULL */
    const bool *counted; /* likewise */
};
enum status row_options_apply(const struct row_options *options, const struct table *table,
                              struct target *target, struct arena *arena, struct row_plan *ret_plan,
                              struct error *err);

/* STATUS_NOT_FOUND: the table has no such column; `option` asked for it. */
enum status row_options_check_column(const struct table *table, const char *option,
                                     const char *name, struct error *err);
