/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "dataset/split.h"
#include "learn/folds.h"
#include "learn/shipped.h"
#include "runtime/softmax.h"

#define KEPT 3 /* of so many candidates one goes on */
#define MAX_CANDIDATES 64
#define MIN_ROWS 20 /* fewer are not split: the default is taken */

size_t tune_fits_for(size_t n_fits, size_t n)
{
    size_t left = n > TUNE_FULL_ROWS ? n_fits * TUNE_FULL_ROWS / n : n_fits;
    return left > 0 ? left : 1;
}

size_t tune_candidates(size_t n_fits)
{
    /* n on one fold each, then a third of them and the default on the last folds. */
    size_t n =
        n_fits > TUNE_LAST_FOLDS ? (n_fits - TUNE_LAST_FOLDS) * KEPT / (KEPT + TUNE_LAST_FOLDS) : 1;
    return n < 1 ? 1 : n > MAX_CANDIDATES ? MAX_CANDIDATES : n;
}

/* Candidate numbers by loss; the default is in front, whatever its loss. */
static void sort_candidates(size_t *candidates, double *loss, size_t n)
{
    for (size_t i = 2; i < n; i++)
        for (size_t j = i; j > 1 && loss[j] < loss[j - 1]; j--) {
            double other = loss[j];
            size_t candidate = candidates[j];
            loss[j] = loss[j - 1];
            candidates[j] = candidates[j - 1];
            loss[j - 1] = other;
            candidates[j - 1] = candidate;
        }
}

enum status tune_halving(const struct halving *halving, size_t *ret_best, struct error *err)
{
    size_t n = halving->n_candidates < MAX_CANDIDATES ? halving->n_candidates : MAX_CANDIDATES;
    size_t candidates[MAX_CANDIDATES] = {0};
    double loss[MAX_CANDIDATES] = {0};
    for (size_t i = 0; i < n; i++)
        candidates[i] = i;
    if (n > 2) {
        for (size_t i = 1; i < n; i++)
            TRY(halving->loss(halving->user, i, 1, &loss[i], err));
        sort_candidates(candidates, loss, n);
        n = 1 + (n - 1 + KEPT - 1) / KEPT;
    }
    size_t best = 0;
    double n_held = (double)halving->n_rows * TUNE_LAST_FOLDS / TUNE_FOLDS;
    double margin = TUNE_MARGIN / sqrt(fmax(n_held, 1.0));
    for (size_t i = 0; i < n && n > 1; i++) {
        TRY(halving->loss(halving->user, candidates[i], TUNE_LAST_FOLDS, &loss[i], err));
        double bound = best == 0 ? loss[0] * (1.0 - margin) : loss[best];
        if (loss[i] < bound)
            best = i;
    }
    *ret_best = candidates[best];
    return STATUS_OK;
}

enum status tune_folds(const struct problem *problem, uint32_t *ret_fold, struct error *err)
{
    if (problem->task == TASK_CLASSIFICATION)
        return split_stratified(problem->label, problem->n, TUNE_FOLDS, problem->seed, ret_fold,
                                err);
    return split_plain(problem->n, TUNE_FOLDS, problem->seed, ret_fold, err);
}

enum status class_weights_balanced(const struct problem *problem, double *ret_weight,
                                   struct error *err)
{
    for (size_t c = 0; c < problem->n_classes; c++)
        ret_weight[c] = 0;
    for (size_t i = 0; i < problem->n; i++)
        ret_weight[problem->label[i]]++;
    TRY(collective_sum(problem->group, ret_weight, problem->n_classes, err));
    for (size_t c = 0; c < problem->n_classes; c++)
        ret_weight[c] = (double)problem_n_all(problem) /
                        ((double)problem->n_classes * fmax(ret_weight[c], 1.0));
    return STATUS_OK;
}

