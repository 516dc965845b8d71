/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which link comes next: scores of pairs that are not joined yet, and how well such scores tell
 * links held out from pairs drawn at random. Arcs run from sources (followers, influencers) to
 * targets (the followed, brands); an account may be both. Of an undirected graph each edge runs
 * both ways.
 */
#include "graph/graph.h"

enum link_method {
    LINK_POPULARITY,  /* in-degree of the target: the baseline */
    LINK_COMMON,      /* Adamic and Adar 2003: common neighbours, rare ones count more */
    LINK_RECIPROCAL,  /* whether the target links to the source, then LINK_USER_COSINE */
    LINK_ITEM_COSINE, /* likeness of the target to the source's other targets */
    LINK_USER_COSINE, /* how much sources like this one link to the target */
    LINK_RESOURCE,    /* Zhou et al. 2007: resource passed source, target, source, target */
    LINK_HYBRID,      /* Zhou et al. 2010: the same, popular targets damped by in-degree ^ 1/2 */
    LINK_WALK, /* random walk with restart (0.15) from the source, 6 steps, undirected; shares below
                1e-4 are not followed (as Andersen, Chung and Lang 2006) */
    LINK_SPECTRAL, /* rank-16 approximation of the degree-normalised adjacency matrix */
    LINK_N_METHODS
};

extern const char *const link_method_names[LINK_N_METHODS];
extern const char *const link_method_help[LINK_N_METHODS];

struct link_scorer;

/* Borrows the graph. Deterministic by seed, which LINK_SPECTRAL alone uses. */
enum status link_scorer_new(const struct graph *graph, enum link_method method, uint64_t seed,
                            struct link_scorer **ret_scorer, struct error *err);
void link_scorer_free(struct link_scorer *scorer);
DEFINE_SLOT(link_scorer_free, struct link_scorer)

/* ret_score: [n], larger is likelier; comparable over sources. */
void link_scorer_run(struct link_scorer *scorer, uint32_t source, const uint32_t *targets, size_t n,
                     double *ret_score);

/* Whom the source does not link to yet, itself left out, among those that somebody links to; none
 * where it links to nobody. Within three steps (source, target, source, target), or with a
 * neighbour in common. The array is the scorer's until its next call. */
size_t link_scorer_candidates(struct link_scorer *scorer, uint32_t source,
                              const uint32_t **ret_targets);

/* ---- evaluation ---- */

struct link_figures {
    double auc[LINK_N_METHODS];    /* on the links held out */
    double inside[LINK_N_METHODS]; /* AUC inside the training links, which chose */
    enum link_method chosen;
    double precision; /* of the chosen method's first n, n links being held out among 2 n pairs */
    size_t n_held;    /* links held out, each with one pair that is no link */
    size_t n_unseen;  /* of them, with an end that no training link has: nothing can be said */
};

/* One repeat: hold out a share of the links; draw as many pairs that are no link in the whole
 * graph, uniformly among the sources and targets of the training links; score both with the
 * training links alone. Which method to trust is decided by the same procedure inside the training
 * links. STATUS_INVALID: too few links (40), or a graph so dense that there is nothing to draw. */
enum status links_evaluate(const struct graph *graph, double holdout, uint64_t seed,
                           struct link_figures *ret_figures, struct error *err);

/* The method that does best inside all links given, for suggestions. */
enum status links_choose(const struct graph *graph, double holdout, uint64_t seed,
                         enum link_method *ret_method, struct error *err);

struct link_suggestion {
    uint32_t from, to;
    double score;
};

/* The likeliest pairs that are not joined, at most `per_account` of each account; best first.
 * Returns in *ret_n how many there are, at most `limit`. */
enum status links_suggest(const struct graph *graph, enum link_method method, uint64_t seed,
                          size_t per_account, size_t limit, struct link_suggestion *ret,
                          size_t *ret_n, struct error *err);

/* Area under the ROC curve: the share of pairs (positive, negative) in the right order, ties half.
 * Sorts both in place. */
double links_auc(double *positive, size_t n_positive, double *negative, size_t n_negative);
