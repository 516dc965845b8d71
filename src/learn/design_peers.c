/* SPDX-License-Identifier: Apache-2.0 */

/* Who the peers of an account are, and what is typical of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

#include "learn/design_inner.h"

#define MIN_SIZE_ROWS 50     /* of a standard size, to be a size of its own */
#define MIN_CATEGORY_ROWS 20 /* rarer categories have no peers of their own */
#define LEAN 20              /* rows that the median above a cell's counts for */
#define QUARTERS 4

static const double standard_cuts[] = {1e4, 5e4, 5e5, 1e6}; /* micro, mid, macro, mega */

/* ---- the choice ---- */

static bool text_is_there(const struct table *table, enum profile_text text)
{
    const char **column = table->text[text];
    for (size_t row = 0; column && row < table->n_rows; row++)
        if (column[row])
            return true;
    return false;
}

void design_choose_peers(const struct table *table, struct design *design)
{
    const struct design_options *options = &design->options;
    design->peer_sizes = table->number[PROFILE_followers] &&
                         !(options->hidden >> PROFILE_followers & 1) &&
                         !options->excluded[FEATURE_ln_followers];
    design->peer_categories = !options->no_texts && !options->hidden_text[PROFILE_category] &&
                              text_is_there(table, PROFILE_category);
    if (!design->peer_sizes && !design->peer_categories)
        return;
    for (size_t i = 0; i < design->n_features; i++) {
        const char *group = feature_definitions[design->features[i]].group;
        if (strcmp(group, "engagement") == 0 || strcmp(group, "activity") == 0)
            design->peers[design->n_peers++] = design->features[i];
    }
}

/* ---- the cells ---- */

/* Standard sizes that have enough rows; where fewer than two have, quarters of the followers.
 * followers: [n], sorted here, missing ones first gone. */
static void cut_sizes(double *followers, size_t n, struct feature_peers *peers)
{
    size_t n_present = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(followers[i]))
            followers[n_present++] = followers[i];
    sort_doubles(followers, n_present);
    size_t n_cuts = 0;
    size_t begin = 0;
    for (size_t c = 0; c < ARRAY_LENGTH(standard_cuts); c++) {
        size_t at = begin;
        while (at < n_present && followers[at] < standard_cuts[c])
            at++;
        if (at - begin < MIN_SIZE_ROWS || n_present - at < MIN_SIZE_ROWS)
            continue;
        peers->cuts[n_cuts++] = standard_cuts[c];
        begin = at;
    }
    for (size_t q = 1; n_cuts == 0 && q < QUARTERS && n_present >= QUARTERS * MIN_SIZE_ROWS / 2;
         q++)
        peers->cuts[q - 1] = followers[q * n_present / QUARTERS];
    if (n_cuts == 0 && peers->cuts[0] < peers->cuts[1] && peers->cuts[1] < peers->cuts[2])
        n_cuts = QUARTERS - 1;
    peers->n_sizes = n_cuts + 1;
}

struct cells {
    struct feature_peers *peers;
    struct matrix values; /* [n][n_columns] the features themselves */
    uint32_t *size;       /* [n] */
    uint32_t *category;   /* [n] */
    float *sorted;        /* [n] scratch */
    float *medians;       /* [sizes + 1][categories + 1][columns] */
};

static void cells_deinit(struct cells *cells)
{
    matrix_deinit(&cells->values);
    free(cells->size);
    free(cells->category);
    free(cells->sorted);
}

static enum status count_categories(const struct design *design, const struct table *table,
                                    const size_t *rows, size_t n, struct arena *arena,
                                    struct feature_peers *peers, struct error *err)
{
    AUTO(free_slot) struct design_level *levels = NULL;
    size_t n_levels = 0;
    if (!design->peer_categories)
        return STATUS_OK;
    TRY(design_count_levels((const char *const *)table->text[PROFILE_category], rows, n, &levels,
                            &n_levels, err));
    const char **categories = ARENA_ARRAY(arena, const char *, PEERS_MAX_CATEGORIES);
    if (!categories)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    while (peers->n_categories < n_levels && peers->n_categories < PEERS_MAX_CATEGORIES &&
           levels[peers->n_categories].count >= MIN_CATEGORY_ROWS) {
        categories[peers->n_categories] = levels[peers->n_categories].text;
        peers->n_categories++;
    }
    peers->categories = categories;
    return STATUS_OK;
}

