/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One file on its way from text to table: what the steps of the import hand to each other.
 *
 *   import.c    the whole way, top to bottom
 *   header.c    headers to columns
 *   identity.c  which column is the handle
 *   rows_find.c which rows are data
 *   rows.c      which of these fit their columns, and those that can be put right
 *   columns.c   numbers out of cells
 *   units.c     lost scales, units in headers; rates.c: percent or fraction
 *   build.c     the table
 *   clean.c     values that cannot be
 *   category.c  categories that run together or are misspelt
 *   merge.c     duplicates */
#include "dataset/csv.h"
#include "dataset/events.h"
#include "dataset/grid.h"
#include "dataset/import.h"
#include "dataset/schema.h"

enum cells_kind {
    CELLS_EMPTY,
    CELLS_MIXED,
    CELLS_NUMBER,  /* nearly all are numbers */
    CELLS_PERCENT, /* with a percent mark */
    CELLS_TEXT,    /* nearly none is */
};

/* How bare numbers of a column of rates are to be read. */
enum rate_unit {
    RATE_UNKNOWN,
    RATE_FRACTION,
    RATE_PERCENT,
};

/* What the numbers of a column look like. */
struct number_stats {
    size_t n_present, n_bad;
    size_t n_suffix, n_percent;
    size_t n_broken;         /* not whole, without suffix or percent mark */
    size_t n_comma, n_point; /* with that decimal mark for certain */
    size_t n_grouped;        /* broken ones whose point could as well group thousands: "15.070" */
    size_t n_round; /* of these, with zeros behind: "15.000" may be a count printed as a fraction */
};

struct column {
    const char *header; /* trimmed */
    const char *label;  /* the header, shortened for messages */
    struct schema_match match;
    const struct profile_field *field; /* NULL: an extra column, or dropped */
    const char *how;                   /* as in import_column */
    const char *unit;                  /* as in import_column */
    bool is_dropped;                   /* not in the table at all */
    enum cells_kind kind;
    bool takes_numbers; /* a plain number is never out of place there */
    struct number_stats stats;
    /* What was decided about the numbers, for rows that come after (import_pieces.c). */
    char decimal;  /* the mark they were read with; 0: not known */
    double factor; /* that the header's unit multiplies with; 0: none */
    enum rate_unit rate;
    double *numbers; /* [n_rows] of a numeric field, in the table's arena */
};

struct work {
    const char *path;
    struct arena *memory; /* the report's: headers, events */
    struct events events;
    const struct schema *schema;
    const char *table_name; /* of schemas.def or the user's; "generic" */
    struct grid grid;
    char delimiter;
    size_t header_row;
    struct column *columns;
    size_t n_columns;
    uint32_t *rows; /* [n_rows] grid rows that are data; owns */
    size_t n_rows;
    size_t n_data_rows;  /* before any was refused */
    bool is_settled;     /* columns were decided upon, by an earlier piece of the file */
    bool more_follows;   /* this piece is not the last */
    struct table *table; /* owns, until the end */
};

static inline const struct grid_row *work_row(const struct work *work, size_t row)
{
    return &work->grid.rows[work->rows[row]];
}

static inline uint32_t work_cell(const struct work *work, size_t row, size_t column)
{
    return grid_cell(&work->grid, work_row(work, row), column);
}

/* The cell's text, borrowed until the end of the block that asks. */
#define WORK_TEXT(work, row, column) GRID_TEXT(&(work)->grid, work_cell((work), (row), (column)))

static inline size_t work_line(const struct work *work, size_t row)
{
    return work_row(work, row)->line;
}

/* The column that holds a field, or NULL. */
struct column *work_column(const struct work *work, const struct profile_field *field);
double *work_numbers(const struct work *work, enum profile_number field); /* NULL: no such column */

static inline bool is_number_kind(const struct profile_field *field)
{
    return field->kind == PROFILE_COUNT || field->kind == PROFILE_MEAN ||
           field->kind == PROFILE_RATE || field->kind == PROFILE_VALUE;
}

/* ---- the steps ---- */

/* Headers to columns. STATUS_INVALID: no column of followers; the message says what was seen. */
enum status header_match(struct work *work, struct error *err);
/* For a message, when there are no followers: what else the table may be, by its headers, behind a
 * semicolon; or "". */
const char *header_meant_for(const struct work *work);

enum looks {
    LOOKS_EMPTY,
    LOOKS_NUMBER,
    LOOKS_PERCENT,
    LOOKS_TEXT,
    N_LOOKS
};

enum looks rows_look_like(const struct grid *grid, uint32_t cell);

/* The rows that are data, by their look: no rules, repeated headers, totals, footnotes.
 * STATUS_INVALID: there are none. */
enum status rows_find(struct work *work, struct error *err);

/* Settle which columns are handle and name. */
void identity_settle(struct work *work);

/* The account in a cell: without @, out of a link to a profile. Returns its length, 0 when it is
 * none; *ret_handle points into the cell. */
size_t identity_handle(const char *cell, const char **ret_handle);

/* What stands in a cell of the handle column that holds no possible handle: without @ and link. */
const char *identity_text(const char *cell, size_t *ret_length);

/* The kinds of the columns, and then which rows fit them: repairs and refusals. STATUS_INVALID:
 * most do not. */
enum status rows_settle(struct work *work, struct error *err);

/* Read the numbers of all columns, decide decimal marks, units and scales; refuse columns. */
enum status columns_read_numbers(struct work *work, struct error *err);
enum status units_settle(struct work *work, struct error *err);

/* Put columns into work->table: numbers, texts, extras. */
enum status columns_build_table(struct work *work, struct error *err);

/* Values that cannot be become missing. */
void clean_values(struct work *work);
enum status category_clean(struct work *work, struct error *err);

/* Drop rows without figures and all but one of each handle. */
enum status merge_duplicates(struct work *work, struct error *err);
