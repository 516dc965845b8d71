/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the edges of each account add up to, by kind and direction. Accounts are counted once,
 * however many edges they have and also those that the table lacks: exactly up to 256, by a sketch
 * beyond (distinct.h). Reciprocity is exact, over edges between accounts of the table. */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "dataset/distinct.h"
#include "dataset/edges.h"
#include "dataset/tag_sketch.h"
#include "profile/profile.h"

enum {
    EDGE_IN,
    EDGE_OUT,
    N_EDGE_DIRECTIONS
};

struct edge_account; /* of one account */

struct edge_figures {
    struct edge_account **accounts; /* [n_rows], NULL: no edge; owned, with what they point to */
    size_t n_rows;
    bool seen[N_EDGE_DIRECTIONS][N_EDGE_KINDS]; /* some row has an edge of the kind */
};

enum status edge_figures_init(struct edge_figures *figures, size_t n_rows, struct error *err);
void edge_figures_deinit(struct edge_figures *figures);

/* Adds an edge to both its ends. */
enum status edge_figures_add(struct edge_figures *figures, const struct edge_row *edge,
                             struct error *err);

/* The numbers of a row as fields of fields.def (edges_in ... brand_links), but for
 * edge_reciprocity. What no edge of the files can tell is missing, not 0. */
void edge_figures_get(const struct edge_figures *figures, size_t row,
                      double ret_number[static PROFILE_N_NUMBERS]);

/* The brands that a row tags; NULL: none. */
struct tag_sketch *edge_figures_brands(const struct edge_figures *figures, size_t row);

/* ret_reciprocity: [n_rows] share of the accounts that it has an edge to which have one to it, of
 * any kind but brand; NaN without an edge. edges: sorted, as edges_load() leaves them. */
void edge_reciprocity(const struct edges *edges, double *ret_reciprocity);
