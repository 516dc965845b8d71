/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The door of the dataset room: files in, one clean table and an account of everything done out.
 *
 * file -> bytes (gzip, UTF-16, latin-1, BOM) -> rows (csv.c) -> columns to fields (schema.c) ->
 * values (profile/parse.c) -> repairs and refusals (clean.c) -> snapshots joined by handle
 * (snapshots.c) -> posts and edges joined by handle (join.c). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "base/progress.h"
#include "base/status.h"
#include "dataset/table.h"

/* Files that are joined to the table by handle: see join.h. Borrowed. */
struct import_joins {
    const char *const *posts; /* [n_posts] */
    size_t n_posts;
    const char *const *edges; /* [n_edges] */
    size_t n_edges;
    double before; /* seconds since 1970, UTC: posts from then on, and those of no known time, are
                    * left out; 0: none is. Of a growth, the import sets it itself */
    struct progress progress;
};

struct import_options {
    const char *schema_dir;              /* further schemas (*.ini), or NULL */
    size_t max_rows;                     /* 0: no bound */
    size_t max_field_bytes;              /* of one CSV field; 0: 1 MiB */
    size_t first_piece_rows, piece_rows; /* of import_pieces(); 0: as it sees fit */
    bool growth;           /* hold the newest month back; see snapshots_hold_newest() */
    size_t growth_skipped; /* for it: the months beyond the newest that are forgotten first */
    struct import_joins joins;
};

/* What happened, for people and for report.json. */
enum import_event_kind {
    IMPORT_REPAIRED, /* certain: the value was put right */
    IMPORT_MISSING,  /* a value that cannot be believed now counts as missing */
    IMPORT_REFUSED,  /* the row was set aside */
    IMPORT_NOTE,     /* something to know: a column ignored, a month inferred */
};

#define IMPORT_EXAMPLES 5

/* One rule that fired, with how often and the first places. */
struct import_event {
    enum import_event_kind kind;
    const char *rule;   /* stable name: "row_shifted_left", "duplicate_handle", "zero_is_missing" */
    const char *column; /* header of the file, or "" */
    const char *text;   /* one sentence: what was found and what was done */
    size_t count;
    struct {
        size_t line;
        const char *value; /* what stood there, shortened */
    } examples[IMPORT_EXAMPLES];
    size_t n_examples;
};

struct import_column {
    const char *header; /* as in the file, line breaks and outer spaces removed */
    const char *field;  /* profile field, "" when kept as an extra column or ignored */
    const char *how;    /* "exact", "alias", "similar" (one slip of the keyboard), "cells" (their
                           contents decided), the name of a user's table; "extra", "ignored" */
    const char *unit;   /* "count with k/m/b", "percent", "fraction", ... */
    size_t n_present, n_missing;
};

struct import_source {
    const char *path;
    const char *month;     /* "2022-03", or "" */
    const char *schema;    /* name in schemas.def or of the user's table, or "generic" */
    const char *refused;   /* why nothing of it could be taken; NULL: it was */
    const char *encoding;  /* "utf-8", "utf-8 with BOM", "latin-1", "utf-16le", ...; "gzip, ..." */
    const char *delimiter; /* "comma", "tab", "semicolon", "pipe" */
    const char *sha256;
    size_t n_bytes, n_lines, n_rows, n_kept, n_refused;
    struct import_column *columns;
    size_t n_columns;
    struct import_event *events;
    size_t n_events;
};

struct import_report {
    struct arena memory;
    struct import_source *sources;
    size_t n_sources;
    struct import_source *joined; /* files of posts and edges that were joined to the table */
    size_t n_joined, max_joined;
    size_t n_rows;               /* of the table that came out */
    struct import_event *events; /* of the join of snapshots */
    size_t n_events;
};

void import_report_free(struct import_report *report);
DEFINE_SLOT(import_report_free, struct import_report)

/* Between a file and the name by which messages and reports call it: FILE IMPORT_NAMED NAME. */
#define IMPORT_NAMED "\x1f"

/* Import FILE or FILE@YYYY-MM, one or more. Files without a month are appended; files with one, or
 * with a column of months, are snapshots and join by handle: the newest row of each account stands,
 * with previous_* filled from the one before. *ret_report is set on failure too (NULL when out of
 * memory): it says what was understood until then.
 * STATUS_INVALID: a table that cannot be understood; the message says which columns it would need.
 */
enum status import_files(const char *const *files, size_t n_files,
                         const struct import_options *options, struct table **ret_table,
                         struct import_report **ret_report, struct error *err);

/* One file of any length, in pieces: tables of its rows, each handed over and then forgotten. The
 * first piece, some hundred thousand rows, decides what the columns mean and in which units they
 * are; later rows are read by that. Spellings and typing errors are judged within a piece, and of
 * an account that stands there twice the first row is kept. Memory: one piece, and 16 to 32 bytes
 * an account. The table is borrowed for the call; a status other than STATUS_OK ends the reading
 * and is returned. The report is as above. */
typedef enum status (*import_piece_function)(void *user, const struct table *table,
                                             struct error *err);
enum status import_pieces(const char *file, const struct import_options *options,
                          import_piece_function on_piece, void *user,
                          struct import_report **ret_report, struct error *err);

/* Files so large are better read in pieces, where that is possible. */
bool import_is_large(const char *file);

/* The same of one file in memory, borrowed for the call; `name` stands in messages. */
enum status import_memory(const void *bytes, size_t n_bytes, const char *name,
                          const struct import_options *options, struct table **ret_table,
                          struct import_report **ret_report, struct error *err);

/* Room for one more file that is joined to the table; NULL: out of memory. Moves the earlier ones.
 */
struct import_source *import_report_join(struct import_report *report);

/* Rows of profiles set aside, over all files. */
size_t import_report_refused(const struct import_report *report);

/* The report as a JSON object, and as text for a terminal. */
void import_report_put_json(const struct import_report *report, struct json_writer *w);
void import_report_print(const struct import_report *report, FILE *out);

/* Parts of that object, for reports that hold more: the member "columns" of a source, and the
 * members of an event, inside an object that is begun. */
void import_source_put_columns(const struct import_source *source, struct json_writer *w);
void import_event_put_members(const struct import_event *event, struct json_writer *w);

/* The cleaned table as CSV: profile fields that are present, then the extra columns. */
enum status import_write_csv(const struct table *table, FILE *out, struct error *err);
