/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "graph/graph.h"
#include "graph/measures.h"

#define MAX_EDGES 4096

struct draft {
    size_t n, m;
    uint32_t from[MAX_EDGES], to[MAX_EDGES];
    double weight[MAX_EDGES];
};

static void join(struct draft *draft, uint32_t from, uint32_t to)
{
    draft->from[draft->m] = from;
    draft->to[draft->m] = to;
    draft->weight[draft->m++] = 1.0;
}

static struct graph *build(const struct draft *draft, bool is_directed)
{
    struct graph_edges edges = {draft->n, draft->m, draft->from, draft->to, draft->weight};
    struct graph *graph = NULL;
    struct error err = {0};
    if (graph_new(&edges, is_directed, &graph, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return graph;
}

static struct draft path(uint32_t n)
{
    struct draft draft = {.n = n};
    for (uint32_t i = 0; i + 1 < n; i++)
        join(&draft, i, i + 1);
    return draft;
}

static struct draft star(uint32_t leaves)
{
    struct draft draft = {.n = leaves + 1};
    for (uint32_t i = 1; i <= leaves; i++)
        join(&draft, i, 0);
    return draft;
}

/* `count` complete graphs of `size` nodes, each joined to the next by one edge, in a ring. */
static struct draft cliques(uint32_t count, uint32_t size)
{
    struct draft draft = {.n = (size_t)count * size};
    for (uint32_t c = 0; c < count; c++) {
        for (uint32_t i = 0; i < size; i++)
            for (uint32_t j = 0; j < i; j++)
                join(&draft, c * size + i, c * size + j);
        if (count > 1)
            join(&draft, c * size, ((c + 1) % count) * size + 1);
    }
    return draft;
}

static struct draft random_graph(size_t n, size_t m, uint64_t seed)
{
    struct draft draft = {.n = n};
    struct rng rng = rng_seed(seed);
    for (size_t e = 0; e < m; e++)
        join(&draft, (uint32_t)rng_below(&rng, n), (uint32_t)rng_below(&rng, n));
    return draft;
}

static struct graph_measures measure(const struct graph *graph)
{
    struct graph_measures measures;
    struct error err = {0};
    if (graph_measure(graph, 7, &measures, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return measures;
}

static void repeated_arcs_add_up_and_loops_go(void **state)
{
    (void)state;
    struct draft draft = {.n = 3};
    join(&draft, 2, 0);
    join(&draft, 0, 2);
    join(&draft, 2, 0);
    join(&draft, 1, 1);
    draft.weight[2] = 2.5;
    struct graph *graph = build(&draft, true);
    assert_int_equal(graph->n_arcs, 2);
    assert_int_equal(graph->n_edges, 1);
    assert_near(graph->weight[1], 3.5, 0);
    assert_near(graph->edge_weight[0], 4.5, 0);
    assert_int_equal(graph_degree(graph, 1), 0);
    assert_true(graph_has_edge(graph, 0, 2) && graph_has_edge(graph, 2, 0));
    assert_false(graph_has_edge(graph, 0, 1));
    graph_free(graph);
}

static void damaged_edges_are_refused(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, 0, -1};
    for (size_t i = 0; i < 4; i++) {
        struct draft draft = path(3);
        draft.weight[1] = bad[i];
        struct graph_edges edges = {draft.n, draft.m, draft.from, draft.to, draft.weight};
        struct graph *graph = NULL;
        struct error err = {0};
        assert_int_equal(graph_new(&edges, false, &graph, &err), STATUS_INVALID);
        assert_non_null(strstr(err.message, "edge 1"));
    }
    struct draft draft = path(3);
    draft.to[0] = 3;
    struct graph_edges edges = {draft.n, draft.m, draft.from, draft.to, draft.weight};
    struct graph *graph = NULL;
    assert_int_equal(graph_new(&edges, false, &graph, NULL), STATUS_INVALID);
    assert_null(graph);
}

/* Of a path, node i lies between the i nodes before it and the n - 1 - i behind it. */
static void a_path_has_its_closed_forms(void **state)
{
    (void)state;
    const uint32_t n = 11;
    struct draft draft = path(n);
    struct graph *graph = build(&draft, false);
    struct graph_measures measures = measure(graph);
    assert_false(measures.is_sampled);
    for (uint32_t i = 0; i < n; i++) {
        double pairs = (n - 1) * (n - 2) / 2.0;
        assert_near(measures.betweenness[i], i * (n - 1.0 - i) / pairs, 1e-12);
        assert_near(measures.core[i], 1, 0);
        assert_near(measures.clustering[i], 0, 0);
        assert_near(measures.pagerank[i], measures.pagerank[n - 1 - i], 1e-9);
    }
    graph_measures_deinit(&measures);
    graph_free(graph);
}

/* PageRank of a star: centre c = (1-d)/n + d (1 - c), each leaf (1-d)/n + d c / leaves. */
static void a_star_has_its_closed_forms(void **state)
{
    (void)state;
    const uint32_t leaves = 9;
    struct draft draft = star(leaves);
    struct graph *graph = build(&draft, false);
    struct graph_measures measures = measure(graph);
    double d = GRAPH_DAMPING;
    double n = leaves + 1.0;
    double centre = ((1 - d) / n + d) / (1 + d);
    assert_near(measures.pagerank[0], centre, 1e-8);
    assert_near(measures.pagerank[1], (1 - d) / n + d * centre / leaves, 1e-8);
    assert_near(measures.betweenness[0], 1, 1e-12);
    assert_near(measures.betweenness[3], 0, 0);
    assert_near(measures.core[0], 1, 0);
    graph_measures_deinit(&measures);
    graph_free(graph);
}

static void a_complete_graph_has_its_closed_forms(void **state)
{
    (void)state;
    struct draft draft = cliques(1, 8);
    struct graph *graph = build(&draft, false);
    struct graph_measures measures = measure(graph);
    for (size_t i = 0; i < 8; i++) {
        assert_near(measures.pagerank[i], 1.0 / 8, 1e-9);
        assert_near(measures.core[i], 7, 0);
        assert_near(measures.clustering[i], 1, 1e-12);
        assert_near(measures.betweenness[i], 0, 0);
    }
    graph_measures_deinit(&measures);
    graph_free(graph);
}

/* An arc hands rank on one way only: of 0 -> 1 the end has (1 + d) times what the begin has. */
static void direction_counts_for_rank_alone(void **state)
{
    (void)state;
    struct draft draft = {.n = 2};
    join(&draft, 0, 1);
    struct graph *directed = build(&draft, true);
    struct graph *undirected = build(&draft, false);
    struct graph_measures one = measure(directed);
    struct graph_measures other = measure(undirected);
    assert_near(one.pagerank[1] / one.pagerank[0], 1 + GRAPH_DAMPING, 1e-8);
    assert_near(other.pagerank[0], 0.5, 1e-9);
    assert_near(one.core[0], other.core[0], 0);
    graph_measures_deinit(&one);
    graph_measures_deinit(&other);
    graph_free(directed);
    graph_free(undirected);
}

static void measures_keep_their_laws(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct draft draft = random_graph(200, 600, seed);
        struct graph *graph = build(&draft, seed % 2);
        struct graph_measures a = measure(graph);
        struct graph_measures b = measure(graph);
        double sum = 0;
        for (uint32_t i = 0; i < 200; i++) {
            sum += a.pagerank[i];
            assert_true(a.pagerank[i] > 0);
            assert_true(a.core[i] <= (double)graph_degree(graph, i));
            assert_true(a.clustering[i] >= 0 && a.clustering[i] <= 1);
            assert_true(a.betweenness[i] >= 0 && a.betweenness[i] <= 1);
        }
        assert_near(sum, 1, 1e-9);
        assert_memory_equal(a.pagerank, b.pagerank, 200 * sizeof(double));
        assert_memory_equal(a.betweenness, b.betweenness, 200 * sizeof(double));
        graph_measures_deinit(&a);
        graph_measures_deinit(&b);
        graph_free(graph);
    }
}

/* Too large for all nodes: a long path, whose exact values are known. */
static void sampled_betweenness_is_near_the_exact_one(void **state)
{
    (void)state;
    const uint32_t n = 12000;
    uint32_t *from = calloc(n, sizeof *from);
    uint32_t *to = calloc(n, sizeof *to);
    for (uint32_t i = 0; i + 1 < n; i++) {
        from[i] = i;
        to[i] = i + 1;
    }
    struct graph_edges edges = {n, n - 1, from, to, NULL};
    struct graph *graph = NULL;
    assert_int_equal(graph_new(&edges, false, &graph, NULL), STATUS_OK);
    struct graph_measures measures = measure(graph);
    assert_true(measures.is_sampled);
    double worst = 0;
    for (uint32_t i = 0; i < n; i++) {
        double exact = i * (n - 1.0 - i) / ((n - 1.0) * (n - 2.0) / 2.0);
        worst = fmax(worst, fabs(measures.betweenness[i] - exact));
    }
    /* The share of sampled nodes on one side has a deviation of .5 / sqrt(256); four of them. */
    assert_true(worst < 4 * 0.5 / 16);
    graph_measures_deinit(&measures);
    graph_free(graph);
    free(from);
    free(to);
}

static void leiden_finds_a_ring_of_cliques(void **state)
{
    (void)state;
    struct draft draft = cliques(6, 7);
    struct graph *graph = build(&draft, false);
    uint32_t community[42];
    uint32_t again[42];
    size_t n = 0;
    double modularity = 0;
    assert_int_equal(graph_communities(graph, 3, community, &n, &modularity, NULL), STATUS_OK);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < 42; i++)
        assert_int_equal(community[i], community[i / 7 * 7]);
    /* Each clique has 21 edges and a share of 22 edges of ends: 6 (21/132 - (44/264)^2). */
    assert_near(modularity, 6 * (21 / 132.0 - pow(44 / 264.0, 2)), 1e-9);
    assert_int_equal(graph_communities(graph, 3, again, &n, NULL, NULL), STATUS_OK);
    assert_memory_equal(community, again, sizeof community);
    graph_free(graph);
}

static void nodes_without_edges_stay_alone(void **state)
{
    (void)state;
    struct draft draft = {.n = 4};
    join(&draft, 2, 3);
    struct graph *graph = build(&draft, false);
    uint32_t community[4];
    size_t n = 0;
    assert_int_equal(graph_communities(graph, 0, community, &n, NULL, NULL), STATUS_OK);
    assert_int_equal(n, 3);
    assert_int_equal(community[2], 0);
    assert_int_equal(community[3], 0);
    assert_int_equal(community[0], 1);
    graph_free(graph);
    struct draft empty = {.n = 3};
    graph = build(&empty, false);
    assert_int_equal(graph_communities(graph, 0, community, &n, NULL, NULL), STATUS_OK);
    assert_int_equal(n, 3);
    struct graph_measures measures = measure(graph);
    assert_near(measures.pagerank[0], 1.0 / 3, 1e-9);
    graph_measures_deinit(&measures);
    graph_free(graph);
}

static void homophily_tells_preference_from_chance(void **state)
{
    (void)state;
    struct draft draft = cliques(4, 10);
    struct graph *graph = build(&draft, false);
    uint32_t label[40];
    for (uint32_t i = 0; i < 40; i++)
        label[i] = i / 10;
    struct graph_homophily found;
    assert_int_equal(graph_homophily(graph, label, 4, 1, &found, NULL), STATUS_OK);
    /* 180 of 184 edges lie within; each class has a quarter of the ends. */
    assert_near(found.within, 180 / 184.0, 1e-12);
    assert_near(found.assortativity, (180 / 184.0 - 0.25) / 0.75, 1e-12);
    assert_true(found.low < 0 && found.high > 0 && found.high < 0.3);
    for (uint32_t i = 0; i < 40; i++)
        label[i] = i * 7 % 4;
    assert_int_equal(graph_homophily(graph, label, 4, 1, &found, NULL), STATUS_OK);
    assert_true(found.assortativity < 0.1);
    for (uint32_t i = 0; i < 40; i++)
        label[i] = i < 20 ? 0 : GRAPH_NO_LABEL;
    assert_int_equal(graph_homophily(graph, label, 1, 1, &found, NULL), STATUS_INVALID);
    graph_free(graph);
}

static void participation_is_even_spread(void **state)
{
    (void)state;
    struct draft draft = star(4);
    struct graph *graph = build(&draft, false);
    const uint32_t community[] = {0, 0, 1, 2, 3};
    double scratch[4];
    double spread[5];
    graph_participation(graph, community, 4, scratch, spread);
    assert_near(spread[0], 0.75, 1e-12);
    assert_near(spread[1], 0, 1e-12);
    graph_free(graph);
}

static void a_layout_draws_friends_together(void **state)
{
    (void)state;
    struct draft draft = cliques(3, 12);
    struct graph *graph = build(&draft, false);
    double x[36];
    double y[36];
    double again[36];
    assert_int_equal(graph_layout(graph, 5, x, y, NULL), STATUS_OK);
    double within = 0;
    double between = 0;
    size_t n_within = 0;
    size_t n_between = 0;
    for (size_t i = 0; i < 36; i++) {
        assert_true(x[i] >= 0 && x[i] <= 1 && y[i] >= 0 && y[i] <= 1);
        for (size_t j = 0; j < i; j++) {
            double apart = hypot(x[i] - x[j], y[i] - y[j]);
            *(i / 12 == j / 12 ? &within : &between) += apart;
            *(i / 12 == j / 12 ? &n_within : &n_between) += 1;
        }
    }
    assert_true(within / (double)n_within < 0.5 * between / (double)n_between);
    double again_y[36];
    assert_int_equal(graph_layout(graph, 5, again, again_y, NULL), STATUS_OK);
    assert_memory_equal(x, again, sizeof x);
    graph_free(graph);
}

static void similarity_joins_the_nearest(void **state)
{
    (void)state;
    enum {
        N = 120,
        K = 4
    };
    float x[N][3];
    struct rng rng = rng_seed(11);
    for (size_t i = 0; i < N; i++)
        for (size_t d = 0; d < 3; d++)
            x[i][d] = (float)rng_normal(&rng);
    const struct graph_rows rows = {&x[0][0], N, 3};
    bool near[N][N] = {{false}};
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            size_t nearer = 0;
            double own = 0;
            for (size_t d = 0; d < 3; d++)
                own += pow((double)x[i][d] - (double)x[j][d], 2);
            for (size_t o = 0; o < N; o++) {
                double other = 0;
                for (size_t d = 0; d < 3; d++)
                    other += pow((double)x[i][d] - (double)x[o][d], 2);
                nearer += o != i && other < own;
            }
            near[i][j] = i != j && nearer < K;
        }
    }
    for (int mutual = 0; mutual < 2; mutual++) {
        struct graph *graph = NULL;
        struct graph_similarity_options options = {K, mutual, 1};
        assert_int_equal(graph_similarity(&rows, &options, &graph, NULL), STATUS_OK);
        for (uint32_t i = 0; i < N; i++)
            for (uint32_t j = 0; j < N; j++) {
                bool expected = mutual ? near[i][j] && near[j][i] : near[i][j] || near[j][i];
                assert_int_equal(graph_has_edge(graph, i, j), expected);
            }
        for (size_t e = 0; e < graph->n_edges; e++)
            assert_true(graph->edge_weight[e] > 0 && graph->edge_weight[e] <= 1);
        graph_free(graph);
    }
}

