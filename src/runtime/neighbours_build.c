/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/neighbours.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/neighbours_layout.h"

#define MAX_CELLS 4096
#define SAMPLE_PER_CELL 64
#define ITERATIONS 8

struct building {
    const float *rows; /* [n][dim] */
    size_t n, dim, k;
    float *centres;  /* tiles of k centroids */
    uint32_t *cell;  /* [n] the nearest centroid; ties: the lower */
    float *radius;   /* [n] distance to it */
    uint32_t *order; /* [n] rows by cell, radius, number */
};

static void deinit_building(struct building *b)
{
    free(b->centres);
    free(b->cell);
    free(b->radius);
    free(b->order);
}

static float *centre_value(const struct building *b, size_t centre, size_t d)
{
    return &b->centres[(centre / NEIGHBOURS_LANES * b->dim + d) * NEIGHBOURS_LANES +
                       centre % NEIGHBOURS_LANES];
}

NEIGHBOURS_WIDE
static uint32_t nearest_centre(const struct building *b, const float *row, float *ret_squared)
{
    uint32_t nearest = 0;
    float best = INFINITY;
    for (size_t tile = 0; tile < neighbours_tiles(b->k); tile++) {
        float squared[NEIGHBOURS_LANES];
        neighbours_tile_distances(b->centres + tile * b->dim * NEIGHBOURS_LANES, row, b->dim,
                                  squared);
        for (size_t lane = 0; lane < NEIGHBOURS_LANES; lane++) {
            size_t centre = tile * NEIGHBOURS_LANES + lane;
            if (centre < b->k && squared[lane] < best) {
                best = squared[lane];
                nearest = (uint32_t)centre;
            }
        }
    }
    *ret_squared = best;
    return nearest;
}

static void set_centre(struct building *b, size_t centre, const float *row)
{
    for (size_t d = 0; d < b->dim; d++)
        *centre_value(b, centre, d) = row[d];
}

/* One step of Lloyd's algorithm over a sample of rows. An empty cell keeps its centroid: cells only
 * have to cover the rows well, not best. */
static void refine_centres(struct building *b, const size_t *sample, size_t n_sample, double *sum,
                           size_t *count)
{
    memset(sum, 0, b->k * b->dim * sizeof *sum);
    memset(count, 0, b->k * sizeof *count);
    for (size_t s = 0; s < n_sample; s++) {
        const float *row = b->rows + sample[s] * b->dim;
        float squared;
        uint32_t centre = nearest_centre(b, row, &squared);
        count[centre]++;
        for (size_t d = 0; d < b->dim; d++)
            sum[centre * b->dim + d] += (double)row[d];
    }
    for (size_t c = 0; c < b->k; c++)
        for (size_t d = 0; d < b->dim && count[c] > 0; d++)
            *centre_value(b, c, d) = (float)(sum[c * b->dim + d] / (double)count[c]);
}

/* k-means on a sample, begun at k random rows. */
static enum status place_centres(struct building *b, uint64_t seed, struct error *err)
{
    size_t n_sample = b->k * SAMPLE_PER_CELL < b->n ? b->k * SAMPLE_PER_CELL : b->n;
    AUTO(free_slot) size_t *permutation = calloc(b->n, sizeof *permutation);
    AUTO(free_slot) double *sum = calloc(b->k * b->dim, sizeof *sum);
    AUTO(free_slot) size_t *count = calloc(b->k, sizeof *count);
    if (!permutation || !sum || !count)
        return fail(err, STATUS_NO_MEMORY, "neighbours: out of memory");
    struct rng rng = rng_seed(seed);
    rng_permutation(&rng, permutation, b->n);
    for (size_t c = 0; c < b->k; c++)
        set_centre(b, c, b->rows + permutation[c] * b->dim);
    for (int i = 0; i < ITERATIONS; i++)
        refine_centres(b, permutation, n_sample, sum, count);
    return STATUS_OK;
}

