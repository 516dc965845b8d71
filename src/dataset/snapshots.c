/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/snapshots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/merge.h"

#define COLLAPSE 0.5 /* of the followers before: below, the handle has another owner */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for joining the tables");
}

/* ---- append ---- */

static double *new_numbers(struct table *table)
{
    double *numbers = arena_alloc(&table->memory, (table->n_rows + 1) * sizeof *numbers);
    for (size_t row = 0; numbers && row < table->n_rows; row++)
        numbers[row] = MISSING;
    return numbers;
}

static const char **new_texts(struct table *table)
{
    return ARENA_ARRAY(&table->memory, const char *, table->n_rows + 1);
}

static enum status copy_texts(const char **from, size_t n, struct intern *intern, const char **to,
                              struct error *err)
{
    for (size_t row = 0; row < n; row++) {
        if (!from[row])
            continue;
        uint32_t number = intern_put(intern, from[row], strlen(from[row]));
        if (number == INTERN_NONE)
            return no_memory(err);
        to[row] = intern->texts[number];
    }
    return STATUS_OK;
}

static struct table_extra *find_extra(struct table *table, const char *name)
{
    for (size_t i = 0; i < table->n_extras; i++)
        if (strcmp(table->extras[i].name, name) == 0)
            return &table->extras[i];
    return NULL;
}

static enum status copy_extras(const struct table *from, struct table *into, size_t offset,
                               struct intern *intern, struct error *err)
{
    for (size_t i = 0; i < from->n_extras; i++) {
        struct table_extra *extra = find_extra(into, from->extras[i].name);
        if (!extra) {
            extra = &into->extras[into->n_extras];
            extra->name = arena_strdup(&into->memory, from->extras[i].name);
            extra->text = new_texts(into);
            if (!extra->name || !extra->text)
                return no_memory(err);
            into->n_extras++;
        }
        TRY(copy_texts(from->extras[i].text, from->n_rows, intern, extra->text + offset, err));
    }
    return STATUS_OK;
}

static enum status copy_rows(const struct table *from, struct table *into, size_t offset,
                             struct intern *intern, struct error *err)
{
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++) {
        if (!from->number[i])
            continue;
        if (!into->number[i] && !(into->number[i] = new_numbers(into)))
            return no_memory(err);
        memcpy(into->number[i] + offset, from->number[i], from->n_rows * sizeof(double));
    }
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++) {
        if (!from->text[i])
            continue;
        if (!into->text[i] && !(into->text[i] = new_texts(into)))
            return no_memory(err);
        TRY(copy_texts(from->text[i], from->n_rows, intern, into->text[i] + offset, err));
    }
    memcpy(into->line + offset, from->line, from->n_rows * sizeof *from->line);
    return copy_extras(from, into, offset, intern, err);
}

enum status snapshots_append(struct table *const *tables, size_t n_tables, struct table **ret_table,
                             struct error *err)
{
    AUTO(table_free_slot) struct table *table = calloc(1, sizeof *table);
    if (!table)
        return no_memory(err);
    arena_init(&table->memory, 1 << 20);
    size_t n_extras = 0;
    for (size_t i = 0; i < n_tables; i++) {
        table->n_rows += tables[i]->n_rows;
        n_extras += tables[i]->n_extras;
    }
    struct intern intern;
    intern_init(&intern, &table->memory);
    table->line = ARENA_ARRAY(&table->memory, uint32_t, table->n_rows + 1);
    table->source = ARENA_ARRAY(&table->memory, uint32_t, table->n_rows + 1);
    table->extras = ARENA_ARRAY(&table->memory, struct table_extra, n_extras + 1);
    if (!table->line || !table->source || !table->extras)
        return no_memory(err);
    size_t offset = 0;
    for (size_t i = 0; i < n_tables; i++) {
        TRY(copy_rows(tables[i], table, offset, &intern, err));
        for (size_t row = 0; row < tables[i]->n_rows; row++)
            table->source[offset + row] = (uint32_t)i;
        offset += tables[i]->n_rows;
    }
    *ret_table = STEAL(table);
    return STATUS_OK;
}

/* ---- join ---- */

struct join {
    uint32_t *account; /* [n_rows] number of the row's handle; INTERN_NONE: it stands alone */
    uint32_t *newest;  /* [accounts] 1 + row */
    uint32_t *before;  /* [accounts] 1 + row; 0: none */
};

static bool is_newer(const struct table *table, uint32_t row, uint32_t than)
{
    const double *months = table->number[PROFILE_snapshot];
    return than == 0 || months[row] > months[than - 1];
}

