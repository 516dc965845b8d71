/* SPDX-License-Identifier: Apache-2.0 */

/* Rows into a table: a stream whose first line makes the table, and whose rest is COPYed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "database/database_inner.h"

#define MAX_HEADER_BYTES 1048576

/* PostgreSQL would cut a longer name, and another table would be written. */
#define MAX_NAME_BYTES 63

static enum status put_name(const struct database *database, const char *name, size_t length,
                            struct buffer *sql, struct error *err)
{
    if (length == 0 || length > MAX_NAME_BYTES)
        return fail(err, STATUS_INVALID,
                    "the table must be NAME or SCHEMA.NAME, of 1 to %d bytes each", MAX_NAME_BYTES);
    char *quoted = PQescapeIdentifier(database->connection, name, length);
    if (!quoted)
        return database_fail(database, NULL, err);
    buffer_put_text(sql, quoted);
    PQfreemem(quoted);
    return STATUS_OK;
}

enum status database_put_table(const struct database *database, const char *table,
                               struct buffer *sql, struct error *err)
{
    const char *dot = strchr(table, '.');
    if (!dot)
        return put_name(database, table, strlen(table), sql, err);
    TRY(put_name(database, table, (size_t)(dot - table), sql, err));
    buffer_put_char(sql, '.');
    return put_name(database, dot + 1, strlen(dot + 1), sql, err);
}

enum status database_put_text(const struct database *database, const char *text, struct buffer *sql,
                              struct error *err)
{
    char *literal = PQescapeLiteral(database->connection, text, strlen(text));
    if (!literal)
        return database_fail(database, NULL, err);
    buffer_put_text(sql, literal);
    PQfreemem(literal);
    return STATUS_OK;
}

