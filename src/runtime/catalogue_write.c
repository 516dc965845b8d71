/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "runtime/catalogue_layout.h"

/* The distinct strings of all text columns. Cells hold string numbers, which change from first-seen
 * order to dictionary order at the end. */
struct dictionary {
    const char **strings; /* borrow the columns */
    uint32_t *slots;      /* string number + 1 by hash of the bytes */
    size_t n, n_slots;
};

static void deinit_dictionary(struct dictionary *dictionary)
{
    free(dictionary->strings);
    free(dictionary->slots);
}

static size_t power_of_two(size_t at_least)
{
    size_t size = 8;
    while (size < at_least)
        size *= 2;
    return size;
}

static uint32_t intern(struct dictionary *dictionary, const char *text)
{
    size_t mask = dictionary->n_slots - 1;
    size_t slot = hash_xxh3(text, strlen(text)) & mask;
    while (dictionary->slots[slot] != 0) {
        uint32_t number = dictionary->slots[slot] - 1;
        if (strcmp(dictionary->strings[number], text) == 0)
            return number;
        slot = (slot + 1) & mask;
    }
    dictionary->strings[dictionary->n] = text;
    dictionary->slots[slot] = (uint32_t)++dictionary->n;
    return (uint32_t)(dictionary->n - 1);
}

int catalogue_compare_folded(const char *a, const char *b)
{
    while (*a != '\0' && catalogue_fold(*a) == catalogue_fold(*b)) {
        a++;
        b++;
    }
    return (int)(unsigned char)catalogue_fold(*a) - (int)(unsigned char)catalogue_fold(*b);
}

uint64_t catalogue_handle_hash(const char *handle, size_t length)
{
    char folded[255];
    if (length > sizeof folded)
        length = sizeof folded;
    for (size_t i = 0; i < length; i++)
        folded[i] = catalogue_fold(handle[i]);
    return hash_xxh3(folded, length);
}

struct numbered {
    const char *text;
    uint32_t number;
};

static int compare_numbered(const void *a, const void *b)
{
    const char *x = ((const struct numbered *)a)->text;
    const char *y = ((const struct numbered *)b)->text;
    int folded = catalogue_compare_folded(x, y);
    return folded != 0 ? folded : strcmp(x, y);
}

/* Sort the dictionary and renumber the cells. */
static enum status sort_dictionary(struct dictionary *dictionary, uint32_t *cells, size_t n_cells,
                                   struct error *err)
{
    AUTO(free_slot) struct numbered *order = calloc(dictionary->n + 1, sizeof *order);
    AUTO(free_slot) uint32_t *renumbered = calloc(dictionary->n + 1, sizeof *renumbered);
    if (!order || !renumbered)
        return fail(err, STATUS_NO_MEMORY, "catalogue: out of memory");
    for (size_t i = 0; i < dictionary->n; i++)
        order[i] = (struct numbered){dictionary->strings[i], (uint32_t)i};
    if (dictionary->n > 0)
        qsort(order, dictionary->n, sizeof *order, compare_numbered);
    for (size_t i = 0; i < dictionary->n; i++) {
        renumbered[order[i].number] = (uint32_t)i;
        dictionary->strings[i] = order[i].text;
    }
    for (size_t i = 0; i < n_cells; i++)
        if (cells[i] != CATALOGUE_NONE)
            cells[i] = renumbered[cells[i]];
    return STATUS_OK;
}

static enum status write_dictionary(struct artifact_writer *writer,
                                    const struct dictionary *dictionary, struct error *err)
{
    AUTO(free_slot) uint64_t *start = calloc(dictionary->n + 1, sizeof *start);
    if (!start)
        return fail(err, STATUS_NO_MEMORY, "catalogue: out of memory");
    for (size_t i = 0, at = 0; i < dictionary->n; i++) {
        start[i] = at;
        at += strlen(dictionary->strings[i]) + 1;
    }
    TRY(artifact_add(writer, "catalogue.start", ARTIFACT_U64, dictionary->n, 1, start, err));
    return artifact_add_strings(writer, "catalogue.pool", dictionary->strings, dictionary->n, err);
}