/* The two newest rows of each account. */
static enum status find_newest(const struct table *table, const bool *keep, struct arena *arena,
                               struct join *join, struct error *err)
{
    struct intern handles;
    intern_init(&handles, arena);
    join->account = ARENA_ARRAY(arena, uint32_t, table->n_rows + 1);
    join->newest = ARENA_ARRAY(arena, uint32_t, table->n_rows + 1);
    join->before = ARENA_ARRAY(arena, uint32_t, table->n_rows + 1);
    if (!join->account || !join->newest || !join->before)
        return no_memory(err);
    for (uint32_t row = 0; row < table->n_rows; row++) {
        join->account[row] = INTERN_NONE;
        const char *handle = table->text[PROFILE_handle][row];
        if (!keep[row] || !handle || isnan(table->number[PROFILE_snapshot][row]))
            continue;
        uint32_t account = merge_handle_number(&handles, handle, MISSING);
        if (account == INTERN_NONE)
            return no_memory(err);
        join->account[row] = account;
        if (is_newer(table, row, join->newest[account])) {
            join->before[account] = join->newest[account];
            join->newest[account] = row + 1;
        } else if (is_newer(table, row, join->before[account])) {
            join->before[account] = row + 1;
        }
    }
    return STATUS_OK;
}

static double number_at(const struct table *table, enum profile_number field, size_t row)
{
    return table->number[field] ? table->number[field][row] : MISSING;
}

static void fill_previous(struct table *table, size_t row, size_t before, struct events *events)
{
    events_add(events, RULE_snapshot_joined, "", 0, "");
    double followers = number_at(table, PROFILE_followers, row);
    double months = table->number[PROFILE_snapshot][row] - table->number[PROFILE_snapshot][before];
    double followers_before = number_at(table, PROFILE_followers, before);
    if (followers < COLLAPSE * followers_before) {
        events_add(events, RULE_handle_reassigned, "", table->line[row],
                   table->text[PROFILE_handle][row]);
        return;
    }
    if (months > profile_number_field(PROFILE_previous_months)->max)
        return;
    table->number[PROFILE_previous_followers][row] = followers_before;
    table->number[PROFILE_previous_engagement][row] =
        number_at(table, PROFILE_avg_engagement, before);
    table->number[PROFILE_previous_months][row] = months;
}

static enum status join_months(struct table *table, bool *keep, struct events *events,
                               struct arena *arena, struct error *err)
{
    static const enum profile_number filled[] = {
        PROFILE_previous_followers, PROFILE_previous_engagement, PROFILE_previous_months};
    struct join join;
    TRY(find_newest(table, keep, arena, &join, err));
    for (size_t i = 0; i < ARRAY_LENGTH(filled); i++)
        if (!table->number[filled[i]] && !(table->number[filled[i]] = new_numbers(table)))
            return no_memory(err);
    for (uint32_t row = 0; row < table->n_rows; row++) {
        uint32_t account = join.account[row];
        if (account == INTERN_NONE)
            continue;
        if (join.newest[account] != row + 1)
            keep[row] = false;
        else if (join.before[account] != 0)
            fill_previous(table, row, join.before[account] - 1, events);
    }
    return STATUS_OK;
}

/* More than one month among the rows. */
static bool has_months(const struct table *table)
{
    const double *months = table->number[PROFILE_snapshot];
    double first = MISSING;
    for (size_t row = 0; months && row < table->n_rows; row++) {
        if (isnan(first))
            first = months[row];
        else if (!isnan(months[row]) && months[row] != first)
            return true;
    }
    return false;
}

/* A column in which nothing is known is none. */
static void drop_empty(struct table *table, enum profile_number field)
{
    const double *numbers = table->number[field];
    for (size_t row = 0; numbers && row < table->n_rows; row++)
        if (!isnan(numbers[row]))
            return;
    table->number[field] = NULL;
}

enum status snapshots_join(struct table *table, struct events *events, struct error *err)
{
    if (!table->text[PROFILE_handle] || table->n_rows >= UINT32_MAX)
        return STATUS_OK;
    AUTO(free_slot) bool *keep = calloc(table->n_rows + 1, sizeof *keep);
    if (!keep)
        return no_memory(err);
    memset(keep, true, table->n_rows);
    TRY(merge_find_duplicates(table, events, "", keep, err));
    enum status status = STATUS_OK;
    if (has_months(table)) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        status = join_months(table, keep, events, &arena, err);
        arena_deinit(&arena);
    }
    if (status != STATUS_OK)
        return status;
    merge_keep(table, keep);
    drop_empty(table, PROFILE_previous_engagement);
    drop_empty(table, PROFILE_previous_followers);
    drop_empty(table, PROFILE_previous_months);
    return STATUS_OK;
}
