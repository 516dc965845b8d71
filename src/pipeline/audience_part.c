/* SPDX-License-Identifier: Apache-2.0 */

/* The reference of the audience check: what the figures of the training accounts are, by size. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/training.h"

#define MIN_MEMBERS 20 /* of a size, to be compared among itself */

struct accounts {
    size_t n, n_sizes;
    size_t *size;   /* [n] index; SIZE_MAX: no followers */
    double *figure; /* [AUDIENCE_FIGURES][n] NaN: missing */
    double *values; /* [n] scratch */
};

static void accounts_deinit(struct accounts *accounts)
{
    free(accounts->size);
    free(accounts->figure);
    free(accounts->values);
}

static enum status accounts_init(struct accounts *accounts, const struct training *training,
                                 struct error *err)
{
    const struct size_tiers *sizes = &training->tier.sizes;
    size_t n = accounts->n = training->table->n_rows;
    accounts->n_sizes = sizes->n;
    accounts->size = calloc(n + 1, sizeof *accounts->size);
    accounts->figure = calloc(AUDIENCE_FIGURES * n + 1, sizeof *accounts->figure);
    accounts->values = calloc(n + 1, sizeof *accounts->values);
    if (!accounts->size || !accounts->figure || !accounts->values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct profile profile;
        double figure[AUDIENCE_FIGURES];
        design_profile(training->table, i, &profile);
        audience_figures(&profile, figure);
        double followers = profile.number[PROFILE_followers];
        accounts->size[i] = isnan(followers) ? SIZE_MAX : size_tiers_find(sizes, followers);
        for (size_t f = 0; f < AUDIENCE_FIGURES; f++)
            accounts->figure[f * n + i] = figure[f];
    }
    return STATUS_OK;
}

/* The figure's values in a size; SIZE_MAX: of all. */
static size_t take(struct accounts *accounts, size_t figure, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < accounts->n; i++) {
        double value = accounts->figure[figure * accounts->n + i];
        if (!isnan(value) && (size == SIZE_MAX || accounts->size[i] == size))
            accounts->values[n++] = value;
    }
    return n;
}

enum status audience_part_write(struct training *training, struct artifact_writer *writer,
                                struct error *err)
{
    AUTO(accounts_deinit) struct accounts accounts = {0};
    TRY(accounts_init(&accounts, training, err));
    size_t n_rows = accounts.n_sizes + 1;
    AUTO(free_slot) float *grid = calloc(AUDIENCE_FIGURES * n_rows * AUDIENCE_GRID, sizeof *grid);
    double known[AUDIENCE_FIGURES] = {0};
    if (!grid)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t f = 0; f < AUDIENCE_FIGURES; f++) {
        float *rows = grid + f * n_rows * AUDIENCE_GRID;
        float *all = rows + accounts.n_sizes * AUDIENCE_GRID;
        size_t n = take(&accounts, f, SIZE_MAX);
        if (n < MIN_MEMBERS)
            continue;
        known[f] = 1;
        composite_make_grid(accounts.values, n, all, AUDIENCE_GRID);
        for (size_t size = 0; size < accounts.n_sizes; size++) {
            float *own = rows + size * AUDIENCE_GRID;
            n = take(&accounts, f, size);
            if (n >= MIN_MEMBERS)
                composite_make_grid(accounts.values, n, own, AUDIENCE_GRID);
            else
                memcpy(own, all, AUDIENCE_GRID * sizeof *own);
        }
    }
    struct audience_reference reference = {accounts.n_sizes, grid, known};
    return audience_write(writer, &reference, err);
}
