/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dataset/encoding.h"
#include "dataset/work.h"
#include "profile/parse.h"

#define MAX_DISTINCT 4096 /* texts of an extra column that are looked up for repeats */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the columns");
}

static bool is_numeric(const struct column *column)
{
    return column->field && column->field->kind != PROFILE_TEXT;
}

/* ---- numbers ---- */

static void count_quantity(struct number_stats *stats, const struct quantity *quantity)
{
    stats->n_present++;
    stats->n_suffix += quantity->has_suffix;
    stats->n_percent += quantity->is_percent;
    stats->n_comma += quantity->decimal == ',';
    stats->n_point += quantity->decimal == '.';
    bool is_bare = !quantity->has_suffix && !quantity->is_percent;
    stats->n_broken += is_bare && quantity->value != floor(quantity->value);
    stats->n_grouped += is_bare && quantity->could_group;
    stats->n_round +=
        is_bare && quantity->could_group && fmod(round(quantity->value * 1000), 100) == 0;
}

static double read_quantity(struct work *work, struct column *column, size_t row, char decimal)
{
    const char *cell = work_cell(work, row, (size_t)(column - work->columns));
    if (cell[0] == '\0')
        return MISSING;
    struct quantity quantity;
    switch (parse_quantity_decimal(cell, strlen(cell), decimal, &quantity)) {
    case PARSE_OK:
        count_quantity(&column->stats, &quantity);
        return quantity.value;
    case PARSE_MISSING:
        return MISSING;
    case PARSE_BAD:
        break;
    }
    column->stats.n_bad++;
    return MISSING;
}

static bool is_url_text(const char *cell)
{
    return strchr(cell, '.') != NULL || strstr(cell, "://") != NULL;
}

/* Flags as people write them; for PRESENCE a link is a yes, and its absence a no. */
static void read_flags(struct work *work, struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    size_t n_links = 0;
    for (size_t row = 0; row < work->n_rows; row++) {
        const char *cell = work_cell(work, row, index);
        double value = MISSING;
        enum parse_result result = parse_flag(cell, strlen(cell), &value);
        if (result == PARSE_BAD && column->match.unit == UNIT_PRESENCE && is_url_text(cell)) {
            n_links++;
            value = 1;
        } else if (result == PARSE_BAD) {
            column->stats.n_bad++;
            value = MISSING;
        }
        column->numbers[row] = value;
        column->stats.n_present += !isnan(value);
    }
    column->unit = n_links > 0 ? "whether there is a link" : "yes or no";
    if (n_links > 0) {
        for (size_t row = 0; row < work->n_rows; row++)
            if (isnan(column->numbers[row]))
                column->numbers[row] = 0;
        column->stats.n_present = work->n_rows;
    }
}

static void read_months(struct work *work, struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    for (size_t row = 0; row < work->n_rows; row++) {
        const char *cell = work_cell(work, row, index);
        double value = MISSING;
        if (parse_month(cell, strlen(cell), &value) == PARSE_BAD) {
            column->stats.n_bad++;
            value = MISSING;
        }
        column->numbers[row] = value;
        column->stats.n_present += !isnan(value);
    }
    column->unit = "month";
}

/* Length of a text in characters; no text is length 0. */
static void read_lengths(struct work *work, struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    for (size_t row = 0; row < work->n_rows; row++) {
        size_t n = 0;
        for (const char *c = work_cell(work, row, index); *c; c++)
            n += ((unsigned char)*c & 0xC0) != 0x80;
        column->numbers[row] = (double)n;
    }
    column->stats.n_present = work->n_rows;
    column->unit = "characters of the text";
}

static enum status read_column(struct work *work, struct column *column, char decimal,
                               struct error *err)
{
    if (!column->numbers)
        column->numbers =
            arena_alloc(&work->table->memory, (work->n_rows + 1) * sizeof *column->numbers);
    if (!column->numbers)
        return no_memory(err);
    column->stats = (struct number_stats){0};
    if (column->field->kind == PROFILE_FLAG)
        read_flags(work, column);
    else if (column->field->kind == PROFILE_MONTH)
        read_months(work, column);
    else if (column->match.unit == UNIT_LENGTH)
        read_lengths(work, column);
    else
        for (size_t row = 0; row < work->n_rows; row++)
            column->numbers[row] = read_quantity(work, column, row, decimal);
    return STATUS_OK;
}

/* A header that promises figures over a column of text is no figure. */
static void demote_text(struct work *work, struct column *column)
{
    const struct number_stats *stats = &column->stats;
    if (stats->n_bad <= stats->n_present)
        return;
    const char *cell = "";
    size_t row = 0;
    for (; row < work->n_rows && cell[0] == '\0'; row++)
        cell = work_cell(work, row, (size_t)(column - work->columns));
    events_add(&work->events, RULE_column_not_numeric, column->header,
               row > 0 ? work_line(work, row - 1) : 0, cell);
    column->field = NULL;
    column->how = "extra";
    column->unit = "";
}

