/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/archetypes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "learn/kmeans.h"
#include "learn/metrics.h"

#define SILHOUETTE_ROWS 2000
#define TUNING_ROWS 20000 /* on which k is chosen */
#define N_STARTS 8
#define MAX_TRAITS 5
/* Deviations from the overall mean, in standard deviations, that are worth a word. */
#define NOTABLE_Z 0.4

/* What people call much and little of a feature. */
static const struct words {
    enum feature_id feature;
    const char *much, *little;
} words[] = {
    {FEATURE_ln_followers, "large", "small"},
    {FEATURE_ln_posts, "posts much", "posts little"},
    {FEATURE_ln_following, "follows many", "follows few"},
    {FEATURE_ln_engagement_rate, "high engagement", "low engagement"},
    {FEATURE_ln_engagement_per_follower, "high engagement", "low engagement"},
    {FEATURE_ln_likes_per_follower, "high engagement", "low engagement"},
    {FEATURE_ln_recent_trend, "rising likes", "fading likes"},
    {FEATURE_ln_comments_per_like, "much discussed", "little discussed"},
    {FEATURE_authentic_share, "real audience", "doubtful audience"},
    {FEATURE_follower_growth, "growing", "shrinking"},
    {FEATURE_engagement_growth, "engagement rising", "engagement falling"},
    {FEATURE_ln_avg_views, "much viewed", "little viewed"},
};

void archetypes_choose_features(struct design_options *options)
{
    for (size_t f = 0; f < FEATURE_N; f++)
        options->excluded[f] = true;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        options->excluded[words[i].feature] = false;
    options->no_texts = true;
}

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

static enum status choose_k(const struct matrix *matrix, const struct archetypes_options *options,
                            struct archetypes *archetypes, size_t *ret_k, struct error *err)
{
    AUTO(free_slot) float *rows = NULL;
    size_t n = 0;
    TRY(sample_rows(matrix, TUNING_ROWS, options->seed, &rows, &n, err));
    size_t max_k = options->max_k;
    if (max_k > n / 10)
        max_k = n / 10 > options->min_k ? n / 10 : options->min_k;
    size_t best = 0;
    for (size_t k = options->min_k; k <= max_k && archetypes->n_tried < ARCHETYPES_MAX_TRIED; k++) {
        struct kmeans_input input = {rows, n, matrix->p, k, N_STARTS, options->seed};
        size_t at = archetypes->n_tried++;
        archetypes->tried_k[at] = k;
        TRY(try_k(&input, &archetypes->tried_silhouette[at], err));
        if (archetypes->tried_silhouette[at] > archetypes->tried_silhouette[best])
            best = at;
    }
    *ret_k = archetypes->tried_k[best];
    archetypes->model.silhouette = archetypes->tried_silhouette[best];
    return STATUS_OK;
}

/* ---- describing ---- */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

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
        qsort(sorted, n, sizeof sorted[0], compare_floats);
        percentiles(sorted, n, ret_grid + c * CLUSTERS_GRID);
    }
    return STATUS_OK;
}

/* Columns by |z| of a centroid, falling. The rows are standardised: a centroid holds z-scores. */
static void order_traits(const float *centroid, size_t p, size_t *ret_order)
{
    for (size_t i = 0; i < p; i++) {
        size_t at = i;
        for (; at > 0 && fabsf(centroid[ret_order[at - 1]]) < fabsf(centroid[i]); at--)
            ret_order[at] = ret_order[at - 1];
        ret_order[at] = i;
    }
}

static char *traits_json(struct arena *arena, const struct feature_spec *spec,
                         const float *centroid, const size_t *order)
{
    struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_array(&w);
    for (size_t i = 0; i < spec->n_columns && i < MAX_TRAITS; i++) {
        const struct feature_column *column = &spec->columns[order[i]];
        double z = (double)centroid[order[i]];
        json_begin_object(&w);
        json_member_string(&w, "feature", column->name);
        json_member_fixed(&w, "mean", (double)column->mean + z * (double)column->scale, 4);
        json_member_fixed(&w, "overall", (double)column->mean, 4);
        json_member_fixed(&w, "z", z, 4);
        json_end_object(&w);
    }
    json_end_array(&w);
    char *copy = text.failed ? NULL : arena_strndup(arena, text.at, text.length);
    buffer_deinit(&text);
    return copy;
}

