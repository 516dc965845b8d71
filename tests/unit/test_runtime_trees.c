/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "runtime/predictor.h"
#include "runtime/trees_rows.h"

#define MAX_NODES 60000
#define MAX_TREES 64
#define MAX_COLUMNS 6

static const char *const column_names[MAX_COLUMNS] = {"ln_followers",    "ln_following",
                                                      "ln_posts",        "ln_avg_likes",
                                                      "ln_recent_likes", "ln_avg_comments"};

/* A random model, and the scratch that its run needs. */
struct fixture {
    struct tree_node *nodes;
    uint32_t start[MAX_TREES + 1];
    uint32_t output[MAX_TREES];
    double base[3];
    struct tree_model model;
    struct feature_spec *spec;
    void *bytes;
    struct artifact *artifact;
    struct predictor *predictor;
    void *scratch;
};

/* Grow a node at the end of the array; returns its number within the tree. Few distinct thresholds,
 * so that values meet them exactly. */
static uint32_t grow(struct fixture *f, struct rng *rng, uint32_t *n_nodes, unsigned depth,
                     float cover)
{
    uint32_t self = (*n_nodes)++;
    uint32_t at = f->start[f->model.n_trees] + self;
    assert_true(at < MAX_NODES);
    if (depth == 0 || rng_below(rng, 8) == 0) {
        f->nodes[at] =
            (struct tree_node){.feature = -1, .value = (float)rng_normal(rng), .cover = cover};
        return self;
    }
    float share = (float)(0.05 + 0.9 * rng_uniform(rng));
    struct tree_node node = {
        .feature = (int32_t)rng_below(rng, f->model.n_inputs),
        .value = (float)rng_below(rng, 9) - 4.0F,
        .missing_left = (uint8_t)rng_below(rng, 2),
        .cover = cover,
    };
    node.left = grow(f, rng, n_nodes, depth - 1, cover * share);
    node.right = grow(f, rng, n_nodes, depth - 1, cover - cover * share);
    f->nodes[at] = node;
    return self;
}

static void make_model(struct fixture *f, uint64_t seed, size_t n_trees, unsigned max_depth,
                       size_t n_inputs, size_t n_outputs)
{
    struct rng rng = rng_seed(seed);
    *f = (struct fixture){.nodes = calloc(MAX_NODES, sizeof(struct tree_node))};
    assert_non_null(f->nodes);
    f->model = (struct tree_model){n_inputs, n_outputs, 0, f->base, f->start, f->output, f->nodes};
    for (size_t tree = 0; tree < n_trees; tree++) {
        uint32_t n_nodes = 0;
        grow(f, &rng, &n_nodes, (unsigned)rng_below(&rng, max_depth + 1), 100);
        f->output[tree] = (uint32_t)(tree % n_outputs);
        f->start[tree + 1] = f->start[tree] + n_nodes;
        f->model.n_trees++;
    }
    for (size_t o = 0; o < n_outputs; o++)
        f->base[o] = 0.5 + (double)o;
    static const float zeros[MAX_COLUMNS];
    static const float ones[MAX_COLUMNS] = {1, 1, 1, 1, 1, 1};
    assert_int_equal(feature_spec_new(column_names, zeros, zeros, ones, n_inputs, &f->spec, NULL),
                     STATUS_OK);
}

static enum status write_and_open(struct fixture *f, struct error *err)
{
    struct artifact_writer *writer = NULL;
    size_t n_bytes = 0;
    assert_int_equal(artifact_writer_new(ARTIFACT_SCORE, &writer, NULL), STATUS_OK);
    enum status status = predictor_write(writer, "m", f->spec, "trees", err);
    if (status == STATUS_OK)
        status = trees_write(writer, "m", &f->model, err);
    if (status == STATUS_OK)
        status = artifact_finish(writer, &f->bytes, &n_bytes, err);
    artifact_writer_free(writer);
    if (status != STATUS_OK)
        return status;
    assert_int_equal(artifact_open_memory(f->bytes, n_bytes, "m", &f->artifact, NULL), STATUS_OK);
    status = predictor_open(f->artifact, "m", &f->predictor, err);
    if (status == STATUS_OK)
        f->scratch = aligned_alloc(64, (predictor_scratch_bytes(f->predictor) + 63) / 64 * 64);
    return status;
}

