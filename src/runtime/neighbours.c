/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/neighbours.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "runtime/neighbours_layout.h"
#include "runtime/scratch.h"

/* The radii of a cell's first and last row, side by side for all cells: most cells are ruled out by
 * these two figures. Both are 0 for an empty cell. */
struct cell_bounds {
    float smallest, largest;
};

struct neighbours {
    size_t n, dim, k, n_tiles;
    const float *centres;
    const uint32_t *cells;
    const float *tiles;
    const uint32_t *rows;
    const float *radii;
    struct cell_bounds *bounds; /* [k], owned */
};

/* ---- opening ---- */

static enum status check_cell(const struct neighbours *index, size_t cell, uint8_t *seen,
                              const char **ret_wrong)
{
    *ret_wrong = NULL;
    size_t begin = (size_t)index->cells[cell] * NEIGHBOURS_LANES;
    size_t end = (size_t)index->cells[cell + 1] * NEIGHBOURS_LANES;
    float radius = 0;
    bool ended = false;
    for (size_t at = begin; at < end; at++) {
        uint32_t row = index->rows[at];
        if (!(index->radii[at] >= radius))
            *ret_wrong = "its radii do not ascend";
        radius = index->radii[at];
        if (row == NEIGHBOURS_NONE) {
            ended = true;
            continue;
        }
        if (row >= index->n || (seen[row / 8] >> row % 8 & 1))
            *ret_wrong = "a row number is out of range or stands twice";
        else if (ended)
            *ret_wrong = "it has a row behind its end";
        else
            seen[row / 8] |= (uint8_t)(1U << row % 8);
        if (*ret_wrong)
            return STATUS_CORRUPT;
    }
    return *ret_wrong ? STATUS_CORRUPT : STATUS_OK;
}

static enum status check_cells(const struct neighbours *index, const char *name, const char *prefix,
                               struct error *err)
{
    if (index->cells[0] != 0 || index->cells[index->k] != index->n_tiles)
        return fail(err, STATUS_CORRUPT, "%s: section '%s.cells': they do not cover all %zu tiles",
                    name, prefix, index->n_tiles);
    for (size_t c = 0; c < index->k; c++)
        if (index->cells[c] > index->cells[c + 1])
            return fail(err, STATUS_CORRUPT,
                        "%s: section '%s.cells': cell %zu ends before it begins", name, prefix, c);
    AUTO(free_slot) uint8_t *seen = calloc(index->n / 8 + 1, 1);
    if (!seen)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    for (size_t c = 0; c < index->k; c++) {
        const char *wrong;
        if (check_cell(index, c, seen, &wrong) != STATUS_OK)
            return fail(err, STATUS_CORRUPT, "%s: section '%s.rows': cell %zu: %s", name, prefix, c,
                        wrong);
    }
    for (size_t row = 0; row < index->n; row++)
        if (!(seen[row / 8] >> row % 8 & 1))
            return fail(err, STATUS_CORRUPT, "%s: section '%s.rows': row %zu is missing", name,
                        prefix, row);
    return STATUS_OK;
}

static enum status read_shape(const struct artifact *artifact, const char *prefix,
                              struct neighbours *index, struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, artifact_join(prefix, "shape").text, ARTIFACT_U64, 3, 1, &section,
                      err));
    const uint64_t *shape = section.data;
    if (shape[0] == 0 || shape[0] >= UINT32_MAX / 2 || shape[1] == 0 ||
        shape[1] > NEIGHBOURS_MAX_DIM || shape[2] == 0 || shape[2] > shape[0])
        return fail(err, STATUS_CORRUPT,
                    "%s: section '%s.shape': %llu rows, %llu dimensions, %llu cells",
                    artifact_name(artifact), prefix, (unsigned long long)shape[0],
                    (unsigned long long)shape[1], (unsigned long long)shape[2]);
    index->n = (size_t)shape[0];
    index->dim = (size_t)shape[1];
    index->k = (size_t)shape[2];
    return STATUS_OK;
}

static enum status bound_cells(struct neighbours *index, const char *name, struct error *err)
{
    index->bounds = calloc(index->k, sizeof *index->bounds);
    if (!index->bounds)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    for (size_t c = 0; c < index->k; c++) {
        size_t begin = (size_t)index->cells[c] * NEIGHBOURS_LANES;
        size_t end = (size_t)index->cells[c + 1] * NEIGHBOURS_LANES;
        if (begin < end)
            index->bounds[c] = (struct cell_bounds){index->radii[begin], index->radii[end - 1]};
    }
    return STATUS_OK;
}

enum status neighbours_open(const struct artifact *artifact, struct neighbours **ret_neighbours,
                            struct error *err)
{
    return neighbours_open_under(artifact, "neighbours", ret_neighbours, err);
}

