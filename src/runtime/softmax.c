/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/softmax.h"

#include <math.h>

size_t argmax(const double *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

void softmax(const double *x, size_t n, double temperature, double *ret_probability)
{
    /* Taken from the largest, so that nothing overflows and one term is 1. */
    double largest = x[argmax(x, n)];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        ret_probability[i] = exp((x[i] - largest) / temperature);
        sum += ret_probability[i];
    }
    for (size_t i = 0; i < n; i++)
        ret_probability[i] /= sum;
}
