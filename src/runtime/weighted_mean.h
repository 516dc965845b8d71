/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A mean of what is there: the one way in which neighbours' scores are averaged, in training and in
 * service. Zeros are a mean of nothing. */
#include <math.h>

struct weighted_mean {
    double sum, weight;
};

/* A missing value (NaN) counts for nothing. */
static inline void weighted_mean_add(struct weighted_mean *mean, double value, double weight)
{
    if (isnan(value))
        return;
    mean->sum += weight * value;
    mean->weight += weight;
}

/* NaN: of nothing. */
static inline double weighted_mean(const struct weighted_mean *mean)
{
    return mean->weight > 0 ? mean->sum / mean->weight : (double)NAN;
}
