/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/drift.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Behind the bins of a feature. */
enum {
    N_MISSING,
    N_UNSEEN, /* levels only: none of the spec's */
    N_BELOW,
    N_ABOVE,
    N_EXTRA_COUNTS
};

/* One writer; a reader may see a slice that is being cleared half old, half new: figures of the
 * moment, no more. */
struct slice {
    _Atomic int64_t number; /* time / slice_s */
    _Atomic uint32_t rows;
    _Atomic uint32_t *counts; /* [n_bins + N_EXTRA_COUNTS * n_features] owns */
    _Atomic double *excess;   /* [n_features] owns: sum of distances out of the range */
};

struct drift_window {
    const struct drift_reference *reference; /* borrowed */
    int64_t slice_s;
    struct slice slices[DRIFT_SLICES];
};

static size_t n_counts(const struct drift_reference *reference)
{
    return reference->n_bins + N_EXTRA_COUNTS * reference->n_features;
}

static size_t extra_count(const struct drift_reference *reference, size_t feature, size_t which)
{
    return reference->n_bins + N_EXTRA_COUNTS * feature + which;
}

enum status drift_window_new(const struct drift_reference *reference, int64_t slice_s,
                             struct drift_window **ret_window, struct error *err)
{
    AUTO(drift_window_free_slot) struct drift_window *window = calloc(1, sizeof *window);
    if (!window)
        return fail(err, STATUS_NO_MEMORY, "drift: out of memory");
    window->reference = reference;
    window->slice_s = slice_s;
    for (size_t i = 0; i < DRIFT_SLICES; i++) {
        struct slice *slice = &window->slices[i];
        atomic_init(&slice->number, -1);
        slice->counts = calloc(n_counts(reference), sizeof *slice->counts);
        slice->excess = calloc(reference->n_features, sizeof *slice->excess);
        if (!slice->counts || !slice->excess)
            return fail(err, STATUS_NO_MEMORY, "drift: out of memory");
    }
    *ret_window = STEAL(window);
    return STATUS_OK;
}

void drift_window_free(struct drift_window *window)
{
    if (!window)
        return;
    for (size_t i = 0; i < DRIFT_SLICES; i++) {
        free(window->slices[i].counts);
        free(window->slices[i].excess);
    }
    free(window);
}

/* ---- counting ---- */

