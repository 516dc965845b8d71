/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dataset/encoding.h"
#include "dataset/work.h"
#include "profile/parse.h"

#define SAMPLE_ROWS 5000
#define NUMBER_SHARE 0.8  /* of the cells, for a column of numbers */
#define PERCENT_SHARE 0.7 /* of the numbers, for a column of percentages */
#define TEXT_SHARE 0.2    /* numbers at most, for a column of texts */

enum looks rows_look_like(const struct grid *grid, uint32_t raw)
{
    if (raw == GRID_EMPTY)
        return LOOKS_EMPTY;
    if (cell_is_number(raw))
        return LOOKS_NUMBER;
    const char *cell = GRID_TEXT(grid, raw);
    char c = cell[0];
    struct quantity quantity;
    /* Letters first, as in nearly every text, can only be a missing word. */
    bool is_letter = (c >= 'b' && c <= 'l') || (c >= 'B' && c <= 'L') || (c >= 'p' && c <= 't');
    if (is_letter)
        return LOOKS_TEXT;
    switch (parse_quantity(cell, strlen(cell), &quantity)) {
    case PARSE_OK: /* zero is zero in any unit */
        return quantity.is_percent && quantity.value != 0 ? LOOKS_PERCENT : LOOKS_NUMBER;
    case PARSE_MISSING:
        return LOOKS_EMPTY;
    case PARSE_BAD:
        break;
    }
    return LOOKS_TEXT;
}

static enum cells_kind kind_of(const size_t n[static N_LOOKS])
{
    double numbers = (double)(n[LOOKS_NUMBER] + n[LOOKS_PERCENT]);
    double present = numbers + (double)n[LOOKS_TEXT];
    if (present == 0)
        return CELLS_EMPTY;
    if (numbers <= TEXT_SHARE * present)
        return CELLS_TEXT;
    if (numbers < NUMBER_SHARE * present)
        return CELLS_MIXED;
    return (double)n[LOOKS_PERCENT] >= PERCENT_SHARE * numbers ? CELLS_PERCENT : CELLS_NUMBER;
}

/* The kind of each column, by a sample of the rows that have the right width. */
static void find_kinds(struct work *work)
{
    size_t step = work->n_rows / SAMPLE_ROWS + 1;
    for (size_t c = 0; c < work->n_columns; c++) {
        size_t n[N_LOOKS] = {0};
        for (size_t row = 0; row < work->n_rows; row += step)
            if (work_row(work, row)->n_cells == work->n_columns)
                n[rows_look_like(&work->grid, work_cell(work, row, c))]++;
        struct column *column = &work->columns[c];
        column->kind = kind_of(n);
        column->takes_numbers = !column->field || (column->field->kind != PROFILE_TEXT &&
                                                   column->kind != CELLS_PERCENT);
    }
}

/* ---- does a row fit its columns? ---- */

static bool is_zero(const struct grid *grid, uint32_t cell)
{
    const char *text = GRID_TEXT(grid, cell);
    return text[strspn(text, "0.,")] == '\0';
}

static bool is_wrong(const struct work *work, size_t index, uint32_t cell)
{
    const struct column *column = &work->columns[index];
    const struct grid *grid = &work->grid;
    if (!column->field || cell == GRID_EMPTY || (cell_is_number(cell) && column->takes_numbers))
        return false;
    if (column->field->index == PROFILE_handle && column->field->kind == PROFILE_TEXT) {
        const char *handle;
        return identity_handle(GRID_TEXT(grid, cell), &handle) == 0;
    }
    bool is_number = is_number_kind(column->field);
    bool is_text = column->field->kind == PROFILE_TEXT && column->field->index != PROFILE_name;
    if ((!is_number && !is_text) || column->kind == CELLS_MIXED || column->kind == CELLS_EMPTY)
        return false;
    switch (rows_look_like(grid, cell)) {
    case LOOKS_NUMBER: /* among percentages, zero has no mark to miss */
        return is_text ? column->kind == CELLS_TEXT
                       : column->kind == CELLS_PERCENT && !is_zero(grid, cell);
    case LOOKS_PERCENT:
        return is_text
                   ? column->kind == CELLS_TEXT
                   : column->field->kind == PROFILE_COUNT || column->field->kind == PROFILE_MEAN;
    case LOOKS_TEXT:
        return is_number && column->kind != CELLS_TEXT;
    case LOOKS_EMPTY:
    case N_LOOKS:
        break;
    }
    return false;
}

