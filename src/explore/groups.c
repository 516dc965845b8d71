/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/groups.h"

#include <math.h>
#include <string.h>

#include "explore/figures.h"
#include "explore/statistics.h"
#include "explore/tally.h"

/* One tier with more than this share of the rows tells nothing apart. */
#define ONE_TIER_SHARE 0.95

static const char *const size_names[] = {"nano", "micro", "mid", "macro", "mega"};
static const double size_cuts[] = {1e4, 5e4, 5e5, 1e6};

const struct explore_sizes explore_default_sizes = {
    .names = size_names,
    .cuts = size_cuts,
    .n = ARRAY_LENGTH(size_names),
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* The number of cuts at or below x. */
int32_t groups_tier_of(double x, const double *cuts, size_t n_tiers)
{
    if (isnan(x))
        return -1;
    int32_t tier = 0;
    while ((size_t)tier + 1 < n_tiers && x >= cuts[tier])
        tier++;
    return tier;
}

/* Returns the number of rows in the fullest tier. */
static size_t assign(const double *followers, size_t n, const double *cuts, size_t n_tiers,
                     int32_t *ret_of_row)
{
    size_t counts[64] = {0}, fullest = 0;
    for (size_t row = 0; row < n; row++) {
        ret_of_row[row] = groups_tier_of(followers[row], cuts, n_tiers);
        if (ret_of_row[row] >= 0 && ++counts[ret_of_row[row] % 64] > fullest)
            fullest = counts[ret_of_row[row] % 64];
    }
    return fullest;
}

/* Names for the quarters of followers, and the cuts between them. *ret_names stays NULL when the
 * quarters do not differ. sorted: [n]. */
static enum status name_quarters(const double *sorted, size_t n, struct arena *memory,
                                 const char ***ret_names, double ret_cuts[3], struct error *err)
{
    double edge[5];
    for (size_t i = 0; i < 5; i++)
        edge[i] = statistics_quantile(sorted, n, 0.25 * (double)i);
    for (size_t i = 0; i < 4; i++)
        if (!(edge[i + 1] > edge[i]))
            return STATUS_OK;
    const char **names = ARENA_ARRAY(memory, const char *, 4);
    if (!names)
        return no_memory(err);
    for (size_t i = 0; i < 4; i++) {
        char low[FIGURE_BYTES], high[FIGURE_BYTES];
        figure_count(edge[i], low);
        figure_count(edge[i + 1], high);
        names[i] = arena_printf(memory, "%s - %s", low, high);
        if (!names[i])
            return no_memory(err);
    }
    memcpy(ret_cuts, edge + 1, 3 * sizeof edge[0]);
    *ret_names = names;
    return STATUS_OK;
}

enum status groups_by_size(const double *followers, size_t n, const struct explore_sizes *sizes,
                           struct arena *memory, struct frame_groups *ret_groups, struct error *err)
{
    int32_t *of_row = ARENA_ARRAY(memory, int32_t, n);
    AUTO(free_slot) double *sorted = calloc(n ? n : 1, sizeof *sorted);
    if (!of_row || !sorted)
        return no_memory(err);
    size_t n_present = statistics_present(followers, n, sorted);
    struct frame_groups groups = {
        .names = sizes->names, .n = sizes->n, .of_row = of_row, .cuts = sizes->cuts};
    size_t fullest = assign(followers, n, sizes->cuts, sizes->n, of_row);
    if (n_present >= 20 && (double)fullest > ONE_TIER_SHARE * (double)n_present) {
        const char **names = NULL;
        double *cuts = ARENA_ARRAY(memory, double, 3);
        if (!cuts)
            return no_memory(err);
        statistics_sort(sorted, n_present);
        TRY(name_quarters(sorted, n_present, memory, &names, cuts, err));
        if (names) {
            assign(followers, n, cuts, 4, of_row);
            groups.names = names;
            groups.n = 4;
            groups.cuts = cuts;
            groups.are_quarters = true;
        }
    }
    *ret_groups = groups;
    return STATUS_OK;
}

static enum status name_levels(const struct tally *tally, struct arena *memory,
                               const char ***ret_names, size_t *ret_n, struct error *err)
{
    AUTO(free_slot)
    struct tally_entry *entries =
        calloc(tally->n_distinct ? tally->n_distinct : 1, sizeof *entries);
    const char **names = ARENA_ARRAY(memory, const char *, GROUPS_MAX_LEVELS + 1);
    if (!entries || !names)
        return no_memory(err);
    tally_sorted(tally, entries);
    size_t n = 0;
    for (; n < tally->n_distinct && n < GROUPS_MAX_LEVELS; n++)
        names[n] = entries[n].text;
    if (tally->n_distinct > n)
        names[n++] = GROUPS_OTHER;
    *ret_names = names;
    *ret_n = n;
    return STATUS_OK;
}

static int32_t level_of(const char *text, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, names[i]) == 0)
            return (int32_t)i;
    return (int32_t)n - 1; /* not among the frequent ones: "(other)" */
}

static enum status count_texts(const char *const *texts, size_t n, struct tally *tally,
                               struct error *err)
{
    for (size_t row = 0; row < n; row++)
        if (texts[row])
            TRY(tally_add(tally, texts[row], err));
    return STATUS_OK;
}

enum status groups_by_text(const char *const *texts, size_t n, struct arena *memory,
                           struct frame_groups *ret_groups, struct error *err)
{
    AUTO(tally_deinit) struct tally tally = {0};
    TRY(count_texts(texts, n, &tally, err));
    int32_t *of_row = ARENA_ARRAY(memory, int32_t, n);
    const char **names = NULL;
    size_t n_names = 0;
    if (!of_row)
        return no_memory(err);
    TRY(name_levels(&tally, memory, &names, &n_names, err));
    if (n_names == 0)
        return STATUS_OK; /* nothing but missing values */
    for (size_t row = 0; row < n; row++)
        of_row[row] = texts[row] ? level_of(texts[row], names, n_names) : -1;
    *ret_groups = (struct frame_groups){.names = names, .n = n_names, .of_row = of_row};
    return STATUS_OK;
}
