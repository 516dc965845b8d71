/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "runtime/softmax.h"

double metrics_mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return n ? sum / (double)n : (double)NAN;
}

double metrics_sd(const double *values, size_t n)
{
    if (n < 2)
        return 0;
    double mean = metrics_mean(values, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

struct ranked {
    double value;
    size_t row;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Mid-ranks of `values`, from 1. */
static void mid_ranks(const double *values, size_t n, struct ranked *sorted, double *ret_rank)
{
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct ranked){values[i], i};
    qsort(sorted, n, sizeof sorted[0], compare_ranked);
    for (size_t begin = 0; begin < n;) {
        size_t end = begin + 1;
        while (end < n && sorted[end].value == sorted[begin].value)
            end++;
        for (size_t i = begin; i < end; i++)
            ret_rank[sorted[i].row] = (double)(begin + 1 + end) / 2.0;
        begin = end;
    }
}

static double pearson(const double *a, const double *b, size_t n)
{
    double mean_a = metrics_mean(a, n);
    double mean_b = metrics_mean(b, n);
    double aa = 0;
    double bb = 0;
    double ab = 0;
    for (size_t i = 0; i < n; i++) {
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
        ab += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : (double)NAN;
}

enum status metrics_spearman(const double *a, const double *b, size_t n, double *ret_rho,
                             struct error *err)
{
    AUTO(free_slot) struct ranked *sorted = calloc(n + 1, sizeof *sorted);
    AUTO(free_slot) double *ranks = calloc(2 * n + 1, sizeof *ranks);
    if (!sorted || !ranks)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    mid_ranks(a, n, sorted, ranks);
    mid_ranks(b, n, sorted, ranks + n);
    *ret_rho = pearson(ranks, ranks + n, n);
    return STATUS_OK;
}

enum status metrics_regression(const double *y, const double *predicted, size_t n,
                               struct regression_metrics *ret_metrics, struct error *err)
{
    if (n == 0)
        return fail(err, STATUS_INVALID, "no rows to measure");
    double mean = metrics_mean(y, n);
    double total = 0;
    double squared = 0;
    double absolute = 0;
    for (size_t i = 0; i < n; i++) {
        double residual = y[i] - predicted[i];
        if (!isfinite(residual))
            return fail(err, STATUS_INVALID, "row %zu: a target or prediction is not finite", i);
        total += (y[i] - mean) * (y[i] - mean);
        squared += residual * residual;
        absolute += fabs(residual);
    }
    struct regression_metrics metrics = {
        .r2 = total > 0 ? 1.0 - squared / total : (double)NAN,
        .mae = absolute / (double)n,
        .rmse = sqrt(squared / (double)n),
    };
    TRY(metrics_spearman(y, predicted, n, &metrics.spearman, err));
    *ret_metrics = metrics;
    return STATUS_OK;
}

void metrics_confusion(const uint32_t *label, const double *probability, size_t n, size_t k,
                       size_t *ret_counts)
{
    for (size_t i = 0; i < k * k; i++)
        ret_counts[i] = 0;
    for (size_t i = 0; i < n; i++)
        ret_counts[label[i] * k + argmax(probability + i * k, k)]++;
}

static double macro_f1(const size_t *counts, size_t k)
{
    double sum = 0;
    size_t n_seen = 0;
    for (size_t c = 0; c < k; c++) {
        size_t is = 0;
        size_t predicted = 0;
        for (size_t other = 0; other < k; other++) {
            is += counts[c * k + other];
            predicted += counts[other * k + c];
        }
        if (is + predicted == 0)
            continue;
        sum += 2.0 * (double)counts[c * k + c] / (double)(is + predicted);
        n_seen++;
    }
    return n_seen ? sum / (double)n_seen : (double)NAN;
}

#define ECE_BINS 10

/* Guo et al. 2017: sum over bins of |accuracy - confidence|, weighted by the rows in the bin. */
static double calibration_error(const uint32_t *label, const double *probability, size_t n,
                                size_t k)
{
    double gap[ECE_BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        size_t top = argmax(probability + i * k, k);
        double confidence = probability[i * k + top];
        size_t bin = (size_t)(confidence * ECE_BINS);
        gap[bin < ECE_BINS ? bin : ECE_BINS - 1] += (top == label[i] ? 1.0 : 0.0) - confidence;
    }
    double sum = 0;
    for (size_t bin = 0; bin < ECE_BINS; bin++)
        sum += fabs(gap[bin]);
    return sum / (double)n;
}

/* The mean over classes of the chance that a row of the class is given more of it than another row
 * (Hanley and McNeil 1982: from the sum of ranks). */
static enum status area_under_curve(const uint32_t *label, const double *probability, size_t n,
                                    size_t k, double *ret_auc, struct error *err)
{
    AUTO(free_slot) struct ranked *sorted = calloc(n + 1, sizeof *sorted);
    AUTO(free_slot) double *work = calloc(2 * n + 1, sizeof *work);
    if (!sorted || !work)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    double sum = 0;
    size_t n_classes = 0;
    /* Of two classes both areas are the same. */
    for (size_t c = k == 2 ? 1 : 0; c < k; c++) {
        double n_in = 0;
        double ranks = 0;
        for (size_t i = 0; i < n; i++)
            work[i] = probability[i * k + c];
        mid_ranks(work, n, sorted, work + n);
        for (size_t i = 0; i < n; i++) {
            n_in += label[i] == c;
            ranks += label[i] == c ? work[n + i] : 0;
        }
        double n_out = (double)n - n_in;
        if (n_in == 0 || n_out == 0)
            continue;
        sum += (ranks - n_in * (n_in + 1) / 2) / (n_in * n_out);
        n_classes++;
    }
    *ret_auc = n_classes ? sum / (double)n_classes : (double)NAN;
    return STATUS_OK;
}

enum status metrics_classification(const uint32_t *label, const double *probability, size_t n,
                                   size_t k, struct class_metrics *ret_metrics, struct error *err)
{
    if (n == 0 || k == 0)
        return fail(err, STATUS_INVALID, "no rows or no classes to measure");
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        if (label[i] >= k)
            return fail(err, STATUS_INVALID, "row %zu: class %u of %zu", i, label[i], k);
        for (size_t c = 0; c < k; c++)
            if (!(probability[i * k + c] >= 0 && probability[i * k + c] <= 1 + 1e-9))
                return fail(err, STATUS_INVALID, "row %zu: %g is no probability", i,
                            probability[i * k + c]);
        loss -= log(fmax(probability[i * k + label[i]], 1e-15));
    }
    AUTO(free_slot) size_t *counts = calloc(k * k, sizeof *counts);
    if (!counts)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    metrics_confusion(label, probability, n, k, counts);
    size_t right = 0;
    for (size_t c = 0; c < k; c++)
        right += counts[c * k + c];
    double auc = 0;
    TRY(area_under_curve(label, probability, n, k, &auc, err));
    *ret_metrics = (struct class_metrics){
        .auc = auc,
        .accuracy = (double)right / (double)n,
        .macro_f1 = macro_f1(counts, k),
        .log_loss = loss / (double)n,
        .ece = calibration_error(label, probability, n, k),
    };
    return STATUS_OK;
}

static double distance(const float *a, const float *b, size_t p)
{
    double sum = 0;
    for (size_t i = 0; i < p; i++) {
        double difference = (double)a[i] - (double)b[i];
        sum += difference * difference;
    }
    return sqrt(sum);
}

/* Silhouette of one row, given the sums of its distances to each cluster. */
static double row_silhouette(const double *sums, const size_t *sizes, size_t k, size_t own)
{
    if (sizes[own] < 2)
        return 0;
    double inside = sums[own] / (double)(sizes[own] - 1);
    double nearest = INFINITY;
    for (size_t c = 0; c < k; c++)
        if (c != own && sizes[c] > 0)
            nearest = fmin(nearest, sums[c] / (double)sizes[c]);
    double larger = fmax(inside, nearest);
    return larger > 0 ? (nearest - inside) / larger : 0;
}

enum status metrics_silhouette(const float *rows, size_t n, size_t p, const uint32_t *cluster,
                               size_t k, double *ret_silhouette, struct error *err)
{
    AUTO(free_slot) double *sums = calloc(k + 1, sizeof *sums);
    AUTO(free_slot) size_t *sizes = calloc(k + 1, sizeof *sizes);
    if (!sums || !sizes)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        sizes[cluster[i]]++;
    size_t n_used = 0;
    for (size_t c = 0; c < k; c++)
        n_used += sizes[c] > 0;
    if (n_used < 2)
        return fail(err, STATUS_INVALID, "a silhouette needs two clusters");
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < k; c++)
            sums[c] = 0;
        for (size_t j = 0; j < n; j++)
            sums[cluster[j]] += distance(rows + i * p, rows + j * p, p);
        total += row_silhouette(sums, sizes, k, cluster[i]);
    }
    *ret_silhouette = total / (double)n;
    return STATUS_OK;
}