enum status class_weights_tempered(const struct problem *problem, double *ret_weight,
                                   struct error *err)
{
    TRY(class_weights_balanced(problem, ret_weight, err));
    double mean = 0; /* over rows: a class of weight w is 1 / (k w) of them */
    for (size_t c = 0; c < problem->n_classes; c++) {
        double tempered = pow(ret_weight[c], CLASS_TEMPER);
        mean += tempered / (ret_weight[c] * (double)problem->n_classes);
        ret_weight[c] = tempered;
    }
    for (size_t c = 0; c < problem->n_classes; c++)
        ret_weight[c] /= mean;
    return STATUS_OK;
}

/* ---- recipes ---- */

void problem_part_deinit(struct problem_part *part)
{
    free(part->raw);
    free(part->scaled);
    free(part->y);
    free(part->label);
    free(part->nodes);
}

enum status problem_part_init(struct problem_part *part, const struct problem *problem,
                              const size_t *rows, size_t n, struct error *err)
{
    size_t p = problem->p;
    part->raw = calloc(n * p + 1, sizeof *part->raw);
    part->scaled = calloc(n * p + 1, sizeof *part->scaled);
    part->y = calloc(n + 1, sizeof *part->y);
    part->label = calloc(n + 1, sizeof *part->label);
    part->nodes = calloc(n + 1, sizeof *part->nodes);
    if (!part->raw || !part->scaled || !part->y || !part->label || !part->nodes)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        memcpy(part->raw + i * p, problem->raw + rows[i] * p, p * sizeof *part->raw);
        memcpy(part->scaled + i * p, problem->scaled + rows[i] * p, p * sizeof *part->scaled);
        if (problem->task == TASK_REGRESSION)
            part->y[i] = problem->y[rows[i]];
        else
            part->label[i] = problem->label[rows[i]];
        if (problem->nodes)
            part->nodes[i] = problem->nodes[rows[i]];
    }
    part->problem = *problem;
    part->problem.n = n;
    part->problem.raw = part->raw;
    part->problem.scaled = part->scaled;
    part->problem.y = part->y;
    part->problem.label = part->label;
    part->problem.nodes = problem->nodes ? part->nodes : NULL;
    return STATUS_OK;
}

struct search {
    const struct recipe *recipe;
    const struct problem *problem;
    double (*values)[RECIPE_MAX_KNOBS]; /* [n_candidates] */
    uint32_t *fold;                     /* [n] */
};

static void search_deinit(struct search *search)
{
    free(search->values);
    free(search->fold);
}

double problem_row_loss(const struct problem *problem, size_t row, const double *output)
{
    if (problem->task == TASK_REGRESSION) {
        double residual = problem->y[row] - output[0];
        return problem->loss == LOSS_ABSOLUTE ? fabs(residual) : residual * residual;
    }
    uint32_t label = problem->label[row];
    double weight = problem->class_weight ? problem->class_weight[label] : 1.0;
    double largest = output[argmax(output, problem->n_classes)];
    double total = 0;
    for (size_t c = 0; c < problem->n_classes; c++)
        total += exp(output[c] - largest);
    return weight * (log(total) + largest - output[label]);
}

static enum status try_fold(const struct search *search, const double *value,
                            const struct fold_rows *rows, double *loss, double *weight,
                            struct error *err)
{
    const struct problem *problem = search->problem;
    size_t k = problem->task == TASK_CLASSIFICATION ? problem->n_classes : 1;
    AUTO(problem_part_deinit) struct problem_part train = {0};
    AUTO(problem_part_deinit) struct problem_part held = {0};
    TRY(problem_part_init(&train, problem, rows->train, rows->n_train, err));
    TRY(problem_part_init(&held, problem, rows->held, rows->n_held, err));
    train.problem.n_fits = 0;
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    TRY(search->recipe->fit(&train.problem, value, &fitted, err));
    TRY(shipped_open(fitted, problem->spec, &shipped, err));
    AUTO(free_slot) double *output = calloc(rows->n_held * k + 1, sizeof *output);
    if (!output)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    const struct shipped_rows seen = {
        .n = rows->n_held, .raw = held.raw, .links = problem->links, .nodes = held.problem.nodes};
    shipped_run_rows(shipped, &seen, output);
    for (size_t i = 0; i < rows->n_held; i++) {
        *loss += problem_row_loss(&held.problem, i, output + i * k);
        *weight += problem->class_weight ? problem->class_weight[held.label[i]] : 1.0;
    }
    return STATUS_OK;
}