static bool fits(const struct work *work, const uint32_t *cells)
{
    for (size_t i = 0; i < work->n_columns; i++)
        if (is_wrong(work, i, cells[i]))
            return false;
    return true;
}

/* ---- repairs: try every place, take the only one that fits ---- */

struct trial {
    uint32_t *cells; /* [n_columns] being tried */
    uint32_t *found; /* [n_columns] that fits */
    size_t n_found;  /* different ones */
    size_t place;    /* of the first */
};

static void judge(const struct work *work, struct trial *trial, size_t place)
{
    size_t bytes = work->n_columns * sizeof *trial->cells;
    if (!fits(work, trial->cells))
        return;
    if (trial->n_found > 0 && memcmp(trial->cells, trial->found, bytes) == 0)
        return;
    if (trial->n_found == 0) {
        memcpy(trial->found, trial->cells, bytes);
        trial->place = place;
    }
    trial->n_found++;
}

/* An empty cell is missing somewhere; `n_cells` of the row are used. */
static void try_insert(const struct work *work, const struct grid_row *row, size_t n_cells,
                       struct trial *trial)
{
    for (size_t place = 0; place <= n_cells && trial->n_found < 2; place++) {
        for (size_t i = 0; i < work->n_columns; i++)
            trial->cells[i] = i < place    ? grid_cell(&work->grid, row, i)
                              : i == place ? GRID_EMPTY
                                           : grid_cell(&work->grid, row, i - 1);
        judge(work, trial, place);
    }
}

/* One of the empty cells is too many. */
static void try_drop(const struct work *work, const struct grid_row *row, struct trial *trial)
{
    for (size_t place = 0; place < row->n_cells && trial->n_found < 2; place++) {
        if (grid_cell(&work->grid, row, place) != GRID_EMPTY)
            continue;
        for (size_t i = 0; i < work->n_columns; i++)
            trial->cells[i] = grid_cell(&work->grid, row, i < place ? i : i + 1);
        judge(work, trial, place);
    }
}

/* A text was cut in two at a delimiter that nobody quoted. */
static enum status try_join(struct work *work, const struct grid_row *row, struct trial *trial,
                            struct error *err)
{
    for (size_t place = 0; place + 1 < row->n_cells && trial->n_found < 2; place++) {
        const struct column *column = &work->columns[place];
        bool is_text = column->kind == CELLS_TEXT || column->kind == CELLS_MIXED;
        if (!is_text || (column->field && column->field->kind != PROFILE_TEXT))
            continue;
        char text[1024];
        int length = snprintf(text, sizeof text, "%s%c %s", GRID_CELL_TEXT(&work->grid, row, place),
                              work->delimiter, GRID_CELL_TEXT(&work->grid, row, place + 1));
        uint32_t joined;
        if (length < 0 || (size_t)length >= sizeof text)
            continue;
        TRY(grid_add_text(&work->grid, text, (size_t)length, &joined, err));
        for (size_t i = 0; i < work->n_columns; i++)
            trial->cells[i] =
                i == place ? joined : grid_cell(&work->grid, row, i < place ? i : i + 1);
        judge(work, trial, place);
    }
    return STATUS_OK;
}

static enum status accept(struct work *work, size_t index, const struct trial *trial,
                          enum rule rule, struct error *err)
{
    const struct grid_row *row = &work->grid.rows[index];
    size_t place = trial->place < work->n_columns ? trial->place : work->n_columns - 1;
    events_add(&work->events, rule, work->columns[place].header, row->line,
               GRID_CELL_TEXT(&work->grid, row, place));
    return grid_replace_row(&work->grid, index, trial->found, work->n_columns, err);
}

static void refuse(struct work *work, size_t index, enum rule rule)
{
    const struct grid_row *row = &work->grid.rows[index];
    const char *first = GRID_CELL_TEXT(&work->grid, row, 0);
    const char *second = GRID_CELL_TEXT(&work->grid, row, 1);
    char text[160];
    snprintf(text, sizeof text, "%u of %zu cells: %.*s | %.*s", row->n_cells, work->n_columns,
             (int)utf8_cut(first, strlen(first), 40), first,
             (int)utf8_cut(second, strlen(second), 40), second);
    events_add(&work->events, rule, "", row->line, text);
}

/* A row of the wrong width, or with cells in the wrong columns; *ret_keep: whether it is data now.
 */
