/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/extra.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "profile/parse.h"

double profile_extra_number(const char *text)
{
    struct quantity quantity;
    double flag;
    if (!text)
        return MISSING;
    size_t length = strlen(text);
    if (parse_quantity(text, length, &quantity) == PARSE_OK)
        return quantity.value;
    return parse_flag(text, length, &flag) == PARSE_OK ? flag : MISSING;
}

void profile_extra_from_text(const char *text, struct profile_extra *ret)
{
    ret->text = parse_is_missing(text, strlen(text)) ? NULL : text;
    ret->number = profile_extra_number(ret->text);
}

enum status profile_extra_from_json(const struct json *value, struct arena *arena,
                                    struct profile_extra *ret, struct error *err)
{
    char number[TEXT_NUMBER_BYTES];
    ret->number = MISSING;
    ret->text = NULL;
    switch (json_type(value)) {
    case JSON_NULL:
        return STATUS_OK;
    case JSON_STRING:
        profile_extra_from_text(json_string_or(value, ""), ret);
        return STATUS_OK;
    case JSON_BOOL:
        profile_extra_from_text(json_bool_or(value, false) ? "true" : "false", ret);
        return STATUS_OK;
    case JSON_NUMBER:
        ret->number = json_number_or(value, MISSING);
        text_format_number(ret->number, number);
        ret->text = arena_strdup(arena, number);
        return ret->text ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
    case JSON_ABSENT:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return fail_field(err, STATUS_INVALID, ret->name, "must be a number or a string, got %s",
                      json_type_name(json_type(value)));
}

const struct profile_extra *profile_extra_find(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->n_extras; i++) {
        const struct profile_extra *extra = &profile->extras[i];
        if (strcmp(extra->name, name) == 0)
            return isnan(extra->number) && !extra->text ? NULL : extra;
    }
    return NULL;
}
