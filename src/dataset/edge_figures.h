/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the edges of each account add up to. Accounts are counted once, however many edges they have
 * and also those that the table lacks: exactly up to 256, by a sketch beyond (distinct.h).
 * Reciprocity is exact, over edges between accounts of the table. */
#include <stddef.h>

#include "base/status.h"
#include "dataset/distinct.h"
#include "dataset/edges.h"
#include "dataset/tag_sketch.h"
#include "profile/profile.h"

struct edge_figures {
    struct distinct in, out;                  /* who comments, tags, mentions, follows or else */
    struct distinct comments_in, mentions_in; /* who comments; who tags or mentions */
    struct distinct brands;
    struct tag_sketch brand_names;
};

void edge_figures_deinit(struct edge_figures *figures);

/* figures: [n_rows]. Adds an edge to both its ends. */
enum status edge_figures_add(struct edge_figures *figures, const struct edge_row *edge,
                             struct error *err);

/* The numbers as fields of fields.def (edges_in ... brand_links), but for edge_reciprocity. */
void edge_figures_get(const struct edge_figures *figures,
                      double ret_number[static PROFILE_N_NUMBERS]);

/* ret_reciprocity: [n_rows] share of the accounts that it has an edge to which have one to it, of
 * any kind but brand; NaN without an edge. edges: sorted, as edges_load() leaves them. */
void edge_reciprocity(const struct edges *edges, double *ret_reciprocity);
