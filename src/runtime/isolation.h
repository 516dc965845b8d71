/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How far a profile is from the catalogued accounts nearest to it, beside how far those are from
 * theirs: novelty by the company it keeps. Novelty of the score is how far a profile is from the
 * middle; this one also sees the gap between two crowds. */
#include "artifact/artifact.h"
#include "runtime/own_neighbours.h"

#define ISOLATION_NEIGHBOURS 5  /* whose mean distance it is */
#define ISOLATION_GRID 101      /* percentiles 0, 1, ... 100 */
#define ISOLATION_MAX_ROWS 4000 /* that the percentiles are of */

struct isolation {
    double distance;   /* mean, to the nearest; NaN: there are none */
    double percentile; /* 0..100 among the catalogued accounts' own; near 100: beyond them */
};

/* Of neighbours [n] found without the profile's own account; up to ISOLATION_NEIGHBOURS count.
 * grid: isolation_open(). */
struct isolation isolation_of(const float *grid, const struct neighbour *found, size_t n);

/* Section "similar.isolation" f32 [1][ISOLATION_GRID]: of the rows that `own` is of, or
 * ISOLATION_MAX_ROWS of them evenly drawn. With fewer than 2 rows nothing is written. */
enum status isolation_write(struct artifact_writer *writer, const struct own_neighbours *own,
                            const struct neighbour_rows *rows, struct error *err);

/* STATUS_NOT_FOUND without a message: a blob without. */
enum status isolation_open(const struct artifact *artifact, const float **ret_grid,
                           struct error *err);
