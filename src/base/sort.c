/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sort.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FEW 512
#define DIGIT_BITS 11
#define N_DIGITS 2048
#define PASSES_32 3
#define PASSES_64 6

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    if (x != y)
        return x < y ? -1 : 1;
    return (signbit(x) == 0) - (signbit(y) == 0);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    if (x != y)
        return x < y ? -1 : 1;
    return (signbit(x) == 0) - (signbit(y) == 0);
}

/* Bits that compare as integers like the numbers do: of negative ones all are turned, of others the
 * sign. */
static inline uint32_t key_32(uint32_t bits)
{
    return bits ^ (bits >> 31 ? UINT32_MAX : UINT32_C(1) << 31);
}

static inline uint64_t key_64(uint64_t bits)
{
    return bits ^ (bits >> 63 ? UINT64_MAX : UINT64_C(1) << 63);
}

static inline size_t digit_of(uint64_t key, size_t pass)
{
    return key >> pass * DIGIT_BITS & (N_DIGITS - 1);
}

/* Where each digit's keys begin, of how many there are; false: all keys have the same. */
static bool place_digits(size_t *count, size_t n, size_t first)
{
    if (count[first] == n)
        return false;
    size_t at = 0;
    for (size_t digit = 0; digit < N_DIGITS; digit++) {
        size_t own = count[digit];
        count[digit] = at;
        at += own;
    }
    return true;
}

void sort_floats(float *values, size_t n)
{
    AUTO(free_slot) uint32_t *keys = n > FEW ? malloc(2 * n * sizeof *keys) : NULL;
    AUTO(free_slot)
    size_t *count = keys ? calloc((size_t)PASSES_32 * N_DIGITS, sizeof *count) : NULL;
    if (!count) {
        qsort(values, n, sizeof *values, compare_floats);
        return;
    }
    uint32_t *from = keys;
    uint32_t *to = keys + n;
    memcpy(from, values, n * sizeof *from);
    for (size_t i = 0; i < n; i++) {
        from[i] = key_32(from[i]);
        for (size_t pass = 0; pass < PASSES_32; pass++)
            count[pass * N_DIGITS + digit_of(from[i], pass)]++;
    }
    for (size_t pass = 0; pass < PASSES_32; pass++) {
        size_t *start = count + pass * N_DIGITS;
        if (!place_digits(start, n, digit_of(from[0], pass)))
            continue;
        for (size_t i = 0; i < n; i++)
            to[start[digit_of(from[i], pass)]++] = from[i];
        uint32_t *sorted = to;
        to = from;
        from = sorted;
    }
    for (size_t i = 0; i < n; i++)
        from[i] ^= from[i] >> 31 ? UINT32_C(1) << 31 : UINT32_MAX;
    memcpy(values, from, n * sizeof *from);
}

void sort_doubles(double *values, size_t n)
{
    AUTO(free_slot) uint64_t *keys = n > FEW ? malloc(2 * n * sizeof *keys) : NULL;
    AUTO(free_slot)
    size_t *count = keys ? calloc((size_t)PASSES_64 * N_DIGITS, sizeof *count) : NULL;
    if (!count) {
        qsort(values, n, sizeof *values, compare_doubles);
        return;
    }
    uint64_t *from = keys;
    uint64_t *to = keys + n;
    memcpy(from, values, n * sizeof *from);
    for (size_t i = 0; i < n; i++) {
        from[i] = key_64(from[i]);
        for (size_t pass = 0; pass < PASSES_64; pass++)
            count[pass * N_DIGITS + digit_of(from[i], pass)]++;
    }
    for (size_t pass = 0; pass < PASSES_64; pass++) {
        size_t *start = count + pass * N_DIGITS;
        if (!place_digits(start, n, digit_of(from[0], pass)))
            continue;
        for (size_t i = 0; i < n; i++)
            to[start[digit_of(from[i], pass)]++] = from[i];
        uint64_t *sorted = to;
        to = from;
        from = sorted;
    }
    for (size_t i = 0; i < n; i++)
        from[i] ^= from[i] >> 63 ? UINT64_C(1) << 63 : UINT64_MAX;
    memcpy(values, from, n * sizeof *from);
}
