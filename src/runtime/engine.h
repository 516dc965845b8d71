/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The inference engine: a bundle's blobs, opened once, answering for ever.
 *
 * After engine_open() nothing allocates, locks or does I/O: an open engine is immutable and free to
 * share between threads; each call brings its own scratch (engine_scratch_bytes(), 64-byte
 * aligned). Answers point into the engine and the scratch: valid until the next call with that
 * scratch. Profiles need not be prepared; fields the model reads but the profile lacks are imputed
 * and listed in `imputed`. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "features/composite.h"
#include "features/spec.h"
#include "profile/profile.h"
#include "runtime/audience.h"
#include "runtime/catalogue.h"
#include "runtime/calibration.h"
#include "runtime/clusters.h"
#include "runtime/drift.h"
#include "runtime/intervals.h"
#include "runtime/isolation.h"
#include "runtime/neighbours.h"
#include "runtime/own_columns.h"
#include "runtime/predictor.h"
#include "runtime/spec_section.h"

struct engine;

enum engine_model {
    ENGINE_SCORE,
    ENGINE_TIER,
    ENGINE_CLUSTER,
    ENGINE_SIMILAR,
    ENGINE_N_MODELS
};

/* Blobs of a bundle: the models above, and what only bundles of two or more snapshots have. */
enum {
    ENGINE_GROWTH = ENGINE_N_MODELS,
    ENGINE_N_BLOBS
};

extern const char *const engine_file_names[ENGINE_N_BLOBS]; /* "score.blob", ... */

/* Open the bundle at `path` (a bundle or a models directory; see bundle_resolve). The four models
 * must be there and fit together. */
enum status engine_open(const char *path, struct engine **ret_engine, struct error *err);

struct engine_blob {
    const void *bytes; /* 64-byte aligned, borrowed until close; NULL: not there, its calls fail */
    size_t n_bytes;
};

/* From memory, as a trainer does to measure what it is about to ship. */
enum status engine_open_memory(const struct engine_blob blobs[static ENGINE_N_BLOBS],
                               struct engine **ret_engine, struct error *err);
void engine_close(struct engine *engine);
DEFINE_SLOT(engine_close, struct engine)

size_t engine_scratch_bytes(const struct engine *engine);
const char *engine_version(const struct engine *engine); /* the bundle's id; "memory" */
const struct catalogue *engine_catalogue(const struct engine *engine);
const struct clusters *engine_clusters(const struct engine *engine);
/* What the model reads; NULL: it is not there. */
const struct feature_spec *engine_spec(const struct engine *engine, enum engine_model model);
const struct predictor *engine_predictor(const struct engine *engine, enum engine_model model);
/* Columns of the training table's own that its models read. */
const struct own_columns *engine_own_columns(const struct engine *engine);

/* What the model was trained on; NULL: the blob does not tell, or the model is neither score nor
 * tier.
 */
const struct drift_reference *engine_drift(const struct engine *engine, enum engine_model model);

/* An account's place in the network (FEATURE_PLACES, and its community) is known of catalogued
 * accounts only. A model that reads it gets that of an unseen profile from here: of each that the
 * spec reads and the prepared profile lacks, the mean over its nearest catalogued neighbours, as
 * engine_similar() finds them; of communities the most frequent. The mean score of neighbours is
 * that of theirs; an account that the catalogue knows by its handle has its real edges for it, and
 * never itself. Without a similar model, or where no neighbour has the field, it stays missing.
 * Returns the fields that were lacking. scratch: engine_places_scratch(), 64-byte aligned. No
 * allocation. */
#define ENGINE_PLACE_NEIGHBOURS 10
uint64_t engine_fill_places(const struct engine *engine, const struct feature_spec *spec,
                            struct profile *prepared, void *scratch);
size_t engine_places_scratch(const struct engine *engine);

