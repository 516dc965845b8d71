/* SPDX-License-Identifier: Apache-2.0 */

/* bench-learn: what an iteration of k-means costs, in milliseconds of CPU.
 *
 *   bench-learn FILE ROWS COLUMNS CLUSTERS      FILE: floats, ROWS x COLUMNS
 *
 * The difference of a long and a short fit, so that the starts count for nothing; the least of
 * several, one a line. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "learn/kmeans.h"

#define ROUNDS 5
#define SHORT 5 /* iterations */
#define LONG 25

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static double fit(struct kmeans_input *input, int iterations, float *centroids, uint32_t *cluster)
{
    struct error err = {0};
    double inertia;
    double begin = cpu_ms();
    input->max_iterations = iterations;
    if (kmeans_fit(input, centroids, cluster, &inertia, &err) != STATUS_OK) {
        fprintf(stderr, "bench-learn: %s\n", err.message);
        exit(1);
    }
    return cpu_ms() - begin;
}

static float *load(const char *path, size_t n)
{
    float *values = calloc(n + 1, sizeof *values);
    FILE *file = fopen(path, "rb");
    if (!values || !file || fread(values, sizeof *values, n, file) != n) {
        fprintf(stderr, "bench-learn: %s: cannot be read, or is too short\n", path);
        exit(1);
    }
    fclose(file);
    return values;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: bench-learn FILE ROWS COLUMNS CLUSTERS\n", stderr);
        return 2;
    }
    struct kmeans_input input = {.n = strtoul(argv[2], NULL, 10),
                                 .p = strtoul(argv[3], NULL, 10),
                                 .k = strtoul(argv[4], NULL, 10),
                                 .n_starts = 1};
    AUTO(free_slot) float *rows = load(argv[1], input.n * input.p);
    AUTO(free_slot) float *centroids = calloc(input.k * input.p + 1, sizeof *centroids);
    AUTO(free_slot) uint32_t *cluster = calloc(input.n + 1, sizeof *cluster);
    if (!centroids || !cluster)
        return 1;
    input.rows = rows;
    for (int round = 0; round < ROUNDS; round++) {
        double few = fit(&input, SHORT, centroids, cluster);
        double many = fit(&input, LONG, centroids, cluster);
        printf("%.4f\n", (many - few) / (LONG - SHORT));
    }
    return 0;
}
