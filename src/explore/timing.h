/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* When posts are made, by hour and weekday, and how they do then beside their account's others. */
#include <stddef.h>
#include <stdio.h>

#include "base/json.h"
#include "dataset/lifts.h"

#define TIMING_DAYS 7 /* Monday first */
#define TIMING_HOURS 24
#define TIMING_MIN_POSTS 20 /* of an hour, for a mean to be worth saying */

struct timing {
    const char *absent; /* why there is none; borrowed */
    size_t n;           /* posts whose hour is known */
    size_t count[TIMING_DAYS][TIMING_HOURS];
    /* Mean of ln likes less the mean of the account's posts; NaN: fewer than TIMING_MIN_POSTS. */
    double lift[TIMING_DAYS][TIMING_HOURS];
};

/* lifts: NULL without posts; why: then the reason, if there is one better than that. O(posts). */
void timing_compute(const struct lifts *lifts, const char *why, struct timing *ret_timing);

/* The member `timing` of report.json's `explore`. */
void timing_put(const struct timing *timing, struct json_writer *w);

/* A line a weekday for a terminal; nothing where there is no timing. */
void timing_print(const struct timing *timing, int width, FILE *out);