static void similarity_refuses_what_has_no_neighbours(void **state)
{
    (void)state;
    const float x[] = {1, 2};
    struct graph *graph = NULL;
    assert_int_equal(graph_similarity(&(struct graph_rows){x, 1, 2},
                                      &(struct graph_similarity_options){3, false, 0}, &graph,
                                      NULL),
                     STATUS_INVALID);
    assert_int_equal(graph_similarity(&(struct graph_rows){x, 2, 1},
                                      &(struct graph_similarity_options){0, false, 0}, &graph,
                                      NULL),
                     STATUS_INVALID);
    /* Fewer rows than neighbours asked for: all of them. */
    assert_int_equal(graph_similarity(&(struct graph_rows){x, 2, 1},
                                      &(struct graph_similarity_options){9, true, 0}, &graph, NULL),
                     STATUS_OK);
    assert_int_equal(graph->n_edges, 1);
    assert_near(graph->edge_weight[0], 0.5, 1e-7);
    graph_free(graph);
}

static void an_induced_graph_keeps_its_edges(void **state)
{
    (void)state;
    struct draft draft = path(6);
    struct graph *graph = build(&draft, false);
    const uint32_t nodes[] = {4, 3, 0};
    struct graph *part = NULL;
    assert_int_equal(graph_induced(graph, nodes, 3, &part, NULL), STATUS_OK);
    assert_int_equal(part->n, 3);
    assert_int_equal(part->n_edges, 1);
    assert_true(graph_has_edge(part, 0, 1));
    graph_free(part);
    graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_arcs_add_up_and_loops_go),
        cmocka_unit_test(damaged_edges_are_refused),
        cmocka_unit_test(a_path_has_its_closed_forms),
        cmocka_unit_test(a_star_has_its_closed_forms),
        cmocka_unit_test(a_complete_graph_has_its_closed_forms),
        cmocka_unit_test(direction_counts_for_rank_alone),
        cmocka_unit_test(measures_keep_their_laws),
        cmocka_unit_test(sampled_betweenness_is_near_the_exact_one),
        cmocka_unit_test(leiden_finds_a_ring_of_cliques),
        cmocka_unit_test(nodes_without_edges_stay_alone),
        cmocka_unit_test(homophily_tells_preference_from_chance),
        cmocka_unit_test(participation_is_even_spread),
        cmocka_unit_test(a_layout_draws_friends_together),
        cmocka_unit_test(similarity_joins_the_nearest),
        cmocka_unit_test(similarity_refuses_what_has_no_neighbours),
        cmocka_unit_test(an_induced_graph_keeps_its_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
