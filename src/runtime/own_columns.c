/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/own_columns.h"

#include <string.h>

bool own_columns_is_reserved(const char *name)
{
    static const char *const words[] = {"instances", "strict",        "explain",       "k",
                                        "exclude",   "min_followers", "max_followers", "filter"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

const struct own_column *own_columns_find(const struct own_columns *own, const char *name)
{
    for (size_t i = 0; i < own->n; i++)
        if (strcmp(own->columns[i].name, name) == 0)
            return &own->columns[i];
    return NULL;
}

enum status own_columns_of(const struct feature_spec *const *specs, size_t n, struct arena *arena,
                           struct own_columns *ret, struct error *err)
{
    size_t most = 0;
    for (size_t s = 0; s < n; s++)
        most += specs[s] ? specs[s]->n_extras : 0;
    *ret = (struct own_columns){0};
    if (most == 0)
        return STATUS_OK;
    struct own_column *columns = ARENA_ARRAY(arena, struct own_column, most);
    if (!columns)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the table's own columns");
    ret->columns = columns;
    for (size_t s = 0; s < n; s++)
        for (size_t e = 0; specs[s] && e < specs[s]->n_extras; e++) {
            const struct feature_extra *extra = &specs[s]->extras[e];
            if (!own_columns_find(ret, extra->name))
                columns[ret->n++] = (struct own_column){
                    .name = extra->name,
                    .is_text = feature_is_level(&specs[s]->columns[extra->first]),
                };
        }
    return STATUS_OK;
}
