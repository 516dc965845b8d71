/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One training run: what its steps leave for the next ones, and for the report. Filled from top to
 * bottom by train.c; each part's file fills its own member. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/bundle.h"
#include "base/arena.h"
#include "base/progress.h"
#include "dataset/import.h"
#include "explore/explore.h"
#include "explore/snapshots.h"
#include "explore/virality.h"
#include "learn/archetypes.h"
#include "learn/crossval.h"
#include "learn/dependence.h"
#include "learn/importance.h"
#include "pipeline/certainty.h"
#include "pipeline/data_files.h"
#include "pipeline/growth.h"
#include "pipeline/network.h"
#include "pipeline/own_target.h"
#include "pipeline/row_options.h"
#include "pipeline/shard.h"
#include "pipeline/stages.h"
#include "pipeline/train_config.h"
#include "pipeline/visible.h"
#include "pipeline/warnings.h"
#include "runtime/engine.h"

/* A target and what the search found for it. */
struct searched {
    struct target *target; /* all rows that have it */
    struct target *sample; /* those that were searched on; the same as `target`, or owned */
    struct design design;
    const struct leak *leaks; /* columns that it must not see, and why; in the run's memory */
    size_t n_leaks;
    struct crossval *crossval;
    size_t chosen;  /* entry of the crossval */
    bool is_judged; /* there was a choice, and this is its figure as a whole: */
    struct crossval_selection selection;
    struct feature_spec *spec; /* refitted on all rows */
    struct fitted *fitted;
    double refit_seconds;
};

struct score_part {
    bool is_composite; /* no label: nothing is searched */
    struct searched searched;
    double *out_of_fold; /* [sample rows] predictions of held-out rows, mean of repeats */
    struct interval_rule intervals;
    struct interval_offsets *offsets; /* [sample rows] of held-out rows, first repeat */
    struct conformal_measure covered; /* what such intervals hold */
    double clip_low, clip_high;
    struct composite composite;
    float part_grid[COMPOSITE_N_PARTS][COMPOSITE_GRID];
    float score_grid[COMPOSITE_GRID];
    float novelty_grid[NOVELTY_GRID];
    struct feature_spec *spec; /* of the composite, when there is no label */
};

struct class_part {
    struct searched searched;
    struct calibrated calibrated; /* of held-out rows, first repeat */
};

struct tier_part {
    const char *target; /* as in tier_extra; NULL: not chosen yet */
    const char *why;    /* what was done instead of what was asked for, or "" */
    struct size_tiers sizes;
    struct class_part tier;
    bool has_size; /* a second model, for the audience check */
    struct class_part size;
};

struct cluster_part {
    struct design design;
    struct feature_spec *spec;
    struct matrix matrix; /* all rows */
    struct archetypes *archetypes;
};

#define GROWTH_WEAK 0.3  /* rank correlations below are weak, */
#define GROWTH_CLEAR 0.6 /* and from here clear */

struct growth_part {
    const char *absent; /* why nothing was learnt; NULL: it was */
    struct growth_cases cases;
    double until; /* month at which the cases' period ends: the newest */
    struct searched searched;
    double *out_of_fold; /* [sample rows] predictions of held-out rows, mean of repeats */
    struct interval_rule intervals;
    struct interval_offsets *offsets;             /* [sample rows] of held-out rows, first repeat */
    struct conformal_measure covered;             /* what such intervals hold */
    double spearman, spearman_low, spearman_high; /* out of fold; 95 % over accounts */
    double baseline_mae;                          /* of always saying the median */
    bool ships;                                   /* it ranks better than chance: there is a blob */
    struct growth_earlier earlier;
    size_t n_rows, *rows; /* [n_rows] of the training's table: accounts of the newest month */
    struct growth_answer *forecast; /* [n_rows] of the next period, by the blob */
};

/* What the models go by; NULL: nothing was learnt. */
struct why_part {
    struct importance *score, *tier;
    struct dependence *score_dependence;
};

struct training {
    struct arena memory; /* owns small things */
    const struct train_config *config;
    const struct train_input *input; /* borrowed, with what it points to */
    bool own_is_tier;                /* what was asked for is of classes */
    bool own_is_growth;              /* it is the growth that every bundle of snapshots foresees */
    uint64_t seed;
    struct progress progress;

    struct shard shard;                 /* of several workers: what is whose */
    struct together together;           /* while others follow; borrows from the shard */
    struct import_report *imported;     /* of what this process has read */
    struct data_files data;             /* what all have read */
    struct explore_snapshots snapshots; /* for the report's comparison */
    struct explore *explore;            /* statistics and groups; after the search */
    struct table *table;
    size_t *all_rows; /* [n_rows] 0, 1, ... */
    bool is_synthetic;

    struct score_part score;
    struct tier_part tier;
    struct cluster_part cluster;
    struct growth_part growth;
    struct why_part why;
    struct feature_spec *similar_spec;
    struct edges *edges;     /* NULL: none were given */
    struct network *network; /* borrows the edges */
    struct links links;      /* of real edges; n is 0 without */

