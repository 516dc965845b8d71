/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/leakage_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/metrics.h"

#define MAX_ROWS 1000
#define MIN_ROWS 20
#define MAX_COLUMNS 64
#define SAME_RANKS 0.999
#define FEW_VALUES 10
#define CLOSE 0.02 /* residual spread, as a share of the target's own */

struct column {
    struct leak leak; /* its name */
    double *value;    /* [n] NaN: missing */
    double rho;       /* with the target; 0: not known */
    bool is_continuous;
};

struct scan {
    size_t n;
    double *y;              /* [n]; NaN: classes only */
    const uint32_t **label; /* [n] */
    struct column columns[MAX_COLUMNS];
    size_t n_columns;
    double *a, *b; /* [n] scratch */
    struct arena *arena;
    struct leak *leaks; /* [MAX_COLUMNS] */
    size_t n_leaks;
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the search for leakage");
}

/* ---- the columns ---- */

static enum status add_column(struct scan *scan, struct leak leak, struct error *err)
{
    if (scan->n_columns == MAX_COLUMNS)
        return STATUS_OK;
    double *value = ARENA_ARRAY(scan->arena, double, scan->n + 1);
    if (!value)
        return no_memory(err);
    scan->columns[scan->n_columns++] = (struct column){.leak = leak, .value = value};
    return STATUS_OK;
}

static enum status take_columns(struct scan *scan, const struct table *table,
                                const struct target *target, const struct leakage_columns *which,
                                struct error *err)
{
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
        if (which->fields >> f & 1)
            TRY(add_column(
                scan,
                (struct leak){.column = profile_number_field((enum profile_number)f)->name,
                              .field = (enum profile_number)f,
                              .extra = SIZE_MAX},
                err));
    for (size_t e = 0; e < table->n_extras; e++)
        if (which->extras[e] && table->extras[e].number && e != target->extra)
            TRY(add_column(scan, (struct leak){.column = table->extras[e].name, .extra = e}, err));
    for (size_t i = 0; i < scan->n; i++) {
        size_t at = i * target->n / scan->n;
        struct profile profile;
        design_profile(table, target->rows[at], &profile);
        scan->y[i] = target->y[at];
        scan->label[i] = &target->label[at];
        for (size_t c = 0; c < scan->n_columns; c++) {
            const struct leak *leak = &scan->columns[c].leak;
            scan->columns[c].value[i] = leak->extra == SIZE_MAX
                                            ? profile.number[leak->field]
                                            : table->extras[leak->extra].number[target->rows[at]];
        }
    }
    return STATUS_OK;
}

static enum status add_leak(struct scan *scan, struct column *column, char *reason,
                            struct error *err)
{
    if (!reason)
        return no_memory(err);
    for (size_t i = 0; i < scan->n_leaks; i++)
        if (scan->leaks[i].column == column->leak.column)
            return STATUS_OK;
    column->leak.reason = reason;
    scan->leaks[scan->n_leaks++] = column->leak;
    return STATUS_OK;
}

static bool is_leak(const struct scan *scan, const struct column *column)
{
    for (size_t i = 0; i < scan->n_leaks; i++)
        if (scan->leaks[i].column == column->leak.column)
            return true;
    return false;
}

/* ---- one column ---- */

static enum status compare_ranks(struct scan *scan, struct column *column, struct error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < scan->n; i++) {
        if (isnan(column->value[i]) || isnan(scan->y[i]))
            continue;
        scan->a[n] = column->value[i];
        scan->b[n++] = scan->y[i];
    }
    if (n < MIN_ROWS)
        return STATUS_OK;
    TRY(metrics_spearman(scan->a, scan->b, n, &column->rho, err));
    if (!(fabs(column->rho) > SAME_RANKS))
        return STATUS_OK;
    return add_leak(
        scan, column,
        arena_printf(scan->arena, "ranks the rows as the target does (rho %.4f)", column->rho),
        err);
}

struct labelled {
    double value;
    uint32_t label;
};

