/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The catalogue: the training profiles, as columns in similar.blob, found by handle. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "profile/profile.h"

struct catalogue;

/* A column of the table's own that a model reads. */
struct catalogue_own {
    const char *name;
    const double *number;    /* [n]; NULL: it is a text */
    const char *const *text; /* [n] */
};

/* number[f], text[f]: columns of n rows, NULL when the whole field is missing. */
struct catalogue_columns {
    size_t n;
    const struct catalogue_own *own; /* [n_own] */
    size_t n_own;
    const double *number[PROFILE_N_NUMBERS];
    const char *const *text[PROFILE_N_TEXTS];
};

enum status catalogue_write(struct artifact_writer *writer, const struct catalogue_columns *columns,
                            struct error *err);
enum status catalogue_open(const struct artifact *artifact, struct catalogue **ret_catalogue,
                           struct error *err);
void catalogue_close(struct catalogue *catalogue);
DEFINE_SLOT(catalogue_close, struct catalogue)

size_t catalogue_n(const struct catalogue *catalogue);

/* Row of a handle (ASCII case folded, a leading @ ignored); false when there is none. */
bool catalogue_find(const struct catalogue *catalogue, const char *handle, size_t length,
                    uint32_t *ret_row);

/* The profile of a row; texts point into the mapping, values of own columns into the catalogue. */
void catalogue_profile(const struct catalogue *catalogue, uint32_t row,
                       struct profile *ret_profile);
double catalogue_number(const struct catalogue *catalogue, uint32_t row, enum profile_number field);
/* The text of a row, or NULL. */
const char *catalogue_text(const struct catalogue *catalogue, uint32_t row,
                           enum profile_text field);
const char *catalogue_handle(const struct catalogue *catalogue, uint32_t row);

/* The rows whose text field is a given word, ASCII case folded: a range of codes. */
struct catalogue_word {
    uint32_t column;    /* UINT32_MAX: no row has it */
    uint32_t low, high; /* low <= code < high */
};
struct catalogue_word catalogue_word(const struct catalogue *catalogue, enum profile_text field,
                                     const char *text);
bool catalogue_has_word(const struct catalogue *catalogue, uint32_t row,
                        const struct catalogue_word *word);

/* Handles and names that contain `query` (ASCII case folded): handles that start with it first,
 * then by followers, falling. Returns how many were written, at most `limit` and
 * CATALOGUE_MAX_FOUND. Cost: a look at every row. */
#define CATALOGUE_MAX_FOUND 256
size_t catalogue_search(const struct catalogue *catalogue, const char *query, size_t limit,
                        uint32_t *ret_rows);

/* The handles nearest in spelling, nearest first, at edit distance 3 at most. */
size_t catalogue_closest(const struct catalogue *catalogue, const char *handle, size_t limit,
                         uint32_t *ret_rows);
