/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whether clusters would come out again: k-means on bootstrap samples, each row put to the nearest
 * centroid, and the adjusted Rand index of that with the clusters themselves. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "learn/kmeans.h"

/* Agreement of two clusterings of n rows (Hubert and Arabie 1985): 1 the same but for names, 0 what
 * chance gives; 1 when both are trivial. a below k_a, b below k_b. */
enum status adjusted_rand(const uint32_t *a, size_t k_a, const uint32_t *b, size_t k_b, size_t n,
                          double *ret_index, struct error *err);

/* Mean and sd of the index over n_samples bootstrap samples. cluster: [n] as found on all rows. */
enum status stability_measure(const struct kmeans_input *input, const uint32_t *cluster,
                              size_t n_samples, double *ret_mean, double *ret_sd,
                              struct error *err);