static void open_model(struct fixture *f)
{
    struct error err = {0};
    if (write_and_open(f, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void free_model(struct fixture *f)
{
    predictor_close(f->predictor);
    artifact_close(f->artifact);
    feature_spec_free(f->spec);
    free(f->bytes);
    free(f->scratch);
    free(f->nodes);
}

/* ---- the oracles ---- */

static float naive_leaf(const struct fixture *f, size_t tree, const float *x)
{
    const struct tree_node *nodes = f->nodes + f->start[tree];
    uint32_t at = 0;
    while (nodes[at].feature >= 0) {
        float value = x[nodes[at].feature];
        bool left = isnan(value) ? nodes[at].missing_left : value < nodes[at].value;
        at = left ? nodes[at].left : nodes[at].right;
    }
    return nodes[at].value;
}

static float naive_output(const struct fixture *f, const float *x, size_t output)
{
    float sum = (float)f->base[output];
    for (size_t tree = 0; tree < f->model.n_trees; tree++)
        if (f->output[tree] == output)
            sum += naive_leaf(f, tree, x);
    return sum;
}

/* The expectation of a tree when only the features in `known` are known: the definition that
 * TreeSHAP computes Shapley values of. */
static double expectation(const struct fixture *f, size_t tree, uint32_t at, const float *x,
                          unsigned known)
{
    const struct tree_node *nodes = f->nodes + f->start[tree];
    const struct tree_node *node = &nodes[at];
    if (node->feature < 0)
        return (double)node->value;
    if (known >> node->feature & 1) {
        float value = x[node->feature];
        bool left = isnan(value) ? node->missing_left : value < node->value;
        return expectation(f, tree, left ? node->left : node->right, x, known);
    }
    double share = (double)nodes[node->left].cover / (double)node->cover;
    double other = (double)nodes[node->right].cover / (double)node->cover;
    return share * expectation(f, tree, node->left, x, known) +
           other * expectation(f, tree, node->right, x, known);
}

static double total_expectation(const struct fixture *f, size_t output, const float *x,
                                unsigned known)
{
    double sum = f->base[output];
    for (size_t tree = 0; tree < f->model.n_trees; tree++)
        if (f->output[tree] == output)
            sum += expectation(f, tree, 0, x, known);
    return sum;
}

static double shapley(const struct fixture *f, size_t output, const float *x, size_t feature)
{
    static const double factorial[] = {1, 1, 2, 6, 24, 120, 720};
    size_t n = f->model.n_inputs;
    double value = 0;
    for (unsigned subset = 0; subset < 1U << n; subset++) {
        if (subset >> feature & 1)
            continue;
        unsigned size = (unsigned)__builtin_popcount(subset);
        double weight = factorial[size] * factorial[n - size - 1] / factorial[n];
        value += weight * (total_expectation(f, output, x, subset | 1U << feature) -
                           total_expectation(f, output, x, subset));
    }
    return value;
}

static void random_row(struct rng *rng, size_t n, float *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = rng_below(rng, 5) == 0 ? NAN : (float)rng_below(rng, 17) / 2.0F - 4.0F;
        if (rng_below(rng, 50) == 0)
            x[i] = rng_below(rng, 2) ? INFINITY : -INFINITY;
    }
}

/* Rows together, in all numbers that end in the middle of a block, as each one alone. */
static void check_rows(const struct fixture *f, struct rng *rng)
{
    enum {
        N = 2 * TREES_ROWS + 11
    };
    float x[N][MAX_COLUMNS];
    double alone[N][3];
    double together[N * 3];
    size_t n_outputs = predictor_n_outputs(f->predictor);
    for (size_t row = 0; row < N; row++) {
        random_row(rng, MAX_COLUMNS, x[row]);
        predictor_run(f->predictor, x[row], f->scratch, alone[row]);
    }
    for (size_t n = 0; n <= N; n += 1 + rng_below(rng, 9)) {
        predictor_run_rows(f->predictor, x[0], n, f->scratch, together);
        for (size_t row = 0; row < n; row++)
            assert_memory_equal(&together[row * n_outputs], alone[row],
                                n_outputs * sizeof together[0]);
    }
}

/* A filled-up group of random trees, and rows with values at the thresholds, none and infinite. */
struct group_case {
    struct fast_node nodes[TREES_LANES << TREES_ROWS_DEPTH];
    float leaves[TREES_LANES << TREES_ROWS_DEPTH];
    struct tree_group group;
    uint32_t output[TREES_LANES];
    _Alignas(64) float x[2 * MAX_COLUMNS * TREES_ROWS];
};

static void make_group(struct group_case *c, struct rng *rng)
{
    for (size_t i = 0; i < TREES_LANES << TREES_ROWS_DEPTH; i++) {
        c->nodes[i].value = (float)rng_below(rng, 9) - 4.0F;
        c->nodes[i].feature = (uint32_t)rng_below(rng, 2 * MAX_COLUMNS);
        c->leaves[i] = (float)rng_normal(rng);
    }
    for (size_t i = 0; i < TREES_LANES; i++)
        c->output[i] = (uint32_t)rng_below(rng, 3);
    random_row(rng, 2 * MAX_COLUMNS * TREES_ROWS, c->x);
    c->group = (struct tree_group){.n_trees = 1 + (uint32_t)rng_below(rng, TREES_LANES),
                                   .depth = (uint32_t)rng_below(rng, TREES_ROWS_DEPTH + 1),
                                   .nodes = c->nodes,
                                   .leaves = c->leaves};
}

static void every_width_gives_the_same_sums(void **state)
{
    (void)state;
    struct rng rng = rng_seed(17);
    static struct group_case c;
    size_t n_compared = 0;
    for (int round = 0; round < 300; round++) {
        _Alignas(64) float sum[TREES_ROWS_VERSIONS][3 * TREES_ROWS] = {{0}};
        make_group(&c, &rng);
        for (int version = 0; version < TREES_ROWS_VERSIONS; version++) {
            trees_rows_function add = trees_rows_get((enum trees_rows_version)version);
            if (!add)
                continue;
            add(&c.group, c.x, c.output, sum[version]);
            assert_memory_equal(sum[version], sum[TREES_ROWS_PORTABLE], sizeof sum[0]);
            n_compared += version != TREES_ROWS_PORTABLE;
        }
    }
    print_message("%zu comparisons with wider versions\n", n_compared);
}

static void check_runs(uint64_t seed, size_t n_trees, unsigned max_depth, size_t n_outputs)
{
    struct fixture f;
    struct rng rng = rng_seed(seed);
    make_model(&f, seed, n_trees, max_depth, MAX_COLUMNS, n_outputs);
    open_model(&f);
    assert_int_equal(predictor_n_outputs(f.predictor), n_outputs);
    for (int i = 0; i < 200; i++) {
        float x[MAX_COLUMNS];
        double output[3];
        random_row(&rng, MAX_COLUMNS, x);
        predictor_run(f.predictor, x, f.scratch, output);
        for (size_t o = 0; o < n_outputs; o++)
            if (output[o] != (double)naive_output(&f, x, o))
                fail_msg("seed %u, output %zu: %.9g, expected %.9g", (unsigned)seed, o, output[o],
                         (double)naive_output(&f, x, o));
    }
    check_rows(&f, &rng);
    free_model(&f);
}

static void runs_equal_the_naive_walk_to_the_last_bit(void **state)
{
    (void)state;
    static const size_t n_trees[] = {1, 7, 8, 9, 33};
    for (uint64_t seed = 0; seed < 10; seed++)
        for (size_t i = 0; i < 5; i++)
            check_runs(seed, n_trees[i], (unsigned)seed % 9, 1 + seed % 3);
}

/* Hundreds of thresholds a column, and rows that meet them or miss them by the least there is. */
static void rows_are_told_from_close_thresholds(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct fixture f;
        struct rng rng = rng_seed(seed + 300);
        make_model(&f, seed, MAX_TREES, 6, 3, 1);
        size_t n_nodes = f.start[MAX_TREES];
        for (size_t i = 0; i < n_nodes; i++)
            if (f.nodes[i].feature >= 0)
                f.nodes[i].value = (float)rng_normal(&rng);
        open_model(&f);
        for (int i = 0; i < 500; i++) {
            float x[3];
            for (size_t c = 0; c < 3; c++) {
                float at = f.nodes[rng_below(&rng, n_nodes)].value;
                const float near[] = {at, nextafterf(at, INFINITY), nextafterf(at, -INFINITY), NAN};
                x[c] = near[rng_below(&rng, 4)];
            }
            double output;
            predictor_run(f.predictor, x, f.scratch, &output);
            assert_true(output == (double)naive_output(&f, x, 0));
        }
        free_model(&f);
    }
}

static void deep_trees_fall_back_and_stay_equal(void **state)
{
    (void)state;
    /* Depths from 0 to 14: filled-up and linked groups in one model. */
    for (uint64_t seed = 100; seed < 104; seed++)
        check_runs(seed, 20, 14, 1 + seed % 3);
}

static void contributions_equal_brute_force_shapley_values(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct fixture f;
        struct rng rng = rng_seed(seed + 1000);
        size_t n_outputs = 1 + seed % 2;
        make_model(&f, seed, 5, 7, MAX_COLUMNS, n_outputs);
        open_model(&f);
        for (int i = 0; i < 5; i++) {
            float x[MAX_COLUMNS];
            double contribution[MAX_COLUMNS];
            random_row(&rng, MAX_COLUMNS, x);
            size_t output = rng_below(&rng, n_outputs);
            double base = predictor_explain(f.predictor, x, output, f.scratch, contribution);
            for (size_t c = 0; c < MAX_COLUMNS; c++)
                assert_near(contribution[c], shapley(&f, output, x, c), 1e-5);
            assert_near(base, total_expectation(&f, output, x, 0), 1e-4);
        }
        free_model(&f);
    }
}

