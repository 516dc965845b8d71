/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The engine from inside, for engine.c (opening) and engine_score.c, engine_tier.c,
 * engine_cluster.c, engine_similar.c, engine_growth.c (one question each). Everybody else sees
 * engine.h. */
#include "artifact/bundle.h"
#include "base/arena.h"
#include "runtime/engine.h"

struct engine {
    char version[BUNDLE_ID_BYTES];
    struct arena memory;                        /* owns the string arrays of the extras */
    struct own_columns own;                     /* in the arena */
    struct artifact *artifacts[ENGINE_N_BLOBS]; /* NULL: not there, and then nor is what it holds */
    struct predictor *score;
    struct score_extra score_extra;
    struct interval_rule intervals; /* behind score_extra */
    struct predictor *tier;
    struct predictor *size; /* NULL when there is none of its own */
    struct tier_extra tier_extra;
    bool has_audience;
    struct audience_reference audience;
    struct calibration tier_calibration, size_calibration; /* behind tier_extra */
    struct clusters *clusters;
    struct feature_spec *similar;
    struct neighbours *neighbours;
    struct catalogue *catalogue;
    struct predictor *growth; /* NULL: no blob of it */
    struct growth_extra growth_extra;
    struct interval_rule growth_intervals; /* behind growth_extra */
    const float *isolation_grid;           /* NULL: an earlier version's blob, or one account */
    struct links links; /* of the catalogue's accounts; n is 0 where there are none */
    const struct drift_reference *score_drift, *tier_drift; /* NULL: an earlier version's blob */
    size_t scratch_bytes;
};

/* Read what a blob holds into the engine; the artifact is in its place. */
enum status engine_open_score(struct engine *engine, struct error *err);
enum status engine_open_tier(struct engine *engine, struct error *err);
enum status engine_open_similar(struct engine *engine, struct error *err);
enum status engine_open_growth(struct engine *engine, struct error *err);

/* Scratch that each question needs, 0 when its blob is not there. */
size_t engine_score_scratch(const struct engine *engine);
size_t engine_tier_scratch(const struct engine *engine);
size_t engine_cluster_scratch(const struct engine *engine);
size_t engine_similar_scratch(const struct engine *engine);
size_t engine_growth_scratch(const struct engine *engine);

/* The same for rows together. */
size_t engine_score_rows_scratch(const struct engine *engine);
size_t engine_tier_rows_scratch(const struct engine *engine);

/* "this bundle has no X model". */
enum status engine_fail_absent(enum engine_model model, struct error *err);

/* The predictor under `prefix`, which must be there. */
enum status engine_need_predictor(const struct artifact *artifact, const char *prefix,
                                  struct predictor **ret_predictor, struct error *err);

/* One string of a section. */
enum status engine_need_string(struct engine *engine, const struct artifact *artifact,
                               const char *tag, const char **ret_string, struct error *err);

/* How far a profile is from its nearest catalogued accounts. False: it cannot be told. x: [columns
 * of the similar model] scaled. scratch: engine_isolation_scratch(). */
bool engine_isolation(const struct engine *engine, const struct profile *profile, const float *x,
                      void *scratch, struct isolation *ret_isolation);
size_t engine_isolation_scratch(const struct engine *engine);

/* What the predictor may look at besides features. Links are those of the catalogued account of the
 * profile's handle, and looked up only where they change the answer. */
struct predictor_context engine_context(const struct engine *engine,
                                        const struct predictor *predictor,
                                        const struct profile *profile);

/* Scratch that engine_extract() needs for a spec: 0 for one that reads no place in the network. */
size_t engine_spec_scratch(const struct engine *engine, const struct feature_spec *spec);

/* A prepared profile's raw features; where the spec reads a place in the network and the profile
 * lacks it, it is filled in from its neighbours first. Returns the imputed fields, those too.
 * scratch: engine_spec_scratch(). */
uint64_t engine_extract_prepared(const struct engine *engine, const struct feature_spec *spec,
                                 struct profile *prepared, void *scratch, float *ret_raw);

/* The same of a copy of the profile with what can be computed filled in. */
uint64_t engine_extract(const struct engine *engine, const struct feature_spec *spec,
                        const struct profile *profile, void *scratch, float *ret_raw);