/* Asked, as CREATE TABLE IF NOT EXISTS needs the right to make tables also where there is one. */
enum status database_has_table(struct database *database, const char *table, bool *ret_is_there,
                               struct error *err)
{
    AUTO(buffer_deinit) struct buffer name = {0};
    AUTO(buffer_deinit) struct buffer sql = {0};
    TRY(database_put_table(database, table, &name, err));
    if (name.failed || !name.at)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    buffer_put_text(&sql, "SELECT CASE WHEN to_regclass(");
    TRY(database_put_text(database, name.at, &sql, err));
    buffer_put_text(&sql, ") IS NULL THEN 0 ELSE 1 END");
    if (sql.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    int64_t n = 0;
    TRY(database_number(database, sql.at, &n, err));
    *ret_is_there = n == 1;
    return STATUS_OK;
}

/* One field of a CSV header without its quotes; returns what stands behind it. */
static const char *next_name(const char *at, struct buffer *name)
{
    bool quoted = *at == '"';
    buffer_clear(name);
    for (at += quoted; *at; at++) {
        if (quoted && *at == '"' && *++at != '"')
            quoted = false;
        if (!*at || (!quoted && strchr(",\r\n", *at)))
            break;
        buffer_put_char(name, *at);
    }
    return *at == ',' ? at + 1 : "";
}

/* The columns of the header, "a", "b" or with their types. */
static enum status put_columns(const struct database *database, bool with_types, struct buffer *sql,
                               struct error *err)
{
    AUTO(buffer_deinit) struct buffer name = {0};
    buffer_put_text(sql, " (");
    const char *separator = "";
    for (const char *at = database->header.at; *at; separator = ", ") {
        at = next_name(at, &name);
        if (name.failed)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        const char *text = name.length ? name.at : "";
        char *quoted = PQescapeIdentifier(database->connection, text, strlen(text));
        if (!quoted)
            return database_fail(database, NULL, err);
        buffer_printf(sql, "%s%s", separator, quoted);
        PQfreemem(quoted);
        if (with_types)
            buffer_put_text(sql, database->table.is_number(text) ? " double precision" : " text");
    }
    buffer_put_char(sql, ')');
    return STATUS_OK;
}

static enum status run(struct database *database, struct buffer *sql, struct error *err)
{
    if (sql->failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    enum status status = database_execute(database, sql->at, err);
    buffer_clear(sql);
    return status;
}

static enum status start_copy(struct database *database, struct error *err)
{
    AUTO(buffer_deinit) struct buffer sql = {0};
    bool is_new = database->table.mode == DATABASE_CREATE;
    bool is_made = database->table.mode == DATABASE_ADD;
    if (!is_new && !is_made)
        TRY(database_has_table(database, database->table.name, &is_made, err));
    if (!is_made) {
        buffer_put_text(&sql, is_new ? "CREATE TABLE " : "CREATE TABLE IF NOT EXISTS ");
        TRY(database_put_table(database, database->table.name, &sql, err));
        TRY(put_columns(database, true, &sql, err));
        TRY(run(database, &sql, err));
    }
    if (database->table.mode == DATABASE_REPLACE) {
        /* Not TRUNCATE: it would make the table look empty to readers of older snapshots. */
        buffer_put_text(&sql, "DELETE FROM ");
        TRY(database_put_table(database, database->table.name, &sql, err));
        TRY(run(database, &sql, err));
    }
    buffer_put_text(&sql, "COPY ");
    TRY(database_put_table(database, database->table.name, &sql, err));
    TRY(put_columns(database, false, &sql, err));
    buffer_put_text(&sql, " FROM STDIN (FORMAT csv)");
    if (sql.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    AUTO(result_slot) PGresult *begun = NULL;
    if (!PQsendQuery(database->connection, sql.at))
        return database_fail(database, NULL, err);
    TRY(database_result(database, &begun, err));
    if (PQresultStatus(begun) != PGRES_COPY_IN)
        return database_fail(database, begun, err);
    database->is_copying = true;
    return STATUS_OK;
}

/* Out of libpq's memory before the next part goes in, which would else grow without a bound. */
static enum status send(struct database *database, const char *bytes, size_t n, struct error *err)
{
    while (n > 0) {
        int part = n > 1 << 20 ? 1 << 20 : (int)n;
        int sent = PQputCopyData(database->connection, bytes, part);
        if (sent < 0)
            return database_fail(database, NULL, err);
        if (sent > 0) {
            bytes += part;
            n -= (size_t)part;
        }
        int unsent;
        while ((unsent = PQflush(database->connection)) > 0)
            TRY(database_wait(database, true, err));
        if (unsent < 0)
            return database_fail(database, NULL, err);
    }
    return database->cancel && *database->cancel ? database_wait(database, true, err) : STATUS_OK;
}

/* The header goes aside until its line is whole; what follows is sent. */
static enum status take(struct database *database, const char *bytes, size_t n, struct error *err)
{
    if (!database->is_copying) {
        const char *end = memchr(bytes, '\n', n);
        size_t length = end ? (size_t)(end - bytes) : n;
        buffer_put(&database->header, bytes, length);
        if (database->header.failed || database->header.length > MAX_HEADER_BYTES)
            return fail(err, STATUS_LIMIT, "%s: the header is too long", database->name);
        if (!end)
            return STATUS_OK;
        TRY(start_copy(database, err));
        bytes += length + 1;
        n -= length + 1;
    }
    return send(database, bytes, n, err);
}

enum status database_make(struct database *database, const char *table, const char *columns,
                          struct error *err)
{
    AUTO(buffer_deinit) struct buffer sql = {0};
    bool is_made = false;
    TRY(database_has_table(database, table, &is_made, err));
    if (is_made)
        return STATUS_OK;
    buffer_put_text(&sql, "CREATE TABLE IF NOT EXISTS ");
    TRY(database_put_table(database, table, &sql, err));
    buffer_put_text(&sql, columns);
    return run(database, &sql, err);
}

static ssize_t stream_write(void *cookie, const char *bytes, size_t n)
{
    struct database *database = cookie;
    if (database->failure.status == STATUS_OK)
        database->failure.status = take(database, bytes, n, &database->failure);
    if (database->failure.status == STATUS_OK)
        return (ssize_t)n;
    errno = EIO;
    return 0;
}

enum status database_begin(struct database *database, const struct database_table *table,
                           FILE **ret_out, struct error *err)
{
    database->table = *table;
    database->is_copying = false;
    database->failure = (struct error){0};
    buffer_clear(&database->header);
    TRY(database_execute(database, "BEGIN", err));
    FILE *out = fopencookie(database, "w", (cookie_io_functions_t){.write = stream_write});
    if (!out)
        return fail_errno(err, "%s", database->name);
    *ret_out = out;
    return STATUS_OK;
}

static enum status end_copy(struct database *database, uint64_t *ret_rows, struct error *err)
{
    int ended;
    while ((ended = PQputCopyEnd(database->connection, NULL)) == 0)
        TRY(database_wait(database, true, err));
    if (ended < 0)
        return database_fail(database, NULL, err);
    enum status status = STATUS_OK;
    for (;;) {
        AUTO(result_slot) PGresult *result = NULL;
        TRY(database_result(database, &result, err));
        if (!result)
            return status;
        if (PQresultStatus(result) == PGRES_COMMAND_OK)
            *ret_rows = strtoull(PQcmdTuples(result), NULL, 10);
        else if (status == STATUS_OK)
            status = database_fail(database, result, err);
    }
}

enum status database_abort(struct database *database, FILE *out, struct error *err)
{
    fclose(out);
    if (PQstatus(database->connection) == CONNECTION_OK) {
        if (database->is_copying)
            (void)PQputCopyEnd(database->connection, "given up");
        (void)database_execute(database, "ROLLBACK", NULL);
    }
    if (database->failure.status != STATUS_OK && err)
        *err = database->failure;
    return database->failure.status;
}

enum status database_commit(struct database *database, FILE *out, uint64_t *ret_rows,
                            struct error *err)
{
    bool flushed = fclose(out) == 0;
    if (database->failure.status != STATUS_OK) {
        if (err)
            *err = database->failure;
        return database->failure.status;
    }
    if (!flushed || !database->is_copying)
        return fail(err, STATUS_INTERNAL, "%s: nothing was written", database->name);
    TRY(end_copy(database, ret_rows, err));
    if (database->table.with)
        TRY(database_execute(database, database->table.with, err));
    enum status status = database_execute(database, "COMMIT", err);
    if (status == STATUS_UNAVAILABLE)
        return fail(err, status,
                    "%s: the connection was lost at the commit: whether the rows are there is not "
                    "known, look before writing them again",
                    database->name);
    return status;
}
