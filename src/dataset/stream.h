/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files of rows that belong to accounts (posts, edges): the header is understood by a table of
 * aliases (sources.def), then each row is handed out and forgotten. Bytes, encodings and delimiters
 * go the importer's way. One reader at a time. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/progress.h"
#include "base/status.h"
#include "dataset/events.h"
#include "dataset/import.h"

#define STREAM_MAX_COLUMNS 32

struct stream_kind {
    const char *name; /* "posts", as import_source.schema */
    const struct stream_column {
        const char *name;    /* of the field, for reports */
        const char *headers; /* "header|header|...", as in schemas.def */
    } * columns;
    size_t n_columns; /* at most STREAM_MAX_COLUMNS */
};

struct stream {
    const struct stream_kind *kind;
    const char *path;     /* FILE, or FILE IMPORT_NAMED NAME: stream_read() leaves the name */
    struct arena *memory; /* borrowed: the report's */
    struct events events;
    struct import_source *out; /* what is said of the file */
    struct progress progress;

    /* the row, as the callback gets it */
    size_t line;
    const char *cell[STREAM_MAX_COLUMNS];   /* NULL: no such column; borrowed for the call */
    const char *header[STREAM_MAX_COLUMNS]; /* "" : no such column */
};

/* Count the row as set aside; column: into kind->columns. */
void stream_refuse(struct stream *stream, enum rule rule, size_t column);

/* Count a value that does not count. */
void stream_note(struct stream *stream, enum rule rule, size_t column);

/* Once the header is read: may refuse the file. */
typedef enum status (*stream_header_function)(void *user, struct stream *stream, struct error *err);
/* Each row. A status other than STATUS_OK ends the reading and is returned. */
typedef enum status (*stream_row_function)(void *user, struct stream *stream, struct error *err);

struct stream_callbacks {
    stream_header_function on_header; /* may be NULL */
    stream_row_function on_row;
    void *user;
};

/* Read the whole file. The caller fills kind, path, memory, out and progress; `out` is completed
 * also on failure. STATUS_INVALID: no table, or none of its columns is known; the message names
 * them. */
enum status stream_read(struct stream *stream, const struct stream_callbacks *callbacks,
                        struct error *err);

/* A number of the row as people write them ("1.2k"); missing, with a note, when it is no number, -1
 * (hidden), negative, or above max. */
double stream_number(struct stream *stream, size_t column, double max);

/* 0, 1, or missing. */
double stream_flag(struct stream *stream, size_t column);
