/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/leakage_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/leakage_classes.h"
#include "learn/metrics.h"

#define MAX_ROWS 1000
#define MIN_ROWS LEAKAGE_MIN_ROWS
#define MAX_COLUMNS 64
#define SAME_RANKS 0.999
#define FEW_VALUES 10
#define CLOSE 0.02 /* residual spread, as a share of the target's own */

struct column {
    struct leak leak; /* its name */
    double *value;    /* [n] NaN: missing; of texts a code for each */
    double rho;       /* with the target; 0: not known */
    bool is_text;
    bool is_continuous;
};

struct scan {
    size_t n;
    double *y;       /* [n]; NaN: classes only */
    uint32_t *label; /* [n]; of classes */
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

/* Which row of the target the i-th of the sample is. */
static size_t sampled(const struct scan *scan, const struct target *target, size_t i)
{
    return i * target->n / scan->n;
}

static enum status add_column(struct scan *scan, struct leak leak, bool is_text, struct error *err)
{
    if (scan->n_columns == MAX_COLUMNS)
        return STATUS_OK;
    double *value = ARENA_ARRAY(scan->arena, double, scan->n + 1);
    if (!value)
        return no_memory(err);
    scan->columns[scan->n_columns++] =
        (struct column){.leak = leak, .value = value, .is_text = is_text};
    return STATUS_OK;
}

static enum status choose_columns(struct scan *scan, const struct table *table,
                                  const struct target *target, const struct leakage_columns *which,
                                  struct error *err)
{
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++) {
        const char *name = profile_number_field((enum profile_number)f)->name;
        if (which->fields >> f & 1)
            TRY(add_column(scan, (struct leak){.column = name, .kind = LEAK_NUMBER, .index = f},
                           false, err));
    }
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++)
        if (which->texts[t])
            TRY(add_column(
                scan,
                (struct leak){.column = profile_fields[t].name, .kind = LEAK_TEXT, .index = t},
                true, err));
    for (size_t e = 0; e < table->n_extras; e++) {
        const struct table_extra *extra = &table->extras[e];
        if (which->extras[e] && e != target->extra)
            TRY(add_column(scan,
                           (struct leak){.column = extra->name, .kind = LEAK_EXTRA, .index = e},
                           !extra->number, err));
    }
    return STATUS_OK;
}

static double number_of(const struct table *table, size_t row, const struct profile *profile,
                        const struct leak *leak)
{
    return leak->kind == LEAK_NUMBER ? profile->number[leak->index]
                                     : table->extras[leak->index].number[row];
}

static const char *text_of(const struct table *table, size_t row, const struct leak *leak)
{
    const char *const *column =
        leak->kind == LEAK_TEXT ? table->text[leak->index] : table->extras[leak->index].text;
    return column && column[row] && column[row][0] != '\0' ? column[row] : NULL;
}

struct coded {
    const char *text;
    size_t at;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct coded *)a)->text, ((const struct coded *)b)->text);
}

/* value[i]: which of the texts, in alphabetic order, the row has. */
static enum status code_texts(const struct scan *scan, const struct table *table,
                              const struct target *target, struct column *column, struct error *err)
{
    AUTO(free_slot) struct coded *coded = calloc(scan->n + 1, sizeof *coded);
    if (!coded)
        return no_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < scan->n; i++) {
        const char *text = text_of(table, target->rows[sampled(scan, target, i)], &column->leak);
        column->value[i] = NAN;
        if (text)
            coded[n++] = (struct coded){text, i};
    }
    qsort(coded, n, sizeof *coded, by_text);
    double code = 0;
    for (size_t i = 0; i < n; i++) {
        code += i > 0 && strcmp(coded[i].text, coded[i - 1].text) != 0;
        column->value[coded[i].at] = code;
    }
    return STATUS_OK;
}

static enum status take_columns(struct scan *scan, const struct table *table,
                                const struct target *target, struct error *err)
{
    for (size_t i = 0; i < scan->n; i++) {
        size_t at = sampled(scan, target, i);
        struct profile profile;
        design_profile(table, target->rows[at], &profile);
        scan->y[i] = target->y[at];
        if (target->task == TASK_CLASSIFICATION)
            scan->label[i] = target->label[at];
        for (size_t c = 0; c < scan->n_columns; c++)
            if (!scan->columns[c].is_text)
                scan->columns[c].value[i] =
                    number_of(table, target->rows[at], &profile, &scan->columns[c].leak);
    }
    for (size_t c = 0; c < scan->n_columns; c++)
        if (scan->columns[c].is_text)
            TRY(code_texts(scan, table, target, &scan->columns[c], err));
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

/* Of classes: does the column tell them? */
static enum status compare_classes(struct scan *scan, struct column *column, struct error *err)
{
    AUTO(free_slot) struct leakage_row *rows = calloc(scan->n + 1, sizeof *rows);
    if (!rows)
        return no_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < scan->n; i++)
        if (!isnan(column->value[i]))
            rows[n++] = (struct leakage_row){column->value[i], scan->label[i]};
    if (n < MIN_ROWS || 2 * n < scan->n)
        return STATUS_OK;
    if (column->is_text ? !leakage_are_pure(rows, n) : !leakage_are_ranges(rows, n))
        return STATUS_OK;
    return add_leak(scan, column,
                    arena_printf(scan->arena, column->is_text ? "each of its values is of one class"
                                                              : "the classes are ranges of it"),
                    err);
}

/* Of a text, and a target that is a number or was cut from one. */
static enum status compare_ranges(struct scan *scan, struct column *column, struct error *err)
{
    AUTO(free_slot) struct leakage_row *rows = calloc(scan->n + 1, sizeof *rows);
    if (!rows)
        return no_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < scan->n; i++)
        if (!isnan(column->value[i]) && !isnan(scan->y[i]))
            rows[n++] = (struct leakage_row){scan->y[i], (uint32_t)column->value[i]};
    if (n < MIN_ROWS || 2 * n < scan->n || !leakage_are_ranges(rows, n))
        return STATUS_OK;
    return add_leak(scan, column, arena_printf(scan->arena, "its values are ranges of the target"),
                    err);
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
    scan->label = ARENA_ARRAY(arena, uint32_t, scan->n + 1);
    scan->a = ARENA_ARRAY(arena, double, scan->n + 1);
    scan->b = ARENA_ARRAY(arena, double, scan->n + 1);
    scan->leaks = ARENA_ARRAY(arena, struct leak, MAX_COLUMNS);
    if (!scan->y || !scan->label || !scan->a || !scan->b || !scan->leaks)
        return no_memory(err);
    TRY(choose_columns(scan, table, target, columns, err));
    TRY(take_columns(scan, table, target, err));
    bool is_number = target->n > 0 && is_continuous(scan, scan->y);
    for (size_t c = 0; c < scan->n_columns; c++) {
        struct column *column = &scan->columns[c];
        column->is_continuous = !column->is_text && is_continuous(scan, column->value);
        if (!column->is_text)
            TRY(compare_ranks(scan, column, err));
        else if (is_number)
            TRY(compare_ranges(scan, column, err));
        if (target->task == TASK_CLASSIFICATION)
            TRY(compare_classes(scan, column, err));
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
