/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files of edges, who has to do with whom, joined to a table of profiles by handle: streamed row by
 * row (edges_each), and those between accounts of the table as a list (edges_load). */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/progress.h"
#include "base/status.h"
#include "dataset/handles.h"
#include "dataset/import.h"

enum edge_kind {
    EDGE_COMMENT, /* the source comments on posts of the target */
    EDGE_TAG,     /* tags it */
    EDGE_MENTION, /* mentions it */
    EDGE_FOLLOW,  /* follows it */
    EDGE_BRAND,   /* tags a brand's account */
    EDGE_OTHER,   /* the file does not say */
    N_EDGE_KINDS
};
extern const char *const edge_kind_names[N_EDGE_KINDS]; /* "comment", "tag", ... */

struct edges_input {
    const char *const *files; /* [n_files] */
    size_t n_files;
    const struct handles *handles; /* of the table; borrowed */
    struct progress progress;
};

/* One row of a file. At least one end is in the table, unless keep_outside was asked for. */
struct edge_row {
    enum edge_kind kind;
    double weight;                             /* > 0; 1 where the file has none */
    uint32_t source, target;                   /* rows of the table, or HANDLE_NONE */
    const char *source_handle, *target_handle; /* folded; borrowed for the call */
};

/* A status other than STATUS_OK ends the reading and is returned. */
typedef enum status (*edge_function)(void *user, const struct edge_row *edge, struct error *err);

/* Read all files; report as for posts_each(). Edges from an account to itself are set aside.
 * STATUS_INVALID: no table of edges (it needs two columns of accounts: source and target, follower
 * and followed, or influencer and brand); STATUS_NOT_FOUND: no such file. */
enum status edges_each(const struct edges_input *input, edge_function on_edge, void *user,
                       struct import_report *report, struct error *err);

/* ---- the list ---- */

struct edge {
    uint32_t source, target; /* rows of the table; from n_rows on: n_rows + index into outside[] */
    float weight;            /* of all rows of the same two accounts and kind together */
    uint32_t kind;           /* enum edge_kind */
};

struct edges_options {
    size_t max_edges;   /* different ones; 0: 50 million */
    size_t max_outside; /* keep as many accounts that the table lacks; 0: none */
};

struct edges {
    struct arena memory; /* owns the names */
    struct edge *list;   /* [n] by source, target, kind; no two alike; owned */
    size_t n;
    size_t n_rows;              /* of the table */
    const char *const *outside; /* [n_outside] folded handles, in the order of the files */
    size_t n_outside;
};

/* Edges between accounts of the table and, where asked for, with those outside. STATUS_LIMIT: more
 * edges than wanted; accounts outside beyond max_outside are left out without a word. Memory: 16
 * bytes an edge, twice that while it is sorted. */
enum status edges_load(const struct edges_input *input, const struct edges_options *options,
                       struct import_report *report, struct edges **ret_edges, struct error *err);
void edges_free(struct edges *edges);
DEFINE_SLOT(edges_free, struct edges)
