/* SPDX-License-Identifier: Apache-2.0 */

/* Models on the graph of the training rows: each row and the k most like it, weighing 1 / (1 +
 * distance), and its real edges where some are given.
 *
 * Propagation (classes): labels spread over the graph (Zhou et al. 2004), and a new profile takes
 * the weighted shares of the rows it attaches to (Delalleau, Bengio, Le Roux 2005).
 *
 * Smoothing (numbers): a base model, and of its neighbours' errors a share; the errors are those on
 * inner folds' held-out rows and spread over the graph first ("correct" of Huang, He, Singh, Lim,
 * Benson 2021). What ships is the base and the neighbours as a blend of the two. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dataset/units.h"
#include "graph/propagate.h"
#include "learn/folds.h"
#include "learn/shipped.h"
#include "learn/tune.h"

#define MIN_ROWS 30 /* fewer are not split: nobody's errors are known */

/* ---- the graph ---- */

/* What of the graph is searched for. */
struct ties {
    size_t k;
    double alpha;
    double link_weight; /* of a real edge; 0: they do not count */
};

static bool has_links(const struct problem *problem)
{
    for (size_t i = 1; problem->nodes && i < problem->n; i++)
        if (problem->nodes[i] <= problem->nodes[i - 1])
            return false;
    for (size_t i = 0; problem->nodes && i < problem->n; i++)
        if (links_of(problem->links, problem->nodes[i]).n > 0)
            return true;
    return false;
}

struct draft {
    uint32_t *from, *to;
    double *weight;
    size_t m;
};

static void draft_deinit(struct draft *draft)
{
    free(draft->from);
    free(draft->to);
    free(draft->weight);
}

