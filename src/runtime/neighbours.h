/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Exact nearest neighbours by pruned cells: rows are grouped by the nearest of about sqrt(n)
 * centroids, and a cell is skipped when the triangle inequality shows that nothing in it can be
 * among the k nearest (Elkan 2003, lemma 1, on cells). Exact by construction: what changes with the
 * cells is time, not answers. Rows are numbered as the caller numbered them; ties are broken by the
 * lower row. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/rng.h"

struct neighbours;

/* Build cells over rows [n][dim] and write the index; deterministic by seed. */
enum status neighbours_write(struct artifact_writer *writer, const float *rows, size_t n,
                             size_t dim, uint64_t seed, struct error *err);
enum status neighbours_open(const struct artifact *artifact, struct neighbours **ret_neighbours,
                            struct error *err);

/* The same under another prefix, of at most 12 characters, than "neighbours": for blobs that hold
 * more than one index. x: [n][dim]. */
struct neighbour_rows {
    const float *x;
    size_t n, dim;
};
enum status neighbours_write_under(struct artifact_writer *writer, const char *prefix,
                                   const struct neighbour_rows *rows, uint64_t seed,
                                   struct error *err);
enum status neighbours_open_under(const struct artifact *artifact, const char *prefix,
                                  struct neighbours **ret_neighbours, struct error *err);
void neighbours_close(struct neighbours *neighbours);
DEFINE_SLOT(neighbours_close, struct neighbours)

size_t neighbours_n(const struct neighbours *neighbours);
size_t neighbours_dim(const struct neighbours *neighbours);

struct neighbour {
    uint32_t row;
    float distance; /* Euclidean */
};

/* Decides whether a row may be in the answer. */
typedef bool (*neighbours_filter)(void *user, uint32_t row);

struct neighbours_query {
    const float *x; /* [dim], finite */
    size_t k;
    neighbours_filter filter; /* NULL: all rows may be in the answer */
    void *user;               /* handed to the filter */
};

/* The k nearest rows that pass the filter, nearest first; returns how many there are (fewer than k
 * only when fewer pass). ret: [k]. scratch: neighbours_scratch_bytes(). No allocation. */
size_t neighbours_search(const struct neighbours *neighbours, const struct neighbours_query *query,
                         void *scratch, struct neighbour *ret);
size_t neighbours_scratch_bytes(const struct neighbours *neighbours);
