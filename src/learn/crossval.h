/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Repeated cross-validation of the whole way from rows to predictions: in each fold the design is
 * fitted, each trainer tunes and fits, its model is written to a blob, and the engine's code scores
 * the held-out rows. Metrics are pooled over the folds of a repeat; their mean and spread are over
 * repeats, whose seeds are seed, seed + 1, ... */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/progress.h"
#include "learn/design.h"
#include "learn/metrics.h"
#include "learn/monotone.h"
#include "learn/shipped.h"
#include "learn/target.h"
#include "learn/together.h"
#include "learn/trainer.h"

enum metric {
    METRIC_MAE,
    METRIC_RMSE,
    METRIC_R2,
    METRIC_SPEARMAN,
    METRIC_ACCURACY,
    METRIC_MACRO_F1,
    METRIC_AUC,
    METRIC_LOG_LOSS,
    METRIC_ECE,
    N_METRICS
};
extern const char *const metric_names[N_METRICS];

static inline bool metric_is_loss(enum metric metric)
{
    return metric == METRIC_MAE || metric == METRIC_RMSE || metric == METRIC_LOG_LOSS ||
           metric == METRIC_ECE;
}

/* The metrics of a task: METRIC_MAE..SPEARMAN or ACCURACY..ECE. */
void metrics_of_task(enum task task, enum metric *ret_first, enum metric *ret_end);

/* The metrics of the task over `rows` [n] of the target. output: [n of the target][n_outputs], by
 * row: values, or logits. Those of the other task are NaN. */
enum status metrics_of_rows(const struct target *target, const double *output, const size_t *rows,
                            size_t n, double ret_metric[static N_METRICS], struct error *err);

#define CROSSVAL_NEVER UINT32_MAX /* the fold of a row that is never held out */

#define CROSSVAL_MAX_ENTRIES 32

struct crossval_input {
    const struct table *table;
    const struct design *design;
    /* What neighbours are found by: held-out rows are then told their place in the network by their
     * neighbours among the training rows, as unseen profiles are, and have no links. NULL: they
     * keep their own. */
    const struct design *similar;
    /* What neighbours are found by for the mean score of neighbours, which each fold computes from
     * its training rows; NULL: the table's column stands, if it has one. */
    const struct design *finder;
    const struct links *links; /* real edges among the table's rows; NULL: none are given */
    const struct target *target;
    const struct trainer *const *trainers;
    size_t n_trainers;
    size_t n_folds, n_repeats;
    const double *when;  /* [n of the target] NULL, or: folds go by time, see below */
    const bool *counted; /* [n of the target] held-out rows that metrics are of; NULL: all */
    const struct monotone *monotone; /* NULL: none. A model that breaks one is left out */
    uint64_t seed;
    enum loss loss; /* that regressions tune for */
    int n_threads;
    size_t n_fits; /* that a trainer may spend on its search for settings; 0: TUNE_DEFAULT_FITS */
    struct progress progress;
    const char *stage; /* for progress */
    /* Of a group, on rank 0: crossval_refit() fits to the rows of all where the trainer can. */
    struct together together;
};

/* Folds by time: the rows are cut into n_folds + 1 parts of about equal size by `when`, rows of one
 * time staying together. Fold i is part i + 1, and what is trained for it is older: the parts up to
 * i. The first part is never held out: its fold is CROSSVAL_NEVER, and no metric counts it. */

struct crossval_entry {
    const struct trainer *trainer;
    const char *family;        /* of its models */
    const char *broken;        /* NULL, or the monotone constraint for which it is left out */
    double *metric[N_METRICS]; /* [n_repeats]; NULL: not of the task */
    double mean[N_METRICS], sd[N_METRICS];
    double *output;     /* [n_repeats][n][n_outputs], of held-out rows: values, or logits */
    double fit_seconds; /* mean a fold, with tuning */
    double predict_us;  /* mean a row */
    double n_bytes;     /* mean size of the blob */
};

struct crossval {
    struct arena memory; /* owns everything below */
    enum task task;
    size_t n, n_outputs, n_folds, n_repeats, n_entries;
    uint32_t *fold;  /* [n_repeats][n] */
    size_t *counted; /* [n_counted] the rows that metrics are of */
    size_t n_counted;
    struct crossval_entry *entries;
};

/* False: the trainer is of another task, or needs ordered classes, columns or words that are not
 * there.
 */
bool crossval_can_learn(const struct trainer *trainer, const struct target *target,
                        const struct design *design);

/* STATUS_INVALID: fewer rows, or rows of a class, than can be split; a trainer of another task. */
enum status crossval_run(const struct crossval_input *input, struct crossval **ret_crossval,
                         struct error *err);
void crossval_free(struct crossval *crossval);

/* Of folds by time, when all is measured: forget the rows that were never held out, as if the
 * target had been the others alone. ret_kept: [n] of the rows so far. */
void crossval_keep_held(struct crossval *crossval, bool *ret_kept);
DEFINE_SLOT(crossval_free, struct crossval)

enum select_rule {
    SELECT_BEST,   /* by mean */
    SELECT_ONE_SE, /* the first, and so simplest, trainer within one standard error of the best */
};

/* The index of the entry to take; ties go to the first. One that is left out is taken only when all
 * are. */
size_t crossval_select(const struct crossval *crossval, enum metric metric, enum select_rule rule);

/* The selection as a whole, judged as a model is: for each fold the entry is chosen by the metric
 * over the other folds' held-out rows of the repeat, and the fold's rows are answered by it. What
 * the best entry's own figure is too good by, because it was the best, shows beside it (Tibshirani
 * and Tibshirani 2009). */
struct crossval_selection {
    double mean[N_METRICS], sd[N_METRICS];
    size_t n_chosen[CROSSVAL_MAX_ENTRIES]; /* of the entries: folds that chose it */
};
enum status crossval_judge_selection(const struct crossval *crossval, const struct target *target,
                                     enum metric metric, enum select_rule rule,
                                     struct crossval_selection *ret_selection, struct error *err);

/* Indices by mean of the metric, best first. ret_order: [n_entries]. */
void crossval_order(const struct crossval *crossval, enum metric metric, size_t *ret_order);

/* Fit one trainer on all rows of the target, as it will ship. */
enum status crossval_refit(const struct crossval_input *input, const struct trainer *trainer,
                           struct feature_spec **ret_spec, struct fitted **ret_fitted,
                           struct error *err);

/* The constraint that the model of a spec breaks; NULL: none. */
enum status crossval_find_broken(const struct crossval_input *input,
                                 const struct feature_spec *spec, const struct fitted *fitted,
                                 const char **ret_name, struct error *err);

/* Leave an entry out of every choice: its figures are not known any more. */
void crossval_leave_out(struct crossval_entry *entry, const char *constraint);

/* One fold with a model that has not seen it; borrowed for the call. */
struct crossval_fold {
    size_t n;           /* held-out rows */
    const size_t *held; /* [n] positions in the target */
    const struct feature_spec *spec;
    const struct matrix *rows; /* [n] held out */
    const struct links *links; /* of the rows held out; NULL: none */
    const struct shipped *model;
};
typedef enum status crossval_visitor(const struct crossval_fold *fold, void *context,
                                     struct error *err);

/* Fit one trainer outside each fold of `fold_of_row` [n of the target], and show it to `visit`: for
 * whoever wants to know more of held-out rows than a search keeps. Input's trainers and repeats do
 * not matter. */
enum status crossval_visit(const struct crossval_input *input, const struct trainer *trainer,
                           const uint32_t *fold_of_row, crossval_visitor *visit, void *context,
                           struct error *err);
