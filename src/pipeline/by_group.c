/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/by_group.h"

#include <math.h>

#include "runtime/softmax.h"

#define Z95 1.959963984540054

/* Sums by group of the explored names. */
struct sums {
    size_t n[BY_GROUP_MAX];
    double sum[BY_GROUP_MAX], squares[BY_GROUP_MAX];
};

static void add(struct sums *sums, const struct training *training, enum explore_grouping by,
                size_t row, double value)
{
    int32_t group = explore_row_group(training->explore, by, row);
    if (group < 0 || group >= BY_GROUP_MAX)
        return;
    sums->n[group]++;
    sums->sum[group] += value;
    sums->squares[group] += value * value;
}

/* The groups that have rows, with their means. */
static void take(const struct sums *sums, struct by_group *groups)
{
    groups->n_groups = 0;
    for (size_t g = 0; g < BY_GROUP_MAX; g++) {
        if (sums->n[g] == 0)
            continue;
        size_t at = groups->n_groups++;
        groups->group[at] = g;
        groups->n[at] = sums->n[g];
        groups->value[at] = sums->sum[g] / (double)sums->n[g];
    }
}

void mean_interval(size_t n, double sum, double squares, double *ret_low, double *ret_high)
{
    *ret_low = *ret_high = NAN;
    if (n < 2)
        return;
    double mean = sum / (double)n;
    double variance = (squares - sum * mean) / (double)(n - 1);
    double half = Z95 * sqrt(fmax(0, variance) / (double)n);
    *ret_low = fmax(0, mean - half);
    *ret_high = mean + half;
}

void by_group_error(const struct training *training, enum explore_grouping by,
                    struct by_group *ret_groups)
{
    const struct score_part *part = &training->score;
    const struct target *target = part->searched.sample;
    struct sums sums = {0};
    for (size_t i = 0; i < target->n; i++)
        add(&sums, training, by, target->rows[i], fabs(part->out_of_fold[i] - target->y[i]));
    take(&sums, ret_groups);
    for (size_t i = 0; i < ret_groups->n_groups; i++) {
        size_t g = ret_groups->group[i];
        mean_interval(sums.n[g], sums.sum[g], sums.squares[g], &ret_groups->low[i],
                      &ret_groups->high[i]);
    }
}

void wilson_interval(double share, double n, double *ret_low, double *ret_high)
{
    double middle = share + Z95 * Z95 / (2 * n);
    double half = Z95 * sqrt(share * (1 - share) / n + Z95 * Z95 / (4 * n * n));
    *ret_low = (middle - half) / (1 + Z95 * Z95 / n);
    *ret_high = (middle + half) / (1 + Z95 * Z95 / n);
}

void by_group_accuracy(const struct training *training, const struct class_part *part,
                       enum explore_grouping by, struct by_group *ret_groups)
{
    const struct target *target = part->searched.sample;
    size_t k = target->n_classes;
    struct sums sums = {0};
    for (size_t i = 0; i < target->n; i++)
        add(&sums, training, by, target->rows[i],
            argmax(part->calibrated.probability + i * k, k) == target->label[i]);
    take(&sums, ret_groups);
    for (size_t i = 0; i < ret_groups->n_groups; i++)
        wilson_interval(ret_groups->value[i], (double)ret_groups->n[i], &ret_groups->low[i],
                        &ret_groups->high[i]);
}
