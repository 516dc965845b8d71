/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/handlers_csv.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "profile/parse.h"
#include "serve/answers_csv.h"
#include "serve/codec.h"
#include "serve/csv.h"
#include "serve/problem.h"
#include "serve/service.h"
#include "serve/tile.h"

#define TURN_BYTES (64u << 10) /* of text that is answered in one go, if there is so much */
/* A longer reply goes on in the spool behind its first KEEP_BYTES, which the request log wants. */
#define LONG_BYTES (512u << 10)
#define KEEP_BYTES (256u << 10)
#define MAX_TOLD 60   /* letters of an unknown column's name */
#define REPLY_TIMES 4 /* a reply may have so many times the bytes that a body may have */

/* One CSV body on its way. */
struct sheet {
    struct asker asker;
    struct codec_options options;
    const struct answer_kind *kind;
    const struct profile_field *columns[CSV_MAX_FIELDS]; /* NULL: not a field of ours */
    const struct own_column *own[CSV_MAX_FIELDS];        /* NULL: nor what the model reads else */
    struct profile_extra *room;                          /* own values of the tile's profiles */
    size_t n_columns;
    struct tile *tile;
    struct csv_record record;
    struct request *request;
    struct buffer *out;
    const char *unknown; /* the columns that nobody knows, for a header; NULL: none */
    size_t n_rows;
    bool has_header;
    size_t line; /* at which the text begins; 0: nothing was read yet */
    /* In the text that is left: where records are known to end, and what was looked through. */
    size_t end, scanned;
    size_t checked; /* of it, for being UTF-8 */
    bool in_quotes; /* behind what was looked through */
};

/* A column that is no field, but perhaps one of the training table's own. */
static enum status find_own(struct sheet *sheet, size_t i, const char *name,
                            struct unknown_names *unknown, struct error *err)
{
    sheet->own[i] = own_columns_find(engine_own_columns(sheet->asker.engine), name);
    if (!sheet->own[i])
        codec_note_unknown(unknown, name);
    for (size_t before = 0; sheet->own[i] && before < i; before++)
        if (sheet->own[before] == sheet->own[i])
            return fail_field(err, STATUS_INVALID, name, "stands twice in the header");
    return STATUS_OK;
}

/* Columns that nobody knows, with commas between; a header takes letters and digits as they are. */
static const char *list_unknown(struct arena *arena, const struct unknown_names *unknown)
{
    char list[1024];
    size_t used = 0;
    for (size_t i = 0; i < unknown->n && used + MAX_TOLD + 8 < sizeof list; i++) {
        used += (size_t)snprintf(list + used, sizeof list - used, "%s", i > 0 ? ", " : "");
        for (size_t j = 0; unknown->name[i][j] && j < MAX_TOLD; j++) {
            unsigned char c = (unsigned char)unknown->name[i][j];
            list[used++] = c < 0x80 && (isalnum(c) || strchr(" _-.%()/", c)) ? (char)c : '?';
        }
    }
    snprintf(list + used, sizeof list - used, "%s", unknown->n_more > 0 ? ", ..." : "");
    return unknown->n > 0 ? arena_strdup(arena, list) : NULL;
}

/* The header's names are those of the fields; others are passed over and told, or refused when
 * strict. */
static enum status read_header(struct sheet *sheet, const struct csv_record *header,
                               struct error *err)
{
    uint64_t seen = 0;
    bool any = false;
    struct unknown_names unknown = {0};
    for (size_t i = 0; i < header->n; i++) {
        const char *name = header->field[i];
        const struct profile_field *field = profile_field_find(name, strlen(name));
        sheet->columns[i] = field;
        if (!field) {
            TRY(find_own(sheet, i, name, &unknown, err));
            any |= sheet->own[i] != NULL;
            continue;
        }
        uint64_t bit = UINT64_C(1) << (field - profile_fields);
        if (seen & bit)
            return fail_field(err, STATUS_INVALID, name, "stands twice in the header");
        seen |= bit;
    }
    sheet->n_columns = header->n;
    sheet->unknown = list_unknown(&sheet->request->arena, &unknown);
    if (header->n == 1 && unknown.n == 1 && strpbrk(header->field[0], ";\t|"))
        return fail(err, STATUS_INVALID, "the columns of a CSV body have commas between them");
    if ((seen == 0 && !any) || sheet->options.strict)
        TRY(codec_refuse_unknown(&unknown, err));
    return STATUS_OK;
}

