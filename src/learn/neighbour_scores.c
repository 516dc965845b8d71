/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/neighbour_scores.h"

#include <stdlib.h>

#include "runtime/engine.h"
#include "runtime/own_neighbours.h"
#include "runtime/weighted_mean.h"

/* What is known of the training rows. */
struct known {
    const size_t *train;
    double *score; /* [n_rows of the table] of those; NaN of the others */
    struct feature_spec *spec;
    struct matrix rows; /* of those */
    struct own_neighbours near;
};

static void known_deinit(struct known *known)
{
    free(known->score);
    feature_spec_free(known->spec);
    matrix_deinit(&known->rows);
    own_neighbours_deinit(&known->near);
}

static enum status known_init(struct known *known, const struct neighbour_scores *scores,
                              struct error *err)
{
    const struct table *table = scores->table;
    const double *column = table->number[PROFILE_influence_score];
    known->train = scores->train;
    known->score = calloc(table->n_rows + 1, sizeof *known->score);
    if (!known->score)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < table->n_rows; i++)
        known->score[i] = MISSING;
    for (size_t i = 0; column && i < scores->n_train; i++)
        known->score[scores->train[i]] = column[scores->train[i]];
    TRY(design_fit(scores->finder, table, scores->train, scores->n_train, &known->spec, err));
    TRY(matrix_make(known->spec, table, scores->train, scores->n_train, &known->rows, err));
    const struct neighbour_rows rows = {known->rows.scaled, known->rows.n, known->rows.p};
    return own_neighbours_init(&known->near, &rows, scores->seed, err);
}

/* Which of the training rows is left out. */
struct own_row {
    const size_t *train;
    size_t row; /* of the table */
};

static bool is_other(void *user, uint32_t at)
{
    const struct own_row *own = user;
    return own->train[at] != own->row;
}

static double mean_of_nearest(const struct known *known, size_t row, const float *x)
{
    struct neighbour found[ENGINE_PLACE_NEIGHBOURS];
    struct own_row own = {known->train, row};
    const struct neighbours_query query = {x, ENGINE_PLACE_NEIGHBOURS, is_other, &own};
    size_t n = neighbours_search(known->near.neighbours, &query, known->near.scratch, found);
    struct weighted_mean mean = {0};
    for (size_t i = 0; i < n; i++)
        weighted_mean_add(&mean, known->score[known->train[found[i].row]], 1);
    return weighted_mean(&mean);
}

static double mean_of_linked(const struct known *known, const struct links *links, size_t row)
{
    struct link_list list = links_of(links, row);
    struct weighted_mean mean = {0};
    for (size_t i = 0; i < list.n; i++)
        weighted_mean_add(&mean, known->score[list.node[i]], (double)list.weight[i]);
    return weighted_mean(&mean);
}

enum status neighbour_scores_fill(const struct neighbour_scores *scores, double *ret_score,
                                  struct error *err)
{
    AUTO(known_deinit) struct known known = {0};
    TRY(known_init(&known, scores, err));
    for (size_t row = 0; row < scores->table->n_rows; row++) {
        ret_score[row] = mean_of_linked(&known, scores->links, row);
        if (!isnan(ret_score[row]))
            continue;
        AUTO(matrix_deinit) struct matrix own = {0};
        TRY(matrix_make(known.spec, scores->table, &row, 1, &own, err));
        ret_score[row] = mean_of_nearest(&known, row, own.scaled);
    }
    return STATUS_OK;
}