static void contributions_in_registers_equal_those_without(void **state)
{
    (void)state;
    if (!shap_four_runs_here())
        skip();
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct fixture f;
        struct rng rng = rng_seed(seed + 50);
        struct shap_rule rule;
        struct tree_nodes nodes = {.n_inputs = MAX_COLUMNS};
        make_model(&f, seed, 20, 8, MAX_COLUMNS, 2);
        open_model(&f);
        assert_int_equal(trees_read(f.artifact, "m", &nodes, NULL), STATUS_OK);
        shap_rule_init(&rule, 8);
        assert_true(rule.is_four);
        for (int i = 0; i < 20; i++) {
            float x[MAX_COLUMNS];
            double contribution[2][MAX_COLUMNS] = {{0}};
            random_row(&rng, MAX_COLUMNS, x);
            for (int four = 0; four < 2; four++) {
                rule.is_four = four;
                shap_add_trees(&nodes, &rule, &(struct shap_question){x, seed % 2}, f.scratch,
                               contribution[four]);
            }
            assert_memory_equal(contribution[0], contribution[1], sizeof contribution[0]);
        }
        free_model(&f);
    }
}

static void contributions_add_up_to_the_output(void **state)
{
    (void)state;
    struct fixture f;
    struct rng rng = rng_seed(5);
    make_model(&f, 77, 40, 10, MAX_COLUMNS, 2);
    f.base[1] = 80;
    open_model(&f);
    for (int i = 0; i < 50; i++) {
        float x[MAX_COLUMNS];
        double contribution[MAX_COLUMNS];
        double output[2];
        random_row(&rng, MAX_COLUMNS, x);
        predictor_run(f.predictor, x, f.scratch, output);
        double sum = predictor_explain(f.predictor, x, 1, f.scratch, contribution);
        for (size_t c = 0; c < MAX_COLUMNS; c++)
            sum += contribution[c];
        assert_near(sum, output[1], 1e-9);
    }
    free_model(&f);
}