static enum status read_row(const struct sheet *sheet, const struct csv_record *row,
                            struct own_values own, struct profile *ret_profile, struct error *err)
{
    profile_init(ret_profile);
    if (row->n != sheet->n_columns)
        return fail(err, STATUS_INVALID, "line %zu: %zu fields, the header has %zu", row->line,
                    row->n, sheet->n_columns);
    for (size_t i = 0; i < row->n; i++)
        if (sheet->columns[i] && row->field[i][0])
            TRY(parse_field(sheet->columns[i], row->field[i], strlen(row->field[i]), ret_profile,
                            err));
    for (size_t i = 0; i < row->n && own.own->n > 0; i++)
        if (sheet->own[i])
            own_values_take_text(&own, sheet->own[i], row->field[i]);
    own_values_give(&own, ret_profile);
    return STATUS_OK;
}

/* A row of the reply, or several; a bad one is answered in its place, in the last column. */
static void write_row(void *user, size_t i, const union answer *answer)
{
    const struct sheet *sheet = user;
    const struct profile *profile = &sheet->tile->profiles[i];
    if (answer) {
        sheet->kind->write_csv(&sheet->asker, profile, answer, sheet->out);
        return;
    }
    csv_put(sheet->out, profile->text[PROFILE_handle]);
    buffer_put_char(sheet->out, ',');
    for (const char *c = answers_csv_columns(sheet->kind, sheet->asker.engine); *c; c++)
        if (*c == ',')
            buffer_put_char(sheet->out, ',');
    buffer_put_char(sheet->out, ',');
    csv_put(sheet->out, sheet->tile->problems[i].message);
    buffer_put_text(sheet->out, "\r\n");
}

/* All but the beginning of a long reply goes to the spool. */
static enum status spill(struct sheet *sheet, struct error *err)
{
    struct buffer *reply = sheet->out;
    struct spool *spool = &sheet->request->spool;
    if (reply->failed || (!spool->is_open && reply->length <= LONG_BYTES))
        return STATUS_OK;
    struct service *service = sheet->request->service;
    int64_t most = REPLY_TIMES * service->config->server_max_csv_bytes;
    if (most > service->config->server_max_spool_bytes)
        most = service->config->server_max_spool_bytes;
    if ((int64_t)(spool->bytes + reply->length) > most)
        return fail(err, STATUS_LIMIT, "the reply has more than %lld bytes", (long long)most);
    enum status status =
        spool_put(spool, &service->spools, reply->at + KEEP_BYTES, reply->length - KEEP_BYTES, err);
    if (status == STATUS_UNAVAILABLE)
        counter_add(&service->metrics.lanes[sheet->request->lane].spool_refused, 1);
    TRY(status);
    reply->length = KEEP_BYTES;
    reply->at[KEEP_BYTES] = '\0';
    return STATUS_OK;
}

static enum status answer_tile(struct sheet *sheet, struct error *err)
{
    tile_answer(&sheet->asker, sheet->kind, sheet->tile, write_row, sheet);
    return spill(sheet, err);
}

static enum status add_row(struct sheet *sheet, const struct csv_record *row, struct error *err)
{
    struct tile *tile = sheet->tile;
    size_t i = tile->n++;
    tile->status[i] =
        read_row(sheet, row, own_values_at(sheet->asker.engine, sheet->asker.arena, sheet->room, i),
                 &tile->profiles[i], &tile->problems[i]);
    sheet->n_rows++;
    return tile_is_full(&sheet->asker, sheet->kind, tile) ? answer_tile(sheet, err) : STATUS_OK;
}

static enum status take_header(struct sheet *sheet, struct error *err)
{
    TRY(read_header(sheet, &sheet->record, err));
    buffer_printf(sheet->out, "handle,%s,error\r\n",
                  answers_csv_columns(sheet->kind, sheet->asker.engine));
    sheet->has_header = true;
    return STATUS_OK;
}

/* Records, until there are no more or the turn is over. Profiles point into the text until they are
 * answered. */
static enum status answer_records(struct sheet *sheet, struct csv_reader *reader, struct error *err)
{
    enum status status;
    while ((status = csv_next(reader, &sheet->record, err)) == STATUS_OK) {
        TRY(sheet->has_header ? add_row(sheet, &sheet->record, err) : take_header(sheet, err));
        if (sheet->tile->n == 0 && turn_is_over(sheet->request))
            return STATUS_OK;
    }
    return status == STATUS_NOT_FOUND ? answer_tile(sheet, err) : status;
}

