/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Groups that rows belong to: size tiers, and the frequent values of a text. */
#include "explore/frame.h"

#define GROUPS_MAX_LEVELS 20
#define GROUPS_OTHER "(other)"

/* By followers. When one tier holds nearly all rows, quarters of followers stand in for tiers,
 * named by their range ("32.8M - 38.2M"). Memory comes from the arena. */
enum status groups_by_size(const double *followers, size_t n, const struct explore_sizes *sizes,
                           struct arena *memory, struct frame_groups *ret_groups,
                           struct error *err);

/* The number of cuts [n_tiers - 1] at or below x; -1: x is missing. */
int32_t groups_tier_of(double x, const double *cuts, size_t n_tiers);

/* The GROUPS_MAX_LEVELS most frequent values, then GROUPS_OTHER when there are more. */
enum status groups_by_text(const char *const *texts, size_t n, struct arena *memory,
                           struct frame_groups *ret_groups, struct error *err);
