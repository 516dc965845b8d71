/* SPDX-License-Identifier: Apache-2.0 */

/* Rows out of a query. */
#include <stdlib.h>
#include <string.h>

#include "base/csv_field.h"
#include "database/database_inner.h"

#define FLUSH_BYTES 65536

/* Object identifiers of pg_type.dat, fixed for ever. */
enum {
    TYPE_BOOL = 16,
    TYPE_MONEY = 790,
    TYPE_INTERVAL = 1186,
    TYPE_TEXT_LIST = 1009,
    TYPE_VARCHAR_LIST = 1015,
};

/* A column of the query, c0, c1, ..., as the importer wants to see it. */
static const char *expression_of(Oid type)
{
    switch (type) {
    case TYPE_BOOL:
        return "q.c%d::int";
    case TYPE_MONEY:
        return "q.c%d::numeric";
    case TYPE_INTERVAL:
        return "extract(epoch from q.c%d)";
    case TYPE_TEXT_LIST:
    case TYPE_VARCHAR_LIST:
        return "array_to_string(q.c%d, ' ')";
    default:
        return "q.c%d";
    }
}

/* The last result of what was sent, by which a cancel is noticed meanwhile. */
static enum status last_result(struct database *database, int sent, PGresult **ret_result,
                               struct error *err)
{
    if (!sent)
        return database_fail(database, NULL, err);
    AUTO(result_slot) PGresult *last = NULL;
    for (;;) {
        PGresult *result = NULL;
        TRY(database_result(database, &result, err));
        if (!result)
            break;
        PQclear(last);
        last = result;
    }
    if (PQresultStatus(last) != PGRES_COMMAND_OK)
        return database_fail(database, last, err);
    *ret_result = STEAL(last);
    return STATUS_OK;
}

/* The server reads the query without running it: names and types of its columns. It may have to
 * wait for a lock. */
static enum status describe(struct database *database, const char *query, PGresult **ret_columns,
                            struct error *err)
{
    PGconn *connection = database->connection;
    AUTO(result_slot) PGresult *prepared = NULL;
    AUTO(result_slot) PGresult *columns = NULL;
    TRY(last_result(database, PQsendPrepare(connection, "", query, 0, NULL), &prepared, err));
    TRY(last_result(database, PQsendDescribePrepared(connection, ""), &columns, err));
    if (PQnfields(columns) == 0)
        return fail(err, STATUS_INVALID, "%s: the query gives no columns: a SELECT is needed",
                    database->name);
    *ret_columns = STEAL(columns);
    return STATUS_OK;
}

/* Behind the quoted text or the comment that begins at `at`, or `at` itself where neither does. The
 * server has read the query, so that what is open is also closed. */
static const char *behind_quoted(const char *at, bool has_escapes)
{
    const char *end;
    if (*at == '\'' || *at == '"') {
        for (end = at + 1; *end && *end != *at; end++)
            end += has_escapes && *end == '\\' && end[1];
        return *end ? end + 1 : end;
    }
    if (at[0] == '-' && at[1] == '-')
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*') {
        int depth = 1;
        for (end = at + 2; *end && depth > 0; end++) {
            int step = end[0] == '/' && end[1] == '*' ? 1 : end[0] == '*' && end[1] == '/' ? -1 : 0;
            depth += step;
            end += step != 0;
        }
        return end;
    }
    if (*at == '$') { /* $tag$ ... $tag$ */
        size_t tag = strcspn(at + 1, "$ \t\r\n;'\"(),") + 2;
        if (at[tag - 1] == '$')
            for (end = strchr(at + tag, '$'); end; end = strchr(end + 1, '$'))
                if (strncmp(end, at, tag) == 0)
                    return end + tag;
    }
    return at;
}

/* The query's length up to the semicolon that closes it, which is the first that stands in no text
 * and no comment: the server has taken it as a single statement. */