enum status neighbours_open_under(const struct artifact *artifact, const char *prefix,
                                  struct neighbours **ret_neighbours, struct error *err)
{
    AUTO(neighbours_close_slot) struct neighbours *index = calloc(1, sizeof *index);
    if (!index)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    struct artifact_section section;
    TRY(read_shape(artifact, prefix, index, err));
    TRY(artifact_need(artifact, artifact_join(prefix, "centres").text, ARTIFACT_F32,
                      neighbours_tiles(index->k) * index->dim, NEIGHBOURS_LANES, &section, err));
    index->centres = section.data;
    TRY(artifact_need(artifact, artifact_join(prefix, "cells").text, ARTIFACT_U32, index->k + 1, 1,
                      &section, err));
    index->cells = section.data;
    TRY(artifact_need(artifact, artifact_join(prefix, "rows").text, ARTIFACT_U32, ARTIFACT_ANY,
                      NEIGHBOURS_LANES, &section, err));
    index->rows = section.data;
    index->n_tiles = section.rows;
    TRY(artifact_need(artifact, artifact_join(prefix, "radii").text, ARTIFACT_F32, index->n_tiles,
                      NEIGHBOURS_LANES, &section, err));
    index->radii = section.data;
    TRY(artifact_need(artifact, artifact_join(prefix, "tiles").text, ARTIFACT_F32,
                      index->n_tiles * index->dim, NEIGHBOURS_LANES, &section, err));
    index->tiles = section.data;
    TRY(check_cells(index, artifact_name(artifact), prefix, err));
    TRY(bound_cells(index, artifact_name(artifact), err));
    *ret_neighbours = STEAL(index);
    return STATUS_OK;
}

void neighbours_close(struct neighbours *neighbours)
{
    if (!neighbours)
        return;
    free(neighbours->bounds);
    free(neighbours);
}

size_t neighbours_n(const struct neighbours *neighbours)
{
    return neighbours->n;
}

size_t neighbours_dim(const struct neighbours *neighbours)
{
    return neighbours->dim;
}

/* ---- searching ---- */

/* The k best so far: a heap with the worst on top, in the caller's array; distances are squared
 * until the end. */
struct nearest {
    struct neighbour *heap;
    size_t n, k;
};

static bool is_worse(struct neighbour a, struct neighbour b)
{
    return a.distance > b.distance || (a.distance == b.distance && a.row > b.row);
}