/* What scored profiles are compared with; written beside the predictor by score_extra_write().
 *
 * A table without a label has the target "composite" and a predictor of the family "composite": a
 * spec (for novelty and imputed fields) and nothing else, with no outputs. The score is then the
 * composite itself, and its interval no estimate but a bound: a part that the profile lacks and
 * training knew (its grid is not NULL) may be anything from 0 to 100, so `low` and `high` put it
 * there; all parts present give low = score = high, none 50 within 0..100. Coverage is 1, and there
 * are no contributions: the parts and their shares say it all. */
#define NOVELTY_GRID 101 /* percentiles 0, 1, ... 100 */

/* A percentile of novelty above it is beyond nearly everything in training, which answers say. */
#define NOVELTY_BEYOND 99.0
struct score_extra {
    const char *target;       /* "influence_score", or "composite" when the table had no label */
    double interval_coverage; /* 0.9 */
    double interval_low;      /* conformal offsets of all rows, for readers without rules */
    double interval_high;
    const struct interval_rule *intervals; /* what answers go by; NULL: the offsets above */
    double clip_low,
        clip_high; /* scores and intervals are kept within; -inf is not storable: use +-1e300 */
    const float *score_grid; /* [COMPOSITE_GRID] of the training scores as predicted out of fold */
    struct composite composite;
    const float *novelty_grid; /* [NOVELTY_GRID] of the training rows' novelty distance */
};
/* The predictor's prefix is "score". */
enum status score_extra_write(struct artifact_writer *writer, const struct score_extra *extra,
                              struct error *err);

/* Root mean square of the scaled features of the score model, missing ones left out: how far a
 * profile is from the middle of the training data; NaN when all are missing. The one formula for
 * training and serving. */
double engine_novelty_distance(const struct feature_spec *spec, const float *raw);

/* What becomes of the followers in the next period, as long as the one between the two newest
 * snapshots of training; written beside the predictor "growth", whose output is 100 ln((1 +
 * followers then) / (1 + followers)). */
struct growth_extra {
    double coverage;                       /* 0.9 */
    double months;                         /* of the period */
    const struct interval_rule *intervals; /* in the unit of the output */
    const float *grid; /* [COMPOSITE_GRID] of the forecasts of the training accounts */
};
enum status growth_extra_write(struct artifact_writer *writer, const struct growth_extra *extra,
                               struct error *err);

struct growth_answer {
    double forecast, low, high; /* fractions of the followers: 0.02 is 2 % more */
    double coverage, months;
    double percentile; /* 0..100 of the forecast among the training accounts' own */
    uint64_t imputed;
};

/* The blob of growth is there. */
bool engine_has_growth(const struct engine *engine);
enum status engine_growth(const struct engine *engine, const struct profile *profile, void *scratch,
                          struct growth_answer *ret_answer, struct error *err);

struct score_answer {
    const char *target;
    double score;
    double low, high, coverage;
    double percentile; /* 0..100 among the training profiles */
    double novelty;    /* 0..100; near 100: beyond nearly everything seen in training */
    struct composite_score composite;
    uint64_t imputed; /* bits of profile number fields */
    const float *raw; /* features, by column of predictor_spec(); in the scratch */
    /* explain: */
    size_t n_contributions;      /* 0 unless asked for */
    const double *contributions; /* [n_contributions], by column of predictor_spec() */
    double base;
    bool has_isolation; /* with explain, where the bundle can tell */
    struct isolation isolation;
    bool has_growth; /* the bundle has such a model */
    struct growth_answer growth;
};
enum status engine_score(const struct engine *engine, const struct profile *profile, bool explain,
                         void *scratch, struct score_answer *ret_answer, struct error *err);

/* Up to ENGINE_ROWS profiles at once, each answered as alone, to the last bit; faster from dozens
 * on. profiles: [n]; ret_answers: [n]; scratch: engine_rows_scratch_bytes(). STATUS_CORRUPT: an
 * answer is not finite; asked one by one, the others have theirs. */
#define ENGINE_ROWS 64
size_t engine_rows_scratch_bytes(const struct engine *engine);
enum status engine_score_rows(const struct engine *engine, const struct profile *const *profiles,
                              size_t n, void *scratch, struct score_answer *ret_answers,
                              struct error *err);

