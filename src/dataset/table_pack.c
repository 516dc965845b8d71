/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/table_pack.h"

#include <stdlib.h>
#include <string.h>

#include "dataset/intern.h"

#define NO_TEXT UINT32_MAX

/* Counts, then column by column: whether it is there, and its rows. */

/* ---- out ---- */

static void put_word(struct buffer *out, uint32_t word)
{
    buffer_put(out, &word, sizeof word);
}

static void put_text(struct buffer *out, const char *text)
{
    put_word(out, text ? (uint32_t)strlen(text) : NO_TEXT);
    if (text)
        buffer_put(out, text, strlen(text));
}

static void put_numbers(struct buffer *out, const double *column, const size_t *rows, size_t n)
{
    put_word(out, column != NULL);
    for (size_t i = 0; column && i < n; i++)
        buffer_put(out, &column[rows[i]], sizeof column[0]);
}

static void put_texts(struct buffer *out, const char *const *column, const size_t *rows, size_t n)
{
    put_word(out, column != NULL);
    for (size_t i = 0; column && i < n; i++)
        put_text(out, column[rows[i]]);
}

static void put_words(struct buffer *out, const uint32_t *column, const size_t *rows, size_t n)
{
    put_word(out, column != NULL);
    for (size_t i = 0; column && i < n; i++)
        put_word(out, column[rows[i]]);
}

void table_pack(const struct table *table, const size_t *rows, size_t n, struct buffer *out)
{
    put_word(out, (uint32_t)n);
    put_word(out, (uint32_t)table->n_extras);
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        put_numbers(out, table->number[i], rows, n);
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        put_texts(out, (const char *const *)table->text[i], rows, n);
    put_words(out, table->line, rows, n);
    put_words(out, table->source, rows, n);
    for (size_t i = 0; i < table->n_extras; i++) {
        const struct table_extra *extra = &table->extras[i];
        put_text(out, extra->name);
        put_texts(out, (const char *const *)extra->text, rows, n);
        put_numbers(out, extra->number, rows, n);
    }
}

void table_pack_values(const struct table *table, size_t row, struct buffer *out)
{
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        put_numbers(out, table->number[i], &row, 1);
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        put_texts(out, (const char *const *)table->text[i], &row, 1);
    for (size_t i = 0; i < table->n_extras; i++)
        put_texts(out, (const char *const *)table->extras[i].text, &row, 1);
}

/* ---- in ---- */

struct reading {
    const char *at, *end;
    struct table *table;
    struct intern texts; /* each once, as in tables that are read from files */
    bool is_bad;         /* the bytes ended, or memory did */
};

static const void *take(struct reading *reading, size_t n_bytes)
{
    if (reading->is_bad || (size_t)(reading->end - reading->at) < n_bytes) {
        reading->is_bad = true;
        return NULL;
    }
    const void *bytes = reading->at;
    reading->at += n_bytes;
    return bytes;
}

static uint32_t take_word(struct reading *reading)
{
    uint32_t word = 0;
    const void *bytes = take(reading, sizeof word);
    if (bytes)
        memcpy(&word, bytes, sizeof word);
    return word;
}

static const char *take_text(struct reading *reading)
{
    uint32_t length = take_word(reading);
    if (reading->is_bad || length == NO_TEXT)
        return NULL;
    const char *bytes = take(reading, length);
    uint32_t number = bytes ? intern_put(&reading->texts, bytes, length) : INTERN_NONE;
    reading->is_bad |= number == INTERN_NONE;
    return reading->is_bad ? NULL : reading->texts.texts[number];
}

static void *new_column(struct reading *reading, size_t width)
{
    /* A missing byte of each row at least, so that a count that is wrong takes no memory. */
    size_t n = reading->table->n_rows;
    if (reading->is_bad || (size_t)(reading->end - reading->at) < n)
        reading->is_bad = true;
    void *column = reading->is_bad ? NULL : arena_alloc(&reading->table->memory, (n + 1) * width);
    reading->is_bad |= !column;
    return column;
}

static double *take_numbers(struct reading *reading)
{
    size_t n_bytes = reading->table->n_rows * sizeof(double);
    if (take_word(reading) == 0)
        return NULL;
    double *column = new_column(reading, sizeof *column);
    const void *bytes = take(reading, n_bytes);
    if (column && bytes)
        memcpy(column, bytes, n_bytes);
    return column;
}

static const char **take_texts(struct reading *reading)
{
    if (take_word(reading) == 0)
        return NULL;
    const char **column = new_column(reading, sizeof *column);
    for (size_t row = 0; column && !reading->is_bad && row < reading->table->n_rows; row++)
        column[row] = take_text(reading);
    return column;
}

static uint32_t *take_words(struct reading *reading)
{
    size_t n_bytes = reading->table->n_rows * sizeof(uint32_t);
    if (take_word(reading) == 0)
        return NULL;
    uint32_t *column = new_column(reading, sizeof *column);
    const void *bytes = take(reading, n_bytes);
    if (column && bytes)
        memcpy(column, bytes, n_bytes);
    return column;
}

static void take_extras(struct reading *reading, size_t n_extras)
{
    struct table *table = reading->table;
    if (reading->is_bad || (size_t)(reading->end - reading->at) < n_extras) {
        reading->is_bad = true;
        return;
    }
    table->extras = ARENA_ARRAY(&table->memory, struct table_extra, n_extras + 1);
    reading->is_bad |= !table->extras;
    for (; !reading->is_bad && table->n_extras < n_extras; table->n_extras++) {
        struct table_extra *extra = &table->extras[table->n_extras];
        extra->name = take_text(reading);
        extra->text = take_texts(reading);
        extra->number = take_numbers(reading);
        reading->is_bad |= !extra->name;
    }
}

enum status table_unpack(const void *bytes, size_t n_bytes, struct table **ret_table,
                         struct error *err)
{
    AUTO(table_free_slot) struct table *table = calloc(1, sizeof *table);
    if (!table)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&table->memory, 1 << 16);
    struct reading reading = {.at = bytes, .end = (const char *)bytes + n_bytes, .table = table};
    intern_init(&reading.texts, &table->memory);
    table->n_rows = take_word(&reading);
    size_t n_extras = take_word(&reading);
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        table->number[i] = take_numbers(&reading);
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        table->text[i] = take_texts(&reading);
    table->line = take_words(&reading);
    table->source = take_words(&reading);
    take_extras(&reading, n_extras);
    if (reading.is_bad || reading.at != reading.end)
        return fail(err, STATUS_CORRUPT, "the rows of a table are cut short, or memory is");
    *ret_table = STEAL(table);
    return STATUS_OK;
}

enum status table_take(const struct table *table, const size_t *rows, size_t n,
                       struct table **ret_table, struct error *err)
{
    AUTO(buffer_deinit) struct buffer bytes = {0};
    table_pack(table, rows, n, &bytes);
    if (bytes.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return table_unpack(bytes.at, bytes.length, ret_table, err);
}
