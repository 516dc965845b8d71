/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Numbers in ascending order, without NaN; -0 stands before 0. Many are sorted by their digits, in
 * time that grows with their number alone; few, and those for which there is no memory left, by
 * qsort(). Source: Knuth, The Art of Computer Programming, vol. 3, 5.2.5 (algorithm R). */
#include <stddef.h>

void sort_floats(float *values, size_t n);
void sort_doubles(double *values, size_t n);
