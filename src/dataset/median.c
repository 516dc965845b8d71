/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/units.h"

/* The k-th smallest of values[0..n-1], which are reordered so that smaller ones stand before it
 * (Hoare 1961, algorithm 65). O(n) on average. */
static double select_nth(double *values, size_t n, size_t k)
{
    size_t low = 0;
    size_t high = n - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low;
        size_t j = high;
        for (;; i++, j--) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            double swap = values[i];
            values[i] = values[j];
            values[j] = swap;
        }
        /* Now values[low..j] <= pivot <= values[j+1..high], and j < high. */
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}

double units_median(double *values, size_t n)
{
    if (n == 0)
        return MISSING;
    double upper = select_nth(values, n, n / 2);
    if (n % 2)
        return upper;
    double lower = values[0];
    for (size_t i = 1; i < n / 2; i++)
        lower = values[i] > lower ? values[i] : lower;
    return (lower + upper) / 2;
}

double units_median_ratio(const double *a, const double *b, size_t n_rows, double *scratch,
                          size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < n_rows; i++)
        if (a[i] > 0 && (!b || b[i] > 0))
            scratch[n++] = b ? a[i] / b[i] : a[i];
    *ret_n = n;
    return units_median(scratch, n);
}