static const char *word_for(struct arena *arena, const struct feature_column *column, float z)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (words[i].feature == column->feature)
            return z > 0 ? words[i].much : words[i].little;
    return arena_printf(arena, "%s %s", z > 0 ? "high" : "low", column->name);
}

/* "large, low engagement": the n_words strongest notable traits; "average" when nothing is. */
static char *make_name(struct arena *arena, const struct feature_spec *spec, const float *centroid,
                       const size_t *order, size_t n_words)
{
    struct buffer text = {0};
    size_t used = 0;
    for (size_t i = 0; i < spec->n_columns && used < n_words && !text.failed; i++) {
        float z = centroid[order[i]];
        if (fabsf(z) < (float)NOTABLE_Z)
            break;
        const char *word = word_for(arena, &spec->columns[order[i]], z);
        if (!word)
            text.failed = true;
        else if (!text.at || !strstr(text.at, word)) { /* several features share a word */
            buffer_printf(&text, "%s%s", text.length ? ", " : "", word);
            used++;
        }
    }
    if (text.length == 0)
        buffer_put_text(&text, "average");
    char *copy = text.failed ? NULL : arena_strndup(arena, text.at, text.length);
    buffer_deinit(&text);
    return copy;
}

static bool is_taken(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* A name nobody has: more traits until it differs, then a number. */
static char *unique_name(struct arena *arena, const struct feature_spec *spec,
                         const float *centroid, const size_t *order, const char *const *taken,
                         size_t n_taken)
{
    char *name = make_name(arena, spec, centroid, order, 2);
    for (size_t n_words = 3; name && n_words <= spec->n_columns; n_words++) {
        if (!is_taken(taken, n_taken, name))
            return name;
        name = make_name(arena, spec, centroid, order, n_words);
    }
    for (size_t i = 2; name && is_taken(taken, n_taken, name); i++)
        name = arena_printf(arena, "%s %zu", make_name(arena, spec, centroid, order, 2), i);
    return name;
}

static enum status describe(const struct feature_spec *spec, struct archetypes *archetypes,
                            struct error *err)
{
    size_t k = archetypes->model.k;
    struct arena *arena = &archetypes->memory;
    const char **names = ARENA_ARRAY(arena, const char *, k);
    const char **traits = ARENA_ARRAY(arena, const char *, k);
    size_t *order = ARENA_ARRAY(arena, size_t, spec->n_columns + 1);
    if (!names || !traits || !order)
        return out_of_memory(err);
    for (size_t c = 0; c < k; c++) {
        const float *centroid = archetypes->model.centroids + c * spec->n_columns;
        order_traits(centroid, spec->n_columns, order);
        names[c] = unique_name(arena, spec, centroid, order, names, c);
        traits[c] = traits_json(arena, spec, centroid, order);
        if (!names[c] || !traits[c])
            return out_of_memory(err);
    }
    archetypes->model.names = names;
    archetypes->model.traits = traits;
    return STATUS_OK;
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
    size_t k = 0;
    TRY(choose_k(matrix, options, archetypes, &k, err));
    float *centroids = ARENA_ARRAY(&archetypes->memory, float, k * matrix->p + 1);
    float *grid = ARENA_ARRAY(&archetypes->memory, float, k *CLUSTERS_GRID);
    uint32_t *sizes = ARENA_ARRAY(&archetypes->memory, uint32_t, k);
    archetypes->cluster = ARENA_ARRAY(&archetypes->memory, uint32_t, matrix->n);
    archetypes->distance = ARENA_ARRAY(&archetypes->memory, double, matrix->n);
    if (!centroids || !grid || !sizes || !archetypes->cluster || !archetypes->distance)
        return out_of_memory(err);
    struct kmeans_input input = {matrix->scaled, matrix->n, matrix->p, k, N_STARTS, options->seed};
    double inertia;
    TRY(kmeans_fit(&input, centroids, archetypes->cluster, &inertia, err));
    for (size_t i = 0; i < matrix->n; i++)
        sizes[archetypes->cluster[i]]++;
    archetypes->model.k = k;
    archetypes->model.n_inputs = matrix->p;
    archetypes->model.centroids = centroids;
    archetypes->model.sizes = sizes;
    TRY(measure_distances(matrix, archetypes, grid, err));
    archetypes->model.distance_grid = grid;
    TRY(describe(spec, archetypes, err));
    *ret_archetypes = STEAL(archetypes);
    return STATUS_OK;
}
