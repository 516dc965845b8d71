/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence links`: how well links that were held out can be told from pairs that are no link, and
 * which links to suggest. */
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "base/progress.h"
#include "dataset/edges.h"
#include "graph/links.h"

struct links_input {
    const char *const *files; /* of edges */
    size_t n_files;
    const char *kinds; /* NULL: all; or a list: "follow,tag" */
    double holdout;    /* share of the links, in (0, 0.5] */
    size_t n_repeats;  /* 1..100; repeat r has the seed + r */
    uint64_t seed;
    size_t n_suggestions;
    struct progress progress;
};

struct links_result {
    struct import_report *imported;
    struct edges *edges; /* owns the names */
    struct graph *graph;
    size_t n_of_kind[N_EDGE_KINDS];
    double holdout;
    size_t n_repeats;
    uint64_t seed;
    struct link_figures *figures; /* [n_repeats] */
    double auc, auc_sd;           /* of what each repeat chose by its training links */
    double precision;
    double mean[LINK_N_METHODS], sd[LINK_N_METHODS]; /* AUC of each method over the repeats */
    size_t n_chosen[LINK_N_METHODS];
    enum link_method method; /* of the suggestions: the one chosen most often */
    struct link_suggestion *suggestions;
    size_t n_suggestions;
};

/* STATUS_INVALID: no table of edges, a kind that does not exist or does not occur, too few links.
 */
enum status links_run(const struct links_input *input, struct links_result **ret_result,
                      struct error *err);
void links_result_free(struct links_result *result);
DEFINE_SLOT(links_result_free, struct links_result)

void links_print(const struct links_result *result, FILE *out);
void links_put_json(const struct links_result *result, struct json_writer *w);
