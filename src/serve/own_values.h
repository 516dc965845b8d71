/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Values of the training table's own columns that a request brings beside the fields, and the
 * columns that it leaves out though the model reads them. */
#include "base/json.h"
#include "runtime/engine.h"

/* Those of one profile, as they come in. */
struct own_values {
    const struct own_columns *own;
    struct arena *arena;          /* of the request */
    struct profile_extra *values; /* [own->n] */
    size_t n;
};

/* Room for n profiles' values, one behind the other; NULL in *ret: the engine reads none. */
enum status own_values_room(const struct engine *engine, size_t n, struct arena *arena,
                            struct profile_extra **ret, struct error *err);

/* For the i-th profile of such a room. */
struct own_values own_values_at(const struct engine *engine, struct arena *arena,
                                struct profile_extra *room, size_t i);

/* STATUS_INVALID names the column. */
enum status own_values_take_json(struct own_values *values, const struct own_column *column,
                                 const struct json *value, struct error *err);
void own_values_take_text(struct own_values *values, const struct own_column *column,
                          const char *text);

/* The profile borrows them. */
void own_values_give(const struct own_values *values, struct profile *profile);

/* The next column of the spec, from *at on, that the profile lacks; NULL: no more. */
const char *own_values_lacking(const struct feature_spec *spec, const struct profile *profile,
                               size_t *at);
/* "imputed_columns": all such; nothing where there are none. */
void own_values_write_lacking(const struct feature_spec *spec, const struct profile *profile,
                              struct json_writer *w);
