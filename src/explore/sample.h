/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a scatter plot shows: up to SAMPLE_ROWS rows, and behind them the density of all. */
#include <stddef.h>
#include <stdint.h>

#include "explore/frame.h"
#include "explore/histogram.h"

#define SAMPLE_ROWS 5000
#define SAMPLE_LARGEST 500 /* of these rows the largest by followers are always shown */

struct sample {
    const char *absent;   /* why there is none; NULL: there is one */
    size_t n_both;        /* rows with followers and the measure */
    const uint32_t *rows; /* [n] rising */
    size_t n;
};

enum status sample_choose(const struct frame *frame, struct arena *memory,
                          struct sample *ret_sample, struct error *err);

struct density {
    struct histogram x, y; /* edges, over followers and the measure, both log */
    uint32_t *counts;      /* [x.n_bins][y.n_bins] */
};

enum status density_count(const struct frame *frame, struct arena *memory,
                          struct density *ret_density, struct error *err);
