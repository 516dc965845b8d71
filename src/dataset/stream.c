/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/stream.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "dataset/csv.h"
#include "dataset/sniff.h"
#include "dataset/words.h"
#include "profile/parse.h"

#define NO_COLUMN UINT32_MAX
#define PROGRESS_ROWS 65536
#define LISTED_HEADERS 12 /* in a message */

/* ---- headers ---- */

/* Keys of headers to columns of the kind. */
struct aliases {
    struct intern keys;
    uint32_t *columns; /* [keys.n] */
    size_t n_columns;
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status add_alias(struct aliases *aliases, const char *header, size_t length,
                             uint32_t column)
{
    char text[WORDS_KEY_BYTES];
    char key[WORDS_KEY_BYTES];
    struct words words;
    snprintf(text, sizeof text, "%.*s", (int)length, header);
    words_split(text, &words);
    words_join(&words, key);
    size_t n_before = aliases->keys.n;
    uint32_t number = intern_put(&aliases->keys, key, strlen(key));
    if (number == INTERN_NONE)
        return STATUS_NO_MEMORY;
    if (aliases->keys.n > n_before)
        aliases->columns[number] = column;
    return STATUS_OK;
}

static enum status aliases_init(struct aliases *aliases, const struct stream_kind *kind,
                                struct arena *arena, struct error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < kind->n_columns; i++)
        for (const char *c = kind->columns[i].headers; *c; c++)
            n += *c == '|';
    *aliases = (struct aliases){.n_columns = kind->n_columns};
    intern_init(&aliases->keys, arena);
    aliases->columns = ARENA_ARRAY(arena, uint32_t, n + 2 * kind->n_columns);
    if (!aliases->columns)
        return no_memory(err);
    for (size_t i = 0; i < kind->n_columns; i++) {
        const struct stream_column *column = &kind->columns[i];
        if (add_alias(aliases, column->name, strlen(column->name), (uint32_t)i) != STATUS_OK)
            return no_memory(err);
        for (const char *at = column->headers; *at;) {
            size_t length = strcspn(at, "|");
            if (add_alias(aliases, at, length, (uint32_t)i) != STATUS_OK)
                return no_memory(err);
            at += length + (at[length] == '|');
        }
    }
    return STATUS_OK;
}

static uint32_t find_key(const struct aliases *aliases, const struct words *words)
{
    char key[WORDS_KEY_BYTES];
    words_join(words, key);
    uint32_t number = intern_find(&aliases->keys, key, strlen(key));
    return number == INTERN_NONE ? NO_COLUMN : aliases->columns[number];
}

/* The column that a header means, or NO_COLUMN. */
static uint32_t find_column(const struct aliases *aliases, const char *header)
{
    struct words words;
    words_split(header, &words);
    if (words.n == 0)
        return NO_COLUMN;
    uint32_t column = find_key(aliases, &words);
    if (column != NO_COLUMN)
        return column;
    words_drop_noise(&words);
    return words.n > 0 ? find_key(aliases, &words) : NO_COLUMN;
}

static size_t count_known(const void *user, const struct grid *grid, const struct grid_row *row)
{
    const struct aliases *aliases = user;
    bool seen[STREAM_MAX_COLUMNS] = {false};
    size_t n = 0;
    for (size_t i = 0; i < row->n_cells; i++) {
        uint32_t column = find_column(aliases, GRID_CELL_TEXT(grid, row, i));
        if (column == NO_COLUMN || seen[column])
            continue;
        seen[column] = true;
        n++;
    }
    return n;
}

/* ---- reading ---- */

struct reading {
    struct stream *stream;
    const char *file; /* to be opened: the path is what it is called by */
    const struct stream_callbacks *callbacks;
    struct aliases aliases;
    size_t header_line;
    size_t n_header;                       /* cells of the header; 0: not seen yet */
    uint32_t position[STREAM_MAX_COLUMNS]; /* of each column in the row, or NO_COLUMN */
    char scratch[STREAM_MAX_COLUMNS][CELL_TEXT_BYTES];
};