static enum status repair(struct work *work, size_t index, struct trial *trial, bool *ret_keep,
                          struct error *err)
{
    struct grid_row row = work->grid.rows[index];
    size_t width = work->n_columns;
    enum rule rule = RULE_row_shifted;
    *ret_keep = true;
    trial->n_found = 0;
    if (row.n_cells == width - 1) {
        rule = RULE_row_completed;
        try_insert(work, &row, row.n_cells, trial);
    } else if (row.n_cells == width + 1) {
        rule = RULE_row_empty_dropped;
        try_drop(work, &row, trial);
        if (trial->n_found == 0)
            rule = RULE_row_joined;
        TRY(try_join(work, &row, trial, err));
    } else if (row.n_cells == width && grid_cell(&work->grid, &row, width - 1) == GRID_EMPTY) {
        try_insert(work, &row, width - 1, trial);
    }
    if (trial->n_found == 1)
        return accept(work, index, trial, rule, err);
    *ret_keep = false;
    if (row.n_cells != width) {
        refuse(work, index, row.n_cells < width ? RULE_row_too_short : RULE_row_too_long);
        return STATUS_OK;
    }
    /* One odd cell costs that cell; several, or one that more than one shift would mend, speak
     * against the whole row. */
    size_t n_wrong = 0;
    for (size_t i = 0; i < width; i++)
        n_wrong += is_wrong(work, i, grid_cell(&work->grid, &row, i));
    *ret_keep = n_wrong == 1 && trial->n_found == 0;
    if (!*ret_keep)
        refuse(work, index, RULE_row_mixed_up);
    return STATUS_OK;
}

/* ---- all rows ---- */

/* Which cells need no closer look: by column those with one of these bits, and texts that were met
 * lately and fitted. Equal short texts are mostly one cell (grid_settle_text()). */
struct glance {
    uint32_t *plain; /* [n_columns] */
    struct {
        uint32_t cell;
        uint32_t column;
    } fitting[1024];
};

static void glance_init(struct glance *glance, const struct work *work, uint32_t *plain)
{
    memset(glance->fitting, 0, sizeof glance->fitting);
    glance->plain = plain;
    for (size_t i = 0; i < work->n_columns; i++)
        plain[i] = !work->columns[i].field          ? UINT32_MAX
                   : work->columns[i].takes_numbers ? CELL_NUMBER
                                                    : 0;
}

static bool fits_at_a_glance(const struct work *work, struct glance *glance, const uint32_t *cells)
{
    for (uint32_t c = 0; c < work->n_columns; c++) {
        if (cells[c] == GRID_EMPTY || (cells[c] & glance->plain[c]))
            continue;
        size_t slot = (cells[c] + c) * UINT32_C(0x9E3779B9) >> 22;
        if (glance->fitting[slot].cell == cells[c] && glance->fitting[slot].column == c)
            continue;
        if (is_wrong(work, c, cells[c]))
            return false;
        glance->fitting[slot].cell = cells[c];
        glance->fitting[slot].column = c;
    }
    return true;
}

static enum status keep_fitting(struct work *work, struct trial *trial, struct glance *glance,
                                struct error *err)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < work->n_rows; i++) {
        const struct grid_row *row = work_row(work, i);
        bool good = row->n_cells == work->n_columns &&
                    fits_at_a_glance(work, glance, &work->grid.cells[row->first]);
        if (!good)
            TRY(repair(work, work->rows[i], trial, &good, err));
        if (good)
            work->rows[n_kept++] = work->rows[i];
    }
    work->n_rows = n_kept;
    return STATUS_OK;
}

enum status rows_settle(struct work *work, struct error *err)
{
    AUTO(free_slot) uint32_t *cells = calloc(3 * work->n_columns + 1, sizeof *cells);
    if (!cells)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the rows");
    struct trial trial = {.cells = cells, .found = cells + work->n_columns};
    size_t n_before = work->n_rows;
    if (!work->is_settled)
        find_kinds(work);
    struct glance glance;
    glance_init(&glance, work, cells + 2 * work->n_columns);
    TRY(keep_fitting(work, &trial, &glance, err));
    if (work->n_rows * 2 < n_before)
        return fail(
            err, STATUS_INVALID,
            "%zu of %zu rows do not fit the header (%zu columns); the table cannot be trusted",
            n_before - work->n_rows, n_before, work->n_columns);
    return STATUS_OK;
}
