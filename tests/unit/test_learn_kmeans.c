/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdalign.h>

#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/kmeans_rows.h"

/* One row, one centroid at a time. */
static void compare_plainly(const struct kmeans_rows *job, uint32_t *ret_cluster,
                            double *ret_distance)
{
    for (size_t i = 0; i < job->n; i++) {
        const float *row = job->rows + i * job->p;
        ret_distance[i] = INFINITY;
        ret_cluster[i] = 0;
        for (size_t c = 0; c < job->k; c++) {
            double sum = 0;
            for (size_t j = 0; j < job->p; j++) {
                double difference = (double)row[j] - job->centroids[c * job->p + j];
                sum += difference * difference;
            }
            if (sum < ret_distance[i]) {
                ret_distance[i] = sum;
                ret_cluster[i] = (uint32_t)c;
            }
        }
        job->sizes[ret_cluster[i]]++;
        for (size_t j = 0; j < job->p; j++)
            job->sums[ret_cluster[i] * kmeans_stride(job->p) + j] += (double)row[j];
    }
}

enum {
    WIDE_N = 37, /* four tiles and a part */
    WIDE_P = 23,
    WIDE_K = 5
};

static void compare_widths(const float *rows, const double *centroids, size_t p, size_t k)
{
    alignas(64) double tile[WIDE_P * KMEANS_LANES];
    alignas(64) double sums[2][WIDE_K * 24] = {{0}};
    double sizes[2][WIDE_K] = {{0}};
    double distance[2][WIDE_N];
    uint32_t cluster[2][WIDE_N];
    struct kmeans_rows job = {rows, WIDE_N, p, k, centroids, tile, sums[0], sizes[0]};
    compare_plainly(&job, cluster[0], distance[0]);
    job.sums = sums[1];
    job.sizes = sizes[1];
    for (int v = 0; v < KMEANS_ROWS_VERSIONS; v++) {
        kmeans_rows_function run = kmeans_rows_get((enum kmeans_rows_version)v);
        if (!run)
            continue;
        memset(sums[1], 0, sizeof sums[1]);
        memset(sizes[1], 0, sizeof sizes[1]);
        run(&job, cluster[1], distance[1]);
        assert_memory_equal(cluster[0], cluster[1], sizeof cluster[0]);
        assert_memory_equal(distance[0], distance[1], sizeof distance[0]);
        assert_memory_equal(sizes[0], sizes[1], sizeof sizes[0]);
        for (size_t c = 0; c < k; c++)
            assert_memory_equal(sums[0] + c * kmeans_stride(p), sums[1] + c * kmeans_stride(p),
                                p * sizeof(double));
    }
}

static void kmeans_rows_of_every_width_answer_alike(void **state)
{
    (void)state;
    float rows[WIDE_N * WIDE_P];
    double centroids[WIDE_K * WIDE_P];
    struct rng rng = rng_seed(11);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        rows[i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < ARRAY_LENGTH(centroids); i++)
        centroids[i] = (double)rows[i];
    for (size_t p = 1; p <= WIDE_P; p++)
        for (size_t k = 1; k <= WIDE_K; k++)
            compare_widths(rows, centroids, p, k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kmeans_rows_of_every_width_answer_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