static void list_headers(const struct import_source *out, char *ret_text, size_t size)
{
    size_t length = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < out->n_columns && length + 1 < size; i++) {
        int n = snprintf(ret_text + length, size - length, "%s%s", i ? ", " : "",
                         i == LISTED_HEADERS ? "..." : out->columns[i].header);
        length += n > 0 ? (size_t)n : 0;
        if (i == LISTED_HEADERS)
            break;
    }
}

static enum status take_header_cell(struct reading *reading, const char *text, size_t i,
                                    struct error *err)
{
    struct stream *stream = reading->stream;
    struct import_column *column = &stream->out->columns[i];
    const char *header = arena_strdup(stream->memory, text);
    if (!header)
        return no_memory(err);
    uint32_t known = find_column(&reading->aliases, text);
    bool taken = known != NO_COLUMN && reading->position[known] != NO_COLUMN;
    *column = (struct import_column){.header = header, .field = "", .how = "ignored", .unit = ""};
    if (taken)
        events_add(&stream->events, RULE_column_duplicate, header, 0, "");
    if (known == NO_COLUMN || taken)
        return STATUS_OK;
    reading->position[known] = (uint32_t)i;
    stream->header[known] = header;
    column->field = stream->kind->columns[known].name;
    column->how = strcmp(text, column->field) == 0 ? "exact" : "alias";
    return STATUS_OK;
}

static enum status take_header(struct reading *reading, const struct grid *grid,
                               const struct grid_row *row, struct error *err)
{
    struct stream *stream = reading->stream;
    size_t n = row->n_cells;
    while (n > 0 && grid_cell(grid, row, n - 1) == GRID_EMPTY)
        n--;
    reading->n_header = n;
    stream->out->columns = ARENA_ARRAY(stream->memory, struct import_column, n + 1);
    if (!stream->out->columns)
        return no_memory(err);
    stream->out->n_columns = n;
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++)
        TRY(take_header_cell(reading, GRID_CELL_TEXT(grid, row, i), i, err));
    for (size_t i = 0; i < stream->kind->n_columns; i++)
        n_known += reading->position[i] != NO_COLUMN;
    if (n_known == 0) {
        char headers[300];
        list_headers(stream->out, headers, sizeof headers);
        return fail(err, STATUS_INVALID, "no table of %s: none of its columns is known: %s",
                    stream->kind->name, headers);
    }
    if (!reading->callbacks->on_header)
        return STATUS_OK;
    return reading->callbacks->on_header(reading->callbacks->user, stream, err);
}

/* "=====", as some tables have under their header. */
static bool is_rule_line(const struct grid *grid, const struct grid_row *row)
{
    const char *cell = GRID_CELL_TEXT(grid, row, 0);
    return row->n_cells == 1 && cell[0] != '\0' && cell[strspn(cell, "=-_ ")] == '\0';
}

static bool is_header_again(const struct reading *reading, const struct grid *grid,
                            const struct grid_row *row)
{
    const struct import_source *out = reading->stream->out;
    for (size_t i = 0; i < out->n_columns; i++)
        if (strcmp(GRID_CELL_TEXT(grid, row, i), out->columns[i].header) != 0)
            return false;
    return true;
}

/* Cells behind the last column must be empty, and none may lack. */
static bool has_right_width(struct reading *reading, const struct grid *grid,
                            const struct grid_row *row)
{
    struct stream *stream = reading->stream;
    size_t n = row->n_cells;
    while (n > reading->n_header && grid_cell(grid, row, n - 1) == GRID_EMPTY)
        n--;
    if (n == reading->n_header)
        return true;
    events_add(&stream->events, n < reading->n_header ? RULE_row_too_short : RULE_row_too_long, "",
               stream->line, GRID_CELL_TEXT(grid, row, 0));
    stream->out->n_refused++;
    return false;
}

