/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dataset/encoding.h"
#include "dataset/sniff.h"
#include "dataset/work.h"

#define LABEL_BYTES 60

struct column *work_column(const struct work *work, const struct profile_field *field)
{
    for (size_t i = 0; i < work->n_columns; i++)
        if (work->columns[i].field == field)
            return &work->columns[i];
    return NULL;
}

double *work_numbers(const struct work *work, enum profile_number field)
{
    const struct column *column = work_column(work, profile_number_field(field));
    return column ? column->numbers : NULL;
}

/* Cells of the header without the empty ones at its end that no row fills. */
static size_t header_width(const struct work *work)
{
    const struct grid *grid = &work->grid;
    const struct grid_row *header = &grid->rows[work->header_row];
    size_t width = header->n_cells;
    while (width > 0 && grid_cell(grid, header, width - 1) == GRID_EMPTY) {
        for (size_t i = work->header_row + 1; i < grid->n_rows; i++)
            if (grid_cell(grid, &grid->rows[i], width - 1) != GRID_EMPTY)
                return width;
        width--;
    }
    return width;
}

/* Tables written with row names have one cell more in each row than in the header, in front. An
 * extra cell that is always empty is only a delimiter too many. */
static bool has_row_names(const struct work *work, size_t width)
{
    const struct grid *grid = &work->grid;
    size_t n = grid->n_rows - work->header_row - 1;
    size_t n_longer = 0;
    size_t n_filled = 0;
    for (size_t i = work->header_row + 1; i < grid->n_rows; i++) {
        const struct grid_row *row = &grid->rows[i];
        if (row->n_cells != width + 1 || grid_cell(grid, row, 0) == GRID_EMPTY)
            continue;
        n_longer++;
        n_filled += grid_cell(grid, row, width) != GRID_EMPTY;
    }
    return n >= 2 && n_longer * 10 >= n * 9 && n_filled * 20 >= n;
}

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the columns");
}

#define POSTS_HINT "; if these are posts, give them beside a table of profiles: --posts FILE"
#define EDGES_HINT "; if these are edges, give them beside a table of profiles: --edges FILE"

const char *header_meant_for(const struct work *work)
{
    static const struct {
        const char *header, *hint;
    } signs[] = {
        {"post_id", POSTS_HINT},  {"post id", POSTS_HINT},   {"shortcode", POSTS_HINT},
        {"taken_at", POSTS_HINT}, {"permalink", POSTS_HINT}, {"source", EDGES_HINT},
        {"followed", EDGES_HINT}, {"followee", EDGES_HINT},  {"tagged_account", EDGES_HINT},
    };
    for (size_t i = 0; i < work->n_columns; i++)
        for (size_t j = 0; j < sizeof signs / sizeof signs[0]; j++)
            if (text_equal_fold(work->columns[i].label, signs[j].header))
                return signs[j].hint;
    return "";
}

/* What the file has instead of the followers: the headers, and the nearest that might be meant. */
static enum status refuse_unmatched(const struct work *work, struct error *err)
{
    enum {
        MAX_HINTS = 50 /* headers looked at for one that may be meant */
    };
    char seen[256] = "";
    char hint[128] = "";
    size_t used = 0;
    const struct profile_field *followers = profile_number_field(PROFILE_followers);
    size_t n_known = 0;
    for (size_t i = 0; i < work->n_columns; i++) {
        const struct column *column = &work->columns[i];
        n_known += column->match.role != SCHEMA_NONE;
        if (used + strlen(column->label) + 8 < sizeof seen && used + 8 < sizeof seen)
            used += (size_t)snprintf(seen + used, sizeof seen - used, "%s'%s'", i ? ", " : "",
                                     column->label);
        else if (used + 5 < sizeof seen && seen[used - 1] != '.')
            used += (size_t)snprintf(seen + used, sizeof seen - used, ", ...");
        bool may_be_meant = hint[0] == '\0' && i < MAX_HINTS && column->match.role == SCHEMA_NONE;
        const char *near =
            may_be_meant ? schema_nearest_alias(work->schema, followers, column->header) : NULL;
        if (near)
            snprintf(hint, sizeof hint, "; is '%s' meant to be '%s'?", column->label, near);
    }
    return fail(err, STATUS_INVALID,
                "no table of profiles: needs a column of followers (followers, subscribers, fans, "
                "...), and one of handles if accounts are to be found again%s; %s: %s%s",
                header_meant_for(work),
                n_known > 0 ? "the headers are" : "no header is known, the first line has", seen,
                hint);
}

