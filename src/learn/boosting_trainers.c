/* SPDX-License-Identifier: Apache-2.0 */

/* The trainers that are made of trees: boosting by its losses, and forests. Each searches its
 * settings, of which the first are those that suit the number of rows. */
#include <stdlib.h>

#include "base/rng.h"
#include "learn/boosting.h"
#include "learn/tune.h"

#define SMALL_ROWS 500
#define FOREST_TREES 100
#define FOREST_CLASS_TREES 300 /* of all classes together, but at least 20 of each */
#define FOREST_LARGE_ROWS 5000 /* from where on trees are no deeper than FOREST_LARGE_DEPTH */
#define FOREST_LARGE_DEPTH 8
#define SEARCH_TREES 25 /* while settings are compared */
#define MAX_DRAWS 64

struct boosting_settings boosting_settings_for(enum boosting_loss loss, size_t n)
{
    /* Few rows: small steps, and folds enough to count them by. */
    if (n <= SMALL_ROWS)
        return (struct boosting_settings){.loss = loss,
                                          .max_rounds = 300,
                                          .patience = 30,
                                          .depth = 3,
                                          .inner_folds = 3,
                                          .rate = 0.05,
                                          .min_leaf = loss == BOOSTING_CLASSES ? 1 : 5,
                                          .row_share = 0.8,
                                          .column_share = 0.8,
                                          .quantile = 0.5};
    return (struct boosting_settings){.loss = loss,
                                      .max_rounds = 150,
                                      .patience = loss == BOOSTING_ABSOLUTE ? 30 : 15,
                                      .depth = n <= 5000 ? 4 : 5,
                                      .inner_folds = 1,
                                      .rate = loss == BOOSTING_CLASSES ? 0.2 : 0.1,
                                      .min_leaf = loss == BOOSTING_CLASSES ? 2 : 10,
                                      .row_share = 0.8,
                                      .column_share = 0.8,
                                      .quantile = 0.5};
}

/* ---- boosting ---- */

struct search {
    const struct problem *problem;
    struct boosting_settings settings[MAX_DRAWS];
    int rounds[MAX_DRAWS]; /* as the last look at it found */
};

static double pick(struct rng *rng, const double *values, size_t n)
{
    return values[rng_below(rng, n)];
}

/* The settings that suit, and draws around them. */
static void draw_settings(struct search *search, enum boosting_loss loss, size_t n, size_t n_rows)
{
    static const double shares[] = {0.5, 0.7, 0.9};
    static const double rates[] = {0.5, 1, 1};
    static const double leaves[] = {0.5, 1, 3};
    struct rng rng = rng_seed(search->problem->seed);
    search->settings[0] = boosting_settings_for(loss, n_rows);
    for (size_t i = 1; i < n; i++) {
        struct boosting_settings *settings = &search->settings[i];
        *settings = search->settings[0];
        settings->depth += (int)rng_below(&rng, 4) - 2; /* 1..4 of few rows, 2..5 */
        settings->rate *= pick(&rng, rates, ARRAY_LENGTH(rates));
        settings->min_leaf *= pick(&rng, leaves, ARRAY_LENGTH(leaves));
        settings->row_share = pick(&rng, shares, ARRAY_LENGTH(shares));
        settings->column_share = pick(&rng, shares, ARRAY_LENGTH(shares));
    }
}

static enum status settings_loss(void *user, size_t candidate, size_t n_folds, double *ret_loss,
                                 struct error *err)
{
    struct search *search = user;
    struct boosting_settings settings = search->settings[candidate];
    settings.inner_folds = (int)n_folds;
    return boosting_tune(search->problem, &settings, &search->rounds[candidate], ret_loss, err);
}

/* The settings that the problem's rows tell to be best for n_all. The number of rounds is that of
 * the search where it has seen all rows; else it is found while the model is fitted. */