static enum status take_row(struct reading *reading, const struct grid *grid,
                            const struct grid_row *row, struct error *err)
{
    struct stream *stream = reading->stream;
    struct import_source *out = stream->out;
    stream->line = row->line;
    if (is_rule_line(grid, row)) {
        events_add(&stream->events, RULE_rule_line, "", row->line, GRID_CELL_TEXT(grid, row, 0));
        return STATUS_OK;
    }
    if (is_header_again(reading, grid, row)) {
        events_add(&stream->events, RULE_header_repeated, "", row->line,
                   GRID_CELL_TEXT(grid, row, 0));
        return STATUS_OK;
    }
    out->n_rows++;
    if (out->n_rows % PROGRESS_ROWS == 0)
        progress_show(stream->progress, stream->kind->name, -1);
    if (!has_right_width(reading, grid, row))
        return STATUS_OK;
    for (size_t i = 0; i < out->n_columns; i++) {
        bool is_missing = grid_cell(grid, row, i) == GRID_EMPTY;
        out->columns[i].n_missing += is_missing;
        out->columns[i].n_present += !is_missing;
    }
    for (size_t i = 0; i < stream->kind->n_columns; i++)
        if (reading->position[i] != NO_COLUMN)
            stream->cell[i] = grid_cell_text(grid, grid_cell(grid, row, reading->position[i]),
                                             reading->scratch[i]);
    return reading->callbacks->on_row(reading->callbacks->user, stream, err);
}

static enum status on_row(void *user, const struct grid *grid, const struct grid_row *row,
                          struct error *err)
{
    struct reading *reading = user;
    if (reading->n_header > 0)
        return take_row(reading, grid, row, err);
    if (row->line < reading->header_line) {
        events_add(&reading->stream->events, RULE_lines_before_header, "", row->line,
                   GRID_CELL_TEXT(grid, row, 0));
        return STATUS_OK;
    }
    return take_header(reading, grid, row, err);
}

static enum status find_header_line(struct reading *reading, const char *sample, size_t n,
                                    struct csv_dialect dialect, struct error *err)
{
    enum {
        SAMPLE_ROWS = 60
    };
    struct grid grid;
    struct sniff_words words = {count_known, &reading->aliases};
    size_t n_known;
    TRY(grid_init(&grid, err));
    enum status status = csv_read_sample(sample, n, dialect, SAMPLE_ROWS, &grid, err);
    if (status == STATUS_OK && grid.n_rows > 0)
        reading->header_line = grid.rows[sniff_header(&grid, words, &n_known)].line;
    grid_deinit(&grid);
    return status;
}

static const char *encoding_of(struct arena *arena, const struct source *source,
                               const struct csv_counts *counts)
{
    const char *name = source_encoding(source);
    if (counts->n_fields_8bit > 0)
        name = counts->n_fields_utf8 > 0 ? "utf-8 and windows-1252 mixed" : "windows-1252";
    return source_is_gzip(source) ? arena_printf(arena, "gzip, %s", name) : name;
}

static enum status read_source(struct reading *reading, struct error *err)
{
    struct stream *stream = reading->stream;
    struct import_source *out = stream->out;
    AUTO(source_close_slot) struct source *source = NULL;
    TRY(source_open(reading->file, stream->path, &source, err));
    out->n_bytes = source_n_bytes(source);
    const char *sample;
    size_t n_sample;
    struct sniffed sniffed;
    source_sample(source, &sample, &n_sample);
    struct sniff_words words = {count_known, &reading->aliases};
    TRY(sniff_dialect(sample, n_sample, words, &sniffed, err));
    TRY(find_header_line(reading, sample, n_sample, sniffed.dialect, err));
    out->delimiter = sniff_delimiter_name(sniffed.dialect.delimiter);
    struct csv_stream csv = {
        .dialect = sniffed.dialect, .on_row = on_row, .user = reading, .events = &stream->events};
    struct csv_counts counts;
    TRY(csv_stream(source, &csv, &counts, err));
    if (reading->n_header == 0)
        return fail(err, STATUS_INVALID, "has no rows, only blank lines");
    out->n_lines = counts.n_lines;
    out->encoding = encoding_of(stream->memory, source, &counts);
    return out->encoding ? STATUS_OK : no_memory(err);
}

