/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/own_values.h"

#include "profile/extra.h"

enum status own_values_room(const struct engine *engine, size_t n, struct arena *arena,
                            struct profile_extra **ret, struct error *err)
{
    size_t n_own = engine_own_columns(engine)->n;
    *ret = NULL;
    if (n_own == 0)
        return STATUS_OK;
    *ret = ARENA_ARRAY(arena, struct profile_extra, n * n_own);
    return *ret ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

struct own_values own_values_at(const struct engine *engine, struct arena *arena,
                                struct profile_extra *room, size_t i)
{
    const struct own_columns *own = engine_own_columns(engine);
    return (struct own_values){
        .own = own, .arena = arena, .values = room ? room + i * own->n : NULL};
}

static struct profile_extra *place_of(struct own_values *values, const struct own_column *column)
{
    for (size_t i = 0; i < values->n; i++)
        if (values->values[i].name == column->name)
            return &values->values[i];
    struct profile_extra *place = &values->values[values->n++];
    place->name = column->name;
    return place;
}

enum status own_values_take_json(struct own_values *values, const struct own_column *column,
                                 const struct json *value, struct error *err)
{
    return profile_extra_from_json(value, values->arena, place_of(values, column), err);
}

void own_values_take_text(struct own_values *values, const struct own_column *column,
                          const char *text)
{
    profile_extra_from_text(text, place_of(values, column));
}

void own_values_give(const struct own_values *values, struct profile *profile)
{
    profile->extras = values->values;
    profile->n_extras = values->n;
}

const char *own_values_lacking(const struct feature_spec *spec, const struct profile *profile,
                               size_t *at)
{
    while (spec && *at < spec->n_extras) {
        const char *name = spec->extras[(*at)++].name;
        if (!profile_extra_find(profile, name))
            return name;
    }
    return NULL;
}

void own_values_write_lacking(const struct feature_spec *spec, const struct profile *profile,
                              struct json_writer *w)
{
    size_t at = 0;
    const char *name = own_values_lacking(spec, profile, &at);
    if (!name)
        return;
    json_put_key(w, "imputed_columns");
    json_begin_array(w);
    for (; name; name = own_values_lacking(spec, profile, &at))
        json_put_string(w, name);
    json_end_array(w);
}
