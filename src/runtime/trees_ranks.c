/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees_ranks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MIN_TREES 16 /* ranking the inputs costs as much as some trees */
#define N_NODES (1 << TREES_RANKS_DEPTH)
#define AT_ONCE 64              /* thresholds that are counted without looking for a half */
#define MISSING_RANK UINT16_MAX /* above every other */

/* By the heap's numbers; node 0 is none. */
struct ranked_tree {
    uint16_t input[N_NODES];
    uint16_t rank[N_NODES]; /* the way goes right where the input's is not below it */
};

struct trees_ranks {
    size_t n_inputs, n_trees;
    uint32_t start[TREES_RANKS_INPUTS + 1]; /* of each input's thresholds */
    float *thresholds;                      /* owns; ascending for each input, no two alike */
    struct ranked_tree *trees;              /* owns; [n_trees], 64-byte aligned */
    uint64_t *missing_left;                 /* owns; [n_trees], a bit a node */
};

void trees_ranks_free(struct trees_ranks *ranks)
{
    if (!ranks)
        return;
    free(ranks->thresholds);
    free(ranks->trees);
    free(ranks->missing_left);
    free(ranks);
}
DEFINE_SLOT(trees_ranks_free, struct trees_ranks)

/* How many of the thresholds are <= x: x < threshold[i] says the same as count <= i. */
static inline size_t count_at_most(const float *thresholds, size_t n, float x)
{
    const float *at = thresholds;
    for (; n > 1; n -= n / 2)
        at += n / 2 & -(size_t)(at[n / 2 - 1] <= x); /* no branch: it could not be guessed */
    return (size_t)(at - thresholds) + (n == 1 && *at <= x);
}

/* ---- building ---- */

static bool is_suitable(const struct trees_layout *layout, size_t n_inputs, size_t *ret_n_trees)
{
    *ret_n_trees = 0;
    for (size_t g = 0; g < layout->n_groups; g++) {
        const struct tree_group *group = &layout->groups[g];
        if (!group->nodes || group->depth > TREES_RANKS_DEPTH)
            return false;
        *ret_n_trees += group->n_trees;
    }
    return n_inputs > 0 && n_inputs <= TREES_RANKS_INPUTS && *ret_n_trees >= MIN_TREES;
}

typedef void (*split_function)(struct trees_ranks *ranks, size_t tree, size_t node,
                               const struct fast_node *split);

static void for_each_split(struct trees_ranks *ranks, const struct trees_layout *layout,
                           split_function take)
{
    size_t tree = 0;
    for (size_t g = 0; g < layout->n_groups; g++) {
        const struct tree_group *group = &layout->groups[g];
        for (uint32_t lane = 0; lane < group->n_trees; lane++, tree++)
            for (size_t node = 1; node < (size_t)1 << group->depth; node++)
                take(ranks, tree, node, &group->nodes[node * TREES_LANES + lane]);
    }
}

static size_t input_of(const struct trees_ranks *ranks, const struct fast_node *split)
{
    return split->feature < ranks->n_inputs ? split->feature : split->feature - ranks->n_inputs;
}

/* One behind its place, so that start[] holds the ends before, and later the beginnings. */
static void count_threshold(struct trees_ranks *ranks, size_t tree, size_t node,
                            const struct fast_node *split)
{
    (void)tree;
    (void)node;
    if (!isnan(split->value))
        ranks->start[input_of(ranks, split) + 1]++;
}

static void put_threshold(struct trees_ranks *ranks, size_t tree, size_t node,
                          const struct fast_node *split)
{
    (void)tree;
    (void)node;
    if (!isnan(split->value))
        ranks->thresholds[ranks->start[input_of(ranks, split)]++] = split->value;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Sort each input's and drop what stands there twice. */
static bool settle_thresholds(struct trees_ranks *ranks)
{
    uint32_t from = 0;
    uint32_t to = 0;
    for (size_t i = 0; i < ranks->n_inputs; i++) {
        uint32_t end = ranks->start[i]; /* where put_threshold() stopped */
        float *mine = ranks->thresholds + to;
        qsort(ranks->thresholds + from, end - from, sizeof *mine, by_value);
        ranks->start[i] = to;
        for (; from < end; from++)
            if (to == ranks->start[i] || ranks->thresholds[to - 1] < ranks->thresholds[from])
                ranks->thresholds[to++] = ranks->thresholds[from];
        if (to - ranks->start[i] >= MISSING_RANK)
            return false;
    }
    ranks->start[ranks->n_inputs] = to;
    return true;
}

/* x < NaN is never true, and -inf, which stands for a missing value that goes left, is below all
 * but itself. */
static void rank_split(struct trees_ranks *ranks, size_t tree, size_t node,
                       const struct fast_node *split)
{
    size_t input = input_of(ranks, split);
    size_t n = ranks->start[input + 1] - ranks->start[input];
    const float *thresholds = ranks->thresholds + ranks->start[input];
    struct ranked_tree *ranked = &ranks->trees[tree];
    ranked->input[node] = (uint16_t)input;
    ranked->rank[node] =
        isnan(split->value) ? 0 : (uint16_t)count_at_most(thresholds, n, split->value);
    if (split->feature >= ranks->n_inputs && split->value > -INFINITY)
        ranks->missing_left[tree] |= UINT64_C(1) << node;
}

static enum status allocate(struct trees_ranks *ranks, struct error *err)
{
    size_t n = ranks->n_trees;
    ranks->thresholds = calloc(n * N_NODES + AT_ONCE, sizeof *ranks->thresholds);
    ranks->missing_left = calloc(n, sizeof *ranks->missing_left);
    ranks->trees = aligned_alloc(64, n * sizeof *ranks->trees);
    if (!ranks->thresholds || !ranks->missing_left || !ranks->trees)
        return fail(err, STATUS_NO_MEMORY, "trees: out of memory");
    memset(ranks->trees, 0, n * sizeof *ranks->trees);
    return STATUS_OK;
}

static bool runs_here(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx512bw");
#else
    return false;
#endif
}

enum status trees_ranks_build(const struct trees_layout *layout, size_t n_inputs,
                              struct trees_ranks **ret_ranks, struct error *err)
{
    size_t n_trees;
    if (!runs_here() || !is_suitable(layout, n_inputs, &n_trees))
        return STATUS_OK;
    AUTO(trees_ranks_free_slot) struct trees_ranks *ranks = calloc(1, sizeof *ranks);
    if (!ranks)
        return fail(err, STATUS_NO_MEMORY, "trees: out of memory");
    ranks->n_inputs = n_inputs;
    ranks->n_trees = n_trees;
    TRY(allocate(ranks, err));
    for_each_split(ranks, layout, count_threshold);
    for (size_t i = 0; i < n_inputs; i++)
        ranks->start[i + 1] += ranks->start[i];
    for_each_split(ranks, layout, put_threshold);
    if (!settle_thresholds(ranks))
        return STATUS_OK;
    for_each_split(ranks, layout, rank_split);
    *ret_ranks = STEAL(ranks);
    return STATUS_OK;
}

/* ---- running ---- */

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,popcnt")))

/* count_at_most(), whose last steps are one. Reads up to AT_ONCE thresholds from the last half on.
 */
TARGET static inline size_t count_at_most_wide(const float *thresholds, size_t n, float x)
{
    const float *at = thresholds;
    for (; n > AT_ONCE; n -= n / 2)
        at += n / 2 & -(size_t)(at[n / 2 - 1] <= x);
    const __m512 all = _mm512_set1_ps(x);
    uint64_t bits = 0;
    for (unsigned i = 0; i < AT_ONCE; i += 16)
        bits |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(at + i), all, _CMP_LE_OQ) << i;
    uint64_t mine = n < AT_ONCE ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
    return (size_t)(at - thresholds) + (size_t)__builtin_popcountll(bits & mine);
}

