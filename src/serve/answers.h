/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The engine's answers: asked for, and written as JSON members. */
#include "base/json.h"
#include "runtime/engine.h"
#include "serve/codec.h"
#include "serve/metrics.h"

struct request;

/* Who asks: one request, for one or many profiles. */
struct asker {
    const struct engine *engine;
    const struct codec_options *options;
    void *scratch;      /* engine_scratch_bytes(), 64-byte aligned */
    void *rows_scratch; /* engine_rows_scratch_bytes(), likewise; NULL: each row is asked alone */
    struct arena *arena;
    struct metrics_lane *lane;
    struct model_tally *tally;
    const struct request *request; /* NULL: nobody watches */
};

#define ANSWERS_MAX_SIMILAR 100000 /* neighbours of one batch: some 25 MB of answer */

/* Who asks, for a request that has its model; the scratch lives in the request's arena. */
enum status answer_asker(struct request *request, const struct codec_options *options,
                         struct asker *ret_asker, struct error *err);
/* So that many profiles are asked together; there are no contributions then. */
enum status answer_add_rows(struct request *request, struct asker *asker, struct error *err);

union answer {
    struct score_answer score;
    struct tier_answer tier;
    struct cluster_answer cluster;
    struct similar_answer similar;
};

/* One kind of prediction: compute, then write members into an open object. */
struct answer_kind {
    enum engine_model model;
    enum status (*compute)(const struct asker *asker, const struct profile *profile,
                           union answer *ret_answer, struct error *err);
    /* The same of many, n <= ENGINE_ROWS, with rows_scratch; NULL: nothing is gained by it. When it
     * fails, no profile counts as answered. */
    enum status (*compute_rows)(const struct asker *asker, const struct profile *const *profiles,
                                size_t n, union answer *ret_answers, struct error *err);
    void (*write)(const struct asker *asker, const union answer *answer, struct json_writer *w);
    /* The same as CSV: whole rows, under "handle", these columns, "error". */
    const char *csv_columns;
    const char *csv_columns_growth; /* where the bundle forecasts growth; NULL: the same */
    void (*write_csv)(const struct asker *asker, const struct profile *profile,
                      const union answer *answer, struct buffer *out);
};

extern const struct answer_kind answer_score, answer_tier, answer_cluster, answer_similar;

/* A profile with a handle and nothing else that a model could read means the catalogued influencer,
 * and is filled in. STATUS_INVALID: there is nothing at all. */
enum status answer_complete(const struct asker *asker, struct profile *profile, struct error *err);

/* Complete and compute. */
enum status answer_profile(const struct asker *asker, const struct answer_kind *kind,
                           struct profile *profile, union answer *ret_answer, struct error *err);

/* "clusters": all archetypes. */
void answer_list_clusters(const struct engine *engine, struct json_writer *w);

/* The catalogued profile of a handle. STATUS_NOT_FOUND names the closest handles. */
enum status answer_find_profile(const struct catalogue *catalogue, const char *handle,
                                struct profile *ret_profile, struct error *err);

/* A catalogued influencer as members: handle, name, category, country, followers. */
void answer_write_influencer(const struct catalogue *catalogue, uint32_t row,
                             struct json_writer *w);
