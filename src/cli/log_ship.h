/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* influence log ship: the rows of a request log into a table of PostgreSQL, each exactly once. */
#include <stdbool.h>
#include <stddef.h>

struct log_ship {
    const char *path;
    const char *to;    /* postgresql://... */
    const char *table; /* TABLE or SCHEMA.TABLE */
    bool follow;       /* go on as rows come, and while the database is away, until a signal */
    bool forget;       /* ship nothing, and let retention have what was not shipped */
    bool as_json;
};

/* The whole of the subcommand; returns the exit status. */
int log_ship_run(const struct log_ship *ship);
