/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "graph/links.h"

static struct graph *build(size_t n, size_t m, const uint32_t *from, const uint32_t *to,
                           bool is_directed)
{
    struct graph_edges edges = {n, m, from, to, NULL};
    struct graph *graph = NULL;
    assert_int_equal(graph_new(&edges, is_directed, &graph, NULL), STATUS_OK);
    return graph;
}

/* Sources 0 1 2, targets 3..6: 0 -> 3 4; 1 -> 3 4 5; 2 -> 4 6. */
static struct graph *small(void)
{
    static const uint32_t from[] = {0, 0, 1, 1, 1, 2, 2};
    static const uint32_t to[] = {3, 4, 3, 4, 5, 4, 6};
    return build(7, 7, from, to, true);
}

static void scores(const struct graph *graph, enum link_method method, uint32_t source, double *ret)
{
    static const uint32_t targets[] = {5, 6};
    struct link_scorer *scorer = NULL;
    assert_int_equal(link_scorer_new(graph, method, 1, &scorer, NULL), STATUS_OK);
    /* Twice, so that what one call leaves behind would show in the next. */
    link_scorer_run(scorer, 1, targets, 2, ret);
    link_scorer_run(scorer, source, targets, 2, ret);
    link_scorer_free(scorer);
}

static void scores_are_those_by_hand(void **state)
{
    (void)state;
    struct graph *graph = small();
    double s[2];
    scores(graph, LINK_POPULARITY, 0, s);
    assert_near(s[0], 1, 0);
    assert_near(s[1], 1, 0);
    /* cos(5, 3) = 1 / sqrt(1 * 2), cos(5, 4) = 1 / sqrt(1 * 3); cos(6, 4) = 1 / sqrt(3). */
    scores(graph, LINK_ITEM_COSINE, 0, s);
    assert_near(s[0], 1 / sqrt(2) + 1 / sqrt(3), 1e-12);
    assert_near(s[1], 1 / sqrt(3), 1e-12);
    /* cos(0, 1) = 2 / sqrt(2 * 3), cos(0, 2) = 1 / sqrt(2 * 2). */
    scores(graph, LINK_USER_COSINE, 0, s);
    assert_near(s[0], 2 / sqrt(6), 1e-12);
    assert_near(s[1], 0.5, 1e-12);
    /* Target 3 hands half, 4 a third to source 1, which hands a third of that on to 5. */
    scores(graph, LINK_RESOURCE, 0, s);
    assert_near(s[0], (0.5 + 1 / 3.0) / 3, 1e-12);
    assert_near(s[1], 1 / 3.0 / 2, 1e-12);
    graph_free(graph);
}

static void common_neighbours_are_adamic_adar(void **state)
{
    (void)state;
    /* 0 - 2 - 1, 0 - 3 - 1, 3 - 4. */
    static const uint32_t from[] = {0, 2, 0, 3, 3};
    static const uint32_t to[] = {2, 1, 3, 1, 4};
    struct graph *graph = build(5, 5, from, to, false);
    struct link_scorer *scorer = NULL;
    assert_int_equal(link_scorer_new(graph, LINK_COMMON, 0, &scorer, NULL), STATUS_OK);
    const uint32_t target = 1;
    double s;
    link_scorer_run(scorer, 0, &target, 1, &s);
    assert_near(s, 1 / log(1 + 2.0) + 1 / log(1 + 3.0), 1e-12);
    link_scorer_free(scorer);
    graph_free(graph);
}

/* Complete blocks are of rank one each, so that the approximation is the matrix itself. */
static void the_spectral_score_of_blocks_is_the_matrix(void **state)
{
    (void)state;
    uint32_t from[64];
    uint32_t to[64];
    size_t m = 0;
    for (uint32_t block = 0; block < 3; block++)
        for (uint32_t i = 0; i < 4; i++)
            for (uint32_t j = 0; j < 5; j++) {
                from[m] = block * 4 + i;
                to[m++] = 12 + block * 5 + j;
            }
    struct graph *graph = build(27, m, from, to, true);
    struct link_scorer *scorer = NULL;
    assert_int_equal(link_scorer_new(graph, LINK_SPECTRAL, 9, &scorer, NULL), STATUS_OK);
    for (uint32_t source = 0; source < 12; source++) {
        uint32_t targets[15];
        double s[15];
        for (uint32_t j = 0; j < 15; j++)
            targets[j] = 12 + j;
        link_scorer_run(scorer, source, targets, 15, s);
        for (uint32_t j = 0; j < 15; j++)
            assert_near(s[j], source / 4 == j / 5, 1e-9);
    }
    link_scorer_free(scorer);
    graph_free(graph);
}

static void candidates_are_not_linked_yet(void **state)
{
    (void)state;
    struct graph *graph = small();
    struct link_scorer *scorer = NULL;
    assert_int_equal(link_scorer_new(graph, LINK_RESOURCE, 0, &scorer, NULL), STATUS_OK);
    const uint32_t *found = NULL;
    assert_int_equal(link_scorer_candidates(scorer, 0, &found), 2);
    assert_true(found[0] + found[1] == 5 + 6);
    assert_int_equal(link_scorer_candidates(scorer, 6, &found), 0);
    link_scorer_free(scorer);
    graph_free(graph);
}

