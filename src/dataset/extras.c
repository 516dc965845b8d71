/* SPDX-License-Identifier: Apache-2.0 */

/* The columns of a table that are no profile fields, read as numbers where they are numbers. */
#include <math.h>
#include <string.h>

#include "dataset/table.h"
#include "dataset/words.h"
#include "profile/extra.h"
#include "profile/parse.h"

#define NUMBERS_SHARE 0.9

static bool holds_numbers(const struct table_extra *extra, size_t n_rows)
{
    size_t n_present = 0;
    size_t n_numbers = 0;
    for (size_t row = 0; row < n_rows; row++) {
        const char *text = extra->text[row];
        if (!text || parse_is_missing(text, strlen(text)))
            continue;
        n_present++;
        n_numbers += !isnan(profile_extra_number(text));
    }
    return n_present > 0 && (double)n_numbers >= NUMBERS_SHARE * (double)n_present;
}

static enum status read_numbers(struct table *table, struct table_extra *extra, struct error *err)
{
    if (extra->number || !extra->text)
        return STATUS_OK;
    extra->number = ARENA_ARRAY(&table->memory, double, table->n_rows + 1);
    if (!extra->number)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the extra columns");
    for (size_t row = 0; row < table->n_rows; row++)
        extra->number[row] = profile_extra_number(extra->text[row]);
    return STATUS_OK;
}

static enum status make_cells(struct table *table, struct error *err)
{
    table->extra_cells =
        ARENA_ARRAY(&table->memory, struct profile_extra, table->n_rows * table->n_extras + 1);
    if (!table->extra_cells)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the extra columns");
    struct profile_extra *cell = table->extra_cells;
    for (size_t row = 0; row < table->n_rows; row++)
        for (size_t i = 0; i < table->n_extras; i++)
            *cell++ = (struct profile_extra){
                .name = table->extras[i].name,
                .number = table->extras[i].number ? table->extras[i].number[row] : MISSING,
                .text = table->extras[i].text ? table->extras[i].text[row] : NULL,
            };
    return STATUS_OK;
}

enum status table_read_extras(struct table *table, struct error *err)
{
    if (table->n_extras == 0 || table->extra_cells)
        return STATUS_OK;
    for (size_t i = 0; i < table->n_extras; i++)
        if (table->extras[i].text && holds_numbers(&table->extras[i], table->n_rows))
            TRY(read_numbers(table, &table->extras[i], err));
    return make_cells(table, err);
}

enum status table_read_all_extras(struct table *table, struct error *err)
{
    for (size_t i = 0; i < table->n_extras; i++)
        TRY(read_numbers(table, &table->extras[i], err));
    return table->n_extras > 0 ? make_cells(table, err) : STATUS_OK;
}

static size_t find_exactly(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->n_extras; i++)
        if (strcmp(table->extras[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t table_find_extra(const struct table *table, const char *name)
{
    char folded[WORDS_KEY_BYTES];
    size_t found = find_exactly(table, name);
    if (found != SIZE_MAX)
        return found;
    words_fold_header(name, folded);
    return find_exactly(table, folded);
}
