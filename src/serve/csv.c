/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/csv.h"

#include <math.h>
#include <string.h>

#include "base/csv_field.h"

struct csv_reader csv_reader(char *text, size_t length)
{
    bool has_mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
    return (struct csv_reader){.at = text + (has_mark ? 3 : 0), .end = text + length, .line = 1};
}

/* What stands behind a field: a comma (true), the end of the record, or something wrong. The
 * field's end is marked by a NUL at `end`, which may be where the delimiter is. */
static enum status pass_delimiter(struct csv_reader *reader, char *end, bool *ret_more,
                                  struct error *err)
{
    char *at = reader->at;
    *ret_more = at < reader->end && *at == ',';
    if (*ret_more || at == reader->end) {
        reader->at += *ret_more;
    } else if (*at == '\n' || (*at == '\r' && at[1] == '\n')) {
        reader->at += *at == '\r' ? 2 : 1;
        reader->line++;
    } else {
        return fail(err, STATUS_INVALID, "line %zu: text behind a closing quote", reader->line);
    }
    *end = '\0';
    return STATUS_OK;
}

static enum status read_quoted(struct csv_reader *reader, char **ret_end, struct error *err)
{
    size_t start = reader->line;
    char *to = ++reader->at;
    for (; reader->at < reader->end; reader->at++) {
        if (*reader->at == '"' && reader->at[1] != '"') {
            reader->at++;
            *ret_end = to;
            return STATUS_OK;
        }
        if (*reader->at == '\0')
            return fail(err, STATUS_INVALID, "line %zu: a NUL byte", reader->line);
        reader->at += *reader->at == '"';
        reader->line += *reader->at == '\n';
        *to++ = *reader->at;
    }
    return fail(err, STATUS_INVALID, "line %zu: a quote is not closed", start);
}

static enum status read_plain(struct csv_reader *reader, char **ret_end, struct error *err)
{
    for (; reader->at < reader->end; reader->at++) {
        char c = *reader->at;
        if (c == ',' || c == '\n' || (c == '\r' && reader->at[1] == '\n'))
            break;
        if (c == '"' || c == '\0' || c == '\r')
            return fail(err, STATUS_INVALID, "line %zu: %s in a field without quotes", reader->line,
                        c == '"' ? "a quote" : "a control character");
    }
    *ret_end = reader->at;
    return STATUS_OK;
}

enum status csv_next(struct csv_reader *reader, struct csv_record *ret_record, struct error *err)
{
    while (reader->at < reader->end && (*reader->at == '\n' || *reader->at == '\r')) {
        reader->line += *reader->at == '\n';
        reader->at++;
    }
    if (reader->at == reader->end)
        return STATUS_NOT_FOUND;
    ret_record->line = reader->line;
    ret_record->n = 0;
    bool more = true;
    while (more) {
        if (ret_record->n == CSV_MAX_FIELDS)
            return fail(err, STATUS_INVALID, "line %zu: more than %d fields", reader->line,
                        CSV_MAX_FIELDS);
        char *end = reader->at;
        bool is_quoted = reader->at < reader->end && *reader->at == '"';
        ret_record->field[ret_record->n++] = reader->at + is_quoted;
        TRY(is_quoted ? read_quoted(reader, &end, err) : read_plain(reader, &end, err));
        TRY(pass_delimiter(reader, end, &more, err));
    }
    return STATUS_OK;
}

void csv_put(struct buffer *out, const char *text)
{
    if (text)
        csv_field_put(out, text, strlen(text));
}

void csv_put_fixed(struct buffer *out, double value, unsigned decimals)
{
    if (!isnan(value))
        buffer_put_fixed(out, value, decimals);
}
