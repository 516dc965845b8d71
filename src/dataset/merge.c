/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "dataset/merge.h"
#include "dataset/work.h"
#include "profile/parse.h"

#define KEY_BYTES 80

/* What makes two rows the same account: its handle in small letters, and the month. Returns the
 * length. */
static size_t handle_key(const char *handle, double month, char ret_key[static KEY_BYTES])
{
    size_t length = 0;
    for (; length < 65 && handle[length]; length++) {
        char c = handle[length];
        ret_key[length] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    if (!isnan(month)) {
        ret_key[length++] = '@';
        parse_format_month(month, ret_key + length);
        length += strlen(ret_key + length);
    }
    return length;
}

uint32_t merge_handle_number(struct intern *handles, const char *handle, double month)
{
    char key[KEY_BYTES];
    return intern_put(handles, key, handle_key(handle, month, key));
}

static size_t completeness(const struct table *table, size_t row)
{
    size_t n = 0;
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        n += table->number[i] && !isnan(table->number[i][row]);
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        n += table->text[i] && table->text[i][row];
    for (size_t i = 0; i < table->n_extras; i++)
        n += table->extras[i].text[row] != NULL;
    return n;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* All fields equal; extra columns may number the rows, and do not count. */
static bool same_profile(const struct table *table, size_t a, size_t b)
{
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++) {
        const double *numbers = table->number[i];
        if (numbers && numbers[a] != numbers[b] && !(isnan(numbers[a]) && isnan(numbers[b])))
            return false;
    }
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        if (table->text[i] && !same_text(table->text[i][a], table->text[i][b]))
            return false;
    return true;
}

void merge_keep(struct table *table, const bool *keep)
{
    size_t to = 0;
    while (to < table->n_rows && keep[to])
        to++;
    for (size_t row = to; row < table->n_rows; row++) {
        if (!keep[row])
            continue;
        for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
            if (table->number[i])
                table->number[i][to] = table->number[i][row];
        for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
            if (table->text[i])
                table->text[i][to] = table->text[i][row];
        for (size_t i = 0; i < table->n_extras; i++)
            table->extras[i].text[to] = table->extras[i].text[row];
        if (table->source)
            table->source[to] = table->source[row];
        table->line[to++] = table->line[row];
    }
    table->n_rows = to;
}

/* The row that stands for each account: open addressing, linear probing. The key itself is made
 * anew from the row where the hashes agree, which is nearly always a duplicate. */
struct accounts {
    const struct table *table;
    struct {
        uint32_t hash;
        uint32_t row; /* 1 + row, or 0 */
    } * slots;        /* owns; [mask + 1] */
    size_t mask;
};

static size_t row_key(const struct table *table, size_t row, char ret_key[static KEY_BYTES])
{
    const double *months = table->number[PROFILE_snapshot];
    return handle_key(table->text[PROFILE_handle][row], months ? months[row] : MISSING, ret_key);
}

uint64_t merge_handle_hash(const struct table *table, size_t row)
{
    char key[KEY_BYTES];
    return hash_xxh3(key, row_key(table, row, key));
}

/* The slot of the row's account: one row stands there already, or none. */
static size_t accounts_slot(const struct accounts *accounts, size_t row)
{
    char key[KEY_BYTES];
    char other[KEY_BYTES];
    size_t length = row_key(accounts->table, row, key);
    uint64_t hash = hash_xxh3(key, length);
    size_t slot = hash & accounts->mask;
    for (; accounts->slots[slot].row != 0; slot = (slot + 1) & accounts->mask)
        if (accounts->slots[slot].hash == (uint32_t)(hash >> 32) &&
            row_key(accounts->table, accounts->slots[slot].row - 1, other) == length &&
            memcmp(key, other, length) == 0)
            return slot;
    accounts->slots[slot].hash = (uint32_t)(hash >> 32);
    return slot;
}

enum status merge_find_duplicates(const struct table *table, struct events *events,
                                  const char *column, bool *keep, struct error *err)
{
    struct accounts accounts = {.table = table, .mask = 15};
    const char **texts = table->text[PROFILE_handle];
    while (accounts.mask + 1 < 2 * table->n_rows)
        accounts.mask = 2 * accounts.mask + 1;
    accounts.slots = calloc(accounts.mask + 1, sizeof *accounts.slots);
    if (!accounts.slots)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the handles");
    for (size_t row = 0; row < table->n_rows; row++) {
        if (!keep[row] || !texts[row])
            continue;
        size_t slot = accounts_slot(&accounts, row);
        size_t kept = accounts.slots[slot].row - (size_t)1;
        bool is_first = accounts.slots[slot].row == 0;
        if (is_first || completeness(table, row) > completeness(table, kept))
            accounts.slots[slot].row = (uint32_t)row + 1;
        if (is_first)
            continue;
        size_t gone = accounts.slots[slot].row == row + 1 ? kept : row;
        events_add(events,
                   same_profile(table, row, kept) ? RULE_duplicate_row : RULE_duplicate_handle,
                   column, table->line[gone], texts[row]);
        keep[gone] = false;
    }
    free(accounts.slots);
    return STATUS_OK;
}

/* Rows in which no number is known. */
static void drop_rows_without_figures(struct work *work, bool *keep)
{
    const struct table *table = work->table;
    for (size_t row = 0; row < table->n_rows; row++) {
        bool has_figure = false;
        for (size_t i = 0; i < PROFILE_N_NUMBERS && !has_figure; i++)
            has_figure = table->number[i] && !isnan(table->number[i][row]);
        keep[row] = has_figure;
        if (!has_figure)
            events_add(&work->events, RULE_no_figures, "", table->line[row],
                       WORK_TEXT(work, row, 0));
    }
}

enum status merge_duplicates(struct work *work, struct error *err)
{
    struct table *table = work->table;
    AUTO(free_slot) bool *keep = calloc(table->n_rows + 1, sizeof *keep);
    if (!keep)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the rows");
    drop_rows_without_figures(work, keep);
    const struct column *column = work_column(work, &profile_fields[PROFILE_handle]);
    if (column) {
        const char **texts = table->text[PROFILE_handle];
        for (size_t row = 0; row < table->n_rows; row++)
            if (!texts[row])
                events_add(&work->events, RULE_no_handle, column->header, table->line[row], "");
        TRY(merge_find_duplicates(table, &work->events, column->header, keep, err));
    }
    merge_keep(table, keep);
    return STATUS_OK;
}
