/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The catalogue's sections, for catalogue_write.c, catalogue.c and catalogue_search.c.
 *
 *   catalogue.numbers   strings [n_numbers]     names of the number fields that are kept
 *   catalogue.texts     strings [n_texts]       names of the text fields that are kept
 *   catalogue.number    f64 or missing [n][n_numbers]
 *   catalogue.text      u32 [n][n_texts]        codes into the dictionary; CATALOGUE_NONE: missing
 *   catalogue.start     u64 [n_strings]         where each string of the dictionary begins
 *   catalogue.pool      u8                      the strings, each with its NUL
 *   catalogue.slots     u32 [power of two]      row + 1 by hash of the handle, linear probing; 0:
 * empty
 *
 * Where a model reads columns of the table's own, also:
 *
 *   own.numbers         strings                 names of those that are numbers
 *   own.number          f64 or missing [n][own.numbers]
 *   own.texts           strings                 names of those that are texts
 *   own.text            strings [n * own.texts] by row; "": missing
 *
 * The dictionary is in order of the ASCII-folded text, so that all spellings of a word that differ
 * by case are neighbours: a filter on a text is a range of codes. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "runtime/catalogue.h"

#define CATALOGUE_NONE UINT32_MAX

struct catalogue {
    struct arena memory; /* owns the arrays of field numbers */
    size_t n, n_numbers, n_texts, n_strings, n_slots;
    const double *numbers;                   /* [n][n_numbers] */
    const uint32_t *texts;                   /* [n][n_texts] */
    int *number_field;                       /* [n_numbers] of enum profile_number */
    int *text_field;                         /* [n_texts] of enum profile_text */
    size_t text_column[PROFILE_N_TEXTS];     /* SIZE_MAX: not kept */
    size_t number_column[PROFILE_N_NUMBERS]; /* SIZE_MAX: not kept */
    const uint64_t *start;                   /* [n_strings] */
    const char *pool;
    const uint32_t *slots;           /* [n_slots], or none when no row has a handle */
    const struct profile_extra *own; /* [n][n_own], in the arena */
    size_t n_own;
};

enum status catalogue_write_own(struct artifact_writer *writer,
                                const struct catalogue_columns *columns, struct error *err);
enum status catalogue_open_own(const struct artifact *artifact, struct catalogue *catalogue,
                               struct error *err);

static inline char catalogue_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Order of the dictionary: by folded text, as unsigned bytes. */
int catalogue_compare_folded(const char *a, const char *b);

/* Hash of a handle, folded, without a leading @ (the first 255 bytes). */
uint64_t catalogue_handle_hash(const char *handle, size_t length);
