/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/conformal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define N_QUARTERS 4
#define KNOT_ROWS 40      /* rows a knot of the spread must have */
#define SHRINK_ROWS 20    /* rows that the overall spread counts as at each knot */
#define LEAST_SPREAD 0.25 /* of the overall one */
#define WORTH_IT 0.98     /* of the plain width: what a spread must bring it down to */

struct work {
    double *sorted;    /* [n] */
    double *followers; /* [n] */
    size_t *order;     /* [n] */
    bool *used;        /* [n] rows that a rule is fitted on */
};

static void work_deinit(struct work *work)
{
    free(work->sorted);
    free(work->followers);
    free(work->order);
    free(work->used);
}

static enum status work_init(struct work *work, size_t n, struct error *err)
{
    work->sorted = calloc(n + 1, sizeof *work->sorted);
    work->followers = calloc(n + 1, sizeof *work->followers);
    work->order = calloc(n + 1, sizeof *work->order);
    work->used = calloc(n + 1, sizeof *work->used);
    return work->sorted && work->followers && work->order && work->used
               ? STATUS_OK
               : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- groups ---- */

static void count_groups(const struct conformal_rows *rows, const struct interval_rule *rule,
                         size_t *ret_n)
{
    memset(ret_n, 0, (INTERVAL_MAX_GROUPS + 1) * sizeof *ret_n);
    for (size_t i = 0; i < rows->n; i++)
        ret_n[interval_group(rule, rows->followers ? rows->followers[i] : (double)NAN)]++;
}

static bool all_large(const struct interval_rule *rule, const size_t *n)
{
    for (size_t g = 0; g < rule->n_groups; g++)
        if (n[g] < CONFORMAL_MIN_GROUP)
            return false;
    return true;
}

static size_t n_large(const struct interval_rule *rule, const size_t *n)
{
    size_t count = 0;
    for (size_t g = 0; g < rule->n_groups; g++)
        count += n[g] >= CONFORMAL_MIN_GROUP;
    return count;
}

/* Sizes, quarters of the followers, or none. */
static void choose_groups(const struct conformal_rows *rows, struct work *work,
                          struct interval_rule *rule)
{
    size_t n[INTERVAL_MAX_GROUPS + 1];
    rule->n_groups = 0;
    if (!rows->followers)
        return;
    if (rows->n_cuts > 0 && rows->n_cuts < INTERVAL_MAX_GROUPS) {
        rule->n_groups = rows->n_cuts + 1;
        memcpy(rule->cuts, rows->cuts, rows->n_cuts * sizeof *rule->cuts);
        count_groups(rows, rule, n);
        if (n_large(rule, n) >= 2)
            return;
    }
    size_t n_known = 0;
    for (size_t i = 0; i < rows->n; i++)
        if (!isnan(rows->followers[i]))
            work->followers[n_known++] = rows->followers[i];
    qsort(work->followers, n_known, sizeof work->followers[0], compare_doubles);
    rule->n_groups = n_known > 0 ? N_QUARTERS : 0;
    for (size_t q = 1; q < N_QUARTERS && n_known > 0; q++) {
        rule->cuts[q - 1] = work->followers[q * n_known / N_QUARTERS];
        if (q > 1 && rule->cuts[q - 1] <= rule->cuts[q - 2])
            rule->n_groups = 0; /* ties */
    }
    if (rule->n_groups == 0)
        return;
    count_groups(rows, rule, n);
    if (!all_large(rule, n))
        rule->n_groups = 0;
}

/* ---- the spread ---- */

struct by_prediction {
    double predicted, miss;
};

static int compare_predictions(const void *a, const void *b)
{
    const struct by_prediction *x = a;
    const struct by_prediction *y = b;
    return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

/* Mean |residual| by prediction: equal shares of the rows, each drawn to the mean of all. */
static enum status fit_spread(const struct conformal_rows *rows, const struct work *work,
                              struct interval_rule *rule, struct error *err)
{
    rule->n_knots = 0;
    AUTO(free_slot) struct by_prediction *items = calloc(rows->n + 1, sizeof *items);
    if (!items)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    double overall = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (!work->used[i])
            continue;
        items[n] =
            (struct by_prediction){rows->predicted[i], fabs(rows->y[i] - rows->predicted[i])};
        overall += items[n++].miss;
    }
    overall /= (double)(n ? n : 1);
    size_t n_knots = n / KNOT_ROWS < INTERVAL_MAX_KNOTS ? n / KNOT_ROWS : INTERVAL_MAX_KNOTS;
    if (n_knots < 2 || !(overall > 0))
        return STATUS_OK;
    qsort(items, n, sizeof items[0], compare_predictions);
    for (size_t k = 0; k < n_knots; k++) {
        size_t first = k * n / n_knots;
        size_t end = (k + 1) * n / n_knots;
        double at = 0;
        double miss = SHRINK_ROWS * overall;
        for (size_t i = first; i < end; i++) {
            at += items[i].predicted / (double)(end - first);
            miss += items[i].miss;
        }
        if (rule->n_knots > 0 && !(at > rule->knots[rule->n_knots - 1].at))
            continue; /* predictions that coincide */
        rule->knots[rule->n_knots].at = at;
        rule->knots[rule->n_knots++].spread =
            fmax(miss / ((double)(end - first) + SHRINK_ROWS), LEAST_SPREAD * overall);
    }
    return STATUS_OK;
}

/* ---- the offsets ---- */

/* The ceil((n + 1) q)-th smallest on each side, or the extreme where there are too few. */
static struct interval_offsets offsets_of(double *residual, size_t n, double coverage)
{
    qsort(residual, n, sizeof residual[0], compare_doubles);
    double tail = (1.0 - coverage) / 2.0;
    /* A shade less than the exact rank, so that rounding cannot push a whole number up. */
    double rank = ceil((double)(n + 1) * (1.0 - tail) - 1e-9);
    size_t high = rank > (double)n ? n : (size_t)rank;
    return (struct interval_offsets){residual[n - high], residual[high - 1]};
}

static double followers_of(const struct conformal_rows *rows, size_t i)
{
    return rows->followers ? rows->followers[i] : (double)NAN;
}

/* On the rows in use, with the groups that stand in the rule. */
static enum status fit_rule(const struct conformal_rows *rows, struct work *work, bool scaled,
                            struct interval_rule *rule, struct error *err)
{
    rule->n_knots = 0;
    if (scaled)
        TRY(fit_spread(rows, work, rule, err));
    for (size_t g = rule->n_groups + 1; g-- > 0;) {
        bool all = g == rule->n_groups; /* comes first: what small groups fall back on */
        size_t n = 0;
        for (size_t i = 0; i < rows->n; i++)
            if (work->used[i] && (all || interval_group(rule, followers_of(rows, i)) == g))
                work->sorted[n++] =
                    (rows->y[i] - rows->predicted[i]) / interval_spread(rule, rows->predicted[i]);
        if (all && n == 0)
            return fail(err, STATUS_INVALID, "no residuals to make an interval of");
        /* Folds take their share of a group's rows. */
        bool enough = (double)n >= CONFORMAL_MIN_GROUP * (double)(rows->n_folds - 1) /
                                       (double)rows->n_folds * 0.9;
        rule->offsets[g] = all || enough ? offsets_of(work->sorted, n, rows->coverage)
                                         : rule->offsets[rule->n_groups];
    }
    return STATUS_OK;
}

/* ---- measuring ---- */

static enum status measure(const struct conformal_rows *rows, struct work *work, bool scaled,
                           const struct interval_rule *groups, struct conformal_measure *ret,
                           struct interval_offsets *ret_offsets, struct error *err)
{
    *ret = (struct conformal_measure){.n_groups = groups->n_groups};
    for (uint32_t f = 0; f < rows->n_folds; f++) {
        struct interval_rule rule = *groups;
        for (size_t i = 0; i < rows->n; i++)
            work->used[i] = rows->fold[i] != f;
        TRY(fit_rule(rows, work, scaled, &rule, err));
        for (size_t i = 0; i < rows->n; i++) {
            if (work->used[i])
                continue;
            struct interval_offsets at =
                interval_at(&rule, rows->predicted[i], followers_of(rows, i));
            if (ret_offsets)
                ret_offsets[i] = at;
            double residual = rows->y[i] - rows->predicted[i];
            bool inside = residual >= at.low && residual <= at.high;
            size_t g = interval_group(&rule, followers_of(rows, i));
            ret->n[g]++;
            ret->group_covered[g] += inside;
            ret->group_width[g] += at.high - at.low;
            ret->covered += inside;
            ret->width += at.high - at.low;
        }
    }
    for (size_t g = 0; g <= ret->n_groups; g++) {
        ret->group_covered[g] /= (double)ret->n[g]; /* 0 / 0 is not known */
        ret->group_width[g] /= (double)ret->n[g];
    }
    ret->covered /= (double)rows->n;
    ret->width /= (double)rows->n;
    return STATUS_OK;
}

enum status conformal_fit(const struct conformal_rows *rows, struct interval_rule *ret_rule,
                          struct conformal_measure *ret_measure,
                          struct interval_offsets *ret_offsets, struct error *err)
{
    if (rows->n == 0)
        return fail(err, STATUS_INVALID, "no residuals to make an interval of");
    AUTO(work_deinit) struct work work = {0};
    TRY(work_init(&work, rows->n, err));
    struct interval_rule rule = {0};
    choose_groups(rows, &work, &rule);
    struct conformal_measure plain;
    struct conformal_measure spread;
    TRY(measure(rows, &work, false, &rule, &plain, NULL, err));
    TRY(measure(rows, &work, true, &rule, &spread, NULL, err));
    bool scaled = spread.width < WORTH_IT * plain.width;
    struct conformal_measure chosen;
    TRY(measure(rows, &work, scaled, &rule, &chosen, ret_offsets, err));
    for (size_t i = 0; i < rows->n; i++)
        work.used[i] = true;
    TRY(fit_rule(rows, &work, scaled, &rule, err));
    *ret_rule = rule;
    *ret_measure = chosen;
    return STATUS_OK;
}
