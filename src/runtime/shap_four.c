/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <math.h>

#include "runtime/scratch.h"

#define AVX2 __attribute__((target("avx2")))

/* See shap.c for what all this means. */
struct four_split {
    __m256d factor;
    double one, zero;
    bool is_on_way;
};

struct four_sweep {
    const struct tree_nodes *nodes;
    __m256d y, rest, rest_inverse, weight;
    size_t start; /* of the tree */
    const float *x;
    struct four_split *split; /* [n_inputs] */
    double *claims;           /* [n_inputs][SHAP_FOUR] */
};

bool shap_four_runs_here(void)
{
    return __builtin_cpu_supports("avx2");
}

size_t shap_four_scratch_bytes(size_t n_inputs)
{
    return scratch_align(n_inputs * sizeof(struct four_split)) +
           scratch_align(sizeof(struct four_sweep));
}

AVX2 static inline __m256d claim(const struct four_sweep *sweep, const struct four_split *split,
                                 __m256d sum, double sign)
{
    if (split->one == 0)
        return _mm256_mul_pd(_mm256_mul_pd(_mm256_set1_pd(-sign), sum), sweep->rest_inverse);
    return _mm256_mul_pd(_mm256_set1_pd(sign * (split->one - split->zero)),
                         _mm256_div_pd(sum, split->factor));
}

AVX2 static __m256d descend(const struct four_sweep *sweep, size_t i, __m256d product);

/* The weighted products of the leaves at and below a node times their values. Every other node is a
 * leaf: no call for those. */
AVX2 static inline __m256d visit(const struct four_sweep *sweep, size_t i, __m256d product)
{
    if (sweep->nodes->feature[i] >= 0)
        return descend(sweep, i, product);
    __m256d value = _mm256_set1_pd((double)sweep->nodes->value[i]);
    return _mm256_mul_pd(_mm256_mul_pd(value, sweep->weight), product);
}

/* The child that the row goes to (is_hot, known where this is inlined), or the other one. */
AVX2 static inline __m256d follow(const struct four_sweep *sweep, size_t feature, size_t child,
                                  double share, bool is_hot, __m256d product)
{
    struct four_split *split = &sweep->split[feature];
    double one = split->one;
    double zero = split->zero;
    if (one == 0)
        return visit(sweep, child, _mm256_mul_pd(product, _mm256_set1_pd(share)));
    bool was_on_way = split->is_on_way;
    __m256d factor = split->factor;
    struct four_split now = {.one = is_hot ? one : 0, .zero = zero * share, .is_on_way = true};
    now.factor = _mm256_mul_pd(_mm256_set1_pd(now.zero), sweep->rest);
    if (is_hot)
        now.factor = _mm256_add_pd(_mm256_mul_pd(_mm256_set1_pd(now.one), sweep->y), now.factor);
    __m256d below = _mm256_mul_pd(product, now.factor);
    if (was_on_way)
        below = _mm256_div_pd(below, factor);
    *split = now;
    __m256d sum = visit(sweep, child, below);
    double *claims = sweep->claims + feature * SHAP_FOUR;
    __m256d claimed = _mm256_add_pd(_mm256_load_pd(claims), claim(sweep, &now, sum, 1));
    *split = (struct four_split){factor, one, zero, was_on_way};
    if (was_on_way)
        claimed = _mm256_add_pd(claimed, claim(sweep, split, sum, -1));
    _mm256_store_pd(claims, claimed);
    return sum;
}

/* The hot child first: which of the two it is cannot be foreseen, and so it is no branch. */
AVX2 static __m256d descend(const struct four_sweep *sweep, size_t i, __m256d product)
{
    const struct tree_nodes *nodes = sweep->nodes;
    size_t feature = (size_t)nodes->feature[i];
    float x = sweep->x[feature];
    bool goes_left = (x < nodes->value[i]) | (isnan(x) & nodes->missing_left[i]);
    uint32_t both = nodes->left[i] ^ nodes->right[i];
    uint32_t hot = nodes->right[i] ^ (both & -(uint32_t)goes_left);
    size_t hot_child = sweep->start + hot;
    size_t cold_child = sweep->start + (hot ^ both);
    __m128d covers = _mm_set_pd((double)nodes->cover[cold_child], (double)nodes->cover[hot_child]);
    __m128d shares = _mm_div_pd(covers, _mm_set1_pd((double)nodes->cover[i]));
    double cold_share = _mm_cvtsd_f64(_mm_unpackhi_pd(shares, shares));
    __m256d sum = follow(sweep, feature, hot_child, _mm_cvtsd_f64(shares), true, product);
    return _mm256_add_pd(sum, follow(sweep, feature, cold_child, cold_share, false, product));
}

AVX2 void shap_four_sweep(const struct tree_nodes *nodes, const struct shap_rule *rule,
                          const struct shap_question *question, void *scratch, double *claims)
{
    struct four_sweep *sweep = scratch_take(&scratch, sizeof *sweep);
    *sweep = (struct four_sweep){
        .nodes = nodes,
        .y = _mm256_loadu_pd(rule->y),
        .rest = _mm256_loadu_pd(rule->rest),
        .rest_inverse = _mm256_loadu_pd(rule->rest_inverse),
        .weight = _mm256_loadu_pd(rule->weight),
        .x = question->x,
        .split = scratch_take(&scratch, nodes->n_inputs * sizeof(struct four_split)),
        .claims = claims,
    };
    for (size_t i = 0; i < nodes->n_inputs; i++)
        sweep->split[i] = (struct four_split){.one = 1, .zero = 1};
    for (size_t tree = 0; tree < nodes->n_trees; tree++) {
        if (nodes->output[tree] != question->output)
            continue;
        sweep->start = nodes->start[tree];
        visit(sweep, sweep->start, _mm256_set1_pd(1));
    }
}

#else

bool shap_four_runs_here(void)
{
    return false;
}

size_t shap_four_scratch_bytes(size_t n_inputs)
{
    (void)n_inputs;
    return 0;
}

void shap_four_sweep(const struct tree_nodes *nodes, const struct shap_rule *rule,
                     const struct shap_question *question, void *scratch, double *claims)
{
    (void)nodes;
    (void)rule;
    (void)question;
    (void)scratch;
    (void)claims;
}

#endif