static enum status choose_settings(const struct problem *problem, enum boosting_loss loss,
                                   size_t n_all, struct boosting_settings *ret_settings,
                                   struct error *err)
{
    AUTO(free_slot) struct search *search = calloc(1, sizeof *search);
    if (!search)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    search->problem = problem;
    size_t n = tune_candidates(problem->n_fits);
    draw_settings(search, loss, n < MAX_DRAWS ? n : MAX_DRAWS, n_all);
    const struct halving halving = {n, problem->n, settings_loss, search};
    size_t best = 0;
    TRY(tune_halving(&halving, &best, err));
    struct boosting_settings settings = search->settings[best];
    if (search->rounds[best] > 0 && problem->n == n_all) {
        settings.max_rounds = search->rounds[best];
        settings.inner_folds = 0;
    }
    *ret_settings = settings;
    return STATUS_OK;
}

static enum status boosting_train(const struct problem *problem, enum boosting_loss loss,
                                  struct fitted **ret_fitted, struct error *err)
{
    struct boosting_settings settings = {0};
    if (problem_deciding(problem))
        TRY(choose_settings(problem_deciding(problem), loss, problem_n_all(problem), &settings,
                            err));
    TRY(collective_broadcast(problem->group, &settings, sizeof settings, 0, err));
    return boosting_fit(problem, &settings, NULL, ret_fitted, err);
}

static enum status fit_squared(const struct problem *problem, struct fitted **ret_fitted,
                               struct error *err)
{
    return boosting_train(problem, BOOSTING_SQUARED, ret_fitted, err);
}

static enum status fit_absolute(const struct problem *problem, struct fitted **ret_fitted,
                                struct error *err)
{
    return boosting_train(problem, BOOSTING_ABSOLUTE, ret_fitted, err);
}

static enum status fit_huber(const struct problem *problem, struct fitted **ret_fitted,
                             struct error *err)
{
    return boosting_train(problem, BOOSTING_HUBER, ret_fitted, err);
}

static enum status fit_quantile(const struct problem *problem, struct fitted **ret_fitted,
                                struct error *err)
{
    return boosting_train(problem, BOOSTING_QUANTILE, ret_fitted, err);
}

static enum status fit_classes(const struct problem *problem, struct fitted **ret_fitted,
                               struct error *err)
{
    return boosting_train(problem, BOOSTING_CLASSES, ret_fitted, err);
}

