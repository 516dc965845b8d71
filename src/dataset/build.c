/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/encoding.h"
#include "dataset/work.h"
#include "profile/parse.h"

#define MAX_DISTINCT 4096 /* texts of an extra column that are looked up for repeats */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the columns");
}

/* The text of a cell as the field takes it; *ret_length 0: missing. */
static const char *read_text(struct work *work, const struct column *column, size_t row,
                             char scratch[static CELL_TEXT_BYTES], size_t *ret_length)
{
    const struct profile_field *field = column->field;
    uint32_t raw = work_cell(work, row, (size_t)(column - work->columns));
    const char *cell = grid_cell_text(&work->grid, raw, scratch);
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
    bool may_be_number = (text[0] >= '0' && text[0] <= '9') || text[0] == '-';
    if (may_be_number && field->index != PROFILE_handle && field->index != PROFILE_name &&
        field->index != PROFILE_tier && parse_quantity(text, length, &quantity) == PARSE_OK) {
        events_add(&work->events, RULE_number_for_text, column->header, work_line(work, row), cell);
        return text;
    }
    if (length > field->max_bytes)
        events_add(&work->events, RULE_text_too_long, column->header, work_line(work, row), cell);
    *ret_length = utf8_cut(text, length, field->max_bytes);
    return text;
}

/* Cells of one column met lately, and what became of them. Equal short texts are mostly one cell
 * (grid_settle_text()), so that a column of few words is looked up by number. */
struct memo {
    struct {
        uint32_t cell;
        const char *text; /* in the table */
    } slots[1024];
};

static size_t memo_slot(uint32_t cell)
{
    return cell * UINT32_C(0x9E3779B9) >> 22;
}

/* A text in the table: one for equal ones where they repeat, one each where they hardly do. */
static const char *keep_text(struct intern *intern, bool repeats, const char *text, size_t length)
{
    if (!repeats)
        return arena_strndup(intern->arena, text, length);
    uint32_t number = intern_put(intern, text, length);
    return number == INTERN_NONE ? NULL : intern->texts[number];
}

/* The text of one cell into the table, *ret_text NULL: missing. False: out of memory. */
static bool take_text(struct work *work, const struct column *column, size_t row,
                      struct intern *intern, const char **ret_text)
{
    bool repeats = column->field->index != PROFILE_handle && column->field->index != PROFILE_name;
    size_t length;
    char scratch[CELL_TEXT_BYTES];
    const char *text = read_text(work, column, row, scratch, &length);
    if (length == 0)
        return true;
    char decoded[256];
    size_t n_decoded =
        memchr(text, '&', length) ? entities_decode(text, length, decoded, sizeof decoded) : 0;
    if (n_decoded > 0) {
        events_add(&work->events, RULE_html_entities, column->header, work_line(work, row), text);
        text = decoded;
        length = n_decoded;
    }
    /* The table takes over the pool in the end: what stands there whole need not be copied. */
    bool in_pool = text >= work->grid.texts.at &&
                   text < work->grid.texts.at + work->grid.texts.length && text[length] == '\0';
    *ret_text = in_pool && !repeats ? text : keep_text(intern, repeats, text, length);
    return *ret_text != NULL;
}

static enum status build_text(struct work *work, const struct column *column, struct error *err)
{
    struct arena *arena = &work->table->memory;
    const char **texts = ARENA_ARRAY(arena, const char *, work->n_rows + 1);
    AUTO(free_slot) struct memo *memo = calloc(1, sizeof *memo);
    struct intern intern;
    intern_init(&intern, arena);
    if (!texts || !memo)
        return no_memory(err);
    for (size_t row = 0; row < work->n_rows; row++) {
        uint32_t cell = work_cell(work, row, (size_t)(column - work->columns));
        size_t slot = memo_slot(cell);
        if (cell == GRID_EMPTY)
            continue;
        if (memo->slots[slot].cell == cell) {
            texts[row] = memo->slots[slot].text;
            continue;
        }
        size_t n_events = work->events.n_added;
        if (!take_text(work, column, row, &intern, &texts[row]))
            return no_memory(err);
        if (work->events.n_added == n_events) { /* else each row has its own to say */
            memo->slots[slot].cell = cell;
            memo->slots[slot].text = texts[row];
        }
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
    AUTO(free_slot) struct memo *memo = calloc(1, sizeof *memo);
    struct intern intern;
    intern_init(&intern, arena);
    if (!name || !texts || !memo)
        return no_memory(err);
    size_t n_present = 0;
    for (size_t row = 0; row < work->n_rows; row++) {
        uint32_t raw = work_cell(work, row, index);
        size_t slot = memo_slot(raw);
        if (raw == GRID_EMPTY)
            continue;
        if (memo->slots[slot].cell != raw) {
            const char *cell = GRID_TEXT(&work->grid, raw);
            size_t length = strlen(cell);
            const char *text = NULL;
            if (!parse_is_missing(cell, length) &&
                !(text = keep_text(&intern, intern.n < MAX_DISTINCT, cell, length)))
                return no_memory(err);
            memo->slots[slot].cell = raw;
            memo->slots[slot].text = text;
        }
        texts[row] = memo->slots[slot].text;
        n_present += texts[row] != NULL;
    }
    column->stats.n_present = n_present;
    if (n_present == 0 && !work->is_settled) {
        column->how = "ignored";
        column->is_dropped = true;
        events_add(&work->events, RULE_column_empty, column->header, 0, "");
        return STATUS_OK;
    }
    work->table->extras[work->table->n_extras++] =
        (struct table_extra){.name = name, .text = texts};
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
