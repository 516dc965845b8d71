/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/isolation.h"

#include <math.h>

#include "features/composite.h"
#include "profile/profile.h"
#include "runtime/grid.h"

#define SECTION "similar.isolation"

static double mean_distance(const struct neighbour *found, size_t n)
{
    size_t n_counted = n < ISOLATION_NEIGHBOURS ? n : ISOLATION_NEIGHBOURS;
    double sum = 0;
    for (size_t i = 0; i < n_counted; i++)
        sum += (double)found[i].distance;
    return n_counted > 0 ? sum / (double)n_counted : MISSING;
}

struct isolation isolation_of(const float *grid, const struct neighbour *found, size_t n)
{
    double distance = mean_distance(found, n);
    return (struct isolation){distance, composite_percentile(grid, ISOLATION_GRID, distance)};
}

enum status isolation_write(struct artifact_writer *writer, const struct own_neighbours *own,
                            const struct neighbour_rows *rows, struct error *err)
{
    double distance[ISOLATION_MAX_ROWS];
    float grid[ISOLATION_GRID];
    if (rows->n < 2)
        return STATUS_OK;
    size_t n = rows->n < ISOLATION_MAX_ROWS ? rows->n : ISOLATION_MAX_ROWS;
    for (size_t i = 0; i < n; i++) {
        struct neighbour found[ISOLATION_NEIGHBOURS];
        size_t n_found = own_neighbours_of_row(own, rows, (uint32_t)(i * rows->n / n),
                                               ISOLATION_NEIGHBOURS, found);
        distance[i] = mean_distance(found, n_found);
    }
    composite_make_grid(distance, n, grid, ISOLATION_GRID);
    return grid_add(writer, SECTION, 1, ISOLATION_GRID, grid, err);
}

enum status isolation_open(const struct artifact *artifact, const float **ret_grid,
                           struct error *err)
{
    struct artifact_section section;
    if (artifact_find(artifact, SECTION, &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    return grid_need(artifact, SECTION, 1, ISOLATION_GRID, ret_grid, err);
}