static int compare_rows(const void *a, const void *b, void *user)
{
    const struct building *building = user;
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    if (building->cell[x] != building->cell[y])
        return building->cell[x] < building->cell[y] ? -1 : 1;
    if (building->radius[x] != building->radius[y])
        return building->radius[x] < building->radius[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void assign_rows(struct building *b)
{
    for (size_t i = 0; i < b->n; i++) {
        float squared;
        b->cell[i] = nearest_centre(b, b->rows + i * b->dim, &squared);
        b->radius[i] = sqrtf(squared);
        b->order[i] = (uint32_t)i;
    }
    qsort_r(b->order, b->n, sizeof b->order[0], compare_rows, b);
}

/* ---- the sections ---- */

struct sections {
    uint32_t *cells, *rows;
    float *tiles, *radii;
};

static void deinit_sections(struct sections *s)
{
    free(s->cells);
    free(s->rows);
    free(s->tiles);
    free(s->radii);
}

/* The first tile of each cell; returns how many tiles there are. */
static size_t place_cells(const struct building *b, uint32_t *ret_cells)
{
    size_t tiles = 0;
    size_t i = 0;
    for (size_t c = 0; c < b->k; c++) {
        ret_cells[c] = (uint32_t)tiles;
        size_t begin = i;
        while (i < b->n && b->cell[b->order[i]] == c)
            i++;
        tiles += neighbours_tiles(i - begin);
    }
    ret_cells[b->k] = (uint32_t)tiles;
    return tiles;
}

static void fill_tiles(const struct building *b, struct sections *s)
{
    size_t i = 0;
    for (size_t c = 0; c < b->k; c++) {
        float radius = 0;
        for (size_t at = (size_t)s->cells[c] * NEIGHBOURS_LANES;
             at < (size_t)s->cells[c + 1] * NEIGHBOURS_LANES; at++) {
            bool filled = i < b->n && b->cell[b->order[i]] == c;
            s->rows[at] = filled ? b->order[i] : NEIGHBOURS_NONE;
            if (filled) {
                radius = b->radius[b->order[i]];
                const float *row = b->rows + (size_t)b->order[i] * b->dim;
                float *tile = s->tiles + at / NEIGHBOURS_LANES * b->dim * NEIGHBOURS_LANES;
                for (size_t d = 0; d < b->dim; d++)
                    tile[d * NEIGHBOURS_LANES + at % NEIGHBOURS_LANES] = row[d];
                i++;
            }
            s->radii[at] = radius;
        }
    }
}

static enum status write_sections(struct artifact_writer *writer, const char *prefix,
                                  const struct building *b, struct error *err)
{
    AUTO(deinit_sections) struct sections s = {.cells = calloc(b->k + 1, sizeof *s.cells)};
    if (!s.cells)
        return fail(err, STATUS_NO_MEMORY, "neighbours: out of memory");
    size_t n_tiles = place_cells(b, s.cells);
    s.rows = calloc(n_tiles * NEIGHBOURS_LANES, sizeof *s.rows);
    s.radii = calloc(n_tiles * NEIGHBOURS_LANES, sizeof *s.radii);
    s.tiles = calloc(n_tiles * b->dim * NEIGHBOURS_LANES, sizeof *s.tiles);
    if (!s.rows || !s.radii || !s.tiles)
        return fail(err, STATUS_NO_MEMORY, "neighbours: out of memory");
    fill_tiles(b, &s);
    const uint64_t shape[] = {b->n, b->dim, b->k};
    TRY(artifact_add(writer, artifact_join(prefix, "shape").text, ARTIFACT_U64, 3, 1, shape, err));
    TRY(artifact_add(writer, artifact_join(prefix, "centres").text, ARTIFACT_F32,
                     neighbours_tiles(b->k) * b->dim, NEIGHBOURS_LANES, b->centres, err));
    TRY(artifact_add(writer, artifact_join(prefix, "cells").text, ARTIFACT_U32, b->k + 1, 1,
                     s.cells, err));
    TRY(artifact_take(writer, artifact_join(prefix, "tiles").text, ARTIFACT_F32, n_tiles * b->dim,
                      NEIGHBOURS_LANES, STEAL(s.tiles), err));
    TRY(artifact_add(writer, artifact_join(prefix, "rows").text, ARTIFACT_U32, n_tiles,
                     NEIGHBOURS_LANES, s.rows, err));
    return artifact_add(writer, artifact_join(prefix, "radii").text, ARTIFACT_F32, n_tiles,
                        NEIGHBOURS_LANES, s.radii, err);
}

enum status neighbours_write(struct artifact_writer *writer, const float *rows, size_t n,
                             size_t dim, uint64_t seed, struct error *err)
{
    return neighbours_write_under(writer, "neighbours", &(struct neighbour_rows){rows, n, dim},
                                  seed, err);
}

enum status neighbours_write_under(struct artifact_writer *writer, const char *prefix,
                                   const struct neighbour_rows *all, uint64_t seed,
                                   struct error *err)
{
    const float *rows = all->x;
    size_t n = all->n;
    size_t dim = all->dim;
    if (n == 0 || n >= UINT32_MAX / 2 || dim == 0 || dim > NEIGHBOURS_MAX_DIM)
        return fail(err, STATUS_INVALID, "neighbours: %zu rows of %zu dimensions cannot be indexed",
                    n, dim);
    for (size_t i = 0; i < n * dim; i++)
        if (!(fabsf(rows[i]) <= NEIGHBOURS_MAX_VALUE))
            return fail(err, STATUS_INVALID, "neighbours: row %zu: %g is not a usable value",
                        i / dim, (double)rows[i]);
    size_t k = (size_t)sqrt((double)n);
    AUTO(deinit_building)
    struct building b = {
        .rows = rows,
        .n = n,
        .dim = dim,
        .k = k < MAX_CELLS ? k : MAX_CELLS,
        .cell = calloc(n, sizeof(uint32_t)),
        .radius = calloc(n, sizeof(float)),
        .order = calloc(n, sizeof(uint32_t)),
    };
    b.centres = calloc(neighbours_tiles(b.k) * dim * NEIGHBOURS_LANES, sizeof *b.centres);
    if (!b.cell || !b.radius || !b.order || !b.centres)
        return fail(err, STATUS_NO_MEMORY, "neighbours: out of memory");
    TRY(place_centres(&b, seed, err));
    assign_rows(&b);
    return write_sections(writer, prefix, &b, err);
}
