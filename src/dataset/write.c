/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/csv_field.h"
#include "base/text.h"
#include "dataset/import.h"
#include "profile/parse.h"

#define FLUSH_BYTES 65536

static void put_field(struct buffer *line, const char *text)
{
    csv_field_put(line, text, strlen(text));
}

static void put_number(struct buffer *line, const struct profile_field *field, double value)
{
    if (isnan(value))
        return;
    if (field->kind != PROFILE_MONTH) {
        buffer_put_number(line, value);
        return;
    }
    char text[8];
    parse_format_month(value, text);
    buffer_put_text(line, text);
}

/* A rate says its unit, so that nobody has to guess it again. */
static void put_header(struct buffer *line, const struct profile_field *field)
{
    put_field(line, field->name);
    if (field->kind == PROFILE_RATE)
        buffer_put_text(line, " (fraction)");
}

/* The fields that the table has, in the order of fields.def; row SIZE_MAX is the header. */
static void put_row(struct buffer *line, const struct table *table, size_t row)
{
    bool first = true;
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        const struct profile_field *field = &profile_fields[i];
        const char **texts = field->kind == PROFILE_TEXT ? table->text[field->index] : NULL;
        const double *numbers = field->kind != PROFILE_TEXT ? table->number[field->index] : NULL;
        if (!texts && !numbers)
            continue;
        if (!first)
            buffer_put_char(line, ',');
        first = false;
        if (row == SIZE_MAX)
            put_header(line, field);
        else if (numbers)
            put_number(line, field, numbers[row]);
        else if (texts[row])
            put_field(line, texts[row]);
    }
    for (size_t i = 0; i < table->n_extras; i++) {
        if (!first)
            buffer_put_char(line, ',');
        first = false;
        const char *text = row == SIZE_MAX ? table->extras[i].name : table->extras[i].text[row];
        if (text)
            put_field(line, text);
    }
    buffer_put_char(line, '\n');
}

static enum status flush(struct buffer *text, FILE *out, struct error *err)
{
    if (text->failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory for a row");
    if (fwrite(text->at, 1, text->length, out) != text->length)
        return fail_errno(err, "cannot write the table");
    buffer_clear(text);
    return STATUS_OK;
}

static enum status write_rows(const struct table *table, struct buffer *text, FILE *out,
                              struct error *err)
{
    put_row(text, table, SIZE_MAX);
    for (size_t row = 0; row < table->n_rows; row++) {
        put_row(text, table, row);
        if (text->length > FLUSH_BYTES)
            TRY(flush(text, out, err));
    }
    TRY(flush(text, out, err));
    return fflush(out) == 0 ? STATUS_OK : fail_errno(err, "cannot write the table");
}

enum status import_write_csv(const struct table *table, FILE *out, struct error *err)
{
    struct buffer text = {0};
    enum status status = write_rows(table, &text, out, err);
    buffer_deinit(&text);
    return status;
}
