/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between archetypes.c and archetypes_names.c. */
#include "learn/archetypes.h"

/* Names and traits of the clusters, which stand in the model with their centroids. */
enum status archetypes_describe(const struct feature_spec *spec, const double *posts_per_week,
                                struct archetypes *archetypes, struct error *err);