static int by_value(const void *a, const void *b)
{
    const struct labelled *x = a;
    const struct labelled *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

/* Rows of one value that are not of its most frequent class; rows: [n] of one value, by label. */
static size_t count_mixed(const struct labelled *rows, size_t n, uint32_t *ret_majority)
{
    size_t most = 0;
    for (size_t begin = 0; begin < n;) {
        size_t end = begin + 1;
        while (end < n && rows[end].label == rows[begin].label)
            end++;
        if (end - begin > most) {
            most = end - begin;
            *ret_majority = rows[begin].label;
        }
        begin = end;
    }
    return n - most;
}

/* Sorted by the number, each class is one stretch, but for one row in 200. */
static bool are_ranges(struct labelled *rows, size_t n, size_t n_classes)
{
    size_t n_stretches = 0;
    size_t n_mixed = 0;
    uint32_t before = UINT32_MAX;
    qsort(rows, n, sizeof rows[0], by_value);
    for (size_t begin = 0; begin < n;) {
        size_t end = begin + 1;
        uint32_t majority = 0;
        while (end < n && rows[end].value == rows[begin].value)
            end++;
        n_mixed += count_mixed(rows + begin, end - begin, &majority);
        n_stretches += majority != before;
        before = majority;
        begin = end;
    }
    return n_mixed <= n / 200 && n_stretches <= n_classes + n / 200;
}

static enum status compare_classes(struct scan *scan, struct column *column, size_t n_classes,
                                   struct error *err)
{
    AUTO(free_slot) struct labelled *rows = calloc(scan->n + 1, sizeof *rows);
    if (!rows)
        return no_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < scan->n; i++)
        if (!isnan(column->value[i]))
            rows[n++] = (struct labelled){column->value[i], *scan->label[i]};
    if (n < MIN_ROWS || (double)n < 0.5 * (double)scan->n || n_classes < 2 ||
        !are_ranges(rows, n, n_classes))
        return STATUS_OK;
    return add_leak(scan, column, arena_printf(scan->arena, "the classes are ranges of it"), err);
}

/* ---- two columns ---- */

enum combination {
    PRODUCT,
    QUOTIENT,
    SUM,
    DIFFERENCE,
    N_COMBINATIONS
};
static const char *const signs[N_COMBINATIONS] = {"x", "/", "+", "-"};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middle half of n values, which are sorted in place. */
static double middle_range(double *values, size_t n)
{
    qsort(values, n, sizeof values[0], compare_doubles);
    return values[3 * n / 4] - values[n / 4];
}

/* Logarithms for products and quotients, so that a constant factor (percent) makes no difference.
 */
static bool combine(enum combination how, double a, double b, double y, double ret[static 2])
{
    bool is_sum = how == SUM || how == DIFFERENCE;
    if (isnan(a) || isnan(b) || isnan(y) || (!is_sum && (a <= 0 || b <= 0 || y <= 0)))
        return false;
    ret[0] = is_sum ? y : log(y);
    ret[1] = is_sum ? (how == SUM ? a + b : a - b)
                    : (how == PRODUCT ? log(a) + log(b) : log(a) - log(b));
    return true;
}

/* True when y is the combination: what is left varies by 2 % of what y varies, and of what either
 * column leaves alone. */
static bool is_combination(struct scan *scan, enum combination how, const struct column *a,
                           const struct column *b)
{
    size_t n = 0;
    for (size_t i = 0; i < scan->n; i++) {
        double pair[2];
        if (!combine(how, a->value[i], b->value[i], scan->y[i], pair))
            continue;
        scan->a[n] = pair[0] - pair[1];
        scan->b[n++] = pair[0];
    }
    if (n < MIN_ROWS || (double)n < 0.5 * (double)scan->n)
        return false;
    double left = middle_range(scan->a, n);
    double varies = middle_range(scan->b, n);
    if (!(varies > 0) || left > CLOSE * varies)
        return false;
    /* Neither may do it alone: y = a + noise is no sum. */
    bool is_sum = how == SUM || how == DIFFERENCE;
    for (int which = 0; which < 2; which++) {
        n = 0;
        for (size_t i = 0; i < scan->n; i++) {
            double pair[2];
            if (!combine(how, a->value[i], b->value[i], scan->y[i], pair))
                continue;
            double alone = which == 0 ? a->value[i] : b->value[i];
            double sign = which == 1 && (how == QUOTIENT || how == DIFFERENCE) ? -1 : 1;
            scan->a[n++] = pair[0] - sign * (is_sum ? alone : log(alone));
        }
        if (left > 0.2 * middle_range(scan->a, n))
            return false;
    }
    return true;
}

