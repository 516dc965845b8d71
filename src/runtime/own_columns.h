/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Columns of the training table's own that models read: what a request may bring by name besides
 * the fields. */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "features/spec.h"

struct own_column {
    const char *name; /* the table's folded name; borrows the spec */
    bool is_text;     /* its levels are read; else its number */
};

struct own_columns {
    const struct own_column *columns; /* [n] */
    size_t n;
};

/* Those of the specs, each once, in their order. specs: [n], NULL ones are passed over; *ret
 * borrows them and the arena. */
enum status own_columns_of(const struct feature_spec *const *specs, size_t n, struct arena *arena,
                           struct own_columns *ret, struct error *err);

/* Words that stand beside a request's fields and mean something else: "k", "instances", ... A
 * column of that name cannot be brought. */
bool own_columns_is_reserved(const char *name);

/* NULL: there is none of that name. */
const struct own_column *own_columns_find(const struct own_columns *own, const char *name);
