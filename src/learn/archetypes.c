/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/archetypes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/sort.h"
#include "learn/archetypes_inner.h"
#include "learn/kmeans.h"
#include "learn/metrics.h"
#include "learn/stability.h"

#define SILHOUETTE_ROWS 2000
#define TUNING_ROWS 20000 /* on which k is chosen */
#define N_STARTS 8
#define STABILITY_ROWS 1000
#define STABILITY_SAMPLES 20
#define STABILITY_STARTS 3

const char *archetypes_strength(double silhouette)
{
    return silhouette < 0.25 ? "weak" : silhouette < 0.5 ? "fair" : "clear";
}

void archetypes_free(struct archetypes *archetypes)
{
    if (!archetypes)
        return;
    arena_deinit(&archetypes->memory);
    free(archetypes);
}

static enum status out_of_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- choosing k ---- */

/* At most `limit` rows at random, in order, as a matrix of their own. The caller frees *ret_rows.
 */
static enum status sample_rows(const struct matrix *matrix, size_t limit, uint64_t seed,
                               float **ret_rows, size_t *ret_n, struct error *err)
{
    size_t p = matrix->p;
    AUTO(free_slot) size_t *permutation = calloc(matrix->n + 1, sizeof *permutation);
    AUTO(free_slot)
    float *rows = calloc((matrix->n < limit ? matrix->n : limit) * p + 1, sizeof *rows);
    if (!permutation || !rows)
        return out_of_memory(err);
    struct rng rng = rng_seed(seed);
    rng_permutation(&rng, permutation, matrix->n);
    size_t n = 0;
    /* A row is taken when its number drawn is below the limit: this keeps the order of rows. */
    for (size_t i = 0; i < matrix->n; i++)
        if (permutation[i] < limit)
            memcpy(rows + n++ * p, matrix->scaled + i * p, p * sizeof *rows);
    *ret_rows = STEAL(rows);
    *ret_n = n;
    return STATUS_OK;
}

/* Silhouette of k clusters. */
static enum status try_k(const struct kmeans_input *input, double *ret_silhouette,
                         struct error *err)
{
    AUTO(free_slot) float *centroids = calloc(input->k * input->p + 1, sizeof *centroids);
    AUTO(free_slot) uint32_t *cluster = calloc(input->n, sizeof *cluster);
    if (!centroids || !cluster)
        return out_of_memory(err);
    double inertia;
    TRY(kmeans_fit(input, centroids, cluster, &inertia, err));
    struct matrix all = {.n = input->n, .p = input->p};
    size_t n = input->n < SILHOUETTE_ROWS ? input->n : SILHOUETTE_ROWS;
    AUTO(free_slot) float *rows = calloc(n * all.p + 1, sizeof *rows);
    AUTO(free_slot) uint32_t *of_row = calloc(n, sizeof *of_row);
    if (!rows || !of_row)
        return out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        size_t from = i * input->n / n;
        memcpy(rows + i * all.p, input->rows + from * all.p, all.p * sizeof *rows);
        of_row[i] = cluster[from];
    }
    *ret_silhouette = -1;
    bool two = false;
    for (size_t i = 1; i < n && !two; i++)
        two = of_row[i] != of_row[0];
    /* All sampled rows in one cluster: rows that coincide. */
    return two ? metrics_silhouette(rows, n, all.p, of_row, input->k, ret_silhouette, err)
               : STATUS_OK;
}

/* Whether k clusters of a sample come out again. */
static enum status try_again(const struct matrix *matrix, size_t k, uint64_t seed,
                             struct archetypes_tried *tried, struct error *err)
{
    AUTO(free_slot) float *rows = NULL;
    size_t n = 0;
    TRY(sample_rows(matrix, STABILITY_ROWS, seed, &rows, &n, err));
    AUTO(free_slot) float *centroids = calloc(k * matrix->p + 1, sizeof *centroids);
    AUTO(free_slot) uint32_t *cluster = calloc(n + 1, sizeof *cluster);
    if (!centroids || !cluster)
        return out_of_memory(err);
    struct kmeans_input input = {
        .rows = rows, .n = n, .p = matrix->p, .k = k, .n_starts = STABILITY_STARTS, .seed = seed};
    double inertia;
    TRY(kmeans_fit(&input, centroids, cluster, &inertia, err));
    return stability_measure(&input, cluster, STABILITY_SAMPLES, &tried->stability,
                             &tried->stability_sd, err);
}