/* Cells that are no number, one event each. */
static void record_bad(struct work *work, const struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    if (column->stats.n_bad == 0)
        return;
    for (size_t row = 0; row < work->n_rows; row++) {
        const char *cell = work_cell(work, row, index);
        if (isnan(column->numbers[row]) && !parse_is_missing(cell, strlen(cell)))
            events_add(&work->events, RULE_not_a_number, column->header, work_line(work, row),
                       cell);
    }
}

/* Of two columns for one field: the one with more values, then the one that is less rounded, then
 * the first. */
static bool is_better(const struct column *a, const struct column *b)
{
    if (a->stats.n_present != b->stats.n_present)
        return a->stats.n_present > b->stats.n_present;
    return a->stats.n_suffix < b->stats.n_suffix;
}

static void drop_duplicate(struct work *work, struct column *column, const struct column *kept)
{
    events_explain(&work->events, RULE_column_duplicate, column->header,
                   "'%s' gives %s too and was taken instead", kept->label, kept->field->name);
    column->field = NULL;
    column->how = "ignored";
    column->is_dropped = true;
}

static void settle_duplicates(struct work *work)
{
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *best = &work->columns[i];
        for (size_t k = i + 1; k < work->n_columns && best->field; k++) {
            struct column *other = &work->columns[k];
            if (other->field != best->field)
                continue;
            if (best->field->kind == PROFILE_TEXT) {
                other->field = NULL; /* a second category or country stays as an extra column */
                other->how = "extra";
            } else if (is_better(other, best)) {
                drop_duplicate(work, best, other);
                break;
            } else {
                drop_duplicate(work, other, best);
            }
        }
    }
}

/* One decimal mark for the file: the comma where commas are certain and points are not. */
static char decimal_mark(const struct work *work)
{
    size_t n_comma = 0;
    size_t n_point = 0;
    for (size_t i = 0; i < work->n_columns; i++) {
        n_comma += work->columns[i].stats.n_comma;
        n_point += work->columns[i].stats.n_point;
    }
    return n_comma > n_point ? ',' : n_point > 0 ? '.' : 0;
}

/* Counts that all have a point with three digits behind it, and no zeros there as a fixed number of
 * decimals would leave: "15.070" is fifteen thousand. */
static bool is_grouped_by_points(const struct column *column, enum profile_kind kind)
{
    const struct number_stats *stats = &column->stats;
    return column->field->kind == kind && stats->n_broken > 0 && stats->n_suffix == 0 &&
           stats->n_percent == 0 && stats->n_point == 0 && stats->n_broken <= stats->n_grouped &&
           stats->n_round * 2 < stats->n_grouped;
}

enum status columns_read_numbers(struct work *work, struct error *err)
{
    for (size_t i = 0; i < work->n_columns; i++)
        if (is_numeric(&work->columns[i]))
            TRY(read_column(work, &work->columns[i], 0, err));
    char decimal = decimal_mark(work);
    bool groups_counts = false; /* then it groups means too, which could be broken numbers */
    for (size_t i = 0; i < work->n_columns; i++)
        groups_counts |=
            is_numeric(&work->columns[i]) && is_grouped_by_points(&work->columns[i], PROFILE_COUNT);
    if (decimal == ',')
        events_add(&work->events, RULE_decimal_comma, "", 0, "");
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        if (!is_numeric(column))
            continue;
        if (decimal == ',' || is_grouped_by_points(column, PROFILE_COUNT) ||
            (groups_counts && is_grouped_by_points(column, PROFILE_MEAN)))
            TRY(read_column(work, column, ',', err));
        demote_text(work, column);
        if (is_numeric(column))
            record_bad(work, column);
    }
    settle_duplicates(work);
    return STATUS_OK;
}

/* ---- the table ---- */

