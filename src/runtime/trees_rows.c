/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees_rows.h"

#include <string.h>

/* ---- portable: four lanes, which every 64-bit machine has in one form or another ---- */

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_bits __attribute__((vector_size(16)));

static inline four four_load(const float *from)
{
    four v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline void four_store(float *to, four v)
{
    memcpy(to, &v, sizeof v);
}

static inline four four_pick(four_bits mask, four yes, four no)
{
    return (four)(((four_bits)yes & mask) | ((four_bits)no & ~mask));
}

#define NAME add_portable
#define TARGET
#define VECTOR four
#define LANES 4
#define MASK four_bits
#define LOAD(p) four_load(p)
#define STORE(p, v) four_store((p), (v))
#define ALL(f) ((four){(f), (f), (f), (f)})
#define ADD(a, b) ((a) + (b))
#define LESS(a, b) ((a) < (b))
#define PICK(mask, yes, no) four_pick((mask), (yes), (no))
#include "runtime/trees_rows_kernel.h"

#ifdef __x86_64__
#include <immintrin.h>

#define NAME add_avx2
#define TARGET __attribute__((target("avx2")))
#define VECTOR __m256
#define LANES 8
#define MASK __m256
#define LOAD(p) _mm256_load_ps(p)
#define STORE(p, v) _mm256_store_ps((p), (v))
#define ALL(f) _mm256_set1_ps(f)
#define ADD(a, b) _mm256_add_ps((a), (b))
#define LESS(a, b) _mm256_cmp_ps((a), (b), _CMP_LT_OQ)
#define PICK(mask, yes, no) _mm256_blendv_ps((no), (yes), (mask))
#include "runtime/trees_rows_kernel.h"

#define NAME add_avx512
#define TARGET __attribute__((target("avx512f")))
#define VECTOR __m512
#define LANES 16
#define MASK __mmask16
#define LOAD(p) _mm512_load_ps(p)
#define STORE(p, v) _mm512_store_ps((p), (v))
#define ALL(f) _mm512_set1_ps(f)
#define ADD(a, b) _mm512_add_ps((a), (b))
#define LESS(a, b) _mm512_cmp_ps_mask((a), (b), _CMP_LT_OQ)
#define PICK(mask, yes, no) _mm512_mask_blend_ps((mask), (no), (yes))
#include "runtime/trees_rows_kernel.h"
#endif

trees_rows_function trees_rows_get(enum trees_rows_version version)
{
    switch (version) {
    case TREES_ROWS_PORTABLE:
        return add_portable;
#ifdef __x86_64__
    case TREES_ROWS_AVX2:
        return __builtin_cpu_supports("avx2") ? add_avx2 : NULL;
    case TREES_ROWS_AVX512:
        return __builtin_cpu_supports("avx512f") ? add_avx512 : NULL;
#else
    case TREES_ROWS_AVX2:
    case TREES_ROWS_AVX512:
#endif
    case TREES_ROWS_VERSIONS:
        break;
    }
    return NULL;
}

trees_rows_function trees_rows_widest(void)
{
    for (int version = TREES_ROWS_VERSIONS - 1; version > TREES_ROWS_PORTABLE; version--) {
        trees_rows_function function = trees_rows_get((enum trees_rows_version)version);
        if (function)
            return function;
    }
    return add_portable;
}
