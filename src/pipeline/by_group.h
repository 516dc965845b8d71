/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How good the models are in each size and category of accounts: an average hides the groups that
 * a model fails. All of held-out rows. */
#include <stddef.h>

#include "explore/explore.h"
#include "pipeline/training.h"

#define BY_GROUP_MAX 64

/* One figure a group with its 95 % interval over accounts; groups without rows are left out. */
struct by_group {
    size_t n_groups;
    size_t group[BY_GROUP_MAX]; /* index into the explored names */
    size_t n[BY_GROUP_MAX];
    double value[BY_GROUP_MAX], low[BY_GROUP_MAX], high[BY_GROUP_MAX];
};

/* Mean absolute error, by the normal interval of a mean; not of a composite. */
void by_group_error(const struct training *training, enum explore_grouping by,
                    struct by_group *ret_groups);

/* Share told right, by Wilson's interval. */
void by_group_accuracy(const struct training *training, const struct class_part *part,
                       enum explore_grouping by, struct by_group *ret_groups);

/* The normal interval of a mean of n values that are not below 0, at 95 %; NaN of one. */
void mean_interval(size_t n, double sum, double squares, double *ret_low, double *ret_high);

/* Wilson's score interval of a share at 95 %. */
void wilson_interval(double share, double n, double *ret_low, double *ret_high);
