/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "runtime/softmax.h"

#define MAX_JUDGED 2000
#define MAX_EXPLAINED                                                           \
    400 /* rows times outputs of a fold: exact contributions of trees cost more \
         */
#define ADDS_UP 1e-4

void importance_free(struct importance *importance)
{
    if (!importance)
        return;
    arena_deinit(&importance->memory);
    free(importance);
}

/* ---- inputs: columns by the name before '=' ---- */

/* What is summed up over folds. */
struct sums {
    const struct crossval_input *input;
    struct rng rng;
    struct arena *memory; /* of the result */
    size_t n;
    const char *name[FEATURE_MAX_COLUMNS];
    double rise[FEATURE_MAX_COLUMNS], squares[FEATURE_MAX_COLUMNS];
    size_t count[FEATURE_MAX_COLUMNS];
    double contribution[FEATURE_MAX_COLUMNS];
    size_t n_explained;
    bool adds_up;
    double loss; /* sum over folds */
};

/* The input that a column belongs to; a new one when it was not seen before. Folds differ in the
 * levels they know, not in their inputs. */
static enum status input_of(struct sums *sums, const char *column, size_t *ret_input,
                            struct error *err)
{
    size_t length = strcspn(column, "=");
    size_t i = 0;
    while (i < sums->n &&
           (strncmp(sums->name[i], column, length) != 0 || sums->name[i][length] != '\0'))
        i++;
    *ret_input = i;
    if (i < sums->n)
        return STATUS_OK;
    sums->name[i] = arena_strndup(sums->memory, column, length);
    if (!sums->name[i])
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    sums->n++;
    return STATUS_OK;
}

/* ---- one fold ---- */

struct judged {
    size_t n, p, k;
    size_t *at;      /* [n] rows of the fold */
    uint32_t *nodes; /* [n] */
    float *raw;      /* [n][p] */
    float *shuffled; /* [n][p] */
    double *output;  /* [n][k] */
    size_t *order;   /* [n] */
};

static void judged_deinit(struct judged *judged)
{
    free(judged->at);
    free(judged->nodes);
    free(judged->raw);
    free(judged->shuffled);
    free(judged->output);
    free(judged->order);
}

static enum status judged_init(struct judged *judged, const struct crossval_fold *fold,
                               struct error *err)
{
    judged->n = fold->n < MAX_JUDGED ? fold->n : MAX_JUDGED;
    judged->p = fold->rows->p;
    judged->k = shipped_n_outputs(fold->model);
    judged->at = calloc(judged->n + 1, sizeof *judged->at);
    judged->nodes = calloc(judged->n + 1, sizeof *judged->nodes);
    judged->raw = calloc(judged->n * judged->p + 1, sizeof *judged->raw);
    judged->shuffled = calloc(judged->n * judged->p + 1, sizeof *judged->shuffled);
    judged->output = calloc(judged->n * judged->k + 1, sizeof *judged->output);
    judged->order = calloc(judged->n + 1, sizeof *judged->order);
    if (!judged->at || !judged->nodes || !judged->raw || !judged->shuffled || !judged->output ||
        !judged->order)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < judged->n; i++) {
        judged->at[i] = i * fold->n / judged->n;
        judged->nodes[i] = fold->rows->nodes[judged->at[i]];
        memcpy(judged->raw + i * judged->p, fold->rows->raw + judged->at[i] * judged->p,
               judged->p * sizeof *judged->raw);
    }
    memcpy(judged->shuffled, judged->raw, judged->n * judged->p * sizeof *judged->raw);
    return STATUS_OK;
}

/* Mean loss of the rows as they stand in `raw`. */
static double loss_of(const struct judged *judged, const struct crossval_fold *fold,
                      const struct target *target, const float *raw)
{
    double loss = 0;
    const struct shipped_rows rows = {
        .n = judged->n, .raw = raw, .links = fold->links, .nodes = judged->nodes};
    shipped_run_rows(fold->model, &rows, judged->output);
    for (size_t i = 0; i < judged->n; i++) {
        size_t position = fold->held[judged->at[i]];
        const double *output = judged->output + i * judged->k;
        if (target->task == TASK_REGRESSION)
            loss += fabs(output[0] - target->y[position]);
        else
            loss += argmax(output, judged->k) != target->label[position];
    }
    return loss / (double)(judged->n ? judged->n : 1);
}

/* Deal the columns of one input out among the rows anew, all columns of a row together. */
static void shuffle(struct judged *judged, const size_t *input_of_column, size_t input,
                    struct rng *rng)
{
    rng_permutation(rng, judged->order, judged->n);
    for (size_t i = 0; i < judged->n; i++)
        for (size_t c = 0; c < judged->p; c++)
            if (input_of_column[c] == input)
                judged->shuffled[i * judged->p + c] = judged->raw[judged->order[i] * judged->p + c];
}

