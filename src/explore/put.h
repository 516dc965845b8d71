/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Arrays of figures for report.json: rounded to the digits that mean something, so that a report
 * stays small. Shared with whoever writes further sections of it. */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "explore/histogram.h"
#include "explore/spread.h"
#include "explore/statistics.h"

/* A figure with that many significant digits (1..17), shortest form; null when not finite. */
void put_figure(struct json_writer *w, double value, int digits);
void put_member_figure(struct json_writer *w, const char *key, double value, int digits);
void put_figures(struct json_writer *w, const char *key, const double *values, size_t n,
                 int digits);
void put_sizes(struct json_writer *w, const char *key, const size_t *values, size_t n);
void put_texts(struct json_writer *w, const char *key, const char *const *texts, size_t n);

/* "low" and "high". */
void put_bounds(struct json_writer *w, struct interval interval);

/* A member with a histogram as docs/report-schema.md has it. */
void put_histogram(struct json_writer *w, const char *key, const struct histogram *histogram);

/* A member `{"absent": reason}`. */
void put_absent(struct json_writer *w, const char *key, const char *reason);
