/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/catalogue_layout.h"

/* The fields that a section names. */
static enum status read_fields(const struct artifact *artifact, const char *tag, bool is_text,
                               struct arena *arena, int **ret_index, size_t *ret_n,
                               struct error *err)
{
    const char *const *names = NULL;
    size_t n = 0;
    TRY(artifact_need_strings(artifact, tag, ARTIFACT_ANY, arena, &names, &n, err));
    int *index = ARENA_ARRAY(arena, int, n + 1);
    if (!index)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    for (size_t i = 0; i < n; i++) {
        const struct profile_field *field = profile_field_find(names[i], strlen(names[i]));
        if (!field || (field->kind == PROFILE_TEXT) != is_text)
            return fail(err, STATUS_UNSUPPORTED, "%s: section '%s': '%s' is no field of a profile",
                        artifact_name(artifact), tag, names[i]);
        for (size_t j = 0; j < i; j++)
            if (index[j] == field->index)
                return fail(err, STATUS_CORRUPT, "%s: section '%s': '%s' stands twice",
                            artifact_name(artifact), tag, names[i]);
        index[i] = field->index;
    }
    *ret_index = index;
    *ret_n = n;
    return STATUS_OK;
}

static enum status read_dictionary(const struct artifact *artifact, struct catalogue *catalogue,
                                   struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, "catalogue.pool", ARTIFACT_U8, ARTIFACT_ANY, 1, &section, err));
    catalogue->pool = section.data;
    size_t bytes = section.rows;
    if (bytes > 0 && catalogue->pool[bytes - 1] != '\0')
        return fail(err, STATUS_CORRUPT, "%s: section 'catalogue.pool': the last string has no end",
                    artifact_name(artifact));
    if (!text_is_utf8(catalogue->pool, bytes))
        return fail(err, STATUS_CORRUPT, "%s: section 'catalogue.pool': is not well-formed UTF-8",
                    artifact_name(artifact));
    TRY(artifact_need(artifact, "catalogue.start", ARTIFACT_U64, ARTIFACT_ANY, 1, &section, err));
    catalogue->start = section.data;
    catalogue->n_strings = section.rows;
    for (size_t i = 0; i < catalogue->n_strings; i++)
        if (catalogue->start[i] >= bytes ||
            (catalogue->start[i] > 0 && catalogue->pool[catalogue->start[i] - 1] != '\0'))
            return fail(err, STATUS_CORRUPT,
                        "%s: section 'catalogue.start': string %zu does not begin at one",
                        artifact_name(artifact), i);
    return STATUS_OK;
}

static enum status read_texts(const struct artifact *artifact, struct catalogue *catalogue,
                              struct error *err)
{
    TRY(read_dictionary(artifact, catalogue, err));
    TRY(read_fields(artifact, "catalogue.texts", true, &catalogue->memory, &catalogue->text_field,
                    &catalogue->n_texts, err));
    for (size_t c = 0; c < catalogue->n_texts; c++)
        catalogue->text_column[catalogue->text_field[c]] = c;
    struct artifact_section section;
    TRY(artifact_need(artifact, "catalogue.text", ARTIFACT_U32, catalogue->n, catalogue->n_texts,
                      &section, err));
    catalogue->texts = section.data;
    for (size_t i = 0; i < catalogue->n * catalogue->n_texts; i++)
        if (catalogue->texts[i] >= catalogue->n_strings && catalogue->texts[i] != CATALOGUE_NONE)
            return fail(err, STATUS_CORRUPT,
                        "%s: section 'catalogue.text': row %zu: string %u of %zu",
                        artifact_name(artifact), i / catalogue->n_texts, catalogue->texts[i],
                        catalogue->n_strings);
    return STATUS_OK;
}

static enum status read_numbers(const struct artifact *artifact, struct catalogue *catalogue,
                                struct error *err)
{
    TRY(read_fields(artifact, "catalogue.numbers", false, &catalogue->memory,
                    &catalogue->number_field, &catalogue->n_numbers, err));
    for (size_t c = 0; c < catalogue->n_numbers; c++)
        catalogue->number_column[catalogue->number_field[c]] = c;
    struct artifact_section section;
    TRY(artifact_need(artifact, "catalogue.number", ARTIFACT_F64_MISSING, ARTIFACT_ANY,
                      catalogue->n_numbers, &section, err));
    catalogue->numbers = section.data;
    catalogue->n = section.rows;
    /* Also bounds the rows of a section without columns, whose bytes cannot tell. */
    if (catalogue->n >= UINT32_MAX / PROFILE_N_TEXTS)
        return fail(err, STATUS_CORRUPT, "%s: section 'catalogue.number': %zu rows are too many",
                    artifact_name(artifact), catalogue->n);
    return STATUS_OK;
}

static enum status read_slots(const struct artifact *artifact, struct catalogue *catalogue,
                              struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, "catalogue.slots", ARTIFACT_U32, ARTIFACT_ANY, 1, &section, err));
    catalogue->slots = section.data;
    catalogue->n_slots = section.rows;
    if ((catalogue->n_slots & (catalogue->n_slots - 1)) != 0)
        return fail(err, STATUS_CORRUPT, "%s: section 'catalogue.slots': %zu is no power of two",
                    artifact_name(artifact), catalogue->n_slots);
    for (size_t i = 0; i < catalogue->n_slots; i++)
        if (catalogue->slots[i] > catalogue->n)
            return fail(err, STATUS_CORRUPT, "%s: section 'catalogue.slots': row %u of %zu",
                        artifact_name(artifact), catalogue->slots[i] - 1, catalogue->n);
    return STATUS_OK;
}