static void expect_refusal(struct fixture *f, const char *reason)
{
    struct error err = {0};
    assert_int_equal(write_and_open(f, &err), STATUS_CORRUPT);
    if (!strstr(err.message, reason))
        fail_msg("'%s' does not say '%s'", err.message, reason);
    free_model(f);
}

/* 0: split -> 1 split -> (2, 3 leaves), 4 leaf */
static void make_known(struct fixture *f)
{
    make_model(f, 0, 1, 0, 3, 1);
    f->nodes[0] = (struct tree_node){.feature = 0, .left = 1, .right = 4, .cover = 10};
    f->nodes[1] = (struct tree_node){.feature = 2, .left = 2, .right = 3, .cover = 6};
    f->nodes[2] = (struct tree_node){.feature = -1, .value = 1, .cover = 4};
    f->nodes[3] = (struct tree_node){.feature = -1, .value = 2, .cover = 2};
    f->nodes[4] = (struct tree_node){.feature = -1, .value = 3, .cover = 4};
    f->start[1] = 5;
}

static void broken_trees_are_refused_by_name(void **state)
{
    (void)state;
    struct fixture f;
    make_known(&f);
    open_model(&f);
    free_model(&f);
    make_known(&f);
    f.nodes[1].feature = 3;
    expect_refusal(&f, "tree 0, node 1: feature index out of range");
    make_known(&f);
    f.nodes[1].right = 5;
    expect_refusal(&f, "tree 0, node 1: child index out of range");
    make_known(&f);
    f.nodes[1].left = 1;
    expect_refusal(&f, "child index out of range");
    make_known(&f);
    f.nodes[1].left = 0;
    expect_refusal(&f, "child index out of range");
    make_known(&f);
    f.nodes[1].right = 4;
    expect_refusal(&f, "two nodes lead to its child");
    make_known(&f);
    f.nodes[0].feature = -1;
    expect_refusal(&f, "no node leads to it");
    make_known(&f);
    f.nodes[2].value = NAN;
    expect_refusal(&f, "node 2: value is not finite");
    make_known(&f);
    f.nodes[2].cover = 0;
    expect_refusal(&f, "node 2: cover is not above 0");
    make_known(&f);
    f.nodes[2].cover = 7;
    expect_refusal(&f, "node 1: a child's cover exceeds its parent's");
    make_known(&f);
    f.nodes[1].missing_left = 2;
    expect_refusal(&f, "missing is neither 0 nor 1");
    make_known(&f);
    f.output[0] = 1;
    expect_refusal(&f, "output 1 of 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_gives_the_same_sums),
        cmocka_unit_test(runs_equal_the_naive_walk_to_the_last_bit),
        cmocka_unit_test(rows_are_told_from_close_thresholds),
        cmocka_unit_test(deep_trees_fall_back_and_stay_equal),
        cmocka_unit_test(contributions_equal_brute_force_shapley_values),
        cmocka_unit_test(contributions_in_registers_equal_those_without),
        cmocka_unit_test(contributions_add_up_to_the_output),
        cmocka_unit_test(broken_trees_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
