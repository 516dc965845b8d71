/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/statistics.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "base/sort.h"
#include "profile/profile.h"

/* Standard normal quantile of .975. */
#define NORMAL_975 1.959963984540054

size_t statistics_present(const double *values, size_t n, double *ret_present)
{
    size_t n_present = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            ret_present[n_present++] = values[i];
    return n_present;
}

void statistics_sort(double *values, size_t n)
{
    sort_doubles(values, n);
}

double statistics_quantile(const double *sorted, size_t n, double p)
{
    return n ? gsl_stats_quantile_from_sorted_data(sorted, 1, n, p) : MISSING;
}

double statistics_skew(const double *values, size_t n)
{
    if (n < 3)
        return MISSING;
    double mean = gsl_stats_mean(values, 1, n);
    double sd = gsl_stats_sd_m(values, 1, n, mean);
    if (!(sd > 0))
        return MISSING;
    double count = (double)n;
    /* GSL divides the third moment by n and by the cube of the sample's sd. */
    return gsl_stats_skew_m_sd(values, 1, n, mean, sd) * count * count /
           ((count - 1) * (count - 2));
}

void statistics_summarise(const double *sorted, size_t n, struct summary *ret_summary)
{
    *ret_summary = (struct summary){
        .n = n,
        .min = n ? sorted[0] : MISSING,
        .q05 = statistics_quantile(sorted, n, 0.05),
        .q25 = statistics_quantile(sorted, n, 0.25),
        .median = statistics_quantile(sorted, n, 0.5),
        .q75 = statistics_quantile(sorted, n, 0.75),
        .q95 = statistics_quantile(sorted, n, 0.95),
        .max = n ? sorted[n - 1] : MISSING,
        .mean = n ? gsl_stats_mean(sorted, 1, n) : MISSING,
        .sd = n > 1 ? gsl_stats_sd(sorted, 1, n) : MISSING,
        .skew = statistics_skew(sorted, n),
    };
}

double statistics_mad(const double *sorted, size_t n)
{
    if (n == 0)
        return MISSING;
    double median = statistics_quantile(sorted, n, 0.5);
    size_t above = 0;
    while (above < n && sorted[above] < median)
        above++;
    size_t below = above; /* sorted[below - 1] is the nearest one below */
    double last = 0, before = 0;
    for (size_t taken = 0; taken <= n / 2; taken++) {
        double down = below > 0 ? median - sorted[below - 1] : HUGE_VAL;
        double up = above < n ? sorted[above] - median : HUGE_VAL;
        before = last;
        last = up < down ? up : down;
        if (up < down)
            above++;
        else
            below--;
    }
    return n % 2 ? last : (before + last) / 2;
}

struct interval statistics_median_interval(const double *sorted, size_t n)
{
    struct interval median = {statistics_quantile(sorted, n, 0.5), MISSING, MISSING};
    if (n < 6)
        return median;
    double half = NORMAL_975 * sqrt((double)n) / 2;
    double middle = (double)n / 2;
    /* Ranks from 1: the ceilings of n/2 -+ z sqrt(n)/2. */
    double low = ceil(middle - half), high = ceil(middle + half);
    median.low = sorted[low < 1 ? 0 : (size_t)low - 1];
    median.high = sorted[high > (double)n ? n - 1 : (size_t)high - 1];
    return median;
}

size_t statistics_distinct(const double *sorted, size_t n)
{
    size_t distinct = n > 0;
    for (size_t i = 1; i < n; i++)
        distinct += sorted[i] > sorted[i - 1];
    return distinct;
}

double statistics_ks(const double *a, size_t n_a, const double *b, size_t n_b)
{
    if (n_a == 0 || n_b == 0)
        return MISSING;
    double largest = 0;
    for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
        double x = a[i] < b[j] ? a[i] : b[j];
        while (i < n_a && a[i] <= x)
            i++;
        while (j < n_b && b[j] <= x)
            j++;
        largest = fmax(largest, fabs((double)i / (double)n_a - (double)j / (double)n_b));
    }
    return largest;
}

/* Values at most `edge`, from `start` on. */
static size_t skip_to(const double *sorted, size_t n, size_t start, double edge)
{
    while (start < n && sorted[start] <= edge)
        start++;
    return start;
}

static double share(size_t count, size_t n)
{
    return fmax((double)count, 0.5) / (double)n;
}

double statistics_psi(const double *before, size_t n_before, const double *after, size_t n_after)
{
    enum {
        BINS = 10
    };
    if (n_before == 0 || n_after == 0)
        return MISSING;
    double psi = 0;
    size_t i = 0, j = 0;
    for (size_t bin = 1; bin <= BINS; bin++) {
        double edge =
            bin == BINS ? HUGE_VAL : statistics_quantile(before, n_before, 0.1 * (double)bin);
        size_t next_i = skip_to(before, n_before, i, edge);
        size_t next_j = skip_to(after, n_after, j, edge);
        /* Ties can leave a bin with nothing on either side. */
        if (next_i > i || next_j > j) {
            double p = share(next_i - i, n_before), q = share(next_j - j, n_after);
            psi += (q - p) * log(q / p);
        }
        i = next_i;
        j = next_j;
    }
    return psi;
}
