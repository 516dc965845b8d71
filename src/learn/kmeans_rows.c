/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/kmeans_rows.h"

#include <math.h>
#include <string.h>

typedef float four_floats __attribute__((vector_size(16)));

/* Rows lie anywhere. */
typedef float four_anywhere __attribute__((vector_size(16), aligned(4), may_alias));
#define FOUR_AT(p) (*(const four_anywhere *)(p))

#define TOGETHER 2 /* centroids that a column is loaded for */

/* What the kernel computes with; the compiler makes of it what the target has. */
#define REGISTER(lanes)                                                                \
    typedef double reals_##lanes __attribute__((vector_size(8 * (lanes)), may_alias)); \
    typedef int64_t ids_##lanes __attribute__((vector_size(8 * (lanes)), may_alias))
REGISTER(2);
REGISTER(4);
REGISTER(8);

#define JOINED(a, b) a##_##b
#define PART(name, part) JOINED(name, part)

static inline void put_lanes(const float *low, const float *high, double *to)
{
    for (size_t lane = 0; lane < 4; lane++) {
        to[lane] = (double)low[lane];
        to[lane + 4] = (double)high[lane];
    }
}

static inline void add_lanes(const float *row, double *sums)
{
    for (size_t lane = 0; lane < 8; lane++)
        sums[lane] += (double)row[lane];
}

#define NAME portable
#define TARGET
#define LANES 2
#define REALS reals_2
#define IDS ids_2
#define PUT(low, high, to) put_lanes((const float *)&(low), (const float *)&(high), (to))
#define ADD(row, sums) add_lanes((row), (sums))
#include "learn/kmeans_rows_kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#define NAME avx2
#define TARGET __attribute__((target("avx2")))
#define LANES 4
#define REALS reals_4
#define IDS ids_4
#define PUT(low, high, to)                                \
    do {                                                  \
        _mm256_store_pd((to), _mm256_cvtps_pd(low));      \
        _mm256_store_pd((to) + 4, _mm256_cvtps_pd(high)); \
    } while (0)
#define ADD(row, sums)                                                        \
    do {                                                                      \
        *(reals_4 *)(sums) += _mm256_cvtps_pd(_mm_loadu_ps(row));             \
        *(reals_4 *)((sums) + 4) += _mm256_cvtps_pd(_mm_loadu_ps((row) + 4)); \
    } while (0)
#include "learn/kmeans_rows_kernel.h"

#define NAME avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,prefer-vector-width=512")))
#define LANES 8
#define REALS reals_8
#define IDS ids_8
#define PUT(low, high, to) _mm512_store_pd((to), _mm512_cvtps_pd(_mm256_set_m128((high), (low))))
#define ADD(row, sums) (*(reals_8 *)(sums) += _mm512_cvtps_pd(_mm256_loadu_ps(row)))
#include "learn/kmeans_rows_kernel.h"
#endif

kmeans_rows_function kmeans_rows_get(enum kmeans_rows_version version)
{
    switch (version) {
    case KMEANS_ROWS_PORTABLE:
        return portable;
#ifdef __x86_64__
    case KMEANS_ROWS_AVX2:
        return __builtin_cpu_supports("avx2") ? avx2 : NULL;
    case KMEANS_ROWS_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512dq")
                   ? avx512
                   : NULL;
#else
    case KMEANS_ROWS_AVX2:
    case KMEANS_ROWS_AVX512:
#endif
    case KMEANS_ROWS_VERSIONS:
        break;
    }
    return NULL;
}

kmeans_rows_function kmeans_rows_widest(void)
{
    for (int version = KMEANS_ROWS_VERSIONS - 1; version > KMEANS_ROWS_PORTABLE; version--) {
        kmeans_rows_function function = kmeans_rows_get((enum kmeans_rows_version)version);
        if (function)
            return function;
    }
    return portable;
}
