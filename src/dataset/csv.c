/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/csv.h"

#include <string.h>

#include <csv.h>

#include "dataset/encoding.h"
#include "dataset/plain_rows.h"

#define DEFAULT_FIELD_BYTES ((size_t)1 << 20)

struct reader {
    struct csv_parser parser;
    struct grid *grid;
    struct events *events;       /* NULL: a sample */
    csv_row_function on_row;     /* NULL: rows stay in the grid */
    csv_piece_function on_piece; /* NULL: one piece */
    size_t piece_rows, later_rows;
    void *user;
    size_t n_columns; /* cells of the first row */
    size_t n_rows;
    struct csv_limits limits;
    struct csv_counts counts;
    size_t line;     /* of the next byte */
    size_t row_line; /* where the open row starts */
    size_t row_cells;
    int last_end; /* the line end that libcsv saw last, when nothing came behind it */
    enum status status;
    struct error *err;
    uint32_t ends[GRID_MAX_COLUMNS]; /* of a plain row's fields */
};

static void record(struct reader *reader, unsigned found, const char *text)
{
    if (found & (CELL_UTF8 | CELL_DOUBLE_ENCODED))
        reader->counts.n_fields_utf8++;
    if (found & CELL_8BIT)
        reader->counts.n_fields_8bit++;
    if (!reader->events || !(found & ~(unsigned)CELL_UTF8))
        return;
    static const struct {
        unsigned bit;
        enum rule rule;
    } rules[] = {
        {CELL_NUL, RULE_nul_bytes},
        {CELL_8BIT, RULE_not_utf8},
        {CELL_MALFORMED, RULE_malformed_utf8},
        {CELL_DOUBLE_ENCODED, RULE_double_encoded},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (found & rules[i].bit)
            events_add(reader->events, rules[i].rule, "", reader->row_line, text);
}

/* A field over several lines with as many delimiters as rows would have: a quote was opened and not
 * closed, and swallowed rows until the next one. */
static bool has_swallowed_rows(const struct reader *reader, const char *bytes, size_t n,
                               size_t breaks)
{
    enum {
        MIN_COLUMNS = 4 /* with fewer, a caption could look so */
    };
    if (breaks == 0 || reader->n_rows == 0)
        return false;
    size_t n_columns = reader->n_columns;
    size_t n_delimiters = 0;
    for (size_t i = 0; i < n; i++)
        n_delimiters += bytes[i] == (char)reader->parser.delim_char;
    return n_columns >= MIN_COLUMNS && n_delimiters >= breaks * (n_columns - 1);
}

/* A cell that is more than a plain number: cleaned into the pool, with an account of it. */
static enum status add_text(struct reader *reader, const char *bytes, size_t n, uint32_t *ret_cell)
{
    struct grid *grid = reader->grid;
    if (n > reader->limits.field_bytes)
        return fail(reader->err, STATUS_LIMIT,
                    "line %zu: a field has %zu bytes, at most %zu are taken", reader->row_line, n,
                    reader->limits.field_bytes);
    size_t offset = grid->texts.length;
    size_t breaks;
    unsigned found = cell_clean(bytes, n, &grid->texts, &breaks);
    if (grid->texts.failed)
        return fail(reader->err, STATUS_NO_MEMORY, "out of memory for the table");
    if (has_swallowed_rows(reader, bytes, n, breaks))
        return fail(reader->err, STATUS_INVALID,
                    "line %zu: a quoted field runs over %zu lines that look like rows: its closing "
                    "quote is missing",
                    reader->row_line, breaks + 1);
    reader->line += breaks;
    enum status status = grid_settle_text(grid, offset, ret_cell, reader->err);
    if (status != STATUS_OK)
        return fail_prefix(reader->err, status, "line %zu", reader->row_line);
    if (found)
        record(reader, found, GRID_TEXT(grid, *ret_cell));
    return STATUS_OK;
}

static enum status add_field(struct reader *reader, const char *bytes, size_t n)
{
    uint32_t cell = GRID_EMPTY;
    if (reader->row_cells++ == GRID_MAX_COLUMNS)
        return fail(reader->err, STATUS_LIMIT, "line %zu: has more than %d fields",
                    reader->row_line, GRID_MAX_COLUMNS);
    if (n > 0 && !cell_from_number(bytes, n, &cell))
        TRY(add_text(reader, bytes, n, &cell));
    return grid_add_cell(reader->grid, cell, reader->err);
}

static void on_field(void *bytes, size_t n, void *user)
{
    struct reader *reader = user;
    reader->last_end = 0;
    if (reader->status == STATUS_OK)
        reader->status = add_field(reader, bytes, n);
}

static enum status close_row(struct reader *reader)
{
    struct grid *grid = reader->grid;
    if (reader->n_rows++ == 0)
        reader->n_columns = reader->row_cells;
    TRY(grid_add_row(grid, reader->row_line, reader->err));
    if (reader->on_piece && grid->n_rows == reader->piece_rows) {
        TRY(reader->on_piece(reader->user, false, reader->err));
        grid_clear(grid);
        reader->piece_rows = reader->later_rows;
    }
    if (!reader->on_row)
        return STATUS_OK;
    TRY(reader->on_row(reader->user, grid, &grid->rows[0], reader->err));
    grid_clear(grid);
    return STATUS_OK;
}

static enum status end_row(struct reader *reader, int end)
{
    bool second_half = end == '\n' && reader->last_end == '\r' && reader->row_cells == 0;
    bool is_blank = reader->row_cells == 0 && !second_half && end >= 0;
    if (reader->row_cells > 0) {
        if (reader->limits.rows > 0 && reader->n_rows == reader->limits.rows)
            return fail(reader->err, STATUS_LIMIT, "line %zu: more than %zu rows", reader->row_line,
                        reader->limits.rows);
        TRY(close_row(reader));
    }
    if (is_blank && reader->events)
        events_add(reader->events, RULE_blank_lines, "", 0, "");
    if (end >= 0 && !second_half)
        reader->line++;
    reader->row_cells = 0;
    reader->row_line = reader->line;
    reader->last_end = end;
    return STATUS_OK;
}

static void on_row(int end, void *user)
{
    struct reader *reader = user;
    if (reader->status == STATUS_OK)
        reader->status = end_row(reader, end);
}

static enum status reader_init(struct reader *reader, struct csv_dialect dialect,
                               struct csv_limits limits, struct grid *grid, struct error *err)
{
    *reader = (struct reader){.grid = grid, .limits = limits, .line = 1, .row_line = 1, .err = err};
    if (reader->limits.field_bytes == 0)
        reader->limits.field_bytes = DEFAULT_FIELD_BYTES;
    if (csv_init(&reader->parser, CSV_REPALL_NL) != 0)
        return fail(err, STATUS_INTERNAL, "libcsv cannot be set up");
    csv_set_delim(&reader->parser, (unsigned char)dialect.delimiter);
    csv_set_quote(&reader->parser, (unsigned char)dialect.quote);
    csv_set_blk_size(&reader->parser, SOURCE_CHUNK_BYTES);
    return STATUS_OK;
}

/* ---- plain rows ---- */

/* Most rows are taken apart without libcsv (plain_rows.h), with the same result; it gets all
 * others, and those that a chunk cuts in two. */

static inline bool is_space(const struct reader *reader, char c)
{
    return (c == ' ' || c == '\t') && c != (char)reader->parser.delim_char;
}

/* A field of a plain row; `n_more` bytes of the chunk stand behind it. */
static inline enum status add_plain_field(struct reader *reader, const char *field, size_t n,
                                          size_t n_more)
{
    uint32_t cell = GRID_EMPTY;
    bool is_done = n == 0 || (n <= 8 && n + n_more >= 8 && cell_from_word(field, n, &cell));
    if (!is_done) {
        while (n > 0 && is_space(reader, field[0])) {
            field++;
            n--;
        }
        while (n > 0 && is_space(reader, field[n - 1]))
            n--;
        if (n > 0 && !cell_from_number(field, n, &cell))
            TRY(add_text(reader, field, n, &cell));
    }
    return grid_add_cell(reader->grid, cell, reader->err);
}

static enum status add_plain_row(struct reader *reader, const struct plain_scan *scan, size_t at,
                                 size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        size_t end = reader->ends[i];
        TRY(add_plain_field(reader, scan->bytes + at, end - at, scan->n - end));
        at = end + 1;
    }
    reader->row_cells = n_fields;
    return STATUS_OK;
}

