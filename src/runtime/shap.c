/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trees.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/scratch.h"

/* Exact Shapley values of a tree, the covers standing for the distribution of what is not known
 * (Lundberg, Erion, Lee 2018, "Consistent individualized feature attribution for tree ensembles").
 *
 * What is computed is theirs; how, is not their O(leaves depth^2) algorithm 2. By Owen's
 * multilinear extension (1972) a Shapley value is an integral over y from 0 to 1: of the gain of a
 * feature when every other one is known with probability y. For one leaf, a feature j on the way to
 * it counts
 *
 *     factor_j(y) = one_j y + zero_j (1 - y)
 *
 * one_j: 1 when the row's value leads to the leaf, else 0; zero_j: the share of the cover that
 * does. A leaf of value v gives feature i
 *
 *     v (one_i - zero_i) integral of (product over all j of factor_j) / factor_i
 *
 * whose integrand is a polynomial of a degree below the depth: Gauss-Legendre quadrature with half
 * as many points is exact. Products go down the tree and sums come up, so that each node is visited
 * once: O(nodes depth / 2), as in Yu, Xu, Bifet, Read 2022 ("Linear TreeShap"). All terms of a
 * product are positive: nothing cancels.
 *
 * A feature that splits the way again replaces its factor, and what the first split would claim of
 * the leaves below is taken back there. */

#define BLOCK 4 /* points are handled in blocks, for the vectoriser */

static_assert(SHAP_MAX_POINTS % BLOCK == 0 && 2 * SHAP_MAX_POINTS >= TREES_MAX_DEPTH,
              "enough points for the deepest tree");

/* The last split on the way by a feature. */
struct split {
    double one, zero;
    const double *factor; /* [n_points]; NULL: the way has not split by it */
};

struct sweep {
    const struct tree_nodes *nodes;
    const struct shap_rule *rule;
    size_t start; /* of the tree */
    const float *x;
    struct split *split; /* [n_inputs] */
    double *claim;       /* [n_inputs][n_points] what the splits by each feature claim, by point */
};

/* Newton's method on the Legendre polynomial, from the Chebyshev points (Press et al., "Numerical
 * recipes", gauleg). */
void shap_rule_init(struct shap_rule *rule, uint32_t max_depth)
{
    size_t n = BLOCK;
    while (2 * n < max_depth)
        n += BLOCK;
    rule->n_points = n;
    rule->is_four = n == SHAP_FOUR && shap_four_runs_here();
    for (size_t i = 0; i < n; i++) {
        double z = cos(M_PI * ((double)i + 0.75) / ((double)n + 0.5));
        double slope = 1;
        for (int step = 0; step < 100; step++) {
            double value = 1;
            double before = 0;
            for (size_t j = 1; j <= n; j++) {
                double next =
                    ((2.0 * (double)j - 1) * z * value - ((double)j - 1) * before) / (double)j;
                before = value;
                value = next;
            }
            slope = (double)n * (z * value - before) / (z * z - 1);
            double change = value / slope;
            z -= change;
            if (fabs(change) < 1e-15)
                break;
        }
        rule->y[i] = (1 - z) / 2; /* from [-1, 1] to [0, 1] */
        rule->rest[i] = (1 + z) / 2;
        rule->rest_inverse[i] = 1 / rule->rest[i];
        rule->weight[i] = 1 / ((1 - z * z) * slope * slope);
    }
}

/* Three arrays of points a level: factor, product, sum; and what the registers of shap_four.c hold
 * instead. */
size_t shap_scratch_bytes(const struct shap_rule *rule, size_t n_inputs, uint32_t max_depth)
{
    size_t points = rule->n_points * sizeof(double);
    return scratch_align(n_inputs * sizeof(struct split)) + scratch_align(n_inputs * points) +
           scratch_align((max_depth + 1) * 3 * points) + shap_four_scratch_bytes(n_inputs);
}

static inline void set_factor(const struct shap_rule *rule, double one, double zero,
                              double *restrict factor)
{
    for (size_t q = 0; q < rule->n_points; q++)
        factor[q] = one * rule->y[q] + zero * rule->rest[q];
}

/* What a split claims of the leaves below, times `sign`: (one - zero) times sum / factor, in which
 * a split that the row does not follow has zero twice. */
static void claim(const struct shap_rule *rule, const struct split *split, const double *sum,
                  double sign, double *restrict ret_claim)
{
    double gain = sign * (split->one - split->zero);
    for (size_t q = 0; q < rule->n_points; q++)
        ret_claim[q] += split->one == 0 ? -sign * sum[q] * rule->rest_inverse[q]
                                        : gain * (sum[q] / split->factor[q]);
}

static void descend(const struct sweep *sweep, size_t i, const double *product, double *room,
                    double *ret_sum);