/* The best silhouette among the numbers that come out again; among all, when none does. */
static size_t pick(const struct archetypes *archetypes)
{
    const struct archetypes_tried *tried = archetypes->tried;
    size_t best = archetypes->n_tried;
    for (int pass = 0; pass < 2 && best == archetypes->n_tried; pass++)
        for (size_t i = 0; i < archetypes->n_tried; i++)
            if ((pass == 1 || tried[i].stability >= ARCHETYPES_STABLE) &&
                (best == archetypes->n_tried || tried[i].silhouette > tried[best].silhouette))
                best = i;
    return best;
}

static enum status choose_k(const struct matrix *matrix, const struct archetypes_options *options,
                            struct archetypes *archetypes, size_t *ret_k, struct error *err)
{
    AUTO(free_slot) float *rows = NULL;
    size_t n = 0;
    TRY(sample_rows(matrix, TUNING_ROWS, options->seed, &rows, &n, err));
    size_t max_k = options->max_k;
    if (max_k > n / 10)
        max_k = n / 10 > options->min_k ? n / 10 : options->min_k;
    for (size_t k = options->min_k; k <= max_k && archetypes->n_tried < ARCHETYPES_MAX_TRIED; k++) {
        struct kmeans_input input = {.rows = rows,
                                     .n = n,
                                     .p = matrix->p,
                                     .k = k,
                                     .n_starts = N_STARTS,
                                     .seed = options->seed};
        struct archetypes_tried *tried = &archetypes->tried[archetypes->n_tried++];
        tried->k = k;
        TRY(try_k(&input, &tried->silhouette, err));
        TRY(try_again(matrix, k, options->seed, tried, err));
    }
    const struct archetypes_tried *chosen = &archetypes->tried[pick(archetypes)];
    *ret_k = chosen->k;
    archetypes->model.silhouette = chosen->silhouette;
    archetypes->stability = chosen->stability;
    return STATUS_OK;
}

/* ---- describing ---- */

/* Percentiles 0..100 of ascending values, linear in between; zeros for none. */
static void percentiles(const float *sorted, size_t n, float *ret_grid)
{
    for (size_t i = 0; i < CLUSTERS_GRID && n > 0; i++) {
        double at = (double)i / (CLUSTERS_GRID - 1) * (double)(n - 1);
        size_t low = (size_t)at;
        size_t high = low + 1 < n ? low + 1 : low;
        ret_grid[i] = sorted[low] + (float)(at - (double)low) * (sorted[high] - sorted[low]);
    }
}

static enum status measure_distances(const struct matrix *matrix, struct archetypes *archetypes,
                                     float *ret_grid, struct error *err)
{
    size_t p = matrix->p;
    AUTO(free_slot) float *sorted = calloc(matrix->n + 1, sizeof *sorted);
    if (!sorted)
        return out_of_memory(err);
    for (size_t i = 0; i < matrix->n; i++) {
        const float *centroid = archetypes->model.centroids + archetypes->cluster[i] * p;
        double sum = 0;
        for (size_t j = 0; j < p; j++)
            sum += pow((double)matrix->scaled[i * p + j] - (double)centroid[j], 2);
        archetypes->distance[i] = sqrt(sum);
    }
    for (size_t c = 0; c < archetypes->model.k; c++) {
        size_t n = 0;
        for (size_t i = 0; i < matrix->n; i++)
            if (archetypes->cluster[i] == c)
                sorted[n++] = (float)archetypes->distance[i];
        sort_floats(sorted, n);
        percentiles(sorted, n, ret_grid + c * CLUSTERS_GRID);
    }
    return STATUS_OK;
}

/* ---- fitting ---- */

/* Of `own` rows, and those of the group's other processes: where each centroid comes to lie, and
 * how many rows it has. */