/* Fit with classes that count nearly the same. */
static enum status fit_balanced(const struct problem *problem,
                                enum status (*fit)(const struct problem *, struct fitted **,
                                                   struct error *),
                                struct fitted **ret_fitted, struct error *err)
{
    AUTO(free_slot) double *weight = calloc(problem->n_classes + 1, sizeof *weight);
    if (!weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(class_weights_tempered(problem, weight, err));
    struct problem balanced = *problem;
    balanced.class_weight = weight;
    struct problem deciding;
    if (problem->deciding) {
        deciding = *problem->deciding;
        deciding.class_weight = weight;
        balanced.deciding = &deciding;
    }
    return fit(&balanced, ret_fitted, err);
}

static enum status fit_classes_balanced(const struct problem *problem, struct fitted **ret_fitted,
                                        struct error *err)
{
    return fit_balanced(problem, fit_classes, ret_fitted, err);
}

/* ---- forests ---- */

static const double depths[] = {8, 5, 12};
static const double leaves[] = {3, 1, 8, 20};
static const double column_shares[] = {0.5, 0.3, 0.8};

enum {
    DEPTH,
    LEAF,
    COLUMNS,
    N_KNOBS
};

static const struct knob knobs[N_KNOBS] = {
    [DEPTH] = {"depth", depths, ARRAY_LENGTH(depths)},
    [LEAF] = {"leaf", leaves, ARRAY_LENGTH(leaves)},
    [COLUMNS] = {"columns", column_shares, ARRAY_LENGTH(column_shares)},
};

/* One round of many trees (Breiman 2001), each on 63 of 100 rows drawn without replacement. Of
 * classes a leaf holds one Newton step from equal shares, which is k^2 / (2 (k - 1)) times what its
 * share exceeds 1 / k by: the rate stretches that to a logit. */
static enum status forest_fit(const struct problem *problem, const double *value,
                              struct fitted **ret_fitted, struct error *err)
{
    bool classes = problem->task == TASK_CLASSIFICATION;
    double k = classes ? (double)problem->n_classes : 2.0;
    int trees = FOREST_TREES;
    if (classes && trees > (int)(FOREST_CLASS_TREES / k))
        trees = FOREST_CLASS_TREES / k < 20 ? 20 : (int)(FOREST_CLASS_TREES / k);
    int depth = (int)value[DEPTH];
    if (problem_n_all(problem) > FOREST_LARGE_ROWS && depth > FOREST_LARGE_DEPTH)
        depth = FOREST_LARGE_DEPTH;
    struct boosting_settings settings = {
        .loss = classes ? BOOSTING_CLASSES : BOOSTING_SQUARED,
        .max_rounds = 1,
        .depth = depth,
        .rate = classes ? 2.0 : 1.0,
        .min_leaf = classes ? value[LEAF] * 2.0 / k * (1.0 - 1.0 / k) : value[LEAF],
        .row_share = 0.632,
        .column_share = value[COLUMNS],
        .parallel_trees = problem->n_fits > 0 ? trees : SEARCH_TREES,
        .is_forest = true,
    };
    return boosting_fit(problem, &settings, NULL, ret_fitted, err);
}

static enum status fit_forest(const struct problem *problem, struct fitted **ret_fitted,
                              struct error *err)
{
    static const struct recipe recipe = {knobs, N_KNOBS, forest_fit};
    return tune_recipe(&recipe, problem, ret_fitted, err);
}

static enum status fit_forest_balanced(const struct problem *problem, struct fitted **ret_fitted,
                                       struct error *err)
{
    return fit_balanced(problem, fit_forest, ret_fitted, err);
}

const struct trainer trainer_boosting_squared = {
    .name = "boosting",
    .task = TASK_REGRESSION,
    .help = "gradient boosted trees, squared loss",
    .joins_groups = true,
    .fit = fit_squared,
};
const struct trainer trainer_boosting_absolute = {
    .name = "boosting_lad",
    .task = TASK_REGRESSION,
    .help = "gradient boosted trees, absolute loss: leaves hold medians",
    .joins_groups = true,
    .fit = fit_absolute,
};
const struct trainer trainer_boosting_huber = {
    .name = "boosting_huber",
    .task = TASK_REGRESSION,
    .help = "gradient boosted trees, Huber's loss: outliers pull with bounded force",
    .joins_groups = true,
    .fit = fit_huber,
};
const struct trainer trainer_boosting_quantile = {
    .name = "boosting_quantile",
    .task = TASK_REGRESSION,
    .help = "gradient boosted trees, quantile loss at the median",
    .joins_groups = true,
    .fit = fit_quantile,
};
const struct trainer trainer_forest = {
    .name = "forest",
    .task = TASK_REGRESSION,
    .help = "random forest: the mean of deep trees",
    .joins_groups = true,
    .fit = fit_forest,
};
const struct trainer trainer_boosting_classes = {
    .name = "boosting",
    .task = TASK_CLASSIFICATION,
    .help = "gradient boosted trees, one a class a round",
    .joins_groups = true,
    .fit = fit_classes,
};
const struct trainer trainer_boosting_balanced = {
    .name = "boosting_balanced",
    .task = TASK_CLASSIFICATION,
    .help =
        "boosting in which classes count nearly the same: rare ones are found, shares are not kept",
    .joins_groups = true,
    .fit = fit_classes_balanced,
};
const struct trainer trainer_forest_classes = {
    .name = "forest",
    .task = TASK_CLASSIFICATION,
    .help = "random forest: the mean of deep trees",
    .joins_groups = true,
    .fit = fit_forest,
};
const struct trainer trainer_forest_balanced = {
    .name = "forest_balanced",
    .task = TASK_CLASSIFICATION,
    .help = "random forest in which classes count nearly the same",
    .joins_groups = true,
    .fit = fit_forest_balanced,
};
