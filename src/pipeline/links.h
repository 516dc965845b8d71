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

/* How links are judged. */
struct links_protocol {
    double holdout;   /* share of the links, in (0, 0.5] */
    size_t n_repeats; /* repeat r has the seed + r */
    uint64_t seed;
};

struct link_assessment {
    double auc, auc_sd; /* over repeats, of what each chose by its training links */
    double precision;   /* see link_figures */
    double mean[LINK_N_METHODS], sd[LINK_N_METHODS]; /* AUC of each method */
    size_t n_chosen[LINK_N_METHODS];
    enum link_method method; /* chosen most often: for suggestions */
    size_t n_held, n_unseen; /* of the first repeat */
};

/* links_evaluate(), repeated. */
enum status links_assess(const struct graph *graph, const struct links_protocol *protocol,
                         struct link_assessment *ret_assessment, struct error *err);

struct links_input {
    const char *const *files; /* of edges */
    size_t n_files;
    const char *kinds; /* NULL: all; or a list: "follow,tag" */
    struct links_protocol protocol;
    size_t n_suggestions;
    struct progress progress;
};

struct links_result {
    struct import_report *imported;
    struct edges *edges; /* owns the names */
    struct graph *graph;
    size_t n_of_kind[N_EDGE_KINDS];
    struct links_protocol protocol;
    struct link_assessment assessed;
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