static size_t without_semicolon(const char *query)
{
    const char *at = query;
    while (*at && *at != ';') {
        bool has_escapes = *at == '\'' && at > query && (at[-1] == 'E' || at[-1] == 'e');
        const char *behind = behind_quoted(at, has_escapes);
        at = behind > at ? behind : at + 1;
    }
    return (size_t)(at - query);
}

static enum status put_name(const struct database *database, const char *name, struct buffer *sql,
                            struct error *err)
{
    char *quoted = PQescapeIdentifier(database->connection, name, strlen(name));
    if (!quoted)
        return database_fail(database, NULL, err);
    buffer_put_text(sql, quoted);
    PQfreemem(quoted);
    return STATUS_OK;
}

/* WITH q(c0, ...) AS (the query) SELECT q.c0::int AS "is_verified", ...: a line break ends a
 * comment that the query may close with. */
static enum status wrap(const struct database *database, const char *query, const PGresult *columns,
                        struct buffer *sql, struct error *err)
{
    int n = PQnfields(columns);
    buffer_put_text(sql, "WITH q(");
    for (int i = 0; i < n; i++)
        buffer_printf(sql, "%sc%d", i > 0 ? ", " : "", i);
    buffer_printf(sql, ") AS (%.*s\n) SELECT ", (int)without_semicolon(query), query);
    for (int i = 0; i < n; i++) {
        const char *expression = expression_of(PQftype(columns, i));
        const char *mark = strstr(expression, "%d");
        buffer_printf(sql, "%s%.*s%d%s AS ", i > 0 ? ", " : "", (int)(mark - expression),
                      expression, i, mark + 2);
        TRY(put_name(database, PQfname(columns, i), sql, err));
    }
    buffer_put_text(sql, " FROM q");
    return sql->failed ? fail(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

static enum status write_out(const char *bytes, size_t n, FILE *out, struct error *err)
{
    return fwrite(bytes, 1, n, out) == n ? STATUS_OK : fail_errno(err, "cannot write the rows");
}

/* ---- COPY ---- */

static enum status copy_rows(struct database *database, FILE *out, struct error *err)
{
    for (;;) {
        char *row = NULL;
        int n = PQgetCopyData(database->connection, &row, 1);
        if (n == 0) {
            TRY(database_wait(database, false, err));
            continue;
        }
        if (n == -2)
            return database_fail(database, NULL, err);
        if (n == -1)
            return STATUS_OK;
        enum status status = write_out(row, (size_t)n, out, err);
        PQfreemem(row);
        TRY(status);
    }
}

/* Read what is left of a statement; its last result tells how it ended. */
static enum status finish(struct database *database, uint64_t *ret_rows, struct error *err)
{
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

static enum status by_copy(struct database *database, const char *select, FILE *out,
                           uint64_t *ret_rows, struct error *err)
{
    AUTO(buffer_deinit) struct buffer sql = {0};
    buffer_printf(&sql, "COPY (%s) TO STDOUT (FORMAT csv, HEADER)", select);
    if (sql.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (!PQsendQuery(database->connection, sql.at))
        return database_fail(database, NULL, err);
    AUTO(result_slot) PGresult *begun = NULL;
    TRY(database_result(database, &begun, err));
    if (PQresultStatus(begun) != PGRES_COPY_OUT) {
        enum status status = database_fail(database, begun, err);
        uint64_t ignored;
        (void)finish(database, &ignored, NULL);
        return status;
    }
    TRY(copy_rows(database, out, err));
    return finish(database, ret_rows, err);
}

/* ---- row by row ---- */

static void put_fields(const PGresult *result, bool names, struct buffer *line)
{
    for (int i = 0; i < PQnfields(result); i++) {
        const char *text = names ? PQfname(result, i) : PQgetvalue(result, 0, i);
        if (i > 0)
            buffer_put_char(line, ',');
        csv_field_put(line, text, strlen(text));
    }
    buffer_put_char(line, '\n');
}

static enum status flush(struct buffer *line, size_t threshold, FILE *out, struct error *err)
{
    if (line->failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (line->length > threshold) {
        TRY(write_out(line->at, line->length, out, err));
        buffer_clear(line);
    }
    return STATUS_OK;
}

static enum status by_rows(struct database *database, const char *select, FILE *out,
                           uint64_t *ret_rows, struct error *err)
{
    AUTO(buffer_deinit) struct buffer line = {0};
    if (!PQsendQuery(database->connection, select) || !PQsetSingleRowMode(database->connection))
        return database_fail(database, NULL, err);
    enum status status = STATUS_OK;
    bool has_header = false;
    *ret_rows = 0;
    for (;;) {
        AUTO(result_slot) PGresult *result = NULL;
        TRY(database_result(database, &result, err));
        if (!result)
            break;
        ExecStatusType kind = PQresultStatus(result);
        if (kind != PGRES_SINGLE_TUPLE && kind != PGRES_TUPLES_OK) {
            status = database_fail(database, result, err);
            continue;
        }
        if (!has_header)
            put_fields(result, true, &line);
        has_header = true;
        if (kind == PGRES_SINGLE_TUPLE) {
            put_fields(result, false, &line);
            ++*ret_rows;
        }
        TRY(flush(&line, FLUSH_BYTES, out, err));
    }
    TRY(status);
    return flush(&line, 0, out, err);
}

/* ---- both ---- */

static enum status begin(struct database *database, struct error *err)
{
    TRY(database_execute(database, "BEGIN TRANSACTION READ ONLY", err));
    return database_execute(database,
                            "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'", err);
}

static enum status read_rows(struct database *database, const char *select, FILE *out,
                             uint64_t *ret_rows, struct error *err)
{
    if (database->by_rows)
        return by_rows(database, select, out, ret_rows, err);
    struct error refused = {0};
    enum status status = by_copy(database, select, out, ret_rows, &refused);
    /* By their documentation Redshift and older CockroachDB know no COPY TO: it is refused before
     * any row. */
    if (status == STATUS_UNSUPPORTED || (status == STATUS_INVALID && ftell(out) == 0)) {
        TRY(database_execute(database, "ROLLBACK", err));
        TRY(begin(database, err));
        return by_rows(database, select, out, ret_rows, err);
    }
    if (status != STATUS_OK && err)
        *err = refused;
    return status;
}

enum status database_read(struct database *database, const char *query, FILE *out,
                          uint64_t *ret_rows, struct error *err)
{
    AUTO(result_slot) PGresult *columns = NULL;
    AUTO(buffer_deinit) struct buffer select = {0};
    TRY(begin(database, err));
    enum status status = describe(database, query, &columns, err);
    if (status == STATUS_OK)
        status = wrap(database, query, columns, &select, err);
    if (status == STATUS_OK)
        status = read_rows(database, select.at, out, ret_rows, err);
    if (status == STATUS_OK)
        return database_execute(database, "COMMIT", err);
    if (PQstatus(database->connection) == CONNECTION_OK && status != STATUS_CANCELLED)
        (void)database_execute(database, "ROLLBACK", NULL);
    return status;
}

enum status database_number(struct database *database, const char *query, int64_t *ret_number,
                            struct error *err)
{
    if (!PQsendQuery(database->connection, query))
        return database_fail(database, NULL, err);
    enum status status = fail(err, STATUS_NOT_FOUND, "%s: no row", database->name);
    for (;;) {
        AUTO(result_slot) PGresult *result = NULL;
        TRY(database_result(database, &result, err));
        if (!result)
            return status;
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            status = database_fail(database, result, err);
        else if (PQntuples(result) == 1 &&
                 text_parse_integer(PQgetvalue(result, 0, 0), strlen(PQgetvalue(result, 0, 0)),
                                    ret_number))
            status = STATUS_OK;
    }
}
