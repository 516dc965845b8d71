/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/histogram.h"

#include <math.h>
#include <string.h>

#include "explore/statistics.h"

/* Scott (1979) and Freedman and Diaconis (1981) ask for n^(1/3) bins of a bell; tails need more. */
static double wanted_bins(size_t n)
{
    return fmin(fmax(2 * cbrt((double)n), 8), 32);
}

/* The smallest 1, 2, 2.5 or 5 times a power of ten that is at least `step`. */
static double round_step(double step)
{
    static const double steps[] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(step)));
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i] * power >= step * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}

static bool are_small_integers(const double *sorted, size_t n)
{
    if (sorted[n - 1] - sorted[0] >= HISTOGRAM_MAX_BINS / 2.0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (sorted[i] != floor(sorted[i]))
            return false;
    return true;
}

/* Edges first * step, (first + 1) * step, ... that cover low to high. */
static void make_linear(double low, double high, double step, struct histogram *h)
{
    double first = floor(low / step), last = ceil(high / step);
    if (last <= first)
        last = first + 1;
    while (last - first > HISTOGRAM_MAX_BINS)
        last--; /* cannot happen with a step of a 32nd of the range; keeps the array safe */
    h->n_bins = (size_t)(last - first);
    for (size_t i = 0; i <= h->n_bins; i++)
        h->edges[i] = (first + (double)i) * step;
    h->edges[h->n_bins] = fmax(h->edges[h->n_bins], high);
}

static void make_log(double low, double high, size_t n, struct histogram *h)
{
    static const double per_decade[] = {50, 20, 10, 8, 5, 4, 2, 1, 0.5, 0.25, 0.1};
    double decades = log10(high) - log10(low);
    double parts = per_decade[0];
    for (size_t i = 0; i < sizeof per_decade / sizeof per_decade[0]; i++) {
        parts = per_decade[i];
        if (decades * parts <= wanted_bins(n))
            break;
    }
    make_linear(log10(low) * parts, log10(high) * parts, 1, h);
    for (size_t i = 0; i <= h->n_bins; i++)
        h->edges[i] = pow(10, h->edges[i] / parts);
    /* Rounding must not push the ends inside. */
    h->edges[0] = fmin(h->edges[0], low);
    h->edges[h->n_bins] = fmax(h->edges[h->n_bins], high);
}

void histogram_make(const double *sorted, size_t n, bool is_log, struct histogram *ret_histogram)
{
    struct histogram *h = ret_histogram;
    *h = (struct histogram){.is_log = is_log};
    while (is_log && h->zeros < n && sorted[h->zeros] <= 0)
        h->zeros++;
    const double *shown = sorted + h->zeros;
    size_t n_shown = n - h->zeros;
    if (n_shown == 0)
        return;
    double low = shown[0], high = shown[n_shown - 1];
    if (is_log) {
        make_log(low, high, n_shown, h);
    } else if (are_small_integers(shown, n_shown)) {
        make_linear(low, high + 1, 1, h);
        for (size_t i = 0; i <= h->n_bins; i++)
            h->edges[i] -= 0.5;
    } else {
        double step = high > low ? (high - low) / wanted_bins(n_shown) : fmax(fabs(low), 1);
        make_linear(low, high, round_step(step), h);
    }
    for (size_t i = 0; i < n_shown; i++) {
        size_t bin = histogram_bin(h, shown[i]);
        if (bin < h->n_bins)
            h->counts[bin]++;
    }
}

size_t histogram_bin(const struct histogram *h, double x)
{
    if (h->n_bins == 0 || !(x >= h->edges[0] && x <= h->edges[h->n_bins]))
        return h->n_bins;
    size_t low = 0, high = h->n_bins;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (x >= h->edges[middle])
            low = middle;
        else
            high = middle;
    }
    return low;
}

void histogram_count(const struct histogram *from, const double *values, size_t n,
                     struct histogram *ret_histogram)
{
    *ret_histogram = *from;
    memset(ret_histogram->counts, 0, sizeof ret_histogram->counts);
    ret_histogram->zeros = 0;
    for (size_t i = 0; i < n; i++) {
        size_t bin = histogram_bin(from, values[i]);
        if (bin < from->n_bins)
            ret_histogram->counts[bin]++;
        else if (from->is_log && values[i] <= 0)
            ret_histogram->zeros++;
    }
}

bool histogram_wants_log(const double *sorted, size_t n)
{
    return n >= 8 && sorted[0] >= 0 && sorted[n - 1] > 0 && statistics_skew(sorted, n) > 1.5 &&
           sorted[n - 1] > 5 * fmax(statistics_quantile(sorted, n, 0.25), 1e-12);
}
