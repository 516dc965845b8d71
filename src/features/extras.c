/* SPDX-License-Identifier: Apache-2.0 */
#include "features/extras.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "profile/extra.h"

bool feature_extra_is(const char *name)
{
    return text_starts_with(name, FEATURE_EXTRA) || text_starts_with(name, FEATURE_LN_EXTRA) ||
           text_starts_with(name, FEATURE_TEXT_EXTRA);
}

static enum status enter(struct feature_spec *spec, const char *name, size_t column,
                         struct error *err)
{
    if (!name)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t at = 0;
    while (at < spec->n_extras && strcmp(spec->extras[at].name, name) != 0)
        at++;
    if (at == spec->n_extras)
        spec->extras[spec->n_extras++] = (struct feature_extra){.name = name, .first = column};
    spec->extras[at].end = column + 1;
    spec->columns[column].extra = at;
    return STATUS_OK;
}

enum status feature_extra_resolve(struct feature_spec *spec, size_t i, struct error *err)
{
    struct feature_column *column = &spec->columns[i];
    const char *name = strchr(column->name, ':') + 1;
    column->is_log = text_starts_with(column->name, FEATURE_LN_EXTRA);
    if (!text_starts_with(column->name, FEATURE_TEXT_EXTRA))
        return enter(spec, name, i, err);
    const char *equals = strchr(name, '=');
    if (!equals)
        return fail(err, STATUS_UNSUPPORTED, "unknown feature '%s'", column->name);
    column->level = equals + 1;
    return enter(spec, arena_strndup(&spec->memory, name, (size_t)(equals - name)), i, err);
}

void feature_extra_extract(const struct feature_spec *spec, size_t extra,
                           const struct profile *profile, float *ret_raw)
{
    const struct feature_extra *own = &spec->extras[extra];
    const struct profile_extra *value = profile_extra_find(profile, own->name);
    double number = value ? value->number : MISSING;
    const char *text = value && value->text ? value->text : "";
    size_t level = SIZE_MAX;
    size_t in_other_case = SIZE_MAX;
    size_t other = SIZE_MAX;
    for (size_t i = own->first; i < own->end; i++) {
        const struct feature_column *column = &spec->columns[i];
        if (column->extra != extra)
            continue;
        if (!column->level)
            ret_raw[i] = (float)(column->is_log ? copysign(log1p(fabs(number)), number) : number);
        else if (strcmp(column->level, FEATURE_LEVEL_OTHER) == 0)
            other = i;
        else if (strcmp(column->level, text[0] ? text : FEATURE_LEVEL_MISSING) == 0)
            level = i;
        else if (in_other_case == SIZE_MAX && text_equal_fold(column->level, text))
            in_other_case = i;
    }
    if (level == SIZE_MAX)
        level = in_other_case != SIZE_MAX ? in_other_case : other;
    if (level != SIZE_MAX)
        ret_raw[level] = 1.0F;
}
