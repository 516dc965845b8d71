/* SPDX-License-Identifier: Apache-2.0 */
#include "features/composite.h"

#include <math.h>
#include <stdlib.h>

#include "base/sort.h"

const char *const composite_part_names[COMPOSITE_N_PARTS] = {
    [COMPOSITE_reach] = "reach",
    [COMPOSITE_engagement] = "engagement",
    [COMPOSITE_activity] = "activity",
    [COMPOSITE_growth] = "growth",
    [COMPOSITE_consistency] = "consistency",
};

const char *const composite_part_help[COMPOSITE_N_PARTS] = {
    [COMPOSITE_reach] = "how many accounts follow",
    [COMPOSITE_engagement] = "engagements a post for each follower",
    [COMPOSITE_activity] = "how much it has posted",
    [COMPOSITE_growth] = "monthly growth of followers, or newest posts against the average",
    [COMPOSITE_consistency] = "newest posts near the average, or engagement that is real",
};

static double first_present(double a, double b)
{
    return isnan(a) ? b : a;
}

double composite_figure(const struct profile *profile, enum composite_part part)
{
    const double *x = profile->number;
    double trend = log1p(x[PROFILE_recent_avg_likes]) - log1p(x[PROFILE_avg_likes]);
    switch (part) {
    case COMPOSITE_reach:
        return log1p(x[PROFILE_followers]);
    case COMPOSITE_engagement:
        return first_present(log1p(x[PROFILE_avg_engagement]) - log1p(x[PROFILE_followers]),
                             log(1e-4 + x[PROFILE_engagement_rate]));
    case COMPOSITE_activity:
        return log1p(x[PROFILE_posts]);
    case COMPOSITE_growth:
        return first_present((log1p(x[PROFILE_followers]) - log1p(x[PROFILE_previous_followers])) /
                                 fmax(x[PROFILE_previous_months], 1.0),
                             trend);
    case COMPOSITE_consistency:
        return first_present(-fabs(trend), log1p(x[PROFILE_authentic_engagement]) -
                                               log1p(x[PROFILE_avg_engagement]));
    case COMPOSITE_N_PARTS:
        break;
    }
    return MISSING;
}

/* First index whose value is >= x. Half of the grid is left at each step, whichever it is: what is
 * asked next is no branch that the processor would have to guess. */
static size_t lower_bound(const float *grid, size_t n, float x)
{
    const float *at = grid;
    for (; n > 1; n -= n / 2)
        at += n / 2 & -(size_t)(at[n / 2 - 1] < x);
    return (size_t)(at - grid) + (n == 1 && *at < x);
}

double composite_percentile(const float *grid, size_t n, double x)
{
    if (isnan(x))
        return MISSING;
    /* The grid holds floats: compare the float that x would have been in it. */
    float in_grid = (float)x;
    x = (double)in_grid;
    size_t low = lower_bound(grid, n, in_grid);
    double step = 100.0 / (double)(n - 1);
    if (low < n && grid[low] == in_grid) {
        size_t last = low + lower_bound(grid + low, n - low, nextafterf(in_grid, INFINITY)) - 1;
        return step * ((double)low + (double)last) / 2.0;
    }
    if (low == 0)
        return 0.0;
    if (low == n)
        return 100.0;
    double left = (double)grid[low - 1];
    double right = (double)grid[low];
    return step * ((double)(low - 1) + (x - left) / (right - left));
}

void composite_make_grid(double *sample, size_t n_sample, float *ret_grid, size_t n)
{
    sort_doubles(sample, n_sample);
    for (size_t i = 0; i < n; i++) {
        double at = (double)i / (double)(n - 1) * (double)(n_sample - 1);
        size_t low = (size_t)at;
        size_t high = low + 1 < n_sample ? low + 1 : low;
        double share = at - (double)low;
        ret_grid[i] = (float)(sample[low] + share * (sample[high] - sample[low]));
    }
}

void composite_compute(const struct composite *composite, const struct profile *profile,
                       struct composite_score *ret_score)
{
    double total = 0;
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++) {
        const float *grid = composite->grid[i];
        double figure = grid ? composite_figure(profile, (enum composite_part)i) : MISSING;
        ret_score->part[i] = MISSING;
        if (grid && !isnan(figure)) {
            ret_score->part[i] = composite_percentile(grid, COMPOSITE_GRID, figure);
            total += composite->weight[i];
        }
    }
    ret_score->score = total > 0 ? 0.0 : MISSING;
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++) {
        bool present = !isnan(ret_score->part[i]) && total > 0;
        ret_score->share[i] = present ? composite->weight[i] / total : 0.0;
        if (present)
            ret_score->score += ret_score->share[i] * ret_score->part[i];
    }
}