#define TIERS_MAX 32
/* Tier names and what belongs to them; written beside the predictors "tier" and "size". */
struct tier_extra {
    const char *target; /* "size", "score_quantile", "score_cuts", "column:NAME" */
    size_t n_tiers;
    const char *const *names; /* [n_tiers] in order, lowest first where ordered */
    double temperature;       /* softmax(output / temperature), for readers without calibrations */
    const struct calibration *calibration; /* what answers go by; NULL: the temperature */
    size_t n_sizes;
    const char *const *size_names; /* [n_sizes] "nano" ... "mega" */
    const double *size_cuts;       /* [n_sizes - 1] followers at which the next size begins */
    /* The audience check: which size the other figures suggest. A predictor under the prefix "size"
     * when the main target is another one; otherwise the main predictor serves both. */
    bool has_size_predictor;
    double size_temperature;
    const struct calibration *size_calibration; /* as above */
};
enum status tier_extra_write(struct artifact_writer *writer, const struct tier_extra *extra,
                             struct error *err);

/* The name of the size tier of that many followers; NULL when they are missing or there is no tier
 * model. */
const char *engine_size_of(const struct engine *engine, double followers);

/* The tiers' names, in order; NULL: there is no tier model. */
const char *const *engine_tier_names(const struct engine *engine, size_t *ret_n);

struct tier_answer {
    const char *target;
    size_t n_tiers;
    const char *const *names;
    const double *probabilities; /* [n_tiers], calibrated, sums to 1 */
    size_t tier;                 /* argmax */
    uint64_t imputed;
    const float *raw;           /* features, by column of predictor_spec(); in the scratch */
    const char *size_claimed;   /* by followers; NULL when followers are missing */
    const char *size_predicted; /* by behaviour; NULL when the bundle has no such model */
    double size_confidence;     /* probability of size_predicted */
    bool size_disagrees;
    bool has_audience; /* false: a bundle from before there was a check, or followers are missing */
    struct audience_answer audience;
};
enum status engine_tier(const struct engine *engine, const struct profile *profile, void *scratch,
                        struct tier_answer *ret_answer, struct error *err);
/* As engine_score_rows(). */
enum status engine_tier_rows(const struct engine *engine, const struct profile *const *profiles,
                             size_t n, void *scratch, struct tier_answer *ret_answers,
                             struct error *err);

struct cluster_answer {
    size_t k;
    size_t cluster;
    const char *name;
    const char *traits; /* JSON array */
    double distance;
    double distance_percentile; /* among the members in training: near 100 is an untypical member */
    const double *membership;   /* [k] softmax(-distance^2 / 2), sums to 1 */
    uint64_t imputed;
};
enum status engine_cluster(const struct engine *engine, const struct profile *profile,
                           void *scratch, struct cluster_answer *ret_answer, struct error *err);

#define SIMILAR_MAX_K 1000
#define SIMILAR_MAX_EXCLUDE 256
struct similar_query {
    size_t k; /* 1..SIMILAR_MAX_K */
    const char *category, *country,
        *tier; /* NULL: any; ASCII case folded. tier: the size tier's name */
    double min_followers, max_followers; /* NaN: no bound */
    const char *const *exclude;          /* handles, besides the profile's own */
    size_t n_exclude;
};
struct similar_item {
    uint32_t row; /* of the catalogue */
    double distance;
    double similarity; /* 1 / (1 + distance): 1 is equal */
};
struct similar_answer {
    size_t n; /* fewer than k only when fewer pass the filters */
    const struct similar_item *items;
    size_t n_candidates; /* catalogue size */
    bool has_isolation;  /* false: a bundle from before it was told */
    struct isolation isolation;
    bool exact;
    uint64_t imputed;
};
enum status engine_similar(const struct engine *engine, const struct profile *profile,
                           const struct similar_query *query, void *scratch,
                           struct similar_answer *ret_answer, struct error *err);

/* Spec of the similar model; written under the prefix "similar" by the trainer with this. */
enum status similar_spec_write(struct artifact_writer *writer, const struct feature_spec *spec,
                               struct error *err);