/* The text of a cell as the field takes it; *ret_length 0: missing. */
static const char *read_text(struct work *work, const struct column *column, size_t row,
                             size_t *ret_length)
{
    const struct profile_field *field = column->field;
    const char *cell = work_cell(work, row, (size_t)(column - work->columns));
    const char *text = cell;
    size_t length = strlen(cell);
    *ret_length = 0;
    if (length == 0)
        return text;
    if (field->index == PROFILE_handle) {
        length = identity_handle(cell, &text);
        if (length == 0 && parse_is_missing(cell, strlen(cell)))
            return text;
        if (length == 0) {
            events_add(&work->events, RULE_bad_handle, column->header, work_line(work, row), cell);
            text = identity_text(cell, &length);
        } else if (text > cell + 1) {
            events_add(&work->events, RULE_handle_from_link, column->header, work_line(work, row),
                       cell);
        }
        if (length == 3 && memcmp(text, "NaN", 3) == 0)
            return text;
    } else if (parse_is_missing(text, length)) {
        return text;
    }
    struct quantity quantity;
    if (column->kind == CELLS_TEXT && field->index != PROFILE_handle &&
        field->index != PROFILE_name && text[0] >= '0' && text[0] <= '9' &&
        parse_quantity(text, length, &quantity) == PARSE_OK) {
        events_add(&work->events, RULE_number_for_text, column->header, work_line(work, row), cell);
        return text;
    }
    if (length > field->max_bytes)
        events_add(&work->events, RULE_text_too_long, column->header, work_line(work, row), cell);
    *ret_length = utf8_cut(text, length, field->max_bytes);
    return text;
}

/* A copy of a text in the table: one for equal ones where they repeat, one each where they hardly
 * do. */
static const char *keep_text(struct intern *intern, bool repeats, const char *text, size_t length)
{
    if (!repeats)
        return arena_strndup(intern->arena, text, length);
    uint32_t number = intern_put(intern, text, length);
    return number == INTERN_NONE ? NULL : intern->texts[number];
}

static enum status build_text(struct work *work, const struct column *column, struct error *err)
{
    struct arena *arena = &work->table->memory;
    const char **texts = ARENA_ARRAY(arena, const char *, work->n_rows + 1);
    struct intern intern;
    bool repeats = column->field->index != PROFILE_handle && column->field->index != PROFILE_name;
    intern_init(&intern, arena);
    if (!texts)
        return no_memory(err);
    for (size_t row = 0; row < work->n_rows; row++) {
        size_t length;
        const char *text = read_text(work, column, row, &length);
        if (length == 0)
            continue;
        texts[row] = keep_text(&intern, repeats, text, length);
        if (!texts[row])
            return no_memory(err);
    }
    work->table->text[column->field->index] = texts;
    return STATUS_OK;
}

/* A name for the column that no other extra column has. */
static const char *extra_name(struct work *work, const struct column *column, size_t index)
{
    char name[WORDS_KEY_BYTES];
    words_fold_header(column->header, name);
    const char *wanted = name[0] ? name : "column";
    bool is_taken = profile_field_find(wanted, strlen(wanted)) != NULL;
    for (size_t i = 0; i < work->table->n_extras; i++)
        is_taken |= strcmp(work->table->extras[i].name, wanted) == 0;
    return is_taken ? arena_printf(&work->table->memory, "%s_%zu", wanted, index + 1)
                    : arena_strdup(&work->table->memory, wanted);
}

static enum status build_extra(struct work *work, size_t index, struct error *err)
{
    struct arena *arena = &work->table->memory;
    struct column *column = &work->columns[index];
    const char *name = extra_name(work, column, index);
    const char **texts = ARENA_ARRAY(arena, const char *, work->n_rows + 1);
    struct intern intern;
    intern_init(&intern, arena);
    if (!name || !texts)
        return no_memory(err);
    size_t n_present = 0;
    for (size_t row = 0; row < work->n_rows; row++) {
        const char *cell = work_cell(work, row, index);
        size_t length = strlen(cell);
        if (parse_is_missing(cell, length))
            continue;
        texts[row] = keep_text(&intern, intern.n < MAX_DISTINCT, cell, length);
        if (!texts[row])
            return no_memory(err);
        n_present++;
    }
    column->stats.n_present = n_present;
    if (n_present == 0) {
        column->how = "ignored";
        column->is_dropped = true;
        events_add(&work->events, RULE_column_empty, column->header, 0, "");
        return STATUS_OK;
    }
    work->table->extras[work->table->n_extras++] = (struct table_extra){name, texts};
    return STATUS_OK;
}

enum status columns_build_table(struct work *work, struct error *err)
{
    struct table *table = work->table;
    table->n_rows = work->n_rows;
    table->line = ARENA_ARRAY(&table->memory, uint32_t, work->n_rows + 1);
    /* One more than the columns: category_more. */
    table->extras = ARENA_ARRAY(&table->memory, struct table_extra, work->n_columns + 1);
    if (!table->line || !table->extras)
        return no_memory(err);
    for (size_t row = 0; row < work->n_rows; row++)
        table->line[row] = (uint32_t)work_line(work, row);
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        if (column->is_dropped)
            continue;
        if (!column->field)
            TRY(build_extra(work, i, err));
        else if (column->field->kind == PROFILE_TEXT)
            TRY(build_text(work, column, err));
        else
            table->number[column->field->index] = column->numbers;
    }
    return STATUS_OK;
}
