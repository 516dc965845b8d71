/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How good each column is: what is there, how it is spread, what lies far out. */
#include <stddef.h>

#include "explore/frame.h"
#include "explore/histogram.h"
#include "explore/statistics.h"

/* Farther than this many robust standard deviations (1.4826 MAD) from the median is an outlier:
 * Iglewicz and Hoaglin 1993. */
#define OUTLIER_Z 3.5

struct fences {
    bool is_set; /* false: too few rows, or more than half of them equal */
    bool is_log; /* taken on ln(offset + x) */
    double offset;
    double low, high;     /* in the column's unit */
    double centre, scale; /* on the scale that they were taken on */
    size_t n_low, n_high;
};

struct number_quality {
    const struct frame_number *column; /* borrowed from the frame */
    struct summary summary;
    double skew_ln; /* of ln(offset + x); MISSING when a value is below 0 */
    size_t n_distinct, n_zeros, n_negative;
    bool is_log;   /* better seen on a log scale */
    double offset; /* of that scale: ln(offset + x); 1, and 0.0001 of rates and fractions */
    struct histogram histogram;
    struct fences fences;
};

#define TEXT_TOP 12

struct text_quality {
    const struct frame_text *column;
    size_t n_present, n_distinct;
    size_t n_duplicates; /* rows whose value stood in an earlier row */
    double top_share;    /* of the most frequent value; MISSING when nothing is there */
    double entropy;      /* bits */
    size_t rarest;       /* rows of the rarest value */
    struct {
        const char *value;
        size_t count;
    } top[TEXT_TOP];
    size_t n_top;
};

struct far_row {
    size_t row;
    const struct frame_number *column;
    double value, z;
};

#define FAR_ROWS 30

struct quality {
    struct number_quality *numbers;    /* [frame->n_numbers] */
    struct text_quality *texts;        /* [frame->n_texts] */
    struct far_row far_rows[FAR_ROWS]; /* farthest first */
    size_t n_far_rows;
};

/* Memory comes from the arena. */
enum status quality_compute(const struct frame *frame, struct arena *memory,
                            struct quality *ret_quality, struct error *err);

/* x, or its logarithm where the column is better seen so. */
double quality_scaled(const struct number_quality *quality, double x);

/* Robust z-score of a value against the fences of its column. */
double fences_z(const struct fences *fences, double value);