static void auc_counts_ties_half(void **state)
{
    (void)state;
    double positive[] = {3, 1, 2};
    double negative[] = {2, 0};
    /* 3 > 2, 3 > 0, 1 > 0, 2 = 2, 2 > 0; 1 < 2. */
    assert_near(links_auc(positive, 3, negative, 2), 4.5 / 6, 1e-15);
    double same[] = {1, 1};
    assert_near(links_auc(same, 2, same, 2), 0.5, 0);
}

/* Two camps: each source follows a random half of its camp's targets. */
static struct graph *camps(uint64_t seed)
{
    static uint32_t from[4000];
    static uint32_t to[4000];
    struct rng rng = rng_seed(seed);
    size_t m = 0;
    for (uint32_t source = 0; source < 40; source++)
        for (uint32_t target = 0; target < 60; target++)
            if (target % 2 == source % 2 && rng_uniform(&rng) < 0.5) {
                from[m] = source;
                to[m++] = 40 + target;
            }
    return build(100, m, from, to, true);
}

static void structure_beats_popularity(void **state)
{
    (void)state;
    struct graph *graph = camps(4);
    struct link_figures a;
    struct link_figures b;
    assert_int_equal(links_evaluate(graph, 0.1, 2, &a, NULL), STATUS_OK);
    assert_int_equal(links_evaluate(graph, 0.1, 2, &b, NULL), STATUS_OK);
    assert_memory_equal(a.auc, b.auc, sizeof a.auc);
    /* Half of a camp is linked and not to be told from the rest of it; the other camp is. Of pairs
     * that are no link 30 of 45 lie there: about 2/3 + 1/3 * 1/2. */
    assert_near(a.auc[a.chosen], 5.0 / 6, 0.08);
    assert_near(a.auc[LINK_POPULARITY], 0.5, 0.15);
    assert_int_equal(a.n_unseen, 0);
    graph_free(graph);
}

/* Links dealt without any order: nothing may be found, or the held-out ones leak. */
static void chance_stays_chance(void **state)
{
    (void)state;
    static uint32_t from[3000];
    static uint32_t to[3000];
    struct rng rng = rng_seed(8);
    for (size_t i = 0; i < 3000; i++) {
        from[i] = (uint32_t)rng_below(&rng, 100);
        to[i] = 100 + (uint32_t)rng_below(&rng, 200);
    }
    struct graph *graph = build(300, 3000, from, to, true);
    struct link_figures figures;
    assert_int_equal(links_evaluate(graph, 0.2, 1, &figures, NULL), STATUS_OK);
    for (size_t method = 0; method < LINK_N_METHODS; method++)
        assert_near(figures.auc[method], 0.5, 0.06);
    graph_free(graph);
}

static void too_few_and_too_many_links_are_refused(void **state)
{
    (void)state;
    struct graph *few = small();
    struct link_figures figures;
    struct error err = {0};
    assert_int_equal(links_evaluate(few, 0.1, 0, &figures, &err), STATUS_INVALID);
    assert_non_null(strstr(err.message, "too few"));
    graph_free(few);
    uint32_t from[200];
    uint32_t to[200];
    for (uint32_t i = 0; i < 200; i++) {
        from[i] = i / 20;
        to[i] = 10 + i % 20;
    }
    struct graph *full = build(30, 200, from, to, true);
    assert_int_equal(links_evaluate(full, 0.1, 0, &figures, &err), STATUS_INVALID);
    assert_non_null(strstr(err.message, "nothing to tell apart"));
    graph_free(full);
}

static void suggestions_are_new_sorted_and_spread(void **state)
{
    (void)state;
    struct graph *graph = camps(5);
    struct link_suggestion found[30];
    size_t n = 0;
    assert_int_equal(links_suggest(graph, LINK_HYBRID, 0, 2, 30, found, &n, NULL), STATUS_OK);
    assert_int_equal(n, 30);
    size_t times[200] = {0};
    for (size_t i = 0; i < n; i++) {
        assert_false(graph_has_edge(graph, found[i].from, found[i].to));
        assert_int_equal(found[i].from % 2, found[i].to % 2);
        assert_true(i == 0 || found[i].score <= found[i - 1].score);
        assert_true(++times[found[i].from] <= 2);
        assert_true(++times[100 + found[i].to] <= 2);
    }
    graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_by_hand),
        cmocka_unit_test(common_neighbours_are_adamic_adar),
        cmocka_unit_test(the_spectral_score_of_blocks_is_the_matrix),
        cmocka_unit_test(candidates_are_not_linked_yet),
        cmocka_unit_test(auc_counts_ties_half),
        cmocka_unit_test(structure_beats_popularity),
        cmocka_unit_test(chance_stays_chance),
        cmocka_unit_test(too_few_and_too_many_links_are_refused),
        cmocka_unit_test(suggestions_are_new_sorted_and_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
