/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/kmeans.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/kmeans_rows.h"

#define MAX_ITERATIONS 100

#define BLOCK_ROWS 256 /* whose distances wait for use */

/* What rows are compared with centroids by. */
struct scratch {
    double *tile; /* owned; the members below lie behind */
    double *sums, *centroids;
    kmeans_rows_function run;
};

static void scratch_deinit(struct scratch *scratch)
{
    free(scratch->tile);
}

static enum status scratch_init(struct scratch *scratch, size_t k, size_t p, struct error *err)
{
    size_t n_tile = p * KMEANS_LANES;
    size_t n_with_sums = n_tile + k * kmeans_stride(p) + k;
    size_t n_bytes = (n_with_sums + k * p) * sizeof(double);
    scratch->tile = aligned_alloc(64, n_bytes / 64 * 64 + 64);
    if (!scratch->tile)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    memset(scratch->tile, 0, n_with_sums * sizeof(double));
    scratch->sums = scratch->tile + n_tile;
    scratch->centroids = scratch->tile + n_with_sums;
    scratch->run = kmeans_rows_widest();
    return STATUS_OK;
}

/* Rows and the centroids [k][p], without sums. */
static struct kmeans_rows job_of(const struct scratch *scratch, const float *rows, size_t n,
                                 size_t p, const float *centroids, size_t k)
{
    for (size_t i = 0; i < k * p; i++)
        scratch->centroids[i] = (double)centroids[i];
    return (struct kmeans_rows){.rows = rows,
                                .n = n,
                                .p = p,
                                .k = k,
                                .centroids = scratch->centroids,
                                .tile = scratch->tile};
}

struct work {
    const struct kmeans_input *input;
    float *centroids;  /* [k][p] */
    uint32_t *cluster; /* [n] */
    double *nearest;   /* [n] squared distance to the own centroid */
    double *drawing;   /* [n_first] or [n] squared distance to the centroids that are drawn */
    struct scratch scratch;
};

static void work_deinit(struct work *work)
{
    scratch_deinit(&work->scratch);
}

static size_t n_sums(const struct kmeans_input *input)
{
    return input->k * kmeans_stride(input->p);
}

/* Of all processes: [k][kmeans_stride(p)], then [k]. */
static double *sums_of(const struct work *work)
{
    return work->scratch.sums;
}

static double *sizes_of(const struct work *work)
{
    return work->scratch.sums + n_sums(work->input);
}

static const float *row_at(const struct work *work, size_t row)
{
    return work->input->rows + row * work->input->p;
}

/* ---- starts ---- */

/* The rows that starts are drawn from. */
struct source {
    const float *rows; /* [n][p] */
    size_t n;
};

static void place_centroid(struct work *work, size_t c, const float *row)
{
    memcpy(work->centroids + c * work->input->p, row, work->input->p * sizeof(float));
}

/* The row at which the running sum of `drawing` passes a random share of the total. */
static size_t draw_row(const struct work *work, size_t n, struct rng *rng)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += work->drawing[i];
    if (!(total > 0))
        return (size_t)rng_below(rng, n);
    double target = rng_uniform(rng) * total;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += work->drawing[i];
        if (sum > target)
            return i;
    }
    return n - 1;
}

/* What is drawn next is to lie far from this one too. */
static void meet_centroid(struct work *work, struct source source, const float *centroid)
{
    size_t p = work->input->p;
    struct kmeans_rows job = job_of(&work->scratch, source.rows, source.n, p, centroid, 1);
    for (size_t begin = 0; begin < source.n; begin += BLOCK_ROWS) {
        uint32_t cluster[BLOCK_ROWS];
        double distance[BLOCK_ROWS];
        job.rows = source.rows + begin * p;
        job.n = source.n - begin < BLOCK_ROWS ? source.n - begin : BLOCK_ROWS;
        work->scratch.run(&job, cluster, distance);
        for (size_t i = 0; i < job.n; i++)
            work->drawing[begin + i] = fmin(work->drawing[begin + i], distance[i]);
    }
}