/* Take plain rows off the front; *ret_n: bytes taken. */
static enum status feed_plain(struct reader *reader, const char *bytes, size_t n, size_t *ret_n)
{
    struct plain_scan scan = {
        .marks = {(char)reader->parser.delim_char, (char)reader->parser.quote_char},
        .bytes = bytes,
        .n = n,
    };
    size_t at = 0;
    size_t next;
    plain_start(&scan, 0);
    while (at < n && !is_space(reader, bytes[at])) {
        size_t n_fields = plain_row(&scan, at, reader->ends, GRID_MAX_COLUMNS, &next);
        if (n_fields == 0)
            break;
        reader->last_end = 0;
        TRY(add_plain_row(reader, &scan, at, n_fields));
        if (bytes[next - 2] == '\r')
            TRY(end_row(reader, '\r'));
        TRY(end_row(reader, '\n'));
        at = next;
    }
    *ret_n = at;
    return STATUS_OK;
}

/* ---- all rows ---- */

static enum status feed_parser(struct reader *reader, const char *bytes, size_t n)
{
    size_t done = csv_parse(&reader->parser, bytes, n, on_field, on_row, reader);
    TRY(reader->status);
    if (done != n)
        return fail(reader->err, STATUS_NO_MEMORY, "line %zu: %s", reader->row_line,
                    csv_strerror(csv_error(&reader->parser)));
    /* libcsv would collect a field without an end for ever. */
    if (reader->parser.entry_pos > reader->limits.field_bytes)
        return fail(reader->err, STATUS_LIMIT,
                    "line %zu: a field has more than %zu bytes (a quote that is never closed?)",
                    reader->row_line, reader->limits.field_bytes);
    return STATUS_OK;
}

