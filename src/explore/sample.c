/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "explore/statistics.h"

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

static int compare_rows(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    return (i > j) - (i < j);
}

/* Put the rows with at least the SAMPLE_LARGEST-th figure of followers in front. */
static size_t largest_first(const double *followers, uint32_t *rows, size_t n, double threshold)
{
    size_t n_front = 0;
    for (size_t i = 0; i < n && n_front < SAMPLE_LARGEST; i++)
        if (followers[rows[i]] >= threshold) {
            uint32_t row = rows[i];
            rows[i] = rows[n_front];
            rows[n_front++] = row;
        }
    return n_front;
}

static enum status thin_out(const double *followers, uint32_t *rows, size_t n, struct error *err)
{
    AUTO(free_slot) double *sorted = calloc(n, sizeof *sorted);
    if (!sorted)
        return no_memory(err);
    for (size_t i = 0; i < n; i++)
        sorted[i] = followers[rows[i]];
    statistics_sort(sorted, n);
    size_t fixed = largest_first(followers, rows, n, sorted[n - SAMPLE_LARGEST]);
    /* The first steps of a Fisher-Yates shuffle: a fixed seed, so that a report repeats. */
    struct rng rng = rng_seed(0);
    for (size_t i = fixed; i < SAMPLE_ROWS; i++) {
        size_t j = i + rng_below(&rng, n - i);
        uint32_t row = rows[i];
        rows[i] = rows[j];
        rows[j] = row;
    }
    qsort(rows, SAMPLE_ROWS, sizeof *rows, compare_rows);
    return STATUS_OK;
}

enum status sample_choose(const struct frame *frame, struct arena *memory,
                          struct sample *ret_sample, struct error *err)
{
    struct sample sample = {0};
    if (!frame->followers || !frame->measure)
        sample.absent = frame->followers ? "the table has no figure of engagement, likes or posts"
                                         : "the table has no followers";
    uint32_t *rows = ARENA_ARRAY(memory, uint32_t, frame->n_rows + 1);
    if (!rows)
        return no_memory(err);
    for (size_t row = 0; !sample.absent && row < frame->n_rows; row++)
        if (!isnan(frame->followers->values[row]) && !isnan(frame->measure->values[row]))
            rows[sample.n_both++] = (uint32_t)row;
    if (!sample.absent && sample.n_both == 0)
        sample.absent = "no row has both followers and the measure";
    sample.n = sample.n_both;
    if (sample.n > SAMPLE_ROWS) {
        TRY(thin_out(frame->followers->values, rows, sample.n, err));
        sample.n = SAMPLE_ROWS;
    }
    sample.rows = rows;
    *ret_sample = sample;
    return STATUS_OK;
}

static void make_edges(const double *values, size_t n, double *scratch, struct histogram *ret_edges)
{
    size_t n_present = statistics_present(values, n, scratch);
    statistics_sort(scratch, n_present);
    histogram_make(scratch, n_present, true, ret_edges);
}

enum status density_count(const struct frame *frame, struct arena *memory,
                          struct density *ret_density, struct error *err)
{
    const double *x = frame->followers->values, *y = frame->measure->values;
    AUTO(free_slot) double *scratch = calloc(frame->n_rows + 1, sizeof *scratch);
    struct density density = {0};
    if (!scratch)
        return no_memory(err);
    make_edges(x, frame->n_rows, scratch, &density.x);
    make_edges(y, frame->n_rows, scratch, &density.y);
    density.counts = ARENA_ARRAY(memory, uint32_t, density.x.n_bins * density.y.n_bins + 1);
    if (!density.counts)
        return no_memory(err);
    for (size_t row = 0; row < frame->n_rows; row++) {
        size_t i = histogram_bin(&density.x, x[row]), j = histogram_bin(&density.y, y[row]);
        if (i < density.x.n_bins && j < density.y.n_bins)
            density.counts[i * density.y.n_bins + j]++;
    }
    *ret_density = density;
    return STATUS_OK;
}