static enum status fit_together(const struct archetypes_options *options,
                                const struct kmeans_input *input, float *ret_centroids,
                                uint32_t *ret_sizes, struct error *err)
{
    AUTO(free_slot) uint32_t *cluster = calloc(input->n + 1, sizeof *cluster);
    AUTO(free_slot) double *sizes = calloc(input->k, sizeof *sizes);
    if (!cluster || !sizes)
        return out_of_memory(err);
    double inertia;
    TRY(kmeans_fit(input, ret_centroids, cluster, &inertia, err));
    for (size_t i = 0; i < input->n; i++)
        sizes[cluster[i]]++;
    TRY(collective_sum(options->group, sizes, input->k, err));
    for (size_t c = 0; c < input->k; c++)
        ret_sizes[c] = (uint32_t)sizes[c];
    return STATUS_OK;
}

enum status archetypes_join(struct collective *group, const struct matrix *own, uint64_t seed,
                            struct error *err)
{
    double k = 0;
    TRY(collective_broadcast(group, &k, sizeof k, 0, err));
    struct kmeans_input input = {.rows = own->scaled,
                                 .n = own->n,
                                 .p = own->p,
                                 .k = (size_t)k,
                                 .n_starts = N_STARTS,
                                 .seed = seed,
                                 .group = group};
    AUTO(free_slot) float *centroids = calloc(input.k * input.p + 1, sizeof *centroids);
    AUTO(free_slot) uint32_t *sizes = calloc(input.k + 1, sizeof *sizes);
    if (!centroids || !sizes)
        return out_of_memory(err);
    const struct archetypes_options options = {.group = group};
    return fit_together(&options, &input, centroids, sizes, err);
}

/* Centroids; the clusters of the matrix's rows; sizes, which are larger than those of the matrix
 * where a group has more rows. */
static enum status fit_centroids(const struct matrix *matrix,
                                 const struct archetypes_options *options, size_t k,
                                 float *ret_centroids, uint32_t *ret_cluster, uint32_t *ret_sizes,
                                 struct error *err)
{
    struct kmeans_input input = {.rows = matrix->scaled,
                                 .n = matrix->n,
                                 .p = matrix->p,
                                 .k = k,
                                 .n_starts = N_STARTS,
                                 .seed = options->seed};
    if (options->group) {
        double n_clusters = (double)k;
        TRY(collective_broadcast(options->group, &n_clusters, sizeof n_clusters, 0, err));
        input.rows = options->own->scaled;
        input.n = options->own->n;
        input.group = options->group;
        input.first = matrix->scaled;
        input.n_first = matrix->n;
    }
    TRY(fit_together(options, &input, ret_centroids, ret_sizes, err));
    return kmeans_assign(matrix->scaled, matrix->n, matrix->p, ret_centroids, k, ret_cluster, err);
}

enum status archetypes_fit(const struct feature_spec *spec, const struct matrix *matrix,
                           const struct archetypes_options *options,
                           struct archetypes **ret_archetypes, struct error *err)
{
    if (matrix->n < 4)
        return fail(err, STATUS_INVALID, "%zu rows are too few for archetypes", matrix->n);
    AUTO(archetypes_free_slot) struct archetypes *archetypes = calloc(1, sizeof *archetypes);
    if (!archetypes)
        return out_of_memory(err);
    arena_init(&archetypes->memory, 65536);
    archetypes->n = matrix->n;
    size_t k = 0;
    TRY(choose_k(matrix, options, archetypes, &k, err));
    float *centroids = ARENA_ARRAY(&archetypes->memory, float, k * matrix->p + 1);
    float *grid = ARENA_ARRAY(&archetypes->memory, float, k *CLUSTERS_GRID);
    uint32_t *sizes = ARENA_ARRAY(&archetypes->memory, uint32_t, k);
    archetypes->cluster = ARENA_ARRAY(&archetypes->memory, uint32_t, matrix->n);
    archetypes->distance = ARENA_ARRAY(&archetypes->memory, double, matrix->n);
    if (!centroids || !grid || !sizes || !archetypes->cluster || !archetypes->distance)
        return out_of_memory(err);
    TRY(fit_centroids(matrix, options, k, centroids, archetypes->cluster, sizes, err));
    archetypes->model.k = k;
    archetypes->model.n_inputs = matrix->p;
    archetypes->model.centroids = centroids;
    archetypes->model.sizes = sizes;
    TRY(measure_distances(matrix, archetypes, grid, err));
    archetypes->model.distance_grid = grid;
    TRY(archetypes_describe(spec, options->posts_per_week, archetypes, err));
    *ret_archetypes = STEAL(archetypes);
    return STATUS_OK;
}
