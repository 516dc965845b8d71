/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Columns of the table's own as features; for spec.c. They read the small named-values part of a
 * profile instead of its fields. */
#include <stdbool.h>

#include "features/spec.h"

/* True of the names of such columns. */
bool feature_extra_is(const char *name);

/* Fill column `i`, whose name is set, and enter what it reads into spec->extras, which has room. */
enum status feature_extra_resolve(struct feature_spec *spec, size_t i, struct error *err);

/* Set the columns of one extra in ret_raw. Levels are 0 there already. */
void feature_extra_extract(const struct feature_spec *spec, size_t extra,
                           const struct profile *profile, float *ret_raw);
