/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/merge.h"
#include "dataset/work.h"
#include "profile/parse.h"

uint32_t merge_handle_number(struct intern *handles, const char *handle, double month)
{
    char key[80];
    size_t length = 0;
    for (; length < 65 && handle[length]; length++) {
        char c = handle[length];
        key[length] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    if (!isnan(month)) {
        key[length++] = '@';
        parse_format_month(month, key + length);
        length += strlen(key + length);
    }
    return intern_put(handles, key, length);
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
    for (size_t row = 0; row < table->n_rows; row++) {
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

enum status merge_find_duplicates(const struct table *table, struct events *events,
                                  const char *column, bool *keep, struct error *err)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct intern handles;
    intern_init(&handles, &arena);
    AUTO(free_slot) uint32_t *first = calloc(table->n_rows + 1, sizeof *first);
    const char **texts = table->text[PROFILE_handle];
    enum status status = first ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t row = 0; row < table->n_rows && status == STATUS_OK; row++) {
        if (!keep[row] || !texts[row])
            continue;
        size_t n_before = handles.n;
        const double *months = table->number[PROFILE_snapshot];
        uint32_t number = merge_handle_number(&handles, texts[row], months ? months[row] : MISSING);
        if (number == INTERN_NONE) {
            status = STATUS_NO_MEMORY;
        } else if (number == n_before) {
            first[number] = (uint32_t)row;
        } else {
            size_t kept = first[number];
            bool is_more = completeness(table, row) > completeness(table, kept);
            size_t gone = is_more ? kept : row;
            events_add(events,
                       same_profile(table, row, kept) ? RULE_duplicate_row : RULE_duplicate_handle,
                       column, table->line[gone], texts[row]);
            keep[gone] = false;
            first[number] = (uint32_t)(is_more ? row : kept);
        }
    }
    arena_deinit(&arena);
    return status == STATUS_OK ? STATUS_OK
                               : fail(err, STATUS_NO_MEMORY, "out of memory for the handles");
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
                       work_cell(work, row, 0));
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