static enum status make_values(const struct design *design, const struct table *table,
                               const size_t *rows, size_t n, struct cells *cells, struct error *err)
{
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    const char *names[FEATURE_N];
    const float zeros[FEATURE_N] = {0};
    float ones[FEATURE_N];
    for (size_t i = 0; i < design->n_peers; i++) {
        names[i] = feature_definitions[design->peers[i]].name;
        ones[i] = 1;
    }
    TRY(feature_spec_new(names, zeros, zeros, ones, design->n_peers, &spec, err));
    return matrix_make(spec, table, rows, n, &cells->values, err);
}

/* Rows into cells by the very code that finds the peers of a profile. */
static enum status place_rows(const struct design *design, const struct table *table,
                              const size_t *rows, size_t n, struct cells *cells, struct error *err)
{
    struct feature_peers *peers = cells->peers;
    AUTO(free_slot) double *followers = calloc(n + 1, sizeof *followers);
    cells->size = calloc(n + 1, sizeof *cells->size);
    cells->category = calloc(n + 1, sizeof *cells->category);
    cells->sorted = calloc(n + 1, sizeof *cells->sorted);
    if (!followers || !cells->size || !cells->category || !cells->sorted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    peers->n_sizes = 1;
    if (design->peer_sizes) {
        for (size_t i = 0; i < n; i++)
            followers[i] = table->number[PROFILE_followers][rows[i]];
        cut_sizes(followers, n, peers);
    }
    for (size_t i = 0; i < n; i++) {
        struct profile profile;
        table_profile(table, rows[i], &profile);
        size_t cell = peers_cell(peers, &profile);
        cells->size[i] = (uint32_t)(cell / (peers->n_categories + 1));
        cells->category[i] = (uint32_t)(cell % (peers->n_categories + 1));
    }
    return STATUS_OK;
}

#define ANY UINT32_MAX

/* Median of a column in a cell, leaning on `above` with the weight of LEAN rows. */
static float lean(struct cells *cells, size_t column, uint32_t size, uint32_t category, float above)
{
    const struct matrix *values = &cells->values;
    size_t n = 0;
    for (size_t i = 0; i < values->n; i++) {
        float value = values->raw[i * values->p + column];
        if ((size == ANY || cells->size[i] == size) &&
            (category == ANY || cells->category[i] == category) && !isnan(value))
            cells->sorted[n++] = value;
    }
    if (n == 0)
        return above;
    sort_floats(cells->sorted, n);
    float median = (cells->sorted[(n - 1) / 2] + cells->sorted[n / 2]) / 2;
    return isnan(above) ? median
                        : ((float)n * median + (float)LEAN * above) / ((float)n + (float)LEAN);
}

static void fill_medians(struct cells *cells)
{
    const struct feature_peers *peers = cells->peers;
    size_t n_categories = peers->n_categories;
    for (size_t column = 0; column < peers->n_columns; column++) {
        float all = lean(cells, column, ANY, ANY, NAN);
        for (uint32_t size = 0; size <= peers->n_sizes; size++) {
            uint32_t of_size = size == peers->n_sizes ? ANY : size;
            float typical = of_size == ANY ? all : lean(cells, column, of_size, ANY, all);
            float *row = cells->medians + size * (n_categories + 1) * peers->n_columns;
            for (uint32_t category = 0; category <= n_categories; category++)
                row[category * peers->n_columns + column] =
                    category == n_categories ? typical
                                             : lean(cells, column, of_size, category, typical);
        }
    }
}

enum status design_fit_peers(const struct design *design, const struct table *table,
                             const size_t *rows, size_t n, struct arena *arena,
                             struct feature_peers *ret_peers, struct error *err)
{
    AUTO(cells_deinit) struct cells cells = {0};
    struct feature_peers peers = {.n_columns = design->n_peers};
    if (design->n_peers == 0) {
        *ret_peers = peers;
        return STATUS_OK;
    }
    cells.peers = &peers;
    TRY(count_categories(design, table, rows, n, arena, &peers, err));
    TRY(place_rows(design, table, rows, n, &cells, err));
    TRY(make_values(design, table, rows, n, &cells, err));
    cells.medians = ARENA_ARRAY(
        arena, float, (peers.n_sizes + 1) * (peers.n_categories + 1) * peers.n_columns + 1);
    if (!cells.medians)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    fill_medians(&cells);
    peers.medians = cells.medians;
    *ret_peers = peers;
    return STATUS_OK;
}
