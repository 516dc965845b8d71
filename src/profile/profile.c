/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"

#include <string.h>

#include "base/text.h"

const struct profile_field profile_fields[PROFILE_N_FIELDS] = {
#define FIELD_TEXT(name_, max_bytes_, help_) \
    {.name = #name_,                         \
     .kind = PROFILE_TEXT,                   \
     .unit = "",                             \
     .max_bytes = (max_bytes_),              \
     .help = (help_),                        \
     .index = PROFILE_##name_},
#define FIELD_NUMBER(name_, kind_, unit_, min_, max_, help_) \
    {.name = #name_,                                         \
     .kind = PROFILE_##kind_,                                \
     .unit = (unit_),                                        \
     .min = (min_),                                          \
     .max = (max_),                                          \
     .help = (help_),                                        \
     .index = PROFILE_##name_},
#include "profile/fields.def"
#undef FIELD_TEXT
#undef FIELD_NUMBER
};

const struct profile_field *profile_field_find(const char *name, size_t length)
{
    /* Some 26 names: the first byte and the length rule out nearly all before any comparison. */
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        const char *known = profile_fields[i].name;
        if (known[0] == name[0] && strncmp(known, name, length) == 0 && known[length] == '\0')
            return &profile_fields[i];
    }
    return NULL;
}

void profile_init(struct profile *profile)
{
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        profile->number[i] = MISSING;
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        profile->text[i] = NULL;
    profile->extras = NULL;
    profile->n_extras = 0;
}

enum status profile_check_number(const struct profile_field *field, double value, struct error *err)
{
    if (isnan(value) || (value >= field->min && value <= field->max))
        return STATUS_OK;
    char low[TEXT_NUMBER_BYTES];
    char high[TEXT_NUMBER_BYTES];
    char got[TEXT_NUMBER_BYTES];
    text_format_number(field->min, low);
    text_format_number(field->max, high);
    text_format_number(value, got);
    return fail_field(err, STATUS_INVALID, field->name, "must be between %s and %s, got %s", low,
                      high, got);
}

enum status profile_check(const struct profile *profile, struct error *err)
{
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
        TRY(profile_check_number(profile_number_field((enum profile_number)i), profile->number[i],
                                 err));
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++) {
        const char *text = profile->text[i];
        if (!text)
            continue;
        size_t length = strlen(text);
        if (length > profile_fields[i].max_bytes)
            return fail_field(err, STATUS_INVALID, profile_fields[i].name,
                              "must have at most %zu bytes, got %zu", profile_fields[i].max_bytes,
                              length);
        if (!text_is_utf8(text, length))
            return fail_field(err, STATUS_INVALID, profile_fields[i].name,
                              "must be well-formed UTF-8");
    }
    return STATUS_OK;
}
