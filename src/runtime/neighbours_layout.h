/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The index's sections, for neighbours_build.c and neighbours.c.
 *
 *   neighbours.shape    u64 [3]                       n, dim, k
 *   neighbours.centres  f32 [tiles(k) * dim][16]      the k centroids, in tiles
 *   neighbours.cells    u32 [k + 1]                   the first tile of each cell
 *   neighbours.tiles    f32 [n_tiles * dim][16]       the rows, by cell, in tiles
 *   neighbours.rows     u32 [n_tiles][16]             their numbers; NEIGHBOURS_NONE: no row here
 *   neighbours.radii    f32 [n_tiles][16]             their distances to their cell's centroid
 *
 * A tile holds 16 rows, turned: dimension by dimension the values of all 16, so that one loop over
 * the lanes computes 16 distances side by side and each row's sum is taken in the order of the
 * dimensions, on every machine. Within a cell the rows ascend by radius, so that a search needs the
 * run of tiles whose radii lie near the query's own distance to the centroid; what is not filled of
 * a cell's last tile has the radius of its last row. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define NEIGHBOURS_LANES 16
#define NEIGHBOURS_NONE UINT32_MAX
#define NEIGHBOURS_MAX_DIM 1024

/* Values beyond this could overflow in a sum of squares. */
#define NEIGHBOURS_MAX_VALUE 1e15F

/* Compiles a function, with all that it calls, once more for machines that have AVX2; which one
 * runs is decided when the program is loaded. Neither fuses multiply and add, and lanes are summed
 * alike: the answers are the same to the last bit. (The thread sanitizer is not up yet at that
 * time.) */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define NEIGHBOURS_WIDE __attribute__((target_clones("avx2", "default"), flatten))
#else
#define NEIGHBOURS_WIDE
#endif

static inline size_t neighbours_tiles(size_t n)
{
    return (n + NEIGHBOURS_LANES - 1) / NEIGHBOURS_LANES;
}

/* Squared distances of x to the 16 rows of a tile. The one place where a distance is computed:
 * building and searching round alike. */
static inline void neighbours_tile_distances(const float *tile, const float *x, size_t dim,
                                             float ret_squared[static NEIGHBOURS_LANES])
{
    float sum[NEIGHBOURS_LANES] = {0};
    for (size_t d = 0; d < dim; d++) {
        for (size_t lane = 0; lane < NEIGHBOURS_LANES; lane++) {
            float difference = x[d] - tile[d * NEIGHBOURS_LANES + lane];
            sum[lane] += difference * difference;
        }
    }
    for (size_t lane = 0; lane < NEIGHBOURS_LANES; lane++)
        ret_squared[lane] = sum[lane];
}
