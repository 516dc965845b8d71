/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/to_json.h"

#include <math.h>
#include <stdio.h>

static void write_number(const struct profile_field *field, double value, struct json_writer *w)
{
    char month[16];
    if (field->kind == PROFILE_FLAG) {
        json_member_bool(w, field->name, value != 0);
    } else if (field->kind == PROFILE_MONTH) {
        snprintf(month, sizeof month, "%04d-%02d", (int)value / 12, (int)value % 12 + 1);
        json_member_string(w, field->name, month);
    } else {
        json_member_number(w, field->name, value);
    }
}

void profile_to_json(const struct profile *profile, struct json_writer *w)
{
    json_begin_object(w);
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        const struct profile_field *field = &profile_fields[i];
        if (field->kind == PROFILE_TEXT && profile->text[field->index])
            json_member_string(w, field->name, profile->text[field->index]);
        else if (field->kind != PROFILE_TEXT && !isnan(profile->number[field->index]))
            write_number(field, profile->number[field->index], w);
    }
    json_end_object(w);
}