static void sift_down(struct neighbour *heap, size_t n, size_t at)
{
    struct neighbour moved = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && is_worse(heap[child + 1], heap[child]))
            child++;
        if (!is_worse(heap[child], moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static void push(struct nearest *nearest, struct neighbour found)
{
    struct neighbour *heap = nearest->heap;
    if (nearest->n == nearest->k) {
        heap[0] = found;
        sift_down(heap, nearest->n, 0);
        return;
    }
    size_t at = nearest->n++;
    while (at > 0 && is_worse(found, heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = found;
}

/* The squared distance that a row must not exceed to be of interest. */
static float worst(const struct nearest *nearest)
{
    return nearest->n < nearest->k ? INFINITY : nearest->heap[0].distance;
}

static void sort_and_root(struct nearest *nearest)
{
    for (size_t n = nearest->n; n > 1; n--) {
        struct neighbour last = nearest->heap[n - 1];
        nearest->heap[n - 1] = nearest->heap[0];
        nearest->heap[0] = last;
        sift_down(nearest->heap, n - 1, 0);
    }
    for (size_t i = 0; i < nearest->n; i++)
        nearest->heap[i].distance = sqrtf(nearest->heap[i].distance);
}

struct search {
    const struct neighbours *index;
    const struct neighbours_query *query;
    struct nearest nearest;
    float limit; /* the distance that a row must not exceed to be of interest */
    float slack; /* relative error that a computed distance may have */
};

static void scan_tile(struct search *search, size_t tile)
{
    const struct neighbours *index = search->index;
    float squared[NEIGHBOURS_LANES];
    neighbours_tile_distances(index->tiles + tile * index->dim * NEIGHBOURS_LANES, search->query->x,
                              index->dim, squared);
    float most = worst(&search->nearest);
    unsigned any = 0;
    for (size_t lane = 0; lane < NEIGHBOURS_LANES; lane++)
        any |= squared[lane] <= most;
    if (!any)
        return;
    const uint32_t *rows = index->rows + tile * NEIGHBOURS_LANES;
    for (size_t lane = 0; lane < NEIGHBOURS_LANES && rows[lane] != NEIGHBOURS_NONE; lane++) {
        const struct neighbour found = {rows[lane], squared[lane]};
        struct nearest *nearest = &search->nearest;
        if (nearest->n == nearest->k && !is_worse(nearest->heap[0], found))
            continue;
        if (search->query->filter && !search->query->filter(search->query->user, rows[lane]))
            continue;
        push(nearest, found);
    }
    search->limit = sqrtf(worst(&search->nearest));
}

/* The tile's rows have radii from its first to its last. By the triangle inequality none is nearer
 * to the query than its radius differs from the query's distance to the centroid; the slack keeps
 * the rounding of the three distances from cutting off what is exactly at the limit. */
static inline bool is_too_low(const struct search *search, float radius, float distance)
{
    float slack = search->slack;
    return (distance * (1 - slack) - radius * (1 + slack)) * (1 - slack) > search->limit;
}

static inline bool is_too_high(const struct search *search, float radius, float distance)
{
    float slack = search->slack;
    return (radius * (1 - slack) - distance * (1 + slack)) * (1 - slack) > search->limit;
}

static void scan_cell(struct search *search, size_t cell, float distance)
{
    const struct neighbours *index = search->index;
    const struct cell_bounds *bounds = &index->bounds[cell];
    if (is_too_low(search, bounds->largest, distance) ||
        is_too_high(search, bounds->smallest, distance))
        return;
    size_t end = index->cells[cell + 1];
    /* Skip the tiles whose last, largest radius is too low. */
    size_t low = index->cells[cell];
    size_t high = end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        float largest = index->radii[middle * NEIGHBOURS_LANES + NEIGHBOURS_LANES - 1];
        if (is_too_low(search, largest, distance))
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t tile = low; tile < end; tile++) {
        if (is_too_high(search, index->radii[tile * NEIGHBOURS_LANES], distance))
            break;
        scan_tile(search, tile);
    }
}

/* The first cells are taken in the order of the distance of their centroids, from a heap with the
 * nearest on top. After these the limit hardly falls, and the rest is gone through as it lies: most
 * of it is ruled out, which costs less than order. */
#define NEAREST_CELLS 8

struct cell_distance {
    float distance;
    uint32_t cell;
};

static bool is_nearer(struct cell_distance a, struct cell_distance b)
{
    return a.distance < b.distance || (a.distance == b.distance && a.cell < b.cell);
}

static void sink(struct cell_distance *heap, size_t n, size_t at)
{
    struct cell_distance moved = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && is_nearer(heap[child + 1], heap[child]))
            child++;
        if (!is_nearer(heap[child], moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static void measure_cells(const struct search *search, struct cell_distance *ret_heap)
{
    const struct neighbours *index = search->index;
    for (size_t tile = 0; tile < neighbours_tiles(index->k); tile++) {
        float squared[NEIGHBOURS_LANES];
        neighbours_tile_distances(index->centres + tile * index->dim * NEIGHBOURS_LANES,
                                  search->query->x, index->dim, squared);
        for (size_t lane = 0; lane < NEIGHBOURS_LANES; lane++) {
            size_t cell = tile * NEIGHBOURS_LANES + lane;
            if (cell < index->k)
                ret_heap[cell] = (struct cell_distance){sqrtf(squared[lane]), (uint32_t)cell};
        }
    }
    for (size_t at = index->k / 2; at-- > 0;)
        sink(ret_heap, index->k, at);
}

NEIGHBOURS_WIDE
size_t neighbours_search(const struct neighbours *neighbours, const struct neighbours_query *query,
                         void *scratch, struct neighbour *ret)
{
    if (query->k == 0)
        return 0;
    struct search search = {
        .index = neighbours,
        .query = query,
        .nearest = {.heap = ret, .k = query->k},
        .limit = INFINITY,
        .slack = (float)(neighbours->dim + 8) * 0x1p-23F,
    };
    /* Where sums of squares could overflow the bounds mean nothing: NaN makes none of them hold. */
    for (size_t d = 0; d < neighbours->dim; d++)
        if (!(fabsf(query->x[d]) <= NEIGHBOURS_MAX_VALUE))
            search.slack = NAN;
    struct cell_distance *heap = scratch;
    measure_cells(&search, heap);
    size_t n = neighbours->k;
    for (size_t i = 0; i < NEAREST_CELLS && n > 0; i++, n--) {
        struct cell_distance next = heap[0];
        heap[0] = heap[n - 1];
        sink(heap, n - 1, 0);
        scan_cell(&search, next.cell, next.distance);
    }
    for (size_t i = 0; i < n; i++)
        scan_cell(&search, heap[i].cell, heap[i].distance);
    sort_and_root(&search.nearest);
    return search.nearest.n;
}

size_t neighbours_scratch_bytes(const struct neighbours *neighbours)
{
    return scratch_align(neighbours->k * sizeof(struct cell_distance));
}
