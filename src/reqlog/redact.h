/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Rows that name nobody: handles become their keyed hash, names disappear. */
#include "base/text.h"
#include "reqlog/key.h"

/* A copy of a JSON text (or a request target) in `out`, cleared first: the strings of "handle" and
 * "exclude", and the values of handle= and exclude= of a query, become hashes; all others "-", but
 * numbers as people write them ("12.4K") and those of members that are known to tell nobody, such
 * as "category". A message may name whom it did not find, a tensor or a table hold anything. Of a
 * target the path is the route's; other parameters of a query, which may be searched names, are
 * left out. What cannot be read with certainty (escapes within a member's name, another kind of
 * text) is withheld as a whole. */
void redact(const char *text, size_t length, const char *route, const struct key *key,
            struct buffer *out);
