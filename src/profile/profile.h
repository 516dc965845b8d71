/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The record that every door speaks: a CSV row, a JSON body and a catalogue entry all become a
 * `struct profile`. Every field is optional: a number that is missing is NaN, a text that is
 * missing NULL. Rates are fractions, months count from year 0. A profile borrows its texts from
 * whoever filled it. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum profile_text {
#define FIELD_TEXT(name, max_bytes, help) PROFILE_##name,
#define FIELD_NUMBER(name, kind, unit, min, max, help)
#include "profile/fields.def"
#undef FIELD_TEXT
#undef FIELD_NUMBER
    PROFILE_N_TEXTS
};

enum profile_number {
#define FIELD_TEXT(name, max_bytes, help)
#define FIELD_NUMBER(name, kind, unit, min, max, help) PROFILE_##name,
#include "profile/fields.def"
#undef FIELD_TEXT
#undef FIELD_NUMBER
    PROFILE_N_NUMBERS
};

/* A number that is not known. */
#define MISSING ((double)NAN)

/* A value of a column that is no field, under the column's folded name. */
struct profile_extra {
    const char *name;
    double number; /* MISSING when the text is no number */
    const char *text;
};

struct profile {
    double number[PROFILE_N_NUMBERS];
    const char *text[PROFILE_N_TEXTS];
    const struct profile_extra *extras; /* [n_extras], borrowed; few, in any order */
    size_t n_extras;
};

enum profile_kind {
    PROFILE_TEXT,
    PROFILE_COUNT, /* a whole number of things; 0 is possible */
    PROFILE_MEAN,  /* a mean of counts */
    PROFILE_RATE,  /* a fraction; people also write it in percent */
    PROFILE_FLAG,  /* 0 or 1 */
    PROFILE_MONTH, /* 12 * year + month - 1; written YYYY-MM */
    PROFILE_VALUE, /* any other number */
};

struct profile_field {
    const char *name;
    enum profile_kind kind;
    const char *unit;
    double min, max;  /* of a number */
    size_t max_bytes; /* of a text */
    const char *help;
    int index; /* into number[] or, for PROFILE_TEXT, text[] */
};

#define PROFILE_N_FIELDS ((size_t)PROFILE_N_TEXTS + (size_t)PROFILE_N_NUMBERS)

/* All fields: the texts first, then the numbers, in the order of fields.def. */
extern const struct profile_field profile_fields[PROFILE_N_FIELDS];

static inline const struct profile_field *profile_number_field(enum profile_number field)
{
    return &profile_fields[(size_t)PROFILE_N_TEXTS + (size_t)field];
}

/* The field of that exact name, or NULL. Cost: one hash and one comparison. */
const struct profile_field *profile_field_find(const char *name, size_t length);

/* Everything missing. */
void profile_init(struct profile *profile);

static inline bool profile_has(const struct profile *profile, enum profile_number field)
{
    return !isnan(profile->number[field]);
}

/* STATUS_INVALID when a number is out of the field's range (NaN is missing, and fine): "followers:
 * must be between 0 and 1e10, got -3". */
enum status profile_check_number(const struct profile_field *field, double value,
                                 struct error *err);

/* Every number in range, every text within its length and well-formed UTF-8. */
enum status profile_check(const struct profile *profile, struct error *err);