/* Take what was answered off the text's beginning. */
static void pass_text(struct sheet *sheet, size_t n)
{
    struct buffer *text = &sheet->request->packed;
    memmove(text->at, text->at + n, text->length - n + 1);
    text->length -= n;
    sheet->end = sheet->end > n ? sheet->end - n : 0;
    sheet->scanned -= n;
    sheet->checked -= n;
}

/* Answer the first n bytes of the text: whole records, and as many as the turn has time for. */
static enum status answer_text(struct sheet *sheet, size_t n, struct error *err)
{
    struct buffer *text = &sheet->request->packed;
    if (sheet->checked < n && !text_is_utf8(text->at, n)) {
        problem_reply_http(sheet->request, 400, "not_csv", "the body is not UTF-8");
        return STATUS_OK;
    }
    sheet->checked = sheet->checked < n ? n : sheet->checked;
    char behind = text->at[n];
    text->at[n] = '\0';
    struct csv_reader reader = {text->at, text->at + n, sheet->line};
    if (sheet->line == 0)
        reader = csv_reader(text->at, n);
    TRY(answer_records(sheet, &reader, err));
    sheet->line = reader.line;
    text->at[n] = behind;
    size_t answered = (size_t)(reader.at - text->at);
    sheet->request->unfinished = answered < n;
    pass_text(sheet, answered);
    return STATUS_OK;
}

/* Look for ends of records: line breaks that are not within quotes. A doubled quote ends and begins
 * them at the same place. */
static void scan(struct sheet *sheet, const struct buffer *text)
{
    while (sheet->scanned < text->length) {
        const char *at = text->at + sheet->scanned;
        size_t left = text->length - sheet->scanned;
        const char *quote = memchr(at, '"', left);
        size_t n = quote ? (size_t)(quote - at) : left;
        const char *line_break = sheet->in_quotes ? NULL : memrchr(at, '\n', n);
        if (line_break)
            sheet->end = (size_t)(line_break - text->at) + 1;
        sheet->in_quotes ^= quote != NULL;
        sheet->scanned += n + (quote != NULL);
    }
}

enum status handlers_csv_open(struct request *request, const struct asker *asker,
                              const struct codec_options *options, const struct answer_kind *kind,
                              struct error *err)
{
    struct sheet *sheet = ARENA_NEW(&request->arena, struct sheet);
    struct tile *tile = arena_alloc(&request->arena, sizeof *tile);
    if (!sheet || !tile)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    tile->n = 0;
    sheet->asker = *asker;
    sheet->options = *options;
    sheet->options.explain = false; /* a row has no place for it */
    sheet->asker.options = &sheet->options;
    TRY(answer_add_rows(request, &sheet->asker, err));
    TRY(own_values_room(asker->engine, ENGINE_ROWS, &request->arena, &sheet->room, err));
    sheet->kind = kind;
    sheet->tile = tile;
    sheet->request = request;
    sheet->out = &request->reply;
    buffer_clear(&request->packed);
    request->sheet = sheet;
    return STATUS_OK;
}

enum status handlers_csv_feed(struct request *request, const char *data, size_t bytes,
                              struct error *err)
{
    struct sheet *sheet = request->sheet;
    struct buffer *text = &request->packed;
    if (bytes > 0)
        buffer_put(text, data, bytes);
    if (text->failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    scan(sheet, text);
    if (text->length >= TURN_BYTES && sheet->end > 0)
        return answer_text(sheet, sheet->end, err);
    if (text->length > CSV_MAX_RECORD_BYTES && sheet->end == 0)
        return fail(err, STATUS_INVALID,
                    "line %zu: a row of more than %u bytes, or a quote that is not closed",
                    sheet->line > 0 ? sheet->line : 1, CSV_MAX_RECORD_BYTES);
    return STATUS_OK;
}

enum status handlers_csv_close(struct request *request, struct error *err)
{
    struct sheet *sheet = request->sheet;
    if (request->packed.length > 0)
        TRY(answer_text(sheet, request->packed.length, err));
    if (request->status != 0 || request->unfinished)
        return STATUS_OK;
    if (!sheet->has_header)
        return fail(err, STATUS_INVALID, "the body is empty; a header and rows are needed");
    if (sheet->n_rows == 0)
        return fail(err, STATUS_INVALID, "a header and no rows");
    request->content_type = "text/csv; charset=utf-8; header=present";
    request_add_header(request, "X-Model", engine_version(sheet->asker.engine));
    if (sheet->unknown)
        request_add_header(request, "X-Unknown-Fields", sheet->unknown);
    return STATUS_OK;
}