enum status catalogue_open(const struct artifact *artifact, struct catalogue **ret_catalogue,
                           struct error *err)
{
    AUTO(catalogue_close_slot) struct catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (!catalogue)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    arena_init(&catalogue->memory, 1024);
    for (size_t f = 0; f < PROFILE_N_TEXTS; f++)
        catalogue->text_column[f] = SIZE_MAX;
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
        catalogue->number_column[f] = SIZE_MAX;
    TRY(read_numbers(artifact, catalogue, err));
    TRY(read_texts(artifact, catalogue, err));
    TRY(read_slots(artifact, catalogue, err));
    TRY(catalogue_open_own(artifact, catalogue, err));
    *ret_catalogue = STEAL(catalogue);
    return STATUS_OK;
}

void catalogue_close(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    arena_deinit(&catalogue->memory);
    free(catalogue);
}

size_t catalogue_n(const struct catalogue *catalogue)
{
    return catalogue->n;
}

static const char *string_of(const struct catalogue *catalogue, uint32_t code)
{
    return code == CATALOGUE_NONE ? NULL : catalogue->pool + catalogue->start[code];
}

const char *catalogue_text(const struct catalogue *catalogue, uint32_t row, enum profile_text field)
{
    size_t column = catalogue->text_column[field];
    if (column == SIZE_MAX)
        return NULL;
    return string_of(catalogue, catalogue->texts[row * catalogue->n_texts + column]);
}

double catalogue_number(const struct catalogue *catalogue, uint32_t row, enum profile_number field)
{
    size_t column = catalogue->number_column[field];
    if (column == SIZE_MAX)
        return MISSING;
    return catalogue->numbers[row * catalogue->n_numbers + column];
}

const char *catalogue_handle(const struct catalogue *catalogue, uint32_t row)
{
    return catalogue_text(catalogue, row, PROFILE_handle);
}

void catalogue_profile(const struct catalogue *catalogue, uint32_t row, struct profile *ret_profile)
{
    profile_init(ret_profile);
    const double *numbers = catalogue->numbers + row * catalogue->n_numbers;
    for (size_t c = 0; c < catalogue->n_numbers; c++)
        ret_profile->number[catalogue->number_field[c]] = numbers[c];
    const uint32_t *codes = catalogue->texts + row * catalogue->n_texts;
    for (size_t c = 0; c < catalogue->n_texts; c++)
        ret_profile->text[catalogue->text_field[c]] = string_of(catalogue, codes[c]);
    ret_profile->extras = catalogue->n_own > 0 ? catalogue->own + row * catalogue->n_own : NULL;
    ret_profile->n_extras = catalogue->n_own;
}

static bool is_handle(const char *known, const char *handle, size_t length)
{
    if (!known)
        return false;
    known += known[0] == '@';
    for (size_t i = 0; i < length; i++)
        if (known[i] == '\0' || catalogue_fold(known[i]) != catalogue_fold(handle[i]))
            return false;
    return known[length] == '\0';
}

bool catalogue_find(const struct catalogue *catalogue, const char *handle, size_t length,
                    uint32_t *ret_row)
{
    if (length > 0 && handle[0] == '@') {
        handle++;
        length--;
    }
    if (catalogue->n_slots == 0 || length == 0)
        return false;
    size_t mask = catalogue->n_slots - 1;
    size_t slot = catalogue_handle_hash(handle, length) & mask;
    /* At most once around: a table without an empty slot can only come from a damaged writer. */
    for (size_t i = 0; i <= mask && catalogue->slots[slot] != 0; i++) {
        uint32_t row = catalogue->slots[slot] - 1;
        if (is_handle(catalogue_handle(catalogue, row), handle, length)) {
            *ret_row = row;
            return true;
        }
        slot = (slot + 1) & mask;
    }
    return false;
}

/* The first code whose string is not before `text` (or, when `behind`, is after it). */
static uint32_t code_bound(const struct catalogue *catalogue, const char *text, bool behind)
{
    size_t low = 0;
    size_t high = catalogue->n_strings;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = catalogue_compare_folded(catalogue->pool + catalogue->start[middle], text);
        if (order < 0 || (behind && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

struct catalogue_word catalogue_word(const struct catalogue *catalogue, enum profile_text field,
                                     const char *text)
{
    size_t column = catalogue->text_column[field];
    return (struct catalogue_word){
        .column = column == SIZE_MAX ? UINT32_MAX : (uint32_t)column,
        .low = code_bound(catalogue, text, false),
        .high = code_bound(catalogue, text, true),
    };
}

bool catalogue_has_word(const struct catalogue *catalogue, uint32_t row,
                        const struct catalogue_word *word)
{
    if (word->column == UINT32_MAX)
        return false;
    uint32_t code = catalogue->texts[row * catalogue->n_texts + word->column];
    return code >= word->low && code < word->high;
}
