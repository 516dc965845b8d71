/* SPDX-License-Identifier: Apache-2.0 */

/* Propagation against its closed form, (1 - alpha) (I - alpha S)^-1 Y. */
#include "unit.h"

#include "base/rng.h"
#include "graph/propagate.h"

enum {
    MOST = 12
};

static struct graph *build(size_t n, size_t m, const uint32_t *from, const uint32_t *to,
                           const double *weight)
{
    const struct graph_edges edges = {n, m, from, to, weight};
    struct graph *graph = NULL;
    assert_int_equal(graph_new(&edges, false, &graph, NULL), STATUS_OK);
    return graph;
}

/* A chain of five: 0 - 1 - 2 - 3 - 4. */
static struct graph *chain(void)
{
    static const uint32_t from[] = {0, 1, 2, 3};
    static const uint32_t to[] = {1, 2, 3, 4};
    return build(5, 4, from, to, NULL);
}

/* Two classes, one at each end, alpha 1/2; S is 1/sqrt(2) at the ends and 1/2 between. */
static void a_chain_of_five_comes_out_as_by_hand(void **state)
{
    (void)state;
    static const double y[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    const struct graph_spread spread = {0.5, true, 2};
    struct graph *graph = chain();
    double f[10];
    assert_int_equal(graph_propagate(graph, &spread, y, f, NULL), STATUS_OK);
    /* F4 = F3 / (2 sqrt 2); F3 = F2 / 4 + F4 / (2 sqrt 2) = F2 / 4 + F3 / 8, so F3 = 2/7 F2;
     * F2 = (F1 + F3) / 4 = F1 / 4 + F2 / 14, so F2 = 7/26 F1;
     * F1 = F0 / (2 sqrt 2) + F2 / 4 = F0 / (2 sqrt 2) + 7/104 F1, so F1 = 104 / (97 * 2 sqrt 2) F0;
     * F0 = 1/2 + F1 / (2 sqrt 2) = 1/2 + 13/97 F0, so F0 = 97/168. */
    double f0 = 97.0 / 168;
    double f1 = 104 / (97 * 2 * sqrt(2)) * f0;
    double f2 = 7.0 / 26 * f1;
    double f3 = 2.0 / 7 * f2;
    const double expected[] = {f0, f1, f2, f3, f3 / (2 * sqrt(2))};
    for (size_t i = 0; i < 5; i++) {
        assert_near(f[2 * i], expected[i], 1e-6);
        assert_near(f[2 * i + 1], expected[4 - i], 1e-6);
    }
    graph_free(graph);
}

/* Solve a dense system in place, by elimination; it is diagonally dominant enough not to pivot. */
static void solve(size_t n, double a[][MOST], double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t row = i + 1; row < n; row++) {
            double factor = a[row][i] / a[i][i];
            for (size_t c = i; c < n; c++)
                a[row][c] -= factor * a[i][c];
            b[row] -= factor * b[i];
        }
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t c = i + 1; c < n; c++)
            b[i] -= a[i][c] * b[c];
        b[i] /= a[i][i];
    }
}

static void weighted_graphs_agree_with_the_solved_system(void **state)
{
    (void)state;
    struct rng rng = rng_seed(3);
    for (int round = 0; round < 20; round++) {
        uint32_t from[2 * MOST];
        uint32_t to[2 * MOST];
        double weight[2 * MOST];
        double w[MOST][MOST] = {{0}};
        double strength[MOST] = {0};
        double y[MOST];
        double f[MOST];
        for (size_t e = 0; e < 2 * MOST; e++) {
            /* The last node has no edges. */
            from[e] = (uint32_t)rng_below(&rng, MOST - 1);
            to[e] = (uint32_t)rng_below(&rng, MOST - 1);
            weight[e] = 0.1 + rng_uniform(&rng);
            if (from[e] == to[e])
                continue;
            w[from[e]][to[e]] += weight[e];
            w[to[e]][from[e]] += weight[e];
        }
        for (size_t i = 0; i < MOST; i++) {
            y[i] = rng_normal(&rng);
            for (size_t j = 0; j < MOST; j++)
                strength[i] += w[i][j];
        }
        struct graph *graph = build(MOST, 2 * MOST, from, to, weight);
        const struct graph_spread spread = {0.9, round % 2 == 0, 1};
        double a[MOST][MOST] = {{0}};
        double b[MOST];
        for (size_t i = 0; i < MOST; i++) {
            bool alone = strength[i] <= 0;
            b[i] = (alone ? 1 : 1 - spread.alpha) * y[i];
            for (size_t j = 0; j < MOST; j++)
                if (w[i][j] > 0)
                    a[i][j] = -spread.alpha * w[i][j] /
                              (spread.is_symmetric ? sqrt(strength[i] * strength[j]) : strength[i]);
            a[i][i] = 1;
        }
        solve(MOST, a, b);
        assert_int_equal(graph_propagate(graph, &spread, y, f, NULL), STATUS_OK);
        for (size_t i = 0; i < MOST; i++)
            assert_near(f[i], b[i], 1e-5);
        graph_free(graph);
    }
}

/* A mean of equal numbers is that number, and without alpha nothing moves. */
static void equal_numbers_stay_and_alpha_0_moves_nothing(void **state)
{
    (void)state;
    static const double same[] = {7, 7, 7, 7, 7};
    static const double y[] = {1, -2, 3, 5, 8};
    struct graph *graph = chain();
    double f[5];
    assert_int_equal(graph_propagate(graph, &(struct graph_spread){0.95, false, 1}, same, f, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < 5; i++)
        assert_near(f[i], 7, 1e-5);
    assert_int_equal(graph_propagate(graph, &(struct graph_spread){0, true, 1}, y, f, NULL),
                     STATUS_OK);
    assert_memory_equal(f, y, sizeof f);
    assert_int_equal(graph_propagate(graph, &(struct graph_spread){1, true, 1}, y, f, NULL),
                     STATUS_INVALID);
    graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_five_comes_out_as_by_hand),
        cmocka_unit_test(weighted_graphs_agree_with_the_solved_system),
        cmocka_unit_test(equal_numbers_stay_and_alpha_0_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
