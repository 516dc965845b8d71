/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Leakage found in the data: columns from which the target was computed, or that were computed
 * from it, whatever they are called. What is known by name stands in leakage.h. */
#include <stdbool.h>

#include "learn/design.h"
#include "learn/target.h"

enum leak_kind {
    LEAK_NUMBER, /* a field */
    LEAK_TEXT,   /* a field */
    LEAK_EXTRA   /* a column of the table's own */
};

struct leak {
    const char *column;
    enum leak_kind kind;
    size_t index;       /* of the number, the text or the extra column */
    bool is_known;      /* by definition; else it was found in the data */
    const char *reason; /* "ranks the rows as the target does (rho 1.0000)", ... */
};

/* Which columns are compared: those that may be seen. */
struct leakage_columns {
    uint64_t fields;    /* bits of number fields */
    const bool *texts;  /* [PROFILE_N_TEXTS] */
    const bool *extras; /* [table->n_extras] */
};

/* On up to 1,000 rows of the target that have both:
 *   a column that ranks the rows as the target does (|Spearman's rho| > .999);
 *   two whose product, quotient, sum or difference is the target, within 2 % of what it varies: of
 *   the two the one that ranks more like the target is named;
 *   of classes: a number that falls apart into exactly their ranges, a text whose every value is of
 *   one class;
 *   a text that stands for ranges of the target, or of the number that its classes were cut from.
 * The leaks live in the arena. Cost O(columns^2 rows log rows). */
enum status leakage_scan(const struct table *table, const struct target *target,
                         const struct leakage_columns *columns, struct arena *arena,
                         struct leak **ret_leaks, size_t *ret_n, struct error *err);
