/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/boosting_losses.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sort.h"

#define HUBER_K 1.345 /* as learn/least_squares.h */

enum status quantile_of(const double *y, size_t n, double quantile, double *ret_value,
                        struct error *err)
{
    AUTO(free_slot) double *sorted = malloc((n + 1) * sizeof *sorted);
    if (!sorted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    memcpy(sorted, y, n * sizeof *sorted);
    sort_doubles(sorted, n);
    size_t at = (size_t)(quantile * (double)n);
    *ret_value = sorted[at < n ? at : n - 1];
    return STATUS_OK;
}

enum status own_loss_init(struct own_loss *loss, double quantile, const double *y, size_t n,
                          struct error *err)
{
    double median;
    TRY(quantile_of(y, n, 0.5, &median, err));
    AUTO(free_slot) double *distance = malloc((n + 1) * sizeof *distance);
    if (!distance)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        distance[i] = fabs(y[i] - median);
        mean += distance[i] / (double)n;
    }
    double spread;
    TRY(quantile_of(distance, n, 0.5, &spread, err));
    spread /= 0.6745;
    if (!(spread > 0)) /* more than half are the same */
        spread = mean > 0 ? mean : 1.0;
    *loss = (struct own_loss){
        .clip = quantile > 0 ? 0 : HUBER_K * spread, .quantile = quantile, .step = 2 * spread};
    return STATUS_OK;
}

void own_loss_gradient(const struct own_loss *loss, const float *label, const float *predicted,
                       size_t n, float *ret_gradient)
{
    for (size_t i = 0; i < n; i++) {
        double over = (double)predicted[i] - (double)label[i];
        if (loss->clip > 0)
            over = fmax(-loss->clip, fmin(over, loss->clip));
        else
            over = loss->step * (over > 0 ? 1.0 - loss->quantile : -loss->quantile);
        ret_gradient[i] = (float)over;
    }
}

double own_loss_mean(const struct own_loss *loss, const float *label, const float *predicted,
                     size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double over = (double)predicted[i] - (double)label[i];
        double size = fabs(over);
        if (loss->clip > 0)
            sum += size <= loss->clip ? over * over / 2 : loss->clip * (size - loss->clip / 2);
        else
            sum += size * (over > 0 ? 1.0 - loss->quantile : loss->quantile);
    }
    return sum / (double)(n ? n : 1);
}
