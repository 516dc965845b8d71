/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Does a number, or the code of a text, tell the class of its row? For the search for leakage. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAKAGE_MIN_ROWS 20 /* fewer prove nothing, also of the classes beside the largest */

struct leakage_row {
    double value;
    uint32_t label;
};

/* Both reorder rows [n], and look at labels, or values, that three rows or more have: half of all
 * must be such rows. One row in 200 may be out of place, of rare classes one in 100 of theirs.
 * False where all but LEAKAGE_MIN_ROWS rows are of one class. */

/* Sorted by the value, each class is one stretch. */
bool leakage_are_ranges(struct leakage_row *rows, size_t n);

/* All rows of one value are of one class. */
bool leakage_are_pure(struct leakage_row *rows, size_t n);
