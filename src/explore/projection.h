/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The sampled rows on two principal components of their size, activity and engagement. */
#include "explore/pca.h"
#include "explore/quality.h"
#include "explore/sample.h"

#define PROJECTION_MAX_COLUMNS 12
#define PROJECTION_MIN_ROWS 10

struct projection {
    const char *absent; /* why there is none; NULL: there is one */
    const struct number_quality *columns[PROJECTION_MAX_COLUMNS];
    size_t n_columns;
    struct pca pca;
    double *x, *y; /* [sample->n] NaN where a figure is missing */
};

enum status projection_compute(const struct frame *frame, const struct quality *quality,
                               const struct sample *sample, struct arena *memory,
                               struct projection *ret_projection, struct error *err);