static void draw_centroids(struct work *work, struct source source, struct rng *rng)
{
    size_t p = work->input->p;
    place_centroid(work, 0, source.rows + rng_below(rng, source.n) * p);
    for (size_t i = 0; i < source.n; i++)
        work->drawing[i] = INFINITY;
    for (size_t c = 1; c < work->input->k; c++) {
        meet_centroid(work, source, work->centroids + (c - 1) * p);
        place_centroid(work, c, source.rows + draw_row(work, source.n, rng) * p);
    }
}

static bool draws_starts(const struct kmeans_input *input)
{
    return collective_rank(input->group) == 0;
}

static struct source source_of(const struct kmeans_input *input)
{
    return input->group ? (struct source){input->first, input->n_first}
                        : (struct source){input->rows, input->n};
}

static enum status seed_centroids(struct work *work, struct rng *rng, struct error *err)
{
    const struct kmeans_input *input = work->input;
    if (draws_starts(input))
        draw_centroids(work, source_of(input), rng);
    return collective_broadcast(input->group, work->centroids, input->k * input->p * sizeof(float),
                                0, err);
}

/* ---- iterations ---- */

enum status kmeans_assign(const float *rows, size_t n, size_t p, const float *centroids, size_t k,
                          uint32_t *ret_cluster, struct error *err)
{
    AUTO(scratch_deinit) struct scratch scratch = {0};
    TRY(scratch_init(&scratch, k, p, err));
    struct kmeans_rows job = job_of(&scratch, rows, n, p, centroids, k);
    for (size_t begin = 0; begin < n; begin += BLOCK_ROWS) {
        double distance[BLOCK_ROWS];
        job.rows = rows + begin * p;
        job.n = n - begin < BLOCK_ROWS ? n - begin : BLOCK_ROWS;
        scratch.run(&job, ret_cluster + begin, distance);
    }
    return STATUS_OK;
}

/* Assign every row to its nearest centroid, and sum the rows of each; *ret_inertia is of all
 * processes, the sums are not yet. */
static enum status assign(struct work *work, double *ret_inertia, struct error *err)
{
    const struct kmeans_input *input = work->input;
    struct kmeans_rows job =
        job_of(&work->scratch, input->rows, input->n, input->p, work->centroids, input->k);
    memset(sums_of(work), 0, (n_sums(input) + input->k) * sizeof(double));
    job.sums = sums_of(work);
    job.sizes = sizes_of(work);
    work->scratch.run(&job, work->cluster, work->nearest);
    double inertia = 0;
    for (size_t i = 0; i < input->n; i++)
        inertia += work->nearest[i];
    *ret_inertia = inertia;
    return collective_sum(input->group, ret_inertia, 1, err);
}

static enum status count_sizes(struct work *work, const uint32_t *cluster, struct error *err)
{
    double *sizes = sizes_of(work);
    memset(sizes, 0, work->input->k * sizeof *sizes);
    for (size_t i = 0; i < work->input->n; i++)
        sizes[cluster[i]]++;
    return collective_sum(work->input->group, sizes, work->input->k, err);
}

static size_t farthest_row(const struct work *work)
{
    size_t farthest = 0;
    for (size_t i = 1; i < work->input->n; i++)
        if (work->nearest[i] > work->nearest[farthest])
            farthest = i;
    return farthest;
}

/* A centroid of no rows goes to the row that is farthest from its own, of those of all processes;
 * of several the lowest rank's. */
static enum status place_on_farthest(struct work *work, size_t c, struct error *err)
{
    const struct kmeans_input *input = work->input;
    size_t rank = collective_rank(input->group);
    size_t row = farthest_row(work);
    double own = input->n > 0 ? work->nearest[row] : -1;
    double farthest = own;
    TRY(collective_max(input->group, &farthest, 1, err));
    double minus_rank = own == farthest ? -(double)rank : -HUGE_VAL;
    TRY(collective_max(input->group, &minus_rank, 1, err));
    size_t owner = (size_t)-minus_rank;
    if (rank == owner) {
        place_centroid(work, c, row_at(work, row));
        work->nearest[row] = 0;
    }
    return collective_broadcast(input->group, work->centroids + c * input->p,
                                input->p * sizeof(float), owner, err);
}