static bool is_between_rows(const struct csv_parser *parser)
{
    const int row_not_begun = 0; /* ROW_NOT_BEGUN in libcsv.c */
    return parser->pstate == row_not_begun;
}

static enum status feed(struct reader *reader, const char *bytes, size_t n)
{
    while (n > 0) {
        size_t done = 0;
        if (is_between_rows(&reader->parser))
            TRY(feed_plain(reader, bytes, n, &done));
        bytes += done;
        n -= done;
        const char *end = memchr(bytes, '\n', n);
        size_t line = end ? (size_t)(end - bytes) + 1 : n;
        TRY(feed_parser(reader, bytes, line));
        bytes += line;
        n -= line;
    }
    return STATUS_OK;
}

/* libcsv says so only in its strict mode, which refuses much that is harmless. */
static bool is_inside_quotes(const struct csv_parser *parser)
{
    const int field_begun = 2; /* FIELD_BEGUN in libcsv.c */
    return parser->quoted && parser->pstate == field_begun;
}

static enum status finish(struct reader *reader)
{
    if (is_inside_quotes(&reader->parser))
        return fail(reader->err, STATUS_INVALID, "line %zu: a quoted field is never closed",
                    reader->row_line);
    int result = csv_fini(&reader->parser, on_field, on_row, reader);
    TRY(reader->status);
    return result == 0 ? STATUS_OK
                       : fail(reader->err, STATUS_NO_MEMORY, "line %zu: %s", reader->row_line,
                              csv_strerror(csv_error(&reader->parser)));
}

static enum status read_all(struct reader *reader, struct source *source)
{
    const char *bytes;
    size_t n;
    bool ended = true; /* the file's last byte ends a line */
    for (;;) {
        TRY(source_next(source, &bytes, &n, reader->err));
        if (n == 0)
            break;
        ended = bytes[n - 1] == '\n' || bytes[n - 1] == '\r';
        TRY(feed(reader, bytes, n));
    }
    TRY(finish(reader));
    reader->counts.n_lines = reader->line - (ended ? 1 : 0);
    return STATUS_OK;
}

enum status csv_read(struct source *source, struct csv_dialect dialect, struct csv_limits limits,
                     struct grid *grid, struct events *events, struct csv_counts *ret_counts,
                     struct error *err)
{
    struct reader reader;
    TRY(reader_init(&reader, dialect, limits, grid, err));
    reader.events = events;
    enum status status = read_all(&reader, source);
    csv_free(&reader.parser);
    if (status == STATUS_OK)
        *ret_counts = reader.counts;
    return status;
}

enum status csv_stream(struct source *source, const struct csv_stream *stream,
                       struct csv_counts *ret_counts, struct error *err)
{
    struct grid grid;
    struct reader reader;
    TRY(grid_init(&grid, err));
    enum status status = reader_init(&reader, stream->dialect, stream->limits, &grid, err);
    if (status == STATUS_OK) {
        reader.events = stream->events;
        reader.on_row = stream->on_row;
        reader.user = stream->user;
        status = read_all(&reader, source);
        csv_free(&reader.parser);
    }
    grid_deinit(&grid);
    if (status == STATUS_OK)
        *ret_counts = reader.counts;
    return status;
}

enum status csv_read_pieces(struct source *source, const struct csv_pieces *pieces,
                            struct csv_counts *ret_counts, struct error *err)
{
    struct reader reader;
    TRY(reader_init(&reader, pieces->dialect, pieces->limits, pieces->grid, err));
    reader.events = pieces->events;
    reader.on_piece = pieces->on_piece;
    reader.piece_rows = pieces->first_rows;
    reader.later_rows = pieces->rows;
    reader.user = pieces->user;
    enum status status = read_all(&reader, source);
    csv_free(&reader.parser);
    if (status == STATUS_OK)
        status = pieces->on_piece(pieces->user, true, err);
    if (status == STATUS_OK)
        *ret_counts = reader.counts;
    return status;
}

enum status csv_read_sample(const char *bytes, size_t n, struct csv_dialect dialect,
                            size_t max_rows, struct grid *grid, struct error *err)
{
    struct reader reader;
    TRY(reader_init(&reader, dialect, (struct csv_limits){.rows = max_rows}, grid, err));
    enum status status = feed(&reader, bytes, n);
    if (status == STATUS_OK && grid->n_rows == 0 && !is_inside_quotes(&reader.parser))
        status = finish(&reader);
    csv_free(&reader.parser);
    /* Enough rows are as good as all rows; oddities of the text are for the real reading. */
    return status == STATUS_LIMIT ? STATUS_OK : status;
}
