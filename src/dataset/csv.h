/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Delimited text into a grid. The only user of libcsv. */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "dataset/events.h"
#include "dataset/grid.h"
#include "dataset/source.h"

struct csv_dialect {
    char delimiter;
    char quote;
};

struct csv_limits {
    size_t field_bytes; /* 0: 1 MiB */
    size_t rows;        /* 0: no bound */
};

struct csv_counts {
    size_t n_lines;                      /* lines of the file */
    size_t n_fields_utf8, n_fields_8bit; /* fields beyond ASCII, by what they turned out to be */
};

/* Read the whole source. Blank lines are skipped; what was repaired in the bytes is recorded.
 * STATUS_INVALID: a quoted field that is never closed. STATUS_LIMIT: a field, a row or the table is
 * larger than allowed; the message names the line. */
enum status csv_read(struct source *source, struct csv_dialect dialect, struct csv_limits limits,
                     struct grid *grid, struct events *events, struct csv_counts *ret_counts,
                     struct error *err);

/* The same for files of any length: each row is handed to `on_row` and then forgotten. The grid and
 * the row are borrowed for the call. A status other than STATUS_OK ends the reading and is
 * returned.
 */
typedef enum status (*csv_row_function)(void *user, const struct grid *grid,
                                        const struct grid_row *row, struct error *err);
struct csv_stream {
    struct csv_dialect dialect;
    struct csv_limits limits;
    csv_row_function on_row;
    void *user;
    struct events *events;
};
enum status csv_stream(struct source *source, const struct csv_stream *stream,
                       struct csv_counts *ret_counts, struct error *err);

/* The same in pieces: `grid` collects so many rows, is handed over, and is then cleared for the
 * next ones. `on_piece` is called at least once, the last time with is_last. */
typedef enum status (*csv_piece_function)(void *user, bool is_last, struct error *err);
struct csv_pieces {
    struct csv_dialect dialect;
    struct csv_limits limits;
    size_t first_rows, rows; /* of the first piece, of each later one */
    struct grid *grid;
    csv_piece_function on_piece;
    void *user;
    struct events *events;
};
enum status csv_read_pieces(struct source *source, const struct csv_pieces *pieces,
                            struct csv_counts *ret_counts, struct error *err);

/* The first rows of a sample, for a look at the dialect; an incomplete last row is left out, unless
 * it is the only one. */
enum status csv_read_sample(const char *bytes, size_t n, struct csv_dialect dialect,
                            size_t max_rows, struct grid *grid, struct error *err);
