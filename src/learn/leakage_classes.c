/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/leakage_classes.h"

#include <stdlib.h>

#define REPEATED 3 /* rows of one value that are no accident together */

static int by_value(const void *a, const void *b)
{
    const struct leakage_row *x = a;
    const struct leakage_row *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

static int by_label(const void *a, const void *b)
{
    const struct leakage_row *x = a;
    const struct leakage_row *y = b;
    return (x->label > y->label) - (x->label < y->label);
}

/* Where the stretch of equal rows that starts at `begin` ends. */
typedef size_t end_function(const struct leakage_row *rows, size_t n, size_t begin);

static size_t end_of_label(const struct leakage_row *rows, size_t n, size_t begin)
{
    size_t end = begin + 1;
    while (end < n && rows[end].label == rows[begin].label)
        end++;
    return end;
}

static size_t end_of_value(const struct leakage_row *rows, size_t n, size_t begin)
{
    size_t end = begin + 1;
    while (end < n && rows[end].value == rows[begin].value)
        end++;
    return end;
}

/* Rows that are not of the most frequent class; rows: [n] by label. */
static size_t count_mixed(const struct leakage_row *rows, size_t n, uint32_t *ret_majority)
{
    size_t most = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = end_of_label(rows, n, begin);
        if (end - begin > most) {
            most = end - begin;
            *ret_majority = rows[begin].label;
        }
    }
    return n - most;
}

/* How many rows may be out of place: one in 200, but of a rare class one in 100 of its rows. */
static size_t tolerance(size_t n, size_t n_beside)
{
    return n / 200 < n_beside / 100 ? n / 200 : n_beside / 100;
}

/* Leaves the rows whose value, or label, REPEATED rows have: rows come sorted by it. */
static size_t keep_repeated(struct leakage_row *rows, size_t n, end_function *end_of)
{
    size_t n_kept = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = end_of(rows, n, begin);
        for (size_t i = begin; end - begin >= REPEATED && i < end; i++)
            rows[n_kept++] = rows[i];
    }
    return n_kept;
}

bool leakage_are_ranges(struct leakage_row *rows, size_t n_all)
{
    size_t n_classes = 0;
    size_t n_stretches = 0;
    size_t n_mixed = 0;
    uint32_t majority = 0;
    uint32_t before = UINT32_MAX;
    qsort(rows, n_all, sizeof rows[0], by_label);
    size_t n = keep_repeated(rows, n_all, end_of_label);
    size_t n_beside = count_mixed(rows, n, &majority);
    if (2 * n < n_all || n_beside < LEAKAGE_MIN_ROWS)
        return false;
    for (size_t begin = 0; begin < n; begin = end_of_label(rows, n, begin))
        n_classes++;
    qsort(rows, n, sizeof rows[0], by_value);
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = end_of_value(rows, n, begin);
        n_mixed += count_mixed(rows + begin, end - begin, &majority);
        n_stretches += majority != before;
        before = majority;
    }
    size_t allowed = tolerance(n, n_beside);
    return n_mixed <= allowed && n_stretches <= n_classes + allowed;
}

bool leakage_are_pure(struct leakage_row *rows, size_t n_all)
{
    size_t n_mixed = 0;
    uint32_t majority = 0;
    qsort(rows, n_all, sizeof rows[0], by_value);
    size_t n = keep_repeated(rows, n_all, end_of_value);
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = end_of_value(rows, n, begin);
        n_mixed += count_mixed(rows + begin, end - begin, &majority);
    }
    qsort(rows, n, sizeof rows[0], by_label);
    size_t n_beside = count_mixed(rows, n, &majority);
    return 2 * n >= n_all && n_beside >= LEAKAGE_MIN_ROWS && n_mixed <= tolerance(n, n_beside);
}
