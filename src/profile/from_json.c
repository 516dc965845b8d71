/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/from_json.h"

#include <string.h>

#include "profile/parse.h"

static enum status wrong_type(const struct profile_field *field, const struct json *value,
                              const char *wanted, struct error *err)
{
    return fail_field(err, STATUS_INVALID, field->name, "must be %s, got %s", wanted,
                      json_type_name(json_type(value)));
}

enum status profile_field_from_json(const struct profile_field *field, const struct json *value,
                                    struct profile *profile, struct error *err)
{
    const char *text = json_string_or(value, NULL);
    if (json_type(value) == JSON_NULL)
        return STATUS_OK;
    if (text)
        return parse_field(field, text, strlen(text), profile, err);
    if (field->kind == PROFILE_TEXT)
        return wrong_type(field, value, "a string", err);
    double number;
    if (json_type(value) == JSON_BOOL && field->kind == PROFILE_FLAG)
        number = json_bool_or(value, false);
    else if (json_type(value) == JSON_NUMBER && field->kind != PROFILE_MONTH)
        number = json_number_or(value, MISSING);
    else
        return wrong_type(field, value,
                          field->kind == PROFILE_MONTH  ? "a string YYYY-MM"
                          : field->kind == PROFILE_FLAG ? "true or false"
                                                        : "a number",
                          err);
    TRY(profile_check_number(field, number, err));
    profile->number[field->index] = number;
    return STATUS_OK;
}

enum status profile_from_json(const struct json *object, struct profile *ret_profile,
                              size_t *ret_n_known, profile_other other, void *user,
                              struct error *err)
{
    if (json_type(object) != JSON_OBJECT)
        return fail(err, STATUS_INVALID, "a profile must be an object, got %s",
                    json_type_name(json_type(object)));
    profile_init(ret_profile);
    *ret_n_known = 0;
    for (const struct json *item = json_first(object); item; item = json_next(item)) {
        const char *key = json_key(item);
        const struct profile_field *field = profile_field_find(key, strlen(key));
        if (!field) {
            *ret_n_known += other(user, item);
            continue;
        }
        TRY(profile_field_from_json(field, item, ret_profile, err));
        ++*ret_n_known;
    }
    return STATUS_OK;
}
