/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/fold_data.h"

#include <assert.h>
#include <stdlib.h>

#include "dataset/split.h"
#include "learn/fold_places.h"
#include "learn/neighbour_scores.h"
#include "learn/tune.h"

/* ---- which rows ---- */

struct dated {
    double when;
    size_t row;
};

static int compare_dated(const void *a, const void *b)
{
    const struct dated *x = a;
    const struct dated *y = b;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static enum status split_by_time(const struct crossval_input *input, uint32_t *ret_fold,
                                 struct error *err)
{
    size_t n = input->target->n;
    AUTO(free_slot) struct dated *dated = calloc(n + 1, sizeof *dated);
    if (!dated)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        dated[i] = (struct dated){input->when[i], i};
    qsort(dated, n, sizeof dated[0], compare_dated);
    size_t part = 0;
    for (size_t i = 0; i < n; i++) {
        bool begins = i > 0 && dated[i].when != dated[i - 1].when;
        size_t due = i * (input->n_folds + 1) / n;
        if (begins && part < due)
            part++;
        ret_fold[dated[i].row] = part == 0 ? CROSSVAL_NEVER : (uint32_t)(part - 1);
    }
    if (part < input->n_folds)
        return fail(err, STATUS_INVALID,
                    "the rows have too few different times for %zu folds: %zu would do at most",
                    input->n_folds, part);
    return STATUS_OK;
}

enum status fold_data_split(const struct crossval_input *input, uint64_t seed, uint32_t *ret_fold,
                            struct error *err)
{
    const struct target *target = input->target;
    if (input->when)
        return split_by_time(input, ret_fold, err);
    if (target->group)
        return split_grouped(target->group, target->n, input->n_folds, seed, ret_fold, err);
    if (target->task == TASK_CLASSIFICATION)
        return split_stratified(target->label, target->n, input->n_folds, seed, ret_fold, err);
    return split_plain(target->n, input->n_folds, seed, ret_fold, err);
}

void fold_data_rows(const struct crossval_input *input, const uint32_t *fold_of_row, uint32_t fold,
                    struct fold_rows *rows)
{
    fold_rows_take(rows, fold_of_row, input->target->n, fold,
                   input->when ? fold : (uint32_t)input->n_folds);
    if (!input->when)
        return;
    rows->n_train = 0;
    for (size_t i = 0; i < input->target->n; i++)
        if (fold_of_row[i] == CROSSVAL_NEVER || fold_of_row[i] < fold)
            rows->train[rows->n_train++] = i;
}

/* ---- and what is known of them ---- */

void fold_data_deinit(struct fold_data *data)
{
    feature_spec_free(data->spec);
    matrix_deinit(&data->train);
    matrix_deinit(&data->held);
    free(data->y);
    free(data->label);
    free(data->monotone);
    free(data->neighbour_score);
}

static bool reads_neighbour_score(const struct design *design)
{
    for (size_t i = 0; i < design->n_features; i++)
        if (design->features[i] == FEATURE_net_neighbour_score)
            return true;
    return false;
}

/* train: [n_train] rows of the table. */
static enum status score_neighbours(struct fold_data *data, const struct crossval_input *input,
                                    const size_t *train, const struct fold_rows *rows,
                                    struct error *err)
{
    data->seen = *input->table;
    if (!input->finder || !reads_neighbour_score(input->design))
        return STATUS_OK;
    const struct neighbour_scores scores = {
        .table = input->table,
        .finder = input->finder,
        .links = input->links,
        .train = train,
        .n_train = rows->n_train,
        .seed = input->seed,
    };
    data->neighbour_score = calloc(input->table->n_rows + 1, sizeof *data->neighbour_score);
    if (!data->neighbour_score)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    data->seen.number[PROFILE_net_neighbour_score] = data->neighbour_score;
    return neighbour_scores_fill(&scores, data->neighbour_score, err);
}

/* The held-out rows as an unseen profile would look. */
static enum status make_held(struct fold_data *data, const struct crossval_input *input,
                             const struct fold_rows *rows, const size_t *train, struct error *err)
{
    AUTO(free_slot) size_t *held = calloc(rows->n_held + 1, sizeof *held);
    if (!held)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < rows->n_held; i++)
        held[i] = input->target->rows[rows->held[i]];
    TRY(matrix_make(data->spec, &data->seen, held, rows->n_held, &data->held, err));
    assert(data->spec);
    if (!input->similar || rows->n_held == 0 || !feature_reads_places(data->spec))
        return STATUS_OK;
    const struct fold_places places = {
        .table = &data->seen,
        .similar = input->similar,
        .train = train,
        .n_train = rows->n_train,
        .seed = input->seed,
    };
    return fold_places_fill(&places, data->spec, held, &data->held, err);
}

static bool sees_words(const struct design *design)
{
    return design->hashtags || design->brands;
}

/* Of rows to learn from: what no model was taught of held-out rows tells it nothing. */
static void hide_words(const struct design *design, struct matrix *train)
{
    for (size_t i = 0; i < train->n; i++) {
        if (!design->hashtags)
            train->words[i].hashtags = NULL;
        if (!design->brands)
            train->words[i].brands = NULL;
    }
}

enum status fold_data_init(struct fold_data *data, const struct crossval_input *input,
                           const struct fold_rows *rows, struct error *err)
{
    const struct target *target = input->target;
    size_t n_train = rows->n_train;
    AUTO(free_slot) size_t *of_table = calloc(target->n + 1, sizeof *of_table);
    data->y = calloc(n_train + 1, sizeof *data->y);
    data->label = calloc(n_train + 1, sizeof *data->label);
    if (!of_table || !data->y || !data->label)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n_train; i++) {
        of_table[i] = target->rows[rows->train[i]];
        data->y[i] = target->y[rows->train[i]];
        data->label[i] = target->label[rows->train[i]];
    }
    TRY(score_neighbours(data, input, of_table, rows, err));
    TRY(design_fit(input->design, &data->seen, of_table, n_train, &data->spec, err));
    TRY(matrix_make(data->spec, &data->seen, of_table, n_train, &data->train, err));
    hide_words(input->design, &data->train);
    if (input->monotone) {
        data->monotone = calloc(data->train.p + 1, sizeof *data->monotone);
        if (!data->monotone)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        monotone_signs(input->monotone, data->spec, data->monotone);
    }
    return make_held(data, input, rows, of_table, err);
}

struct problem fold_data_problem(const struct crossval_input *input, const struct fold_data *data,
                                 uint64_t seed)
{
    return (struct problem){
        .task = input->target->task,
        .loss = input->loss,
        .n = data->train.n,
        .p = data->train.p,
        .raw = data->train.raw,
        .scaled = data->train.scaled,
        .y = data->y,
        .label = data->label,
        .n_classes = input->target->n_classes,
        .monotone = data->monotone,
        .is_ordered = target_is_ordered(input->target),
        .spec = data->spec,
        .words = sees_words(input->design) ? data->train.words : NULL,
        .links = input->links,
        .nodes = input->links ? data->train.nodes : NULL,
        .n_fits = tune_fits_for(input->n_fits ? input->n_fits : TUNE_DEFAULT_FITS, data->train.n),
        .seed = seed,
        .n_threads = input->n_threads,
    };
}
