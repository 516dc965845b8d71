/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/projection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A column that fewer rows have would cost more points than it is worth. */
#define PRESENT_SHARE 0.8

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* total_likes is left out (posts times avg_likes), and what is derived from the rest. */
static bool takes_part(const struct frame *frame, const struct number_quality *quality)
{
    static const char *const names[] = {
        "followers",       "following",           "posts",          "avg_likes",
        "avg_comments",    "avg_views",           "avg_engagement", "recent_avg_likes",
        "engagement_rate", "authentic_engagement"};
    if (quality->n_distinct < 2 ||
        (double)quality->summary.n < PRESENT_SHARE * (double)frame->n_rows)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(quality->column->name, names[i]) == 0)
            return true;
    return false;
}

/* The row's figures, as logarithms where skewed; false when one is missing. */
static bool take_row(const struct projection *projection, size_t row, double *ret_values)
{
    for (size_t j = 0; j < projection->n_columns; j++) {
        double x = projection->columns[j]->column->values[row];
        ret_values[j] = quality_scaled(projection->columns[j], x);
        if (isnan(x))
            return false;
    }
    return true;
}

static enum status fit(const struct frame *frame, struct arena *memory,
                       struct projection *projection, struct error *err)
{
    size_t p = projection->n_columns, n = 0;
    AUTO(free_slot) double *x = calloc(frame->n_rows + 1, p * sizeof *x);
    if (!x)
        return no_memory(err);
    for (size_t row = 0; row < frame->n_rows; row++)
        n += take_row(projection, row, x + n * p);
    if (n < PROJECTION_MIN_ROWS) {
        projection->absent = "fewer than 10 rows have all the figures";
        return STATUS_OK;
    }
    return pca_fit(x, n, p, 2, memory, &projection->pca, err);
}

enum status projection_compute(const struct frame *frame, const struct quality *quality,
                               const struct sample *sample, struct arena *memory,
                               struct projection *ret_projection, struct error *err)
{
    struct projection projection = {.absent = sample->absent};
    for (size_t i = 0; i < frame->n_numbers; i++)
        if (projection.n_columns < PROJECTION_MAX_COLUMNS &&
            takes_part(frame, &quality->numbers[i]))
            projection.columns[projection.n_columns++] = &quality->numbers[i];
    if (!projection.absent && projection.n_columns < 3)
        projection.absent = "a projection needs three figures that most rows have";
    if (!projection.absent)
        TRY(fit(frame, memory, &projection, err));
    projection.x = ARENA_ARRAY(memory, double, sample->n + 1);
    projection.y = ARENA_ARRAY(memory, double, sample->n + 1);
    if (!projection.x || !projection.y)
        return no_memory(err);
    for (size_t i = 0; !projection.absent && i < sample->n; i++) {
        double values[PROJECTION_MAX_COLUMNS], scores[2] = {MISSING, MISSING};
        if (take_row(&projection, sample->rows[i], values))
            pca_project(&projection.pca, values, scores);
        projection.x[i] = scores[0];
        projection.y[i] = scores[1];
    }
    *ret_projection = projection;
    return STATUS_OK;
}
