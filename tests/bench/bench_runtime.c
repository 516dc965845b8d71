/* SPDX-License-Identifier: Apache-2.0 */

/* bench-runtime: what the engine's parts cost, on invented data. Prints one line a part; the median
 * of several rounds, because machines are shared.
 *
 *   bench-runtime                                 all of it, in small
 *   bench-runtime trees                           rows through boosted trees, and contributions
 *   bench-runtime neighbours ROWS CLUSTERS [FILE] nearest neighbours; the data into FILE as floats,
 *                                                 ROWS x 16 and then 1,000 queries, for a peer */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/rng.h"
#include "runtime/neighbours.h"
#include "runtime/predictor.h"

#define N_COLUMNS 16
#define ROUNDS 15

static const char *const columns[N_COLUMNS] = {
    "ln_followers",      "ln_following",         "ln_posts",
    "ln_avg_likes",      "ln_recent_likes",      "ln_avg_comments",
    "ln_avg_views",      "ln_engagement_rate",   "ln_likes_per_follower",
    "ln_recent_trend",   "ln_avg_engagement",    "authentic_share",
    "follower_growth",   "ln_comments_per_like", "ln_posts_per_follower",
    "ln_following_ratio"};

static void must(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "bench-runtime: %s\n", err->message);
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* CPU time of this thread: what else the machine does hardly shows in it. */
static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Median nanoseconds of one call, over rounds of `calls`. */
static double measure(void (*call)(void *user, size_t i), void *user, size_t calls)
{
    double ns[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        uint64_t begin = cpu_ns();
        for (size_t i = 0; i < calls; i++)
            call(user, i);
        ns[round] = (double)(cpu_ns() - begin) / (double)calls;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    return ns[ROUNDS / 2];
}

static struct artifact *seal(struct artifact_writer *writer)
{
    struct error err = {0};
    void *bytes = NULL;
    size_t n_bytes = 0;
    struct artifact *artifact = NULL;
    must(artifact_finish(writer, &bytes, &n_bytes, &err), &err);
    must(artifact_open_memory(bytes, n_bytes, "bench", &artifact, &err), &err);
    return artifact; /* and its bytes live until the program ends */
}

/* ---- trees ---- */

#define N_TREES 300
#define DEPTH 6
#define N_NODES ((1 << (DEPTH + 1)) - 1)
#define N_ROWS 1024

struct trees_bench {
    struct predictor *predictor;
    void *scratch;
    float (*rows)[N_COLUMNS];
    double sum; /* so that nothing is optimised away */
};

static void fill_tree(struct tree_node *nodes, struct rng *rng)
{
    for (uint32_t i = 0; i < N_NODES; i++) {
        bool is_leaf = i >= N_NODES / 2;
        nodes[i] = (struct tree_node){
            .feature = is_leaf ? -1 : (int32_t)rng_below(rng, N_COLUMNS),
            .value = (float)rng_normal(rng) * (is_leaf ? 0.1F : 1.0F),
            .left = is_leaf ? 0 : 2 * i + 1,
            .right = is_leaf ? 0 : 2 * i + 2,
            .missing_left = (uint8_t)rng_below(rng, 2),
            .cover = (float)N_NODES / (float)(i + 1),
        };
    }
}

static void make_trees(struct trees_bench *bench)
{
    static struct tree_node nodes[N_TREES * N_NODES];
    static uint32_t start[N_TREES + 1];
    static uint32_t output[N_TREES];
    static const double base[] = {0.5};
    static const float zeros[N_COLUMNS];
    static float ones[N_COLUMNS];
    struct rng rng = rng_seed(1);
    struct error err = {0};
    for (size_t tree = 0; tree < N_TREES; tree++) {
        fill_tree(nodes + tree * N_NODES, &rng);
        start[tree + 1] = (uint32_t)(tree + 1) * N_NODES;
    }
    for (size_t i = 0; i < N_COLUMNS; i++)
        ones[i] = 1;
    struct feature_spec *spec = NULL;
    struct artifact_writer *writer = NULL;
    const struct tree_model model = {N_COLUMNS, 1, N_TREES, base, start, output, nodes};
    must(feature_spec_new(columns, zeros, zeros, ones, N_COLUMNS, &spec, &err), &err);
    must(artifact_writer_new(ARTIFACT_SCORE, &writer, &err), &err);
    must(predictor_write(writer, "score", spec, "trees", &err), &err);
    must(trees_write(writer, "score", &model, &err), &err);
    must(predictor_open(seal(writer), "score", &bench->predictor, &err), &err);
    bench->scratch = aligned_alloc(64, (predictor_scratch_bytes(bench->predictor) + 63) / 64 * 64);
    bench->rows = calloc(N_ROWS, sizeof *bench->rows);
    for (size_t row = 0; row < N_ROWS; row++)
        for (size_t c = 0; c < N_COLUMNS; c++)
            bench->rows[row][c] = rng_below(&rng, 20) == 0 ? NAN : (float)rng_normal(&rng);
    feature_spec_free(spec);
    artifact_writer_free(writer);
}

static void run_trees(void *user, size_t i)
{
    struct trees_bench *bench = user;
    double output;
    predictor_run(bench->predictor, bench->rows[i % N_ROWS], bench->scratch, &output);
    bench->sum += output;
}

static void run_many_trees(void *user, size_t i)
{
    struct trees_bench *bench = user;
    static double output[1000];
    (void)i;
    predictor_run_rows(bench->predictor, bench->rows[0], 1000, bench->scratch, output);
    bench->sum += output[999];
}

static void explain_trees(void *user, size_t i)
{
    struct trees_bench *bench = user;
    double contribution[N_COLUMNS];
    bench->sum += predictor_explain(bench->predictor, bench->rows[i % N_ROWS], 0, bench->scratch,
                                    contribution);
}

/* ---- neighbours ---- */

#define N_QUERIES 1000

struct neighbours_bench {
    struct neighbours *index;
    void *scratch;
    float *rows; /* [n + N_QUERIES]: the queries are drawn like the rows, and are none of them */
    size_t n;
    struct neighbour found[10];
};

static void make_neighbours(struct neighbours_bench *bench, size_t n, size_t n_clusters)
{
    struct rng rng = rng_seed(2);
    struct error err = {0};
    bench->n = n;
    bench->rows = calloc((n + N_QUERIES) * N_COLUMNS, sizeof *bench->rows);
    float *centres = calloc(n_clusters * N_COLUMNS, sizeof *centres);
    if (!bench->rows || !centres)
        exit(1);
    for (size_t i = 0; i < n_clusters * N_COLUMNS; i++)
        centres[i] = 3 * (float)rng_normal(&rng);
    for (size_t i = 0; i < n + N_QUERIES; i++) {
        const float *centre = centres + rng_below(&rng, n_clusters) * N_COLUMNS;
        for (size_t c = 0; c < N_COLUMNS; c++)
            bench->rows[i * N_COLUMNS + c] = centre[c] + (float)rng_normal(&rng);
    }
    free(centres);
    struct artifact_writer *writer = NULL;
    must(artifact_writer_new(ARTIFACT_SIMILAR, &writer, &err), &err);
    uint64_t begin = cpu_ns();
    must(neighbours_write(writer, bench->rows, n, N_COLUMNS, 0, &err), &err);
    printf("neighbours %8zu x %d, %4zu clusters: build   %8.2f s\n", n, N_COLUMNS, n_clusters,
           (double)(cpu_ns() - begin) / 1e9);
    struct artifact *artifact = seal(writer);
    artifact_writer_free(writer);
    begin = cpu_ns();
    must(neighbours_open(artifact, &bench->index, &err), &err);
    printf("neighbours %8zu x %d, %4zu clusters: open    %8.2f ms\n", n, N_COLUMNS, n_clusters,
           (double)(cpu_ns() - begin) / 1e6);
    bench->scratch = aligned_alloc(64, neighbours_scratch_bytes(bench->index));
}

static void search(void *user, size_t i)
{
    struct neighbours_bench *bench = user;
    const float *x = bench->rows + (bench->n + i % N_QUERIES) * N_COLUMNS;
    const struct neighbours_query query = {x, 10, NULL, NULL};
    neighbours_search(bench->index, &query, bench->scratch, bench->found);
}

static void write_data(const struct neighbours_bench *bench, const char *path)
{
    FILE *file = fopen(path, "wbe");
    size_t n = (bench->n + N_QUERIES) * N_COLUMNS;
    if (!file || fwrite(bench->rows, sizeof(float), n, file) != n || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* path: of a file for a peer, or NULL. */
static void bench_neighbours(size_t n, size_t n_clusters, const char *path)
{
    struct neighbours_bench bench;
    make_neighbours(&bench, n, n_clusters);
    if (path)
        write_data(&bench, path);
    printf("neighbours %8zu x %d, %4zu clusters: k = 10  %8.2f us\n", n, N_COLUMNS, n_clusters,
           measure(search, &bench, N_QUERIES) / 1e3);
    neighbours_close(bench.index);
    free(bench.scratch);
    free(bench.rows);
}

static void bench_trees(void)
{
    struct trees_bench trees = {0};
    make_trees(&trees);
    printf("trees %d, depth %d: one row       %8.2f us\n", N_TREES, DEPTH,
           measure(run_trees, &trees, 2000) / 1e3);
    printf("trees %d, depth %d: 1,000 rows    %8.2f us a row\n", N_TREES, DEPTH,
           measure(run_many_trees, &trees, 10) / 1e6);
    printf("trees %d, depth %d: contributions %8.2f us\n", N_TREES, DEPTH,
           measure(explain_trees, &trees, 20) / 1e3);
    if (trees.sum == 0.125) /* it is not, which the compiler cannot know */
        exit(1);
}

int main(int argc, char **argv)
{
    bool all = argc == 1;
    if (all || strcmp(argv[1], "trees") == 0)
        bench_trees();
    if (argc >= 4 && strcmp(argv[1], "neighbours") == 0)
        bench_neighbours(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argv[4]);
    if (all) {
        bench_neighbours(34000, 64, NULL);
        bench_neighbours(34000, 1, NULL);
    }
    return 0;
}
