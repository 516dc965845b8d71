/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* probability[i] = exp(x[i] / temperature) / sum; sums to 1 within rounding. In place is fine.
 * temperature > 0: above 1 makes the answer less sure (Guo et al. 2017, "On calibration of modern
 * neural networks"). Finite x only. */
void softmax(const double *x, size_t n, double temperature, double *ret_probability);

/* The index of the largest; ties: the lower. n > 0. */
size_t argmax(const double *x, size_t n);
