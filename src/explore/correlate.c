/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/correlate.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "profile/profile.h"

#define NORMAL_975 1.959963984540054

static struct interval fisher_interval(double r, double standard_error)
{
    if (isnan(r) || isnan(standard_error))
        return (struct interval){r, MISSING, MISSING};
    double z = atanh(fmax(-1, fmin(1, r))), half = NORMAL_975 * standard_error;
    return (struct interval){r, tanh(z - half), tanh(z + half)};
}

struct interval correlate_pearson_interval(double r, size_t n)
{
    return fisher_interval(n < 4 ? MISSING : r, n < 4 ? MISSING : 1 / sqrt((double)n - 3));
}

struct interval correlate_spearman_interval(double rho, size_t n)
{
    return fisher_interval(n < 4 ? MISSING : rho,
                           n < 4 ? MISSING : sqrt((1 + rho * rho / 2) / ((double)n - 3)));
}

static int compare_rows(const void *a, const void *b, void *values)
{
    const double *value = values;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (value[i] != value[j])
        return value[i] < value[j] ? -1 : 1;
    return (i > j) - (i < j);
}

size_t correlate_order(const double *values, size_t n, uint32_t *ret_order)
{
    size_t n_present = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            ret_order[n_present++] = (uint32_t)i;
    /* qsort_r wants a pointer that may be written to; compare_rows() only reads. */
    union {
        const double *read;
        void *pass;
    } user = {.read = values};
    qsort_r(ret_order, n_present, sizeof *ret_order, compare_rows, user.pass);
    return n_present;
}

/* Mean ranks of `column` among the rows where `other` is present too, to ret_rank[row]. */
static void rank_pair(const struct correlate_column *column, const struct correlate_column *other,
                      double *ret_rank)
{
    size_t rank = 0;
    for (size_t i = 0; i < column->n_present;) {
        double value = column->values[column->order[i]];
        size_t end = i, ties = 0;
        for (; end < column->n_present && column->values[column->order[end]] == value; end++)
            ties += !isnan(other->values[column->order[end]]);
        for (; i < end; i++)
            ret_rank[column->order[i]] = (double)rank + ((double)ties + 1) / 2;
        rank += ties;
    }
}

void correlate_ranks(const struct correlate_column *column, double *ret_ranks)
{
    rank_pair(column, column, ret_ranks);
}

static double pearson(const double *a, const double *b, size_t n)
{
    if (n < 2)
        return MISSING;
    double r = gsl_stats_correlation(a, 1, b, 1, n);
    return isfinite(r) ? fmax(-1, fmin(1, r)) : MISSING;
}

/* Keep the rows that have both columns, in place. */
static size_t compact(const struct correlate_column *a, const struct correlate_column *b, size_t n,
                      double *x, double *y)
{
    size_t n_both = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(a->values[i]) && !isnan(b->values[i])) {
            x[n_both] = x[i];
            y[n_both++] = y[i];
        }
    return n_both;
}

void correlate_pair(const struct correlate_column *a, const struct correlate_column *b, size_t n,
                    double *scratch, struct correlation *ret_correlation)
{
    double *x = scratch, *y = scratch + n;
    if (a->ranks && b->ranks) {
        ret_correlation->n = n;
        ret_correlation->pearson = correlate_pearson_interval(pearson(a->values, b->values, n), n);
        ret_correlation->spearman = correlate_spearman_interval(pearson(a->ranks, b->ranks, n), n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = a->values[i];
        y[i] = b->values[i];
    }
    size_t n_both = compact(a, b, n, x, y);
    double r = pearson(x, y, n_both);
    rank_pair(a, b, x);
    rank_pair(b, a, y);
    compact(a, b, n, x, y);
    ret_correlation->n = n_both;
    ret_correlation->pearson = correlate_pearson_interval(r, n_both);
    ret_correlation->spearman = correlate_spearman_interval(pearson(x, y, n_both), n_both);
}

enum status line_fit(const double *x, const double *y, size_t n, struct line_fit *ret_fit,
                     struct error *err)
{
    if (n < 3)
        return fail(err, STATUS_INVALID, "a line needs 3 rows, got %zu", n);
    if (!(gsl_stats_variance(x, 1, n) > 0))
        return fail(err, STATUS_INVALID, "all x are equal");
    struct line_fit fit = {.n = n};
    double residual;
    gsl_fit_linear(x, 1, y, 1, n, &fit.intercept, &fit.slope.value, &fit.covariance[0],
                   &fit.covariance[1], &fit.covariance[2], &residual);
    double half = gsl_cdf_tdist_Pinv(0.975, (double)n - 2) * sqrt(fit.covariance[2]);
    fit.slope.low = fit.slope.value - half;
    fit.slope.high = fit.slope.value + half;
    double total = gsl_stats_tss(y, 1, n);
    fit.r2 = total > 0 ? 1 - residual / total : MISSING;
    *ret_fit = fit;
    return STATUS_OK;
}

struct interval line_fit_at(const struct line_fit *fit, double x)
{
    double value = fit->intercept + fit->slope.value * x;
    double variance = fit->covariance[0] + 2 * x * fit->covariance[1] + x * x * fit->covariance[2];
    double half = gsl_cdf_tdist_Pinv(0.975, (double)fit->n - 2) * sqrt(fmax(variance, 0));
    return (struct interval){value, value - half, value + half};
}