static enum status recipe_loss(void *user, size_t candidate, size_t n_folds, double *ret_loss,
                               struct error *err)
{
    const struct search *search = user;
    AUTO(fold_rows_deinit) struct fold_rows rows = {0};
    TRY(fold_rows_init(&rows, search->problem->n, err));
    double loss = 0;
    double weight = 0;
    for (uint32_t fold = 0; fold < n_folds; fold++) {
        fold_rows_take(&rows, search->fold, search->problem->n, fold, TUNE_FOLDS);
        TRY(try_fold(search, search->values[candidate], &rows, &loss, &weight, err));
    }
    *ret_loss = loss / weight;
    return STATUS_OK;
}

static bool are_equal(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static bool stands_already(const struct search *search, size_t candidate)
{
    for (size_t i = 0; i < candidate; i++)
        if (are_equal(search->values[i], search->values[candidate],
                      ARRAY_LENGTH(search->values[i])))
            return true;
    return false;
}

/* The default and n - 1 draws that differ; fewer where the knobs do not give as many. */
static size_t draw_candidates(struct search *search, size_t n)
{
    const struct recipe *recipe = search->recipe;
    struct rng rng = rng_seed(search->problem->seed);
    for (size_t i = 0; i < recipe->n_knobs; i++)
        search->values[0][i] = recipe->knobs[i].values[0];
    size_t n_drawn = 1;
    for (size_t draw = 0; draw < 4 * n && n_drawn < n; draw++) {
        for (size_t i = 0; i < recipe->n_knobs; i++)
            search->values[n_drawn][i] =
                recipe->knobs[i].values[rng_below(&rng, recipe->knobs[i].n)];
        n_drawn += !stands_already(search, n_drawn);
    }
    return n_drawn;
}

static enum status describe(const struct recipe *recipe, const double *value, struct fitted *fitted,
                            struct error *err)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    for (size_t i = 0; i < recipe->n_knobs; i++)
        buffer_printf(&text, "%s%s = %g", i ? ", " : "", recipe->knobs[i].name, value[i]);
    fitted->settings = arena_strndup(&fitted->memory, text.at ? text.at : "", text.length);
    return fitted->settings ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* The values that the problem's rows tell to be best. ret_value: [n_knobs]. */
static enum status choose_values(const struct recipe *recipe, const struct problem *problem,
                                 double *ret_value, struct error *err)
{
    AUTO(search_deinit) struct search search = {.recipe = recipe, .problem = problem};
    size_t n = problem->n < MIN_ROWS ? 1 : tune_candidates(problem->n_fits);
    search.values = calloc(n + 1, sizeof *search.values);
    search.fold = calloc(problem->n + 1, sizeof *search.fold);
    if (!search.values || !search.fold)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    n = draw_candidates(&search, n);
    if (n > 1)
        TRY(tune_folds(problem, search.fold, err));
    const struct halving halving = {n, problem->n, recipe_loss, &search};
    size_t best = 0;
    TRY(tune_halving(&halving, &best, err));
    memcpy(ret_value, search.values[best], recipe->n_knobs * sizeof ret_value[0]);
    return STATUS_OK;
}

enum status tune_recipe(const struct recipe *recipe, const struct problem *problem,
                        struct fitted **ret_fitted, struct error *err)
{
    double value[RECIPE_MAX_KNOBS] = {0};
    if (problem_deciding(problem))
        TRY(choose_values(recipe, problem_deciding(problem), value, err));
    TRY(collective_broadcast(problem->group, value, sizeof value, 0, err));
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    TRY(recipe->fit(problem, value, &fitted, err));
    TRY(describe(recipe, value, fitted, err));
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}
