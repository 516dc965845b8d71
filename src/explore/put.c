/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/put.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void put_figure(struct json_writer *w, double value, int digits)
{
    char text[40];
    double rounded = value;
    if (isfinite(value)) {
        int length = snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (!text_parse_number(text, (size_t)length, &rounded) || rounded == 0)
            rounded = 0; /* and no "-0" */
    }
    json_put_number(w, rounded);
}

void put_member_figure(struct json_writer *w, const char *key, double value, int digits)
{
    json_put_key(w, key);
    put_figure(w, value, digits);
}

void put_figures(struct json_writer *w, const char *key, const double *values, size_t n, int digits)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        put_figure(w, values[i], digits);
    json_end_array(w);
}

void put_sizes(struct json_writer *w, const char *key, const size_t *values, size_t n)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_put_integer(w, (int64_t)values[i]);
    json_end_array(w);
}

void put_texts(struct json_writer *w, const char *key, const char *const *texts, size_t n)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_put_string(w, texts[i]);
    json_end_array(w);
}

void put_bounds(struct json_writer *w, struct interval interval)
{
    put_member_figure(w, "low", interval.low, 5);
    put_member_figure(w, "high", interval.high, 5);
}

void put_histogram(struct json_writer *w, const char *key, const struct histogram *histogram)
{
    json_put_key(w, key);
    json_begin_object(w);
    json_member_string(w, "scale", histogram->is_log ? "log" : "linear");
    put_figures(w, "edges", histogram->edges, histogram->n_bins ? histogram->n_bins + 1 : 0, 6);
    put_sizes(w, "counts", histogram->counts, histogram->n_bins);
    json_member_integer(w, "zeros", (int64_t)histogram->zeros);
    json_end_object(w);
}

void put_absent(struct json_writer *w, const char *key, const char *reason)
{
    json_put_key(w, key);
    json_begin_object(w);
    json_member_string(w, "absent", reason);
    json_end_object(w);
}
