/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/stability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/metrics.h"

static double pairs(double n)
{
    return n * (n - 1) / 2;
}

enum status adjusted_rand(const uint32_t *a, size_t k_a, const uint32_t *b, size_t k_b, size_t n,
                          double *ret_index, struct error *err)
{
    AUTO(free_slot) double *count = calloc(k_a * k_b + k_a + k_b + 1, sizeof *count);
    if (!count)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    double *of_a = count + k_a * k_b;
    double *of_b = of_a + k_a;
    for (size_t i = 0; i < n; i++) {
        count[a[i] * k_b + b[i]]++;
        of_a[a[i]]++;
        of_b[b[i]]++;
    }
    double both = 0;
    double in_a = 0;
    double in_b = 0;
    for (size_t i = 0; i < k_a * k_b; i++)
        both += pairs(count[i]);
    for (size_t i = 0; i < k_a; i++)
        in_a += pairs(of_a[i]);
    for (size_t i = 0; i < k_b; i++)
        in_b += pairs(of_b[i]);
    double expected = n > 1 ? in_a * in_b / pairs((double)n) : 0;
    double most = (in_a + in_b) / 2;
    *ret_index = most > expected ? (both - expected) / (most - expected) : 1;
    return STATUS_OK;
}

enum status stability_measure(const struct kmeans_input *input, const uint32_t *cluster,
                              size_t n_samples, double *ret_mean, double *ret_sd, struct error *err)
{
    size_t n = input->n;
    size_t p = input->p;
    AUTO(free_slot) float *rows = calloc(n * p + 1, sizeof *rows);
    AUTO(free_slot) float *centroids = calloc(input->k * p + 1, sizeof *centroids);
    AUTO(free_slot) uint32_t *again = calloc(n + 1, sizeof *again);
    AUTO(free_slot) double *index = calloc(n_samples + 1, sizeof *index);
    if (!rows || !centroids || !again || !index)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(input->seed);
    struct kmeans_input sample = *input;
    sample.rows = rows;
    for (size_t s = 0; s < n_samples; s++) {
        double inertia;
        for (size_t i = 0; i < n; i++)
            memcpy(rows + i * p, input->rows + rng_below(&rng, n) * p, p * sizeof *rows);
        sample.seed = rng_next(&rng);
        TRY(kmeans_fit(&sample, centroids, again, &inertia, err));
        TRY(kmeans_assign(input->rows, n, p, centroids, input->k, again, err));
        TRY(adjusted_rand(cluster, input->k, again, input->k, n, &index[s], err));
    }
    *ret_mean = metrics_mean(index, n_samples);
    *ret_sd = metrics_sd(index, n_samples);
    return STATUS_OK;
}
