/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Leakage found in the numbers: columns from which the target was computed, or that were computed
 * from it, whatever they are called. What is known by name stands in leakage.h. */
#include <stdbool.h>

#include "learn/design.h"
#include "learn/target.h"

struct leak {
    const char *column; /* a field, or an extra column */
    enum profile_number field;
    size_t extra;       /* SIZE_MAX: a field */
    bool is_known;      /* by definition; else it was found in the numbers */
    const char *reason; /* "ranks the rows exactly as it does (rho 1.000)", ... */
};

/* Which number columns are compared: those that may be seen. */
struct leakage_columns {
    uint64_t fields;    /* bits of number fields */
    const bool *extras; /* [table->n_extras] */
};

/* On up to 1,000 rows of the target that have both:
 *   a column that ranks the rows as the target does (|Spearman's rho| > .999);
 *   two whose product, quotient, sum or difference is the target, within 2 % of what it varies: of
 *   the two the one that ranks more like the target is named;
 *   of classes: a number that falls apart into exactly their ranges.
 * The leaks live in the arena. Cost O(columns^2 rows log rows). */
enum status leakage_scan(const struct table *table, const struct target *target,
                         const struct leakage_columns *columns, struct arena *arena,
                         struct leak **ret_leaks, size_t *ret_n, struct error *err);
