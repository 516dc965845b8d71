/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Values of columns that are no profile fields: of a table's own, which a model may read and a
 * request may bring by name. One reading serves both, so that they cannot disagree. */
#include "base/arena.h"
#include "base/json.h"
#include "profile/profile.h"

/* The number of a cell as people write it, yes and no as 1 and 0; MISSING: it is none, or NULL. */
double profile_extra_number(const char *text);

/* From a text, which is borrowed; empty and "N/A" are missing. ret->name stays. */
void profile_extra_from_text(const char *text, struct profile_extra *ret);

/* From JSON; texts are borrowed, the text of a number is the arena's. ret->name stays.
 * STATUS_INVALID names it: an array or an object. */
enum status profile_extra_from_json(const struct json *value, struct arena *arena,
                                    struct profile_extra *ret, struct error *err);

/* NULL: the profile has no such value, or it is missing. */
const struct profile_extra *profile_extra_find(const struct profile *profile, const char *name);