static enum status digest(const struct stream *stream, const char *file, struct error *err)
{
    char *hex = arena_alloc(stream->memory, SHA256_HEX_LENGTH + 1);
    if (!hex)
        return no_memory(err);
    TRY(hash_sha256_file(file, hex, err));
    stream->out->sha256 = hex;
    return STATUS_OK;
}

enum status stream_read(struct stream *stream, const struct stream_callbacks *callbacks,
                        struct error *err)
{
    struct error local = {0};
    err = err ? err : &local;
    struct reading reading = {.stream = stream, .callbacks = callbacks, .file = stream->path};
    const char *named = strchr(stream->path, IMPORT_NAMED[0]);
    if (named) {
        reading.file = arena_strndup(stream->memory, stream->path, (size_t)(named - stream->path));
        stream->path = named + 1;
        if (!reading.file)
            return no_memory(err);
    }
    events_init(&stream->events, stream->memory);
    for (size_t i = 0; i < STREAM_MAX_COLUMNS; i++) {
        stream->cell[i] = NULL;
        stream->header[i] = "";
        reading.position[i] = NO_COLUMN;
    }
    struct import_source *out = stream->out;
    *out = (struct import_source){.path = stream->path,
                                  .month = "",
                                  .schema = stream->kind->name,
                                  .encoding = "",
                                  .delimiter = "",
                                  .sha256 = ""};
    TRY(aliases_init(&reading.aliases, stream->kind, stream->memory, err));
    enum status status = read_source(&reading, err);
    if (status == STATUS_OK)
        status = digest(stream, reading.file, err);
    out->n_kept = out->n_rows - out->n_refused;
    out->events = stream->events.list;
    out->n_events = stream->events.n;
    if (status == STATUS_OK && stream->events.failed)
        return no_memory(err);
    if (status != STATUS_OK) {
        if (strncmp(err->message, stream->path, strlen(stream->path)) != 0)
            fail_prefix(err, status, "%s", stream->path);
        out->refused = arena_strdup(stream->memory, err->message);
    }
    return status;
}

/* ---- cells ---- */

static const char *cell_of(const struct stream *stream, size_t column)
{
    return stream->cell[column] ? stream->cell[column] : "";
}

void stream_refuse(struct stream *stream, enum rule rule, size_t column)
{
    events_add(&stream->events, rule, stream->header[column], stream->line,
               cell_of(stream, column));
    stream->out->n_refused++;
}

void stream_note(struct stream *stream, enum rule rule, size_t column)
{
    events_add(&stream->events, rule, stream->header[column], stream->line,
               cell_of(stream, column));
}

/* Nearly every number of such a file is a few digits. */
static bool read_digits(const char *text, double *ret_value)
{
    uint64_t value = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 16; n++)
        value = value * 10 + (uint64_t)(text[n] - '0');
    if (n == 0 || text[n] != '\0')
        return false;
    *ret_value = (double)value;
    return true;
}

double stream_number(struct stream *stream, size_t column, double max)
{
    const char *text = cell_of(stream, column);
    struct quantity quantity = {0};
    if (text[0] == '\0')
        return MISSING;
    if (!read_digits(text, &quantity.value)) {
        enum parse_result result = parse_quantity(text, strlen(text), &quantity);
        if (result == PARSE_MISSING)
            return MISSING;
        if (result == PARSE_BAD || quantity.is_percent) {
            stream_note(stream, RULE_not_a_number, column);
            return MISSING;
        }
    }
    if (quantity.value >= 0 && quantity.value <= max)
        return quantity.value;
    stream_note(stream,
                quantity.value == -1 ? RULE_hidden
                : quantity.value < 0 ? RULE_negative
                                     : RULE_out_of_range,
                column);
    return MISSING;
}

double stream_flag(struct stream *stream, size_t column)
{
    const char *text = cell_of(stream, column);
    double value = MISSING;
    if (text[0] != '\0' && parse_flag(text, strlen(text), &value) == PARSE_BAD) {
        stream_note(stream, RULE_not_a_number, column);
        return MISSING;
    }
    return value;
}