static void restore(struct judged *judged, const size_t *input_of_column, size_t input)
{
    for (size_t i = 0; i < judged->n; i++)
        for (size_t c = 0; c < judged->p; c++)
            if (input_of_column[c] == input)
                judged->shuffled[i * judged->p + c] = judged->raw[i * judged->p + c];
}

static void permute(struct sums *sums, struct judged *judged, const struct crossval_fold *fold,
                    const size_t *input_of_column)
{
    const struct target *target = sums->input->target;
    double loss = loss_of(judged, fold, target, judged->raw);
    sums->loss += loss;
    for (size_t input = 0; input < sums->n; input++) {
        for (size_t s = 0; s < IMPORTANCE_SHUFFLES; s++) {
            shuffle(judged, input_of_column, input, &sums->rng);
            double rise = loss_of(judged, fold, target, judged->shuffled) - loss;
            sums->rise[input] += rise;
            sums->squares[input] += rise * rise;
            sums->count[input]++;
        }
        restore(judged, input_of_column, input);
    }
}

static void explain(struct sums *sums, struct judged *judged, const struct crossval_fold *fold,
                    const size_t *input_of_column)
{
    double contribution[FEATURE_MAX_COLUMNS];
    double *output = judged->output; /* of losses, which are done */
    size_t n = MAX_EXPLAINED / judged->k;
    n = n < judged->n ? n : judged->n;
    for (size_t i = 0; i < n && sums->adds_up; i++) {
        const float *raw = judged->raw + i * judged->n / n * judged->p;
        shipped_run(fold->model, raw, 1, output);
        for (size_t o = 0; o < judged->k; o++) {
            double of_input[FEATURE_MAX_COLUMNS] = {0};
            double sum = shipped_explain(fold->model, raw, o, contribution);
            for (size_t c = 0; c < judged->p; c++) {
                of_input[input_of_column[c]] += contribution[c];
                sum += contribution[c];
            }
            sums->adds_up &= fabs(sum - output[o]) <= ADDS_UP * fmax(1.0, fabs(output[o]));
            for (size_t input = 0; input < sums->n; input++)
                sums->contribution[input] += fabs(of_input[input]);
            sums->n_explained++;
        }
    }
}

static enum status visit(const struct crossval_fold *fold, void *context, struct error *err)
{
    struct sums *sums = context;
    size_t input_of_column[FEATURE_MAX_COLUMNS] = {0};
    for (size_t c = 0; c < fold->spec->n_columns; c++)
        TRY(input_of(sums, fold->spec->columns[c].name, &input_of_column[c], err));
    AUTO(judged_deinit) struct judged judged = {0};
    TRY(judged_init(&judged, fold, err));
    permute(sums, &judged, fold, input_of_column);
    explain(sums, &judged, fold, input_of_column);
    return STATUS_OK;
}

/* ---- the whole ---- */

static enum status gather(const struct sums *sums, struct importance *importance, struct error *err)
{
    struct arena *memory = &importance->memory;
    size_t n = sums->n;
    importance->n = n;
    importance->loss = sums->loss / (double)sums->input->n_folds;
    importance->name = ARENA_ARRAY(memory, const char *, n + 1);
    importance->mean = ARENA_ARRAY(memory, double, n + 1);
    importance->sd = ARENA_ARRAY(memory, double, n + 1);
    double *contribution = ARENA_ARRAY(memory, double, n + 1);
    if (!importance->name || !importance->mean || !importance->sd || !contribution)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    importance->contribution = sums->adds_up && sums->n_explained > 0 ? contribution : NULL;
    for (size_t input = 0; input < n; input++) {
        double count = (double)sums->count[input];
        double mean = sums->rise[input] / count;
        size_t at = input;
        for (; at > 0 && importance->mean[at - 1] < mean; at--) {
            importance->name[at] = importance->name[at - 1];
            importance->mean[at] = importance->mean[at - 1];
            importance->sd[at] = importance->sd[at - 1];
            contribution[at] = contribution[at - 1];
        }
        importance->name[at] = sums->name[input];
        importance->mean[at] = mean;
        importance->sd[at] =
            count > 1 ? sqrt(fmax(0, (sums->squares[input] - count * mean * mean) / (count - 1)))
                      : 0;
        contribution[at] =
            sums->n_explained ? sums->contribution[input] / (double)sums->n_explained : 0;
    }
    return STATUS_OK;
}

enum status importance_run(const struct crossval_input *input, const struct trainer *trainer,
                           const uint32_t *fold_of_row, struct importance **ret_importance,
                           struct error *err)
{
    AUTO(importance_free_slot) struct importance *importance = calloc(1, sizeof *importance);
    AUTO(free_slot) struct sums *sums = calloc(1, sizeof *sums);
    if (!importance || !sums)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&importance->memory, 4096);
    sums->input = input;
    sums->rng = rng_seed(input->seed);
    sums->memory = &importance->memory;
    sums->adds_up = true;
    TRY(crossval_visit(input, trainer, fold_of_row, visit, sums, err));
    TRY(gather(sums, importance, err));
    *ret_importance = STEAL(importance);
    return STATUS_OK;
}
