/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where a table goes that a command makes: stdout, a file, or a table of a database. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "database/database.h"

/* What the options --to, --table, --append and --replace ask for. */
struct sink_options {
    const char *to;    /* NULL or "-": stdout; postgresql://...; a path */
    const char *table; /* of a database */
    bool append, replace;
};

struct sink {
    FILE *out; /* to write to; borrows stdout, else owns */
    struct database *database;
};

/* STATUS_INVALID: options that do not go together; what database_open() and database_begin() give.
 */
enum status sink_open(const struct sink_options *options, struct sink *ret_sink, struct error *err);

/* Everything was written, or, with a status other than OK, nothing of it should be seen: a
 * database's table stays as it was. Returns the status, or that of the database's failure, which
 * explains it better. */
enum status sink_close(struct sink *sink, enum status status, struct error *err);