static enum status make_columns(struct work *work, struct error *err)
{
    const struct grid *grid = &work->grid;
    const struct grid_row *header = &grid->rows[work->header_row];
    size_t width = header_width(work);
    size_t shift = has_row_names(work, width) ? 1 : 0;
    work->n_columns = width + shift;
    work->columns = ARENA_ARRAY(work->memory, struct column, work->n_columns + 1);
    if (!work->columns)
        return no_memory(err);
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        const char *text = i < shift ? "" : GRID_CELL_TEXT(grid, header, i - shift);
        column->header = text[0] ? arena_strdup(work->memory, text)
                                 : arena_printf(work->memory, "column %zu", i + 1);
        column->how = "extra";
        column->unit = "";
        if (!column->header)
            return no_memory(err);
        column->label =
            arena_strndup(work->memory, column->header,
                          utf8_cut(column->header, strlen(column->header), LABEL_BYTES));
        if (!column->label)
            return no_memory(err);
    }
    if (shift > 0)
        events_explain(&work->events, RULE_unit_decided, work->columns[0].header,
                       "rows have one cell more than the header, in front: taken for row names");
    return STATUS_OK;
}

static enum status match_columns(struct work *work, struct error *err)
{
    const char **headers = ARENA_ARRAY(work->memory, const char *, work->n_columns + 1);
    struct schema_match *matches =
        ARENA_ARRAY(work->memory, struct schema_match, work->n_columns + 1);
    if (!headers || !matches)
        return no_memory(err);
    for (size_t i = 0; i < work->n_columns; i++)
        headers[i] = work->columns[i].header;
    schema_match_table(work->schema, headers, work->n_columns, matches);
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        column->match = matches[i];
        if (matches[i].role == SCHEMA_FIELD) {
            column->field = matches[i].field;
            column->how = matches[i].how;
        }
    }
    return STATUS_OK;
}

/* The known table, and what a header means only there. */
static void name_table(struct work *work)
{
    bool has_field[PROFILE_N_FIELDS] = {false};
    work->table_name = "generic";
    for (size_t i = 0; i < work->n_columns; i++)
        if (work->columns[i].field)
            has_field[work->columns[i].field - profile_fields] = true;
    const struct schema_table *table = schema_find_table(has_field);
    for (size_t i = 0; i < work->n_columns; i++) {
        if (work->columns[i].match.is_user_table) {
            work->table_name = work->columns[i].how;
            return;
        }
    }
    if (!table)
        return;
    work->table_name = table->name;
    const char *equals = strchr(table->renames, '=');
    if (!equals)
        return;
    const struct profile_field *from =
        profile_field_find(table->renames, (size_t)(equals - table->renames));
    const struct profile_field *to = profile_field_find(equals + 1, strlen(equals + 1));
    struct column *column = from ? work_column(work, from) : NULL;
    if (column && to && !has_field[to - profile_fields])
        column->field = to;
}

enum status header_match(struct work *work, struct error *err)
{
    size_t n_known;
    work->header_row = sniff_header(&work->grid, sniff_words_of_schema(work->schema), &n_known);
    for (size_t i = 0; i < work->header_row; i++)
        events_add(&work->events, RULE_lines_before_header, "", work->grid.rows[i].line,
                   GRID_CELL_TEXT(&work->grid, &work->grid.rows[i], 0));
    TRY(make_columns(work, err));
    TRY(match_columns(work, err));
    name_table(work);
    if (!work_column(work, profile_number_field(PROFILE_followers)))
        return refuse_unmatched(work, err);
    if (work->header_row + 1 == work->grid.n_rows)
        return fail(err, STATUS_INVALID, "has a header and no rows");
    return STATUS_OK;
}
