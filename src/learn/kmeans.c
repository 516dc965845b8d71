/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/rng.h"

#define MAX_ITERATIONS 100

struct work {
    const struct kmeans_input *input;
    float *centroids;  /* [k][p] */
    uint32_t *cluster; /* [n] */
    double *nearest;   /* [n] squared distance to the own centroid */
    double *sums;      /* [k][p] */
    size_t *sizes;     /* [k] */
};

static double squared_distance(const float *a, const float *b, size_t p)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++) {
        double difference = (double)a[i] - (double)b[i];
        sum += difference * difference;
    }
    return sum;
}

static const float *row_at(const struct work *work, size_t row)
{
    return work->input->rows + row * work->input->p;
}

static void place_centroid(struct work *work, size_t c, size_t row)
{
    memcpy(work->centroids + c * work->input->p, row_at(work, row), work->input->p * sizeof(float));
}

/* The row at which the running sum of `nearest` passes a random share of the total. */
static size_t draw_row(const struct work *work, struct rng *rng)
{
    size_t n = work->input->n;
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += work->nearest[i];
    if (!(total > 0))
        return (size_t)rng_below(rng, n);
    double target = rng_uniform(rng) * total;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += work->nearest[i];
        if (sum > target)
            return i;
    }
    return n - 1;
}

static void seed_centroids(struct work *work, struct rng *rng)
{
    const struct kmeans_input *input = work->input;
    place_centroid(work, 0, (size_t)rng_below(rng, input->n));
    for (size_t i = 0; i < input->n; i++)
        work->nearest[i] = INFINITY;
    for (size_t c = 1; c < input->k; c++) {
        const float *last = work->centroids + (c - 1) * input->p;
        for (size_t i = 0; i < input->n; i++)
            work->nearest[i] =
                fmin(work->nearest[i], squared_distance(row_at(work, i), last, input->p));
        place_centroid(work, c, draw_row(work, rng));
    }
}

/* Assign every row to its nearest centroid; returns the inertia. */
static double assign(struct work *work)
{
    const struct kmeans_input *input = work->input;
    double inertia = 0;
    for (size_t i = 0; i < input->n; i++) {
        work->nearest[i] = INFINITY;
        for (size_t c = 0; c < input->k; c++) {
            double distance =
                squared_distance(row_at(work, i), work->centroids + c * input->p, input->p);
            if (distance < work->nearest[i]) {
                work->nearest[i] = distance;
                work->cluster[i] = (uint32_t)c;
            }
        }
        inertia += work->nearest[i];
    }
    return inertia;
}

static size_t farthest_row(const struct work *work)
{
    size_t farthest = 0;
    for (size_t i = 1; i < work->input->n; i++)
        if (work->nearest[i] > work->nearest[farthest])
            farthest = i;
    return farthest;
}

/* Centroids to the means of their rows; an empty one to the row farthest from its own. */
static void move_centroids(struct work *work)
{
    const struct kmeans_input *input = work->input;
    memset(work->sums, 0, input->k * input->p * sizeof *work->sums);
    memset(work->sizes, 0, input->k * sizeof *work->sizes);
    for (size_t i = 0; i < input->n; i++) {
        double *sums = work->sums + work->cluster[i] * input->p;
        const float *row = row_at(work, i);
        for (size_t j = 0; j < input->p; j++)
            sums[j] += (double)row[j];
        work->sizes[work->cluster[i]]++;
    }
    for (size_t c = 0; c < input->k; c++) {
        if (work->sizes[c] == 0) {
            size_t row = farthest_row(work);
            place_centroid(work, c, row);
            work->nearest[row] = 0;
            continue;
        }
        for (size_t j = 0; j < input->p; j++)
            work->centroids[c * input->p + j] =
                (float)(work->sums[c * input->p + j] / (double)work->sizes[c]);
    }
}

static double run_once(struct work *work, struct rng *rng)
{
    seed_centroids(work, rng);
    double inertia = assign(work);
    for (int iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
        move_centroids(work);
        double next = assign(work);
        if (!(next < inertia * (1.0 - 1e-9)))
            return next;
        inertia = next;
    }
    return inertia;
}

/* Renumber by size, the largest first. */
static void order_by_size(struct work *work, float *ret_centroids, uint32_t *ret_cluster)
{
    const struct kmeans_input *input = work->input;
    memset(work->sizes, 0, input->k * sizeof *work->sizes);
    for (size_t i = 0; i < input->n; i++)
        work->sizes[ret_cluster[i]]++;
    uint32_t *new_of_old = work->cluster; /* no longer needed; k is at most n */
    for (size_t c = 0; c < input->k; c++) {
        uint32_t place = 0;
        for (size_t other = 0; other < input->k; other++)
            place += work->sizes[other] > work->sizes[c] ||
                     (other < c && work->sizes[other] == work->sizes[c]);
        new_of_old[c] = place;
        memcpy(work->centroids + place * input->p, ret_centroids + c * input->p,
               input->p * sizeof(float));
    }
    memcpy(ret_centroids, work->centroids, input->k * input->p * sizeof(float));
    for (size_t i = 0; i < input->n; i++)
        ret_cluster[i] = new_of_old[ret_cluster[i]];
}

enum status kmeans_fit(const struct kmeans_input *input, float *ret_centroids,
                       uint32_t *ret_cluster, double *ret_inertia, struct error *err)
{
    if (input->k == 0 || input->k > input->n)
        return fail(err, STATUS_INVALID, "cannot make %zu clusters of %zu rows", input->k,
                    input->n);
    size_t n_values = input->k * input->p;
    AUTO(free_slot) float *centroids = calloc(n_values + 1, sizeof *centroids);
    AUTO(free_slot) uint32_t *cluster = calloc(input->n, sizeof *cluster);
    AUTO(free_slot) double *reals = calloc(input->n + n_values + 1, sizeof *reals);
    AUTO(free_slot) size_t *sizes = calloc(input->k, sizeof *sizes);
    if (!centroids || !cluster || !reals || !sizes)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct work work = {input, centroids, cluster, reals, reals + input->n, sizes};
    struct rng rng = rng_seed(input->seed);
    double best = INFINITY;
    for (size_t start = 0; start < input->n_starts || start == 0; start++) {
        double inertia = run_once(&work, &rng);
        if (inertia < best) {
            best = inertia;
            memcpy(ret_centroids, centroids, n_values * sizeof *centroids);
            memcpy(ret_cluster, cluster, input->n * sizeof *cluster);
        }
    }
    order_by_size(&work, ret_centroids, ret_cluster);
    *ret_inertia = best;
    return STATUS_OK;
}
