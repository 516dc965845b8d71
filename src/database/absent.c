/* SPDX-License-Identifier: Apache-2.0 */

/* What a build without libpq says. */
#include "base/text.h"
#include "database/database.h"

bool database_is_uri(const char *name)
{
    return text_starts_with(name, "postgresql://") || text_starts_with(name, "postgres://");
}

void database_name(const char *uri, char ret_name[static DATABASE_NAME_BYTES])
{
    (void)uri;
    snprintf(ret_name, DATABASE_NAME_BYTES, "database");
}

static enum status absent(struct error *err)
{
    return fail(err, STATUS_UNSUPPORTED,
                "this build has no PostgreSQL: install libpq-dev and build again");
}

enum status database_open(const char *uri, const struct database_options *options,
                          struct database **ret_database, struct error *err)
{
    (void)uri;
    (void)options;
    (void)ret_database;
    return absent(err);
}

void database_close(struct database *database)
{
    (void)database;
}

enum status database_read(struct database *database, const char *query, FILE *out,
                          uint64_t *ret_rows, struct error *err)
{
    (void)database;
    (void)query;
    (void)out;
    (void)ret_rows;
    return absent(err);
}

enum status database_begin(struct database *database, const struct database_table *table,
                           FILE **ret_out, struct error *err)
{
    (void)database;
    (void)table;
    (void)ret_out;
    return absent(err);
}

enum status database_commit(struct database *database, FILE *out, uint64_t *ret_rows,
                            struct error *err)
{
    (void)database;
    (void)out;
    (void)ret_rows;
    return absent(err);
}

enum status database_abort(struct database *database, FILE *out, struct error *err)
{
    (void)database;
    (void)out;
    return absent(err);
}

enum status database_make(struct database *database, const char *table, const char *columns,
                          struct error *err)
{
    (void)database;
    (void)table;
    (void)columns;
    return absent(err);
}

enum status database_number(struct database *database, const char *query, int64_t *ret_number,
                            struct error *err)
{
    (void)database;
    (void)query;
    (void)ret_number;
    return absent(err);
}

enum status database_put_table(const struct database *database, const char *table,
                               struct buffer *sql, struct error *err)
{
    (void)database;
    (void)table;
    (void)sql;
    return absent(err);
}

enum status database_put_text(const struct database *database, const char *text, struct buffer *sql,
                              struct error *err)
{
    (void)database;
    (void)text;
    (void)sql;
    return absent(err);
}

enum status database_has_table(struct database *database, const char *table, bool *ret_is_there,
                               struct error *err)
{
    (void)database;
    (void)table;
    (void)ret_is_there;
    return absent(err);
}