static enum status draft_init(struct draft *draft, size_t n, struct error *err)
{
    draft->from = calloc(n + 1, sizeof *draft->from);
    draft->to = calloc(n + 1, sizeof *draft->to);
    draft->weight = calloc(n + 1, sizeof *draft->weight);
    return draft->from && draft->to && draft->weight ? STATUS_OK
                                                     : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static void draw(struct draft *draft, uint32_t from, uint32_t to, double weight)
{
    draft->from[draft->m] = from;
    draft->to[draft->m] = to;
    draft->weight[draft->m++] = weight;
}

/* The links of row i to higher rows; what is no row of the problem is left out. */
static void draw_links(const struct problem *problem, uint32_t i, double link_weight,
                       struct draft *draft)
{
    struct link_list list = links_of(problem->links, problem->nodes[i]);
    for (size_t at = 0; at < list.n; at++) {
        size_t j = link_find(problem->nodes, problem->n, list.node[at]);
        if (j < problem->n && j > i)
            draw(draft, i, (uint32_t)j, link_weight * (double)list.weight[at]);
    }
}

static enum status make_graph(const struct problem *problem, const struct ties *ties,
                              struct graph **ret_graph, struct error *err)
{
    AUTO(graph_free_slot) struct graph *similar = NULL;
    AUTO(draft_deinit) struct draft draft = {0};
    const struct graph_rows rows = {problem->scaled, problem->n, problem->p};
    const struct graph_similarity_options options = {.k = ties->k, .seed = problem->seed};
    TRY(graph_similarity(&rows, &options, &similar, err));
    if (ties->link_weight <= 0) {
        *ret_graph = STEAL(similar);
        return STATUS_OK;
    }
    size_t n = similar->n_edges;
    for (size_t i = 0; i < problem->n; i++)
        n += links_of(problem->links, problem->nodes[i]).n;
    TRY(draft_init(&draft, n, err));
    for (size_t e = 0; e < similar->n_edges; e++)
        draw(&draft, similar->low[e], similar->high[e], similar->edge_weight[e]);
    for (uint32_t i = 0; i < problem->n; i++)
        draw_links(problem, i, ties->link_weight, &draft);
    const struct graph_edges edges = {problem->n, draft.m, draft.from, draft.to, draft.weight};
    return graph_new(&edges, false, ret_graph, err);
}

/* Spread y [n][n_values] over the graph; alpha 0 needs none. */
static enum status spread(const struct problem *problem, const struct ties *ties, size_t n_values,
                          const double *y, double *ret, struct error *err)
{
    AUTO(graph_free_slot) struct graph *graph = NULL;
    if (ties->alpha <= 0 || problem->n < 2) {
        memcpy(ret, y, problem->n * n_values * sizeof *ret);
        return STATUS_OK;
    }
    TRY(make_graph(problem, ties, &graph, err));
    const struct graph_spread options = {ties->alpha, n_values > 1, n_values};
    return graph_propagate(graph, &options, y, ret, err);
}

/* A model of the problem's rows without values yet: those are *ret_values [n][n_values], which it
 * owns, and the prior, which is 0. */
static enum status new_nearest(const struct problem *problem, const struct ties *ties,
                               struct fitted **ret_fitted, double **ret_values, double **ret_prior,
                               struct error *err)
{
    size_t n = problem->n;
    bool classes = problem->task == TASK_CLASSIFICATION;
    size_t n_outputs = classes ? problem->n_classes : 1;
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("nearest");
    if (!fitted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    float *rows = ARENA_ARRAY(&fitted->memory, float, n * problem->p);
    uint32_t *nodes = ARENA_ARRAY(&fitted->memory, uint32_t, n);
    *ret_values = ARENA_ARRAY(&fitted->memory, double, n *n_outputs);
    *ret_prior = ARENA_ARRAY(&fitted->memory, double, n_outputs);
    if (!rows || !nodes || !*ret_values || !*ret_prior)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    memcpy(rows, problem->scaled, n * problem->p * sizeof *rows);
    if (ties->link_weight > 0)
        memcpy(nodes, problem->nodes, n * sizeof *nodes);
    fitted->nearest = (struct nearest_model){
        .n_inputs = problem->p,
        .n_outputs = n_outputs,
        .n_rows = n,
        .k = ties->k < n ? ties->k : n,
        .answer = classes ? NEAREST_SPREAD : NEAREST_WEIGHTED,
        .rows = rows,
        .values = *ret_values,
        .prior = *ret_prior,
        .seed = problem->seed,
        .nodes = ties->link_weight > 0 ? nodes : NULL,
        .link_weight = ties->link_weight,
    };
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

/* ---- propagation ---- */

static const double class_counts[] = {15, 8, 30, 60};
static const double alphas[] = {0.5, 0, 0.8, 0.95};
static const double link_weights[] = {4, 1, 16, 0};

static const struct knob class_knobs[] = {
    {"k", class_counts, ARRAY_LENGTH(class_counts)},
    {"alpha", alphas, ARRAY_LENGTH(alphas)},
    {"links", link_weights, ARRAY_LENGTH(link_weights)},
};

/* The last knob is of problems with links. */
static struct ties ties_of(const struct problem *problem, const double *value, size_t n_before)
{
    return (struct ties){.k = (size_t)value[0],
                         .alpha = value[1],
                         .link_weight = has_links(problem) ? value[n_before] : 0};
}

static enum status propagation_fit(const struct problem *problem, const double *value,
                                   struct fitted **ret_fitted, struct error *err)
{
    size_t n = problem->n;
    size_t k = problem->n_classes;
    const struct ties ties = ties_of(problem, value, ARRAY_LENGTH(class_knobs) - 1);
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    AUTO(free_slot) double *y = calloc(n * k + 1, sizeof *y);
    double *values;
    double *prior;
    if (!y)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(new_nearest(problem, &ties, &fitted, &values, &prior, err));
    for (size_t c = 0; c < k; c++)
        prior[c] = 1.0 / (double)(n + k);
    for (size_t i = 0; i < n; i++) {
        y[i * k + problem->label[i]] = 1;
        prior[problem->label[i]] += 1.0 / (double)(n + k);
    }
    TRY(spread(problem, &ties, k, y, values, err));
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t c = 0; c < k; c++)
            sum += values[i * k + c];
        for (size_t c = 0; c < k; c++)
            values[i * k + c] *= (problem->class_weight ? problem->class_weight[c] : 1.0) / sum;
    }
    for (size_t c = 0; c < k && problem->class_weight; c++)
        prior[c] *= problem->class_weight[c];
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status propagation_train(const struct problem *problem, struct fitted **ret_fitted,
                                     struct error *err)
{
    const struct recipe recipe = {
        class_knobs, ARRAY_LENGTH(class_knobs) - (has_links(problem) ? 0 : 1), propagation_fit};
    return tune_recipe(&recipe, problem, ret_fitted, err);
}

static enum status balanced_train(const struct problem *problem, struct fitted **ret_fitted,
                                  struct error *err)
{
    struct problem balanced = *problem;
    AUTO(free_slot) double *weight = calloc(problem->n_classes + 1, sizeof *weight);
    if (!weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(class_weights_balanced(problem, weight, err));
    balanced.class_weight = weight;
    return propagation_train(&balanced, ret_fitted, err);
}

/* ---- smoothing ---- */

static const double number_counts[] = {20, 10, 50};
static const double number_alphas[] = {0, 0.6};
static const double shares[] = {0.5, 1, 0};

static const struct knob number_knobs[] = {
    {"k", number_counts, ARRAY_LENGTH(number_counts)},
    {"alpha", number_alphas, ARRAY_LENGTH(number_alphas)},
    {"share", shares, ARRAY_LENGTH(shares)},
    {"links", link_weights, ARRAY_LENGTH(link_weights)},
};

/* The problem's numbers are the base's errors. Under absolute loss those beyond four times the
 * median count as that: one freak must not move all its neighbours. */
#define MAX_ERRORS 4

static enum status errors_fit(const struct problem *problem, const double *value,
                              struct fitted **ret_fitted, struct error *err)
{
    size_t n = problem->n;
    const struct ties ties = ties_of(problem, value, ARRAY_LENGTH(number_knobs) - 1);
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    AUTO(free_slot) double *y = calloc(n + 1, sizeof *y);
    double *values;
    double *prior;
    if (!y)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(new_nearest(problem, &ties, &fitted, &values, &prior, err));
    for (size_t i = 0; i < n; i++)
        y[i] = fabs(problem->y[i]);
    double most = problem->loss == LOSS_ABSOLUTE ? MAX_ERRORS * units_median(y, n) : HUGE_VAL;
    for (size_t i = 0; i < n; i++)
        y[i] = value[2] * fmax(-most, fmin(problem->y[i], most));
    TRY(spread(problem, &ties, 1, y, values, err));
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

/* What a base says of the rows it has not seen. */
struct held_out {
    double *error; /* [n] */
    double loss;   /* mean */
};

static enum status hold_out(const struct problem *problem, const struct trainer *base,
                            const uint32_t *fold, struct held_out *held, struct error *err)
{
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, problem->n, err));
    held->loss = 0;
    for (uint32_t f = 0; f < TUNE_FOLDS; f++) {
        fold_rows_take(&rows, fold, problem->n, f, TUNE_FOLDS);
        AUTO(problem_part_deinit) struct problem_part train = {0};
        AUTO(fitted_free_slot) struct fitted *fitted = NULL;
        AUTO(shipped_close_slot) struct shipped *shipped = NULL;
        TRY(problem_part_init(&train, problem, rows.train, rows.n_train, err));
        train.problem.n_fits = 1;
        TRY(base->fit(&train.problem, &fitted, err));
        TRY(shipped_open(fitted, problem->spec, &shipped, err));
        for (size_t i = 0; i < rows.n_held; i++) {
            size_t row = rows.held[i];
            double output;
            shipped_run(shipped, problem->raw + row * problem->p, 1, &output);
            held->error[row] = problem->y[row] - output;
            held->loss += problem_row_loss(problem, row, &output) / (double)problem->n;
        }
    }
    return STATUS_OK;
}

/* The base with the least loss; the first unless another is better by more than chance, as in
 * tune.h. ret_error: its errors, [n]. */
static enum status choose_base(const struct problem *problem, const struct trainer **ret_base,
                               double *ret_error, struct error *err)
{
    bool squared = problem->loss == LOSS_SQUARED;
    const struct trainer *const bases[] = {
        squared ? &trainer_ridge : &trainer_huber,
        squared ? &trainer_boosting_squared : &trainer_boosting_absolute,
        &trainer_constant,
    };
    AUTO(free_slot) uint32_t *fold = calloc(problem->n + 1, sizeof *fold);
    AUTO(free_slot) double *error = calloc(problem->n + 1, sizeof *error);
    if (!fold || !error)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(tune_folds(problem, fold, err));
    double margin = 1.0 - TUNE_MARGIN / sqrt((double)problem->n);
    double bound = HUGE_VAL;
    for (size_t i = 0; i < ARRAY_LENGTH(bases); i++) {
        struct held_out held = {.error = error};
        TRY(hold_out(problem, bases[i], fold, &held, err));
        if (held.loss >= bound)
            continue;
        bound = i == 0 ? held.loss * margin : held.loss;
        *ret_base = bases[i];
        memcpy(ret_error, error, problem->n * sizeof *ret_error);
    }
    return STATUS_OK;
}

/* The base fitted to all rows, and what its neighbours add; errors is taken, NULL: nothing. */
static enum status assemble(const struct problem *problem, const struct trainer *base,
                            struct fitted **errors, struct fitted **ret_fitted, struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("blend");
    AUTO(buffer_deinit) struct buffer text = {0};
    double *weights = fitted ? ARENA_ARRAY(&fitted->memory, double, 2) : NULL;
    const char **families = fitted ? ARENA_ARRAY(&fitted->memory, const char *, 2) : NULL;
    if (!weights || !families)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct problem own = *problem;
    own.n_fits = 1; /* with the settings that its errors are of */
    TRY(base->fit(&own, &fitted->members[0], err));
    weights[0] = weights[1] = 1;
    families[0] = fitted->members[0]->family;
    fitted->blend = (struct blend_model){1, weights, families};
    buffer_printf(&text, "%s", base->name);
    if (*errors) {
        fitted->members[1] = STEAL(*errors);
        families[1] = fitted->members[1]->family;
        fitted->blend.n_members = 2;
        buffer_printf(&text, " + its neighbours' errors: %s", fitted->members[1]->settings);
    }
    fitted->settings = arena_strndup(&fitted->memory, text.at ? text.at : "", text.length);
    if (!fitted->settings)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status smoothing_train(const struct problem *problem, struct fitted **ret_fitted,
                                   struct error *err)
{
    const struct trainer *base = &trainer_ridge;
    AUTO(fitted_free_slot) struct fitted *errors = NULL;
    if (problem->n < MIN_ROWS)
        return assemble(problem, base, &errors, ret_fitted, err);
    AUTO(free_slot) double *error = calloc(problem->n + 1, sizeof *error);
    if (!error)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(choose_base(problem, &base, error, err));
    struct problem rest = *problem;
    rest.y = error;
    const struct recipe recipe = {
        number_knobs, ARRAY_LENGTH(number_knobs) - (has_links(problem) ? 0 : 1), errors_fit};
    TRY(tune_recipe(&recipe, &rest, &errors, err));
    return assemble(problem, base, &errors, ret_fitted, err);
}

const struct trainer trainer_smoothing = {
    .name = "smoothing",
    .task = TASK_REGRESSION,
    .help = "a base model, and of its neighbours' errors a share: by likeness and by real edges",
    .fit = smoothing_train,
};
const struct trainer trainer_propagation = {
    .name = "propagation",
    .task = TASK_CLASSIFICATION,
    .help = "labels that spread from neighbour to neighbour: by likeness and by real edges",
    .fit = propagation_train,
};
const struct trainer trainer_propagation_balanced = {
    .name = "propagation_balanced",
    .task = TASK_CLASSIFICATION,
    .help = "the same with all classes counting alike",
    .fit = balanced_train,
};
