/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Points in time as people write them in tables of posts. */
#include <stdbool.h>
#include <stddef.h>

#include "profile/parse.h"

struct moment {
    double seconds; /* since 1970-01-01 UTC */
    bool has_hour;  /* false: the day only, and `seconds` is its midnight */
};

/* Seconds or milliseconds since 1970; YYYY-MM-DD or YYYY/MM/DD, also with a time behind a space or
 * T (hh:mm or hh:mm:ss, fractions cut), and Z, UTC or an offset (+02:00) behind that: without one
 * it is taken for UTC. DD.MM.YYYY likewise. PARSE_BAD for anything else, and beyond the years 1970
 * to 2999.
 */
enum parse_result moment_parse(const char *text, size_t length, struct moment *ret_moment);

/* Hour of the day (0-23) and day of the week (0 is Monday), UTC. */
int moment_hour(double seconds);
int moment_weekday(double seconds);
