/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The scorer from inside, for link_scores.c and link_spectral.c. */
#include "graph/links.h"

#define LINK_RANK 16

/* Neighbours of each node in one direction, ascending. */
struct lists {
    size_t *start;  /* [n + 1] */
    uint32_t *node; /* [m] */
};

/* A dense array of which few places are in use. */
struct sums {
    double *value;     /* [n] */
    uint32_t *touched; /* [n] of the places that are in use */
    bool *is_touched;  /* [n] */
    size_t n;
};

struct link_scorer {
    const struct graph *graph; /* borrowed */
    enum link_method method;
    struct lists out, in;
    struct sums alike, score, next;
    uint32_t *candidates;
    double *left, *right; /* [n][LINK_RANK]: the score is their product */
};

/* Fill left and right. */
enum status link_factorise(struct link_scorer *scorer, uint64_t seed, struct error *err);
