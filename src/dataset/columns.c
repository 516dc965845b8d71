/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dataset/work.h"
#include "profile/parse.h"

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the columns");
}

static bool is_numeric(const struct column *column)
{
    return column->field && column->field->kind != PROFILE_TEXT;
}

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
    uint32_t raw = work_cell(work, row, (size_t)(column - work->columns));
    struct quantity quantity;
    if (raw == GRID_EMPTY)
        return MISSING;
    if (cell_is_number(raw) && cell_digits_behind(raw) == 0) { /* as most are */
        column->stats.n_present++;
        return cell_whole(raw);
    }
    if (cell_is_number(raw) && decimal != ',') {
        quantity = cell_quantity(raw);
        count_quantity(&column->stats, &quantity);
        return quantity.value;
    }
    const char *cell = GRID_TEXT(&work->grid, raw);
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
        uint32_t raw = work_cell(work, row, index);
        if (raw == CELL_NUMBER || raw == (CELL_NUMBER | 1)) { /* as nearly all are written */
            column->numbers[row] = cell_whole(raw);
            column->stats.n_present++;
            continue;
        }
        const char *cell = GRID_TEXT(&work->grid, raw);
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
        const char *cell = WORK_TEXT(work, row, index);
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
        for (const char *c = WORK_TEXT(work, row, index); *c; c++)
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
    uint32_t cell = GRID_EMPTY;
    size_t row = 0;
    for (; row < work->n_rows && cell == GRID_EMPTY; row++)
        cell = work_cell(work, row, (size_t)(column - work->columns));
    events_add(&work->events, RULE_column_not_numeric, column->header,
               row > 0 ? work_line(work, row - 1) : 0, GRID_TEXT(&work->grid, cell));
    column->field = NULL;
    column->how = "extra";
    column->unit = "";
}

/* Codes where words should stand: "3" is no country. */
static void demote_codes(struct work *work)
{
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        bool is_number = column->kind == CELLS_NUMBER || column->kind == CELLS_PERCENT;
        if (!is_number || !column->field || column->field->kind != PROFILE_TEXT ||
            column->field->index == PROFILE_handle || column->field->index == PROFILE_tier)
            continue;
        events_add(&work->events, RULE_column_not_text, column->header, work_line(work, 0),
                   WORK_TEXT(work, 0, i));
        column->field = NULL;
        column->how = "extra";
    }
}

/* Cells that are no number, one event each. */
static void record_bad(struct work *work, const struct column *column)
{
    size_t index = (size_t)(column - work->columns);
    if (column->stats.n_bad == 0)
        return;
    for (size_t row = 0; row < work->n_rows; row++) {
        const char *cell = WORK_TEXT(work, row, index);
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

/* As it was decided for earlier rows. */
static enum status read_settled(struct work *work, struct error *err)
{
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        if (!is_numeric(column))
            continue;
        const char *unit = column->unit;
        TRY(read_column(work, column, column->decimal, err));
        column->unit = unit;
        record_bad(work, column);
    }
    return STATUS_OK;
}

enum status columns_read_numbers(struct work *work, struct error *err)
{
    if (work->is_settled)
        return read_settled(work, err);
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
            (groups_counts && is_grouped_by_points(column, PROFILE_MEAN))) {
            column->decimal = ',';
            TRY(read_column(work, column, ',', err));
        }
        demote_text(work, column);
        if (is_numeric(column))
            record_bad(work, column);
    }
    demote_codes(work);
    settle_duplicates(work);
    return STATUS_OK;
}