TARGET static bool rank_inputs(const struct trees_ranks *ranks, const float *raw,
                               uint16_t *ret_rank)
{
    bool any_missing = false;
    for (size_t i = 0; i < ranks->n_inputs; i++) {
        const float *thresholds = ranks->thresholds + ranks->start[i];
        bool is_missing = isnan(raw[i]);
        size_t n = ranks->start[i + 1] - ranks->start[i];
        ret_rank[i] =
            is_missing ? MISSING_RANK : (uint16_t)count_at_most_wide(thresholds, n, raw[i]);
        any_missing |= is_missing;
    }
    return any_missing;
}

/* To the child on the side that the node's bit says. Compilers do not find these two instructions,
 * and the six steps of all trees are what there is to wait for. */
static inline uint64_t step(uint64_t right, uint64_t at)
{
    __asm__("bt %0, %1\n\tadc %0, %0" : "+r"(at) : "r"(right) : "cc");
    return at;
}

/* The heap's number of the leaf. */
static inline uint64_t descend(uint64_t right, uint32_t depth)
{
    uint64_t at = 1;
#pragma GCC unroll 6
    for (; depth > 0; depth--)
        at = step(right, at);
    return at;
}

TARGET void trees_ranks_sum(const struct trees_ranks *ranks, const struct trees_layout *layout,
                            const uint32_t *output, const float *raw, float *sum)
{
    _Alignas(64) uint16_t rank[TREES_RANKS_INPUTS] = {0};
    bool any_missing = rank_inputs(ranks, raw, rank);
    const __m512i low = _mm512_load_si512(rank);
    const __m512i high = _mm512_load_si512(rank + 32);
    const __m512i missing = _mm512_set1_epi16(-1);
    const struct ranked_tree *tree = ranks->trees;
    const uint64_t *missing_left = ranks->missing_left;
    for (size_t g = 0; g < layout->n_groups; g++) {
        const struct tree_group *group = &layout->groups[g];
        float leaf[TREES_LANES];
        for (uint32_t lane = 0; lane < group->n_trees; lane++, tree++, missing_left++) {
            /* Of the tree's nodes 0 to 31 and 32 to 63: the rank of what each looks at. */
            __m512i one = _mm512_permutex2var_epi16(low, _mm512_load_si512(tree->input), high);
            __m512i two = _mm512_permutex2var_epi16(low, _mm512_load_si512(tree->input + 32), high);
            uint64_t right =
                (uint64_t)_mm512_cmpge_epu16_mask(two, _mm512_load_si512(tree->rank + 32)) << 32 |
                _mm512_cmpge_epu16_mask(one, _mm512_load_si512(tree->rank));
            if (any_missing) {
                uint64_t lacks = (uint64_t)_mm512_cmpeq_epi16_mask(two, missing) << 32 |
                                 _mm512_cmpeq_epi16_mask(one, missing);
                right &= ~(lacks & *missing_left);
            }
            size_t at = descend(right, group->depth) - ((size_t)1 << group->depth);
            leaf[lane] = group->leaves[at * TREES_LANES + lane];
        }
        trees_add_leaves(leaf, group->n_trees, output, sum);
        output += group->n_trees;
    }
}
#else
void trees_ranks_sum(const struct trees_ranks *ranks, const struct trees_layout *layout,
                     const uint32_t *output, const float *raw, float *sum)
{
    (void)ranks;
    (void)layout;
    (void)output;
    (void)raw;
    (void)sum;
}
#endif