static enum status write_slots(struct artifact_writer *writer,
                               const struct catalogue_columns *columns, struct error *err)
{
    const char *const *handles = columns->text[PROFILE_handle];
    size_t n_slots = handles ? power_of_two(2 * columns->n) : 0;
    AUTO(free_slot) uint32_t *slots = calloc(n_slots + 1, sizeof *slots);
    if (!slots)
        return fail(err, STATUS_NO_MEMORY, "catalogue: out of memory");
    for (size_t row = 0; handles && row < columns->n; row++) {
        if (!handles[row])
            continue;
        const char *handle = handles[row] + (handles[row][0] == '@');
        size_t slot = catalogue_handle_hash(handle, strlen(handle)) & (n_slots - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)row + 1;
    }
    return artifact_add(writer, "catalogue.slots", ARTIFACT_U32, n_slots, 1, slots, err);
}

static enum status write_numbers(struct artifact_writer *writer,
                                 const struct catalogue_columns *columns, struct error *err)
{
    const char *names[PROFILE_N_NUMBERS];
    const double *kept[PROFILE_N_NUMBERS];
    size_t n_kept = 0;
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++) {
        if (!columns->number[f])
            continue;
        names[n_kept] = profile_number_field((enum profile_number)f)->name;
        kept[n_kept++] = columns->number[f];
    }
    AUTO(free_slot) double *cells = calloc(columns->n * n_kept + 1, sizeof *cells);
    if (!cells)
        return fail(err, STATUS_NO_MEMORY, "catalogue: out of memory");
    for (size_t row = 0; row < columns->n; row++)
        for (size_t c = 0; c < n_kept; c++)
            cells[row * n_kept + c] = kept[c][row];
    TRY(artifact_add_strings(writer, "catalogue.numbers", names, n_kept, err));
    return artifact_take(writer, "catalogue.number", ARTIFACT_F64_MISSING, columns->n, n_kept,
                         STEAL(cells), err);
}

static enum status write_texts(struct artifact_writer *writer,
                               const struct catalogue_columns *columns, struct error *err)
{
    const char *names[PROFILE_N_TEXTS];
    const char *const *kept[PROFILE_N_TEXTS];
    size_t n_kept = 0;
    for (size_t f = 0; f < PROFILE_N_TEXTS; f++) {
        if (!columns->text[f])
            continue;
        names[n_kept] = profile_fields[f].name;
        kept[n_kept++] = columns->text[f];
    }
    size_t n_cells = columns->n * n_kept;
    AUTO(free_slot) uint32_t *cells = calloc(n_cells + 1, sizeof *cells);
    AUTO(deinit_dictionary)
    struct dictionary dictionary = {
        .strings = calloc(n_cells + 1, sizeof(char *)),
        .n_slots = power_of_two(2 * n_cells),
    };
    dictionary.slots = calloc(dictionary.n_slots, sizeof *dictionary.slots);
    if (!cells || !dictionary.strings || !dictionary.slots)
        return fail(err, STATUS_NO_MEMORY, "catalogue: out of memory");
    for (size_t row = 0; row < columns->n; row++)
        for (size_t c = 0; c < n_kept; c++)
            cells[row * n_kept + c] =
                kept[c][row] ? intern(&dictionary, kept[c][row]) : CATALOGUE_NONE;
    TRY(sort_dictionary(&dictionary, cells, n_cells, err));
    TRY(artifact_add_strings(writer, "catalogue.texts", names, n_kept, err));
    TRY(artifact_add(writer, "catalogue.text", ARTIFACT_U32, columns->n, n_kept, cells, err));
    return write_dictionary(writer, &dictionary, err);
}

enum status catalogue_write(struct artifact_writer *writer, const struct catalogue_columns *columns,
                            struct error *err)
{
    /* Rows and strings are numbered in 32 bits, with one value to spare for each. */
    if (columns->n >= UINT32_MAX / PROFILE_N_TEXTS)
        return fail(err, STATUS_LIMIT, "catalogue: %zu rows are too many", columns->n);
    TRY(write_numbers(writer, columns, err));
    TRY(write_texts(writer, columns, err));
    TRY(write_slots(writer, columns, err));
    return catalogue_write_own(writer, columns, err);
}