    struct virality *virality; /* NULL: see why */
    const char *no_virality;

    void *blob[ENGINE_N_BLOBS];
    size_t blob_bytes[ENGINE_N_BLOBS];
    struct engine *engine; /* borrows the blobs */

    struct warnings warnings;
    struct stages stages;
    double seconds;
    char bundle_id[BUNDLE_ID_BYTES];
};

void training_free(struct training *training);
DEFINE_SLOT(training_free, struct training)

/* Remember a warning for the terminal, the report and the card. */
void training_warn(struct training *training, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Of several workers, on rank 0: share the rows of training->table out; what it decides by takes
 * their place. And, when nothing more is to be fitted together, let the others go. */
struct train_input;
enum status train_share_rows(struct training *training, struct error *err);
enum status train_dismiss(struct training *training, struct error *err);

/* ---- the steps, in their order ---- */

/* Before the parts: their targets. Names that are not there, a target that cannot be had, and
 * features that leave nothing to see are refused here, before anything is learned. */
enum status train_choose_targets(struct training *training, struct error *err);

/* The target that was asked for, into its part; none: they choose. */
enum status own_part_train(struct training *training, struct error *err);

/* What the model of `searched`, of score or tier, may see. Columns that were found to give its
 * target away are left out, and warned of. */
struct search_view {
    bool is_own;       /* its target is the one that was asked for, or that stands for it */
    bool may_be_empty; /* no column at all is fine */
};
enum status search_look(struct training *training, const struct target *target, bool is_own,
                        struct visible *ret_visible, struct error *err);
enum status search_choose_design(struct training *training, const struct search_view *view,
                                 struct searched *searched, struct error *err);

/* Cross-validate the trainers named in `models` (separated by spaces) on `searched->target`, choose
 * and refit. Design and target are in place. */
struct search_options {
    const char *models;
    const char *stage;
    const char *monotone; /* NULL, or constraints; see learn/monotone.h */
    enum metric select;
    const struct table *table; /* of the target, where it is not the training's; no places then */
};
enum status search_run(struct training *training, const struct search_options *options,
                       struct searched *searched, struct error *err);
void searched_deinit(struct searched *searched);

/* Mean over repeats of what was predicted for each row by models that had not seen it: [sample
 * rows], to be freed. */
enum status searched_average(const struct searched *searched, double **ret_output,
                             struct error *err);

enum status score_part_choose(struct training *training, struct error *err);
enum status score_part_train(struct training *training, struct error *err);
enum status score_part_write(struct training *training, struct error *err);
void score_part_deinit(struct score_part *part);

/* After the score's. */
enum status tier_part_choose(struct training *training, struct error *err);
enum status tier_part_train(struct training *training, struct error *err);
enum status tier_part_write(struct training *training, struct error *err);
void tier_part_deinit(struct tier_part *part);

/* The reference of the audience check, into the tier's blob. */
enum status audience_part_write(struct training *training, struct artifact_writer *writer,
                                struct error *err);

enum status cluster_part_train(struct training *training, struct error *err);
enum status cluster_part_write(struct training *training, struct error *err);
void cluster_part_deinit(struct cluster_part *part);

/* The forecast of growth, where there are two or more snapshots. */
struct train_input;
/* Whether there are snapshots, when growth is what was asked for. */
enum status growth_part_check(const struct training *training, struct error *err);
enum status growth_part_train(struct training *training, const struct train_input *input,
                              struct error *err);
enum status growth_part_write(struct training *training, struct error *err);
/* With the engine open: what it says of the accounts of the newest month. */
enum status growth_part_forecast(struct training *training, void *scratch, struct error *err);
/* How far to trust it, in sentences; where it was learnt. */
void growth_part_say(const struct growth_part *part, struct buffer *out);
const char *growth_part_strength(const struct growth_part *part); /* none weak fair clear */
void growth_part_deinit(struct growth_part *part);

/* Importance and dependence of the models chosen; after the parts above. */
enum status why_part_train(struct training *training, struct error *err);
void why_part_deinit(struct why_part *part);

/* Before the search: the network of the edges, or of likenesses. Real edges become columns of the
 * table, which models may then see. */
enum status network_part_train(struct training *training, const struct import_joins *joins,
                               struct error *err);

/* The same where neighbours, who tell an unseen profile its place, are found by what `target`
 * hides. */
enum status network_hide_places(const struct training *training, const struct target *target,
                                struct design_options *options, struct error *err);

/* What lifts a post, where posts were given. *ret_lifts: the posts; left alone where there are
 * none, or `no_virality` says what they lack. */
enum status virality_part_train(struct training *training, const struct import_joins *joins,
                                struct lifts **ret_lifts, struct error *err);

/* What neighbours are found by. */
enum status similar_part_design(const struct training *training, struct design *ret_design,
                                struct error *err);
enum status similar_part_write(struct training *training, struct error *err);