/* Of few values (flags, levels) sums and quotients mean nothing. */
static bool is_continuous(struct scan *scan, const double *values)
{
    size_t n = 0;
    for (size_t i = 0; i < scan->n; i++)
        if (!isnan(values[i]))
            scan->a[n++] = values[i];
    qsort(scan->a, n, sizeof scan->a[0], compare_doubles);
    size_t n_distinct = n > 0;
    for (size_t i = 1; i < n; i++)
        n_distinct += scan->a[i] != scan->a[i - 1];
    return n_distinct > FEW_VALUES;
}

static enum status compare_pair(struct scan *scan, struct column *a, struct column *b,
                                struct error *err)
{
    for (int how = 0; how < N_COMBINATIONS; how++) {
        bool found = is_combination(scan, (enum combination)how, a, b);
        if (!found && (how == QUOTIENT || how == DIFFERENCE) &&
            is_combination(scan, (enum combination)how, b, a)) {
            struct column *swap = a;
            a = b;
            b = swap;
            found = true;
        }
        if (!found)
            continue;
        return add_leak(scan, fabs(a->rho) >= fabs(b->rho) ? a : b,
                        arena_printf(scan->arena, "the target is %s %s %s", a->leak.column,
                                     signs[how], b->leak.column),
                        err);
    }
    return STATUS_OK;
}

enum status leakage_scan(const struct table *table, const struct target *target,
                         const struct leakage_columns *columns, struct arena *arena,
                         struct leak **ret_leaks, size_t *ret_n, struct error *err)
{
    AUTO(free_slot) struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return no_memory(err);
    scan->arena = arena;
    scan->n = target->n < MAX_ROWS ? target->n : MAX_ROWS;
    scan->y = ARENA_ARRAY(arena, double, scan->n + 1);
    scan->label = ARENA_ARRAY(arena, const uint32_t *, scan->n + 1);
    scan->a = ARENA_ARRAY(arena, double, scan->n + 1);
    scan->b = ARENA_ARRAY(arena, double, scan->n + 1);
    scan->leaks = ARENA_ARRAY(arena, struct leak, MAX_COLUMNS);
    if (!scan->y || !scan->label || !scan->a || !scan->b || !scan->leaks)
        return no_memory(err);
    TRY(take_columns(scan, table, target, columns, err));
    bool is_number = target->n > 0 && is_continuous(scan, scan->y);
    for (size_t c = 0; c < scan->n_columns; c++) {
        scan->columns[c].is_continuous = is_continuous(scan, scan->columns[c].value);
        TRY(compare_ranks(scan, &scan->columns[c], err));
        if (target->task == TASK_CLASSIFICATION)
            TRY(compare_classes(scan, &scan->columns[c], target->n_classes, err));
    }
    for (size_t a = 0; is_number && a < scan->n_columns; a++)
        for (size_t b = a + 1; b < scan->n_columns; b++)
            if (scan->columns[a].is_continuous && scan->columns[b].is_continuous &&
                !is_leak(scan, &scan->columns[a]) && !is_leak(scan, &scan->columns[b]))
                TRY(compare_pair(scan, &scan->columns[a], &scan->columns[b], err));
    *ret_leaks = scan->leaks;
    *ret_n = scan->n_leaks;
    return STATUS_OK;
}
