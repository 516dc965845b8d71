/* SPDX-License-Identifier: Apache-2.0 */

/* Growth between snapshots as a target: the newest month is what is to be foreseen from the months
 * before it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataset/merge.h"
#include "dataset/snapshots.h"

#define COLLAPSE 0.5 /* as in the join */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the growth between snapshots");
}

/* The newest month, the one before it, and whether there is a third. */
struct months {
    double newest, base;
    bool has_earlier;
};

static struct months find_months(const struct table *table)
{
    const double *month = table->number[PROFILE_snapshot];
    struct months found = {-INFINITY, -INFINITY, false};
    for (size_t row = 0; month && row < table->n_rows; row++)
        found.newest = fmax(found.newest, month[row]);
    for (size_t row = 0; month && row < table->n_rows; row++)
        if (month[row] < found.newest)
            found.base = fmax(found.base, month[row]);
    for (size_t row = 0; month && row < table->n_rows; row++)
        found.has_earlier |= month[row] < found.base;
    return found;
}

double snapshots_end(const struct table *table)
{
    double newest = find_months(table).newest;
    if (!isfinite(newest))
        return 0;
    int month = (int)newest + 1; /* after it; 12 * year + month - 1 */
    struct tm begin = {.tm_year = month / 12 - 1900, .tm_mon = month % 12, .tm_mday = 1};
    return (double)timegm(&begin);
}

/* Per account: 1 + its row in the newest month, and whether it stands before the base. */
struct accounts {
    struct arena memory;
    uint32_t *of_row; /* [n_rows] */
    uint32_t *newest; /* [accounts] */
    bool *was_before; /* [accounts] */
};

static void accounts_deinit(struct accounts *accounts)
{
    arena_deinit(&accounts->memory);
}

static enum status find_accounts(const struct table *table, struct months months,
                                 struct accounts *accounts, struct error *err)
{
    struct intern handles;
    arena_init(&accounts->memory, 1 << 16);
    intern_init(&handles, &accounts->memory);
    accounts->of_row = ARENA_ARRAY(&accounts->memory, uint32_t, table->n_rows + 1);
    accounts->newest = ARENA_ARRAY(&accounts->memory, uint32_t, table->n_rows + 1);
    accounts->was_before = ARENA_ARRAY(&accounts->memory, bool, table->n_rows + 1);
    if (!accounts->of_row || !accounts->newest || !accounts->was_before)
        return no_memory(err);
    const double *month = table->number[PROFILE_snapshot];
    for (uint32_t row = 0; row < table->n_rows; row++) {
        const char *handle = table->text[PROFILE_handle][row];
        accounts->of_row[row] = INTERN_NONE;
        if (!handle)
            continue;
        uint32_t account = merge_handle_number(&handles, handle, MISSING);
        if (account == INTERN_NONE)
            return no_memory(err);
        accounts->of_row[row] = account;
        if (month[row] == months.newest)
            accounts->newest[account] = row + 1;
        if (month[row] < months.base)
            accounts->was_before[account] = true;
    }
    return STATUS_OK;
}

static double growth_of(const struct table *table, uint32_t row, uint32_t newest)
{
    const double *followers = table->number[PROFILE_followers];
    if (!followers || newest == 0 || followers[newest - 1] < COLLAPSE * followers[row])
        return MISSING;
    return 100 * (log1p(followers[newest - 1]) - log1p(followers[row]));
}

static enum status add_growth(struct table *table, const double *growth, struct error *err)
{
    struct table_extra *extras =
        ARENA_ARRAY(&table->memory, struct table_extra, table->n_extras + 1);
    const char **texts = ARENA_ARRAY(&table->memory, const char *, table->n_rows + 1);
    if (!extras || !texts)
        return no_memory(err);
    for (size_t row = 0; row < table->n_rows; row++) {
        if (isnan(growth[row]))
            continue;
        texts[row] = arena_printf(&table->memory, "%.9g", growth[row]);
        if (!texts[row])
            return no_memory(err);
    }
    if (table->n_extras > 0)
        memcpy(extras, table->extras, table->n_extras * sizeof *extras);
    extras[table->n_extras] = (struct table_extra){.name = SNAPSHOTS_GROWTH, .text = texts};
    table->extras = extras;
    table->n_extras++;
    return STATUS_OK;
}

/* As if the rows of the n newest months had not been given. */
static enum status forget_newest(struct table *table, size_t n, struct error *err)
{
    AUTO(free_slot) bool *keep = calloc(table->n_rows + 1, sizeof *keep);
    if (!keep)
        return no_memory(err);
    for (; n > 0; n--) {
        double newest = find_months(table).newest;
        const double *month = table->number[PROFILE_snapshot];
        for (size_t row = 0; month && row < table->n_rows; row++)
            keep[row] = !(month[row] == newest);
        if (month)
            merge_keep(table, keep);
    }
    return STATUS_OK;
}

enum status snapshots_hold_newest(struct table *table, size_t n_skipped, struct error *err)
{
    TRY(forget_newest(table, n_skipped, err));
    struct months months = find_months(table);
    if (!isfinite(months.base) || !table->text[PROFILE_handle] || table->n_rows >= UINT32_MAX)
        return fail(err, STATUS_INVALID,
                    "growth needs two or more snapshots of named accounts: FILE@YYYY-MM "
                    "FILE@YYYY-MM, or a column of months");
    AUTO(accounts_deinit) struct accounts accounts = {0};
    TRY(find_accounts(table, months, &accounts, err));
    AUTO(free_slot) bool *keep = calloc(table->n_rows + 1, sizeof *keep);
    AUTO(free_slot) double *growth = calloc(table->n_rows + 1, sizeof *growth);
    if (!keep || !growth)
        return no_memory(err);
    const double *month = table->number[PROFILE_snapshot];
    for (uint32_t row = 0; row < table->n_rows; row++) {
        uint32_t account = accounts.of_row[row];
        keep[row] = !(month[row] == months.newest);
        growth[row] = MISSING;
        if (month[row] == months.base && account != INTERN_NONE &&
            (!months.has_earlier || accounts.was_before[account]))
            growth[row] = growth_of(table, row, accounts.newest[account]);
    }
    TRY(add_growth(table, growth, err));
    merge_keep(table, keep);
    return STATUS_OK;
}