/* One child: product and room are its parent's; adds the child's sums to ret_sum. */
static void follow(const struct sweep *sweep, size_t parent, size_t child, bool is_hot,
                   const double *product, double *room, double *ret_sum)
{
    const struct shap_rule *rule = sweep->rule;
    size_t n = rule->n_points;
    double *factor = room;
    double *below = room + n;
    double *sum = room + 2 * n;
    size_t feature = (size_t)sweep->nodes->feature[parent];
    struct split *split = &sweep->split[feature];
    const struct split before = *split;
    double share = (double)sweep->nodes->cover[child] / (double)sweep->nodes->cover[parent];
    if (before.one == 0) {
        /* The row left the way at an earlier split by this feature, which keeps its claim: both
         * splits claim the same of these leaves. */
        for (size_t q = 0; q < n; q++)
            below[q] = product[q] * share;
        memset(sum, 0, n * sizeof *sum);
        descend(sweep, child, below, room + 3 * n, sum);
        for (size_t q = 0; q < n; q++)
            ret_sum[q] += sum[q];
        return;
    }
    *split = (struct split){is_hot ? before.one : 0, before.zero * share, factor};
    set_factor(rule, split->one, split->zero, factor);
    for (size_t q = 0; q < n; q++)
        below[q] =
            before.factor ? product[q] * factor[q] / before.factor[q] : product[q] * factor[q];
    memset(sum, 0, n * sizeof *sum);
    descend(sweep, child, below, room + 3 * n, sum);
    claim(rule, split, sum, 1, sweep->claim + feature * n);
    if (before.factor)
        claim(rule, &before, sum, -1, sweep->claim + feature * n);
    *split = before;
    for (size_t q = 0; q < n; q++)
        ret_sum[q] += sum[q];
}

/* Adds to ret_sum, by point, the weighted products of the leaves below times their values. */
static void descend(const struct sweep *sweep, size_t i, const double *product, double *room,
                    double *ret_sum)
{
    const struct tree_nodes *nodes = sweep->nodes;
    const struct shap_rule *rule = sweep->rule;
    int32_t feature = nodes->feature[i];
    double value = (double)nodes->value[i];
    if (feature < 0) {
        for (size_t q = 0; q < rule->n_points; q++)
            ret_sum[q] += value * rule->weight[q] * product[q];
        return;
    }
    float x = sweep->x[feature];
    bool goes_left = isnan(x) ? nodes->missing_left[i] : x < nodes->value[i];
    uint32_t hot = goes_left ? nodes->left[i] : nodes->right[i];
    uint32_t cold = goes_left ? nodes->right[i] : nodes->left[i];
    follow(sweep, i, sweep->start + hot, true, product, room, ret_sum);
    follow(sweep, i, sweep->start + cold, false, product, room, ret_sum);
}

static double sum_points(const double *points, size_t n)
{
    double partial[BLOCK] = {0};
    for (size_t q = 0; q < n; q += BLOCK)
        for (size_t l = 0; l < BLOCK; l++)
            partial[l] += points[q + l];
    return (partial[0] + partial[1]) + (partial[2] + partial[3]);
}

static void sweep_trees(const struct tree_nodes *nodes, const struct shap_rule *rule,
                        const struct shap_question *question, void *scratch, double *claims)
{
    struct sweep sweep = {
        .nodes = nodes,
        .rule = rule,
        .x = question->x,
        .split = scratch_take(&scratch, nodes->n_inputs * sizeof(struct split)),
        .claim = claims,
    };
    for (size_t i = 0; i < nodes->n_inputs; i++)
        sweep.split[i] = (struct split){1, 1, NULL};
    double product[SHAP_MAX_POINTS];
    double sum[SHAP_MAX_POINTS];
    for (size_t q = 0; q < SHAP_MAX_POINTS; q++)
        product[q] = 1;
    for (size_t tree = 0; tree < nodes->n_trees; tree++) {
        if (nodes->output[tree] != question->output)
            continue;
        sweep.start = nodes->start[tree];
        memset(sum, 0, sizeof sum);
        descend(&sweep, sweep.start, product, scratch, sum);
    }
}

void shap_add_trees(const struct tree_nodes *nodes, const struct shap_rule *rule,
                    const struct shap_question *question, void *scratch, double *ret_contribution)
{
    size_t bytes = nodes->n_inputs * rule->n_points * sizeof(double);
    double *claims = scratch_take(&scratch, bytes);
    memset(claims, 0, bytes);
    if (rule->is_four)
        shap_four_sweep(nodes, rule, question, scratch, claims);
    else
        sweep_trees(nodes, rule, question, scratch, claims);
    for (size_t i = 0; i < nodes->n_inputs; i++)
        ret_contribution[i] += sum_points(claims + i * rule->n_points, rule->n_points);
}