static void count(struct slice *slice, size_t i)
{
    atomic_store_explicit(&slice->counts[i],
                          atomic_load_explicit(&slice->counts[i], memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static struct slice *take_slice(struct drift_window *window, int64_t now_s)
{
    int64_t number = now_s / window->slice_s;
    struct slice *slice = &window->slices[number % DRIFT_SLICES];
    if (atomic_load_explicit(&slice->number, memory_order_relaxed) == number)
        return slice;
    for (size_t i = 0; i < n_counts(window->reference); i++)
        atomic_store_explicit(&slice->counts[i], 0, memory_order_relaxed);
    for (size_t i = 0; i < window->reference->n_features; i++)
        atomic_store_explicit(&slice->excess[i], 0, memory_order_relaxed);
    atomic_store_explicit(&slice->rows, 0, memory_order_relaxed);
    atomic_store_explicit(&slice->number, number, memory_order_release);
    return slice;
}

static void count_excess(struct slice *slice, size_t feature, double distance)
{
    double sum = atomic_load_explicit(&slice->excess[feature], memory_order_relaxed);
    atomic_store_explicit(&slice->excess[feature], sum + distance, memory_order_relaxed);
}

static void count_number(struct slice *slice, const struct drift_reference *reference,
                         size_t feature, double value)
{
    const struct drift_feature *f = &reference->features[feature];
    if (isnan(value)) {
        count(slice, extra_count(reference, feature, N_MISSING));
    } else if (value < f->low) {
        count(slice, extra_count(reference, feature, N_BELOW));
        count_excess(slice, feature, f->low - value);
    } else if (value > f->high) {
        count(slice, extra_count(reference, feature, N_ABOVE));
        count_excess(slice, feature, value - f->high);
    } else {
        /* The last edge is `high`: counting those below needs no branch. */
        const double *edge = reference->edge + f->first_bin;
        size_t bin = 0;
        for (size_t i = 0; i + 1 < f->n_bins; i++)
            bin += edge[i] < value;
        count(slice, f->first_bin + bin);
    }
}

static void count_levels(struct slice *slice, const struct drift_reference *reference,
                         size_t feature, const float *raw)
{
    const struct drift_feature *f = &reference->features[feature];
    for (size_t i = 0; i < f->n_columns; i++)
        if (raw[f->first_column + i] > 0) {
            count(slice, i == f->missing_bin ? extra_count(reference, feature, N_MISSING)
                                             : f->first_bin + i);
            return;
        }
    count(slice, extra_count(reference, feature, N_UNSEEN));
}

void drift_observe(struct drift_window *window, int64_t now_s, const float *raw, double output)
{
    const struct drift_reference *reference = window->reference;
    struct slice *slice = take_slice(window, now_s);
    size_t last = reference->n_features - 1;
    for (size_t i = 0; i < last; i++) {
        const struct drift_feature *f = &reference->features[i];
        if (f->is_level)
            count_levels(slice, reference, i, raw);
        else
            count_number(slice, reference, i, (double)raw[f->first_column]);
    }
    const struct drift_feature *f = &reference->features[last];
    if (!f->is_level)
        count_number(slice, reference, last, output);
    else if (output >= 0 && output < (double)f->n_bins)
        count(slice, f->first_bin + (size_t)output);
    atomic_store_explicit(&slice->rows,
                          atomic_load_explicit(&slice->rows, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* ---- measuring ---- */

static bool is_live(const struct drift_window *window, const struct slice *slice, int64_t now_s)
{
    int64_t number = atomic_load_explicit(&slice->number, memory_order_acquire);
    int64_t now = now_s / window->slice_s;
    return number >= 0 && number <= now && number > now - DRIFT_SLICES;
}

struct sums {
    double rows, missing, unseen, below, above, excess;
    double bins[FEATURE_MAX_COLUMNS];
};

static double counted(const struct slice *slice, size_t i)
{
    return (double)atomic_load_explicit(&slice->counts[i], memory_order_relaxed);
}

static void add_slice(const struct drift_reference *reference, const struct slice *slice,
                      size_t feature, struct sums *sums)
{
    const struct drift_feature *f = &reference->features[feature];
    sums->rows += (double)atomic_load_explicit(&slice->rows, memory_order_relaxed);
    sums->missing += counted(slice, extra_count(reference, feature, N_MISSING));
    sums->unseen += counted(slice, extra_count(reference, feature, N_UNSEEN));
    sums->below += counted(slice, extra_count(reference, feature, N_BELOW));
    sums->above += counted(slice, extra_count(reference, feature, N_ABOVE));
    sums->excess += atomic_load_explicit(&slice->excess[feature], memory_order_relaxed);
    for (size_t i = 0; i < f->n_bins; i++)
        sums->bins[i] += counted(slice, f->first_bin + i);
}

static double floored(double share)
{
    return share > DRIFT_FLOOR ? share : DRIFT_FLOOR;
}

/* x log2(x / m), 0 at 0. */
static double divergence(double x, double m)
{
    return x > 0 ? x * log2(x / m) : 0;
}

/* Area between the distribution functions: within a bin their difference goes straight from a to b;
 * beyond the range it is the share that lies there times how far. */
static double area(const struct drift_reference *reference, const struct drift_feature *f,
                   const struct sums *sums, double n)
{
    double a = sums->below / n;
    double sum = sums->excess / n;
    for (size_t i = 0; i < f->n_bins; i++) {
        double from = i == 0 ? f->low : reference->edge[f->first_bin + i - 1];
        double width = reference->edge[f->first_bin + i] - from;
        double b = a + sums->bins[i] / n - reference->share[f->first_bin + i];
        double size = fabs(a) + fabs(b);
        if (a * b >= 0)
            sum += width * size / 2;
        else
            sum += width * (a * a + b * b) / (2 * size);
        a = b;
    }
    return sum / f->spread;
}

/* What lies beyond the ends counts as theirs. */
static double rows_in(const struct drift_feature *f, const struct sums *sums, size_t bin)
{
    double rows = sums->bins[bin];
    if (bin == 0)
        rows += sums->below;
    if (bin + 1 == f->n_bins)
        rows += sums->above;
    return rows;
}

static void compare(const struct drift_reference *reference, const struct drift_feature *f,
                    const struct sums *sums, double n, struct drift_figures *figures)
{
    double psi = 0;
    double jensen = 0;
    for (size_t i = 0; i < f->n_bins; i++) {
        double p = rows_in(f, sums, i) / n;
        double q = reference->share[f->first_bin + i];
        if (p == 0 && q == 0)
            continue; /* a level that stands for missing, or that nobody has */
        psi += (floored(p) - floored(q)) * log(floored(p) / floored(q));
        jensen += (divergence(p, (p + q) / 2) + divergence(q, (p + q) / 2)) / 2;
    }
    if (sums->unseen > 0) { /* a bin of its own, which the reference does not have */
        double p = sums->unseen / n;
        psi += (floored(p) - DRIFT_FLOOR) * log(floored(p) / DRIFT_FLOOR);
        jensen += p / 2;
    }
    figures->psi = psi;
    figures->js = sqrt(fmin(fmax(jensen, 0), 1));
    if (!f->is_level)
        figures->wasserstein = area(reference, f, sums, n);
}

static void sum_up(struct drift_window *const *windows, size_t n, int64_t now_s, size_t feature,
                   struct sums *sums)
{
    for (size_t i = 0; i < n; i++)
        for (size_t s = 0; s < DRIFT_SLICES; s++)
            if (is_live(windows[i], &windows[i]->slices[s], now_s))
                add_slice(windows[i]->reference, &windows[i]->slices[s], feature, sums);
}

void drift_measure(struct drift_window *const *windows, size_t n, int64_t now_s, size_t feature,
                   struct drift_figures *ret_figures)
{
    const struct drift_reference *reference = windows[0]->reference;
    const struct drift_feature *f = &reference->features[feature];
    struct sums sums = {0};
    sum_up(windows, n, now_s, feature, &sums);
    *ret_figures = (struct drift_figures){
        .rows = sums.rows, .psi = MISSING, .js = MISSING, .wasserstein = MISSING};
    double present = sums.rows - sums.missing;
    if (sums.rows > 0)
        ret_figures->missing = sums.missing / sums.rows;
    if (!(present > 0))
        return;
    double rare = f->other_bin < f->n_bins ? sums.bins[f->other_bin] : 0;
    ret_figures->unseen = (sums.unseen + rare) / present;
    ret_figures->out_of_range = (sums.below + sums.above) / present;
    compare(reference, f, &sums, present, ret_figures);
}

void drift_bins(struct drift_window *const *windows, size_t n, int64_t now_s, size_t feature,
                double *ret_rows)
{
    const struct drift_feature *f = &windows[0]->reference->features[feature];
    struct sums sums = {0};
    sum_up(windows, n, now_s, feature, &sums);
    for (size_t i = 0; i < f->n_bins; i++)
        ret_rows[i] = rows_in(f, &sums, i);
    ret_rows[f->n_bins] = sums.unseen;
}

/* ---- telling ---- */

const char *drift_verdict(const struct drift_feature *feature, const struct drift_figures *figures)
{
    double moved = fmax(figures->psi, figures->missing - feature->missing); /* of a NaN the other */
    return moved < DRIFT_MODERATE ? "none" : moved < DRIFT_MAJOR ? "moderate" : "major";
}

static void put_figures(const struct drift_feature *feature, const struct drift_figures *figures,
                        struct json_writer *w)
{
    json_begin_object(w);
    json_member_string(w, "name", feature->name);
    json_member_string(w, "drift", drift_verdict(feature, figures));
    json_member_number(w, "psi", figures->psi);
    json_member_number(w, "js_distance", figures->js);
    if (!feature->is_level)
        json_member_number(w, "wasserstein", figures->wasserstein);
    json_member_number(w, "missing", figures->missing);
    json_member_number(w, "missing_reference", feature->missing);
    if (feature->is_level) {
        json_member_number(w, "unseen", figures->unseen);
        json_member_number(w, "unseen_reference", feature->unseen);
    } else {
        json_member_number(w, "out_of_range", figures->out_of_range);
    }
    json_end_object(w);
}

void drift_put(struct drift_window *const *windows, size_t n, int64_t now_s, struct json_writer *w)
{
    const struct drift_reference *reference = windows[0]->reference;
    struct drift_figures figures;
    size_t last = reference->n_features - 1;
    drift_measure(windows, n, now_s, last, &figures);
    json_begin_object(w);
    json_member_number(w, "rows", figures.rows);
    json_member_number(w, "reference_rows", reference->rows);
    json_put_key(w, "output");
    put_figures(&reference->features[last], &figures, w);
    json_put_key(w, "features");
    json_begin_array(w);
    for (size_t i = 0; i < last; i++) {
        drift_measure(windows, n, now_s, i, &figures);
        put_figures(&reference->features[i], &figures, w);
    }
    json_end_array(w);
    json_end_object(w);
}
