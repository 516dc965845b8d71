/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/handlers_csv.h"

#include <string.h>

#include "profile/parse.h"
#include "serve/answers_csv.h"
#include "serve/codec.h"
#include "serve/csv.h"
#include "serve/problem.h"
#include "serve/service.h"
#include "serve/tile.h"

/* One CSV body on its way. */
struct sheet {
    const struct asker *asker;
    const struct answer_kind *kind;
    const struct profile_field *columns[CSV_MAX_FIELDS]; /* NULL: not a field of ours */
    struct tile *tile;
    size_t n_columns;
    struct buffer *out;
};

/* The header's names are those of the fields; others are passed over, or refused when strict. */
static enum status read_header(struct sheet *sheet, const struct csv_record *header,
                               struct error *err)
{
    uint64_t seen = 0;
    struct unknown_names unknown = {0};
    for (size_t i = 0; i < header->n; i++) {
        const char *name = header->field[i];
        const struct profile_field *field = profile_field_find(name, strlen(name));
        sheet->columns[i] = field;
        if (!field) {
            codec_note_unknown(&unknown, name);
            continue;
        }
        uint64_t bit = UINT64_C(1) << (field - profile_fields);
        if (seen & bit)
            return fail_field(err, STATUS_INVALID, name, "stands twice in the header");
        seen |= bit;
    }
    sheet->n_columns = header->n;
    if (seen == 0 || sheet->asker->options->strict)
        TRY(codec_refuse_unknown(&unknown, err));
    return STATUS_OK;
}

static enum status read_row(const struct sheet *sheet, const struct csv_record *row,
                            struct profile *ret_profile, struct error *err)
{
    profile_init(ret_profile);
    if (row->n != sheet->n_columns)
        return fail(err, STATUS_INVALID, "line %zu: %zu fields, the header has %zu", row->line,
                    row->n, sheet->n_columns);
    for (size_t i = 0; i < row->n; i++)
        if (sheet->columns[i] && row->field[i][0])
            TRY(parse_field(sheet->columns[i], row->field[i], strlen(row->field[i]), ret_profile,
                            err));
    return STATUS_OK;
}

/* A row of the reply, or several; a bad one is answered in its place, in the last column. */
static void write_row(void *user, size_t i, const union answer *answer)
{
    const struct sheet *sheet = user;
    const struct profile *profile = &sheet->tile->profiles[i];
    if (answer) {
        sheet->kind->write_csv(sheet->asker, profile, answer, sheet->out);
        return;
    }
    csv_put(sheet->out, profile->text[PROFILE_handle]);
    buffer_put_char(sheet->out, ',');
    for (const char *c = answers_csv_columns(sheet->kind, sheet->asker->engine); *c; c++)
        if (*c == ',')
            buffer_put_char(sheet->out, ',');
    buffer_put_char(sheet->out, ',');
    csv_put(sheet->out, sheet->tile->problems[i].message);
    buffer_put_text(sheet->out, "\r\n");
}

static void add_row(struct sheet *sheet, const struct csv_record *row)
{
    struct tile *tile = sheet->tile;
    size_t i = tile->n++;
    tile->status[i] = read_row(sheet, row, &tile->profiles[i], &tile->problems[i]);
    if (tile->n == ENGINE_ROWS)
        tile_answer(sheet->asker, sheet->kind, tile, write_row, sheet);
}

static enum status answer_rows(struct sheet *sheet, struct csv_reader *reader, size_t most,
                               struct error *err)
{
    struct csv_record row;
    enum status status;
    size_t n = 0;
    while ((status = csv_next(reader, &row, err)) == STATUS_OK) {
        if (++n > most)
            return fail(err, STATUS_LIMIT, "more than %zu profiles", most);
        add_row(sheet, &row);
    }
    tile_answer(sheet->asker, sheet->kind, sheet->tile, write_row, sheet);
    if (status != STATUS_NOT_FOUND)
        return status;
    return n > 0 ? STATUS_OK : fail(err, STATUS_INVALID, "a header and no rows");
}

enum status handlers_predict_csv(struct request *request, const struct asker *asker,
                                 const struct answer_kind *kind, struct error *err)
{
    size_t length = request->body.length;
    if (!text_is_utf8(request->body.at ? request->body.at : "", length)) {
        problem_reply_http(request, 400, "not_csv", "the body is not UTF-8");
        return STATUS_OK;
    }
    /* Fields are unquoted in place, and the log wants the body as it came. */
    char *text = arena_strndup(&request->arena, length > 0 ? request->body.at : "", length);
    struct csv_record *header = ARENA_NEW(&request->arena, struct csv_record);
    struct tile *tile = arena_alloc(&request->arena, sizeof *tile);
    if (!text || !header || !tile)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    tile->n = 0;
    struct sheet sheet = {.asker = asker, .kind = kind, .tile = tile, .out = &request->reply};
    struct csv_reader reader = csv_reader(text, length);
    enum status status = csv_next(&reader, header, err);
    if (status == STATUS_NOT_FOUND)
        return fail(err, STATUS_INVALID, "the body is empty; a header and rows are needed");
    TRY(status);
    TRY(read_header(&sheet, header, err));
    buffer_printf(sheet.out, "handle,%s,error\r\n", answers_csv_columns(kind, asker->engine));
    TRY(answer_rows(&sheet, &reader, (size_t)request->service->config->predict_max_instances, err));
    request->content_type = "text/csv; charset=utf-8; header=present";
    request_add_header(request, "X-Model", engine_version(asker->engine));
    return STATUS_OK;
}