/* Centroids to the means of the rows that were assigned to them. */
static enum status move_centroids(struct work *work, struct error *err)
{
    const struct kmeans_input *input = work->input;
    const double *sizes = sizes_of(work);
    TRY(collective_sum(input->group, sums_of(work), n_sums(input) + input->k, err));
    for (size_t c = 0; c < input->k; c++) {
        const double *sums = sums_of(work) + c * kmeans_stride(input->p);
        if (sizes[c] == 0) {
            TRY(place_on_farthest(work, c, err));
            continue;
        }
        for (size_t j = 0; j < input->p; j++)
            work->centroids[c * input->p + j] = (float)(sums[j] / sizes[c]);
    }
    return STATUS_OK;
}

static enum status run_once(struct work *work, struct rng *rng, double *ret_inertia,
                            struct error *err)
{
    TRY(seed_centroids(work, rng, err));
    double inertia;
    TRY(assign(work, &inertia, err));
    int most = work->input->max_iterations > 0 ? work->input->max_iterations : MAX_ITERATIONS;
    for (int iteration = 0; iteration < most; iteration++) {
        double before = inertia;
        TRY(move_centroids(work, err));
        TRY(assign(work, &inertia, err));
        if (!(inertia < before * (1.0 - 1e-9)))
            break;
    }
    *ret_inertia = inertia;
    return STATUS_OK;
}

/* The place of a cluster when they stand by size, the largest first. */
static uint32_t place_by_size(const double *sizes, size_t k, size_t c)
{
    uint32_t place = 0;
    for (size_t other = 0; other < k; other++)
        place += sizes[other] > sizes[c] || (other < c && sizes[other] == sizes[c]);
    return place;
}

static enum status order_by_size(struct work *work, float *ret_centroids, uint32_t *ret_cluster,
                                 struct error *err)
{
    const struct kmeans_input *input = work->input;
    TRY(count_sizes(work, ret_cluster, err));
    const double *sizes = sizes_of(work);
    for (size_t c = 0; c < input->k; c++)
        place_centroid(work, place_by_size(sizes, input->k, c), ret_centroids + c * input->p);
    memcpy(ret_centroids, work->centroids, input->k * input->p * sizeof(float));
    for (size_t i = 0; i < input->n; i++)
        ret_cluster[i] = place_by_size(sizes, input->k, ret_cluster[i]);
    return STATUS_OK;
}

static enum status check(const struct kmeans_input *input, struct error *err)
{
    size_t n = draws_starts(input) ? source_of(input).n : input->k;
    if (input->k == 0 || input->k > n)
        return fail(err, STATUS_INVALID, "cannot make %zu clusters of %zu rows", input->k, n);
    return STATUS_OK;
}

enum status kmeans_fit(const struct kmeans_input *input, float *ret_centroids,
                       uint32_t *ret_cluster, double *ret_inertia, struct error *err)
{
    TRY(check(input, err));
    size_t n_values = input->k * input->p;
    /* Without a group the rows are those drawn from, and drawing is over when `nearest` begins. */
    size_t n_drawing = input->group && draws_starts(input) ? input->n_first : 0;
    AUTO(free_slot) float *centroids = calloc(n_values + 1, sizeof *centroids);
    AUTO(free_slot) uint32_t *cluster = calloc(input->n + 1, sizeof *cluster);
    AUTO(free_slot) double *reals = calloc(input->n + n_drawing + 1, sizeof *reals);
    AUTO(work_deinit)
    struct work work = {
        .input = input, .centroids = centroids, .cluster = cluster, .nearest = reals};
    if (!centroids || !cluster || !reals)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    work.drawing = n_drawing > 0 ? reals + input->n : reals;
    TRY(scratch_init(&work.scratch, input->k, input->p, err));
    struct rng rng = rng_seed(input->seed);
    double best = INFINITY;
    for (size_t start = 0; start < input->n_starts || start == 0; start++) {
        double inertia;
        TRY(run_once(&work, &rng, &inertia, err));
        if (inertia < best) {
            best = inertia;
            memcpy(ret_centroids, centroids, n_values * sizeof *centroids);
            memcpy(ret_cluster, cluster, input->n * sizeof *cluster);
        }
    }
    TRY(order_by_size(&work, ret_centroids, ret_cluster, err));
    *ret_inertia = best;
    return STATUS_OK;
}
