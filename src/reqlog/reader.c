/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/reader.h"

#include <stdio.h>
#include <string.h>

#include "reqlog/key.h"
#include "reqlog/mention.h"
#include "reqlog/store.h"

/* One WHERE for all: ?1 since, ?2 until, ?3 route, ?4 status, ?5 handle, ?6 after id. */
#define WHERE                                                         \
    " WHERE (?1 = 0 OR time_us >= ?1) AND (?2 = 0 OR time_us < ?2)"   \
    " AND (?3 IS NULL OR route = ?3)"                                 \
    " AND (?4 = 0 OR status = ?4 OR (?4 < 10 AND status / 100 = ?4))" \
    " AND (?5 IS NULL OR mentions(input, ?5) OR mentions(output, ?5)) AND id > ?6"

static void sql_mentions(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    const char *handle = (const char *)sqlite3_value_text(values[1]);
    const char *text = sqlite3_value_blob(values[0]);
    size_t bytes = (size_t)sqlite3_value_bytes(values[0]);
    sqlite3_result_int(context, handle && mention_find(text, bytes, handle));
}

static void sqlite3_close_slot(sqlite3 **db)
{
    sqlite3_close(*db);
}

static void sqlite3_finalize_slot(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

static enum status sqlite_fail(sqlite3 *db, const char *path, struct error *err)
{
    int code = sqlite3_errcode(db) & 0xFF;
    return fail(err, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? STATUS_CORRUPT : STATUS_IO,
                "%s: %s", path, sqlite3_errmsg(db));
}

static enum status open_log(const char *path, sqlite3 **ret_db, struct error *err)
{
    TRY(store_open_reader(path, ret_db, err));
    if (sqlite3_create_function(*ret_db, "mentions", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                sql_mentions, NULL, NULL) == SQLITE_OK)
        return STATUS_OK;
    enum status status = sqlite_fail(*ret_db, path, err);
    sqlite3_close(*ret_db);
    *ret_db = NULL;
    return status;
}

static enum status prepare(sqlite3 *db, const char *path, const char *sql,
                           const struct reqlog_filter *filter, sqlite3_stmt **ret_statement,
                           struct error *err)
{
    if (sqlite3_prepare_v2(db, sql, -1, ret_statement, NULL) != SQLITE_OK)
        return sqlite_fail(db, path, err);
    sqlite3_stmt *s = *ret_statement;
    sqlite3_bind_int64(s, 1, filter->since_us);
    sqlite3_bind_int64(s, 2, filter->until_us);
    sqlite3_bind_text(s, 3, filter->route, -1, SQLITE_STATIC); /* NULL binds NULL */
    sqlite3_bind_int(s, 4, filter->status);
    sqlite3_bind_text(s, 5, filter->handle, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 6, filter->after_id);
    return STATUS_OK;
}

static const char *bytes_of(sqlite3_stmt *statement, int column, size_t *ret_bytes)
{
    const char *text = sqlite3_column_blob(statement, column);
    *ret_bytes = (size_t)sqlite3_column_bytes(statement, column);
    if (!text && sqlite3_column_type(statement, column) != SQLITE_NULL)
        text = "";
    return text;
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

static struct reqlog_record record_of(sqlite3_stmt *statement)
{
    struct reqlog_record record = {
        .id = sqlite3_column_int64(statement, 0),
        .time_us = sqlite3_column_int64(statement, 1),
        .request_id = text_of(statement, 2),
        .route = text_of(statement, 3),
        .status = sqlite3_column_int(statement, 4),
        .model = text_of(statement, 5),
        .latency_us = sqlite3_column_int64(statement, 6),
        .caller = text_of(statement, 7),
        .trace_id = text_of(statement, 10),
    };
    record.input = bytes_of(statement, 8, &record.input_bytes);
    record.output = bytes_of(statement, 9, &record.output_bytes);
    return record;
}

#define COLUMNS "id, time_us, request_id, route, status, model, latency_us, caller, input, output"

/* Rows of one commit stand by event loop, not by time: the newest are looked for among more. */
#define ALL(trace) "SELECT " COLUMNS ", " trace " FROM request" WHERE " ORDER BY id"
#define NEWEST(trace)                                                                    \
    "SELECT " COLUMNS ", " trace " FROM"                                                 \
    " (SELECT * FROM (SELECT * FROM request" WHERE " ORDER BY id DESC LIMIT ?7 + 10000)" \
    " ORDER BY time_us DESC, id DESC LIMIT ?7)"                                          \
    " ORDER BY time_us, id"

/* By whether the newest are wanted, and whether the file has traces. */
static const char *const rows_sql[2][2] = {{ALL("NULL"), ALL("trace_id")},
                                           {NEWEST("NULL"), NEWEST("trace_id")}};

static bool has_traces(sqlite3 *db)
{
    AUTO(sqlite3_finalize_slot) sqlite3_stmt *statement = NULL;
    return sqlite3_prepare_v2(db, STORE_HAS_TRACE, -1, &statement, NULL) == SQLITE_OK &&
           sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0) > 0;
}

enum status reqlog_read(const char *path, const struct reqlog_filter *filter, reqlog_visit visit,
                        void *user, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    AUTO(sqlite3_finalize_slot) sqlite3_stmt *statement = NULL;
    TRY(open_log(path, &db, err));
    TRY(prepare(db, path, rows_sql[filter->newest > 0][has_traces(db)], filter, &statement, err));
    if (filter->newest > 0)
        sqlite3_bind_int64(statement, 7, filter->newest);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct reqlog_record record = record_of(statement);
        if (!visit(user, &record))
            return STATUS_OK;
    }
    return code == SQLITE_DONE ? STATUS_OK : sqlite_fail(db, path, err);
}

enum status reqlog_probe(const char *path, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    return open_log(path, &db, err);
}

/* ---- the summary ---- */

static const char groups_sql[] =
    "WITH ranked AS (SELECT route, status, latency_us, time_us,"
    "  row_number() OVER (PARTITION BY route, status ORDER BY latency_us) AS rank,"
    "  count(*) OVER (PARTITION BY route, status) AS n FROM request" WHERE ")"
    " SELECT route, status, n,"
    "  max(CASE WHEN rank <= (n + 1) / 2 THEN latency_us END),"
    "  max(CASE WHEN rank <= (9 * n + 9) / 10 THEN latency_us END),"
    "  max(CASE WHEN rank <= (99 * n + 99) / 100 THEN latency_us END),"
    "  max(latency_us), min(time_us), max(time_us)"
    " FROM ranked GROUP BY route, status ORDER BY route, status";

static void add_group(struct reqlog_summary *summary, sqlite3_stmt *statement)
{
    int64_t first_us = sqlite3_column_int64(statement, 7);
    int64_t last_us = sqlite3_column_int64(statement, 8);
    summary->rows += sqlite3_column_int64(statement, 2);
    if (summary->first_us == 0 || first_us < summary->first_us)
        summary->first_us = first_us;
    if (last_us > summary->last_us)
        summary->last_us = last_us;
    if (summary->n_groups == REQLOG_MAX_GROUPS)
        return;
    struct reqlog_group *group = &summary->groups[summary->n_groups++];
    *group = (struct reqlog_group){
        .status = sqlite3_column_int(statement, 1),
        .rows = sqlite3_column_int64(statement, 2),
        .p50_us = sqlite3_column_int64(statement, 3),
        .p90_us = sqlite3_column_int64(statement, 4),
        .p99_us = sqlite3_column_int64(statement, 5),
        .max_us = sqlite3_column_int64(statement, 6),
    };
    snprintf(group->route, sizeof group->route, "%s", text_of(statement, 0));
}

enum status reqlog_summarise(const char *path, const struct reqlog_filter *filter,
                             struct reqlog_summary *ret_summary, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    AUTO(sqlite3_finalize_slot) sqlite3_stmt *statement = NULL;
    TRY(open_log(path, &db, err));
    TRY(prepare(db, path, groups_sql, filter, &statement, err));
    *ret_summary = (struct reqlog_summary){0};
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        add_group(ret_summary, statement);
    return code == SQLITE_DONE ? STATUS_OK : sqlite_fail(db, path, err);
}

/* ---- erasing ---- */

static enum status execute(sqlite3 *db, const char *path, const char *sql, struct error *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK
                                                                : sqlite_fail(db, path, err);
}

/* Everything out of the write-ahead log and into the file, and the log emptied. It answers "busy"
 * as a row, not as an error, while anybody reads. */
static enum status empty_wal(sqlite3 *db, const char *path, struct error *err)
{
    int busy = 1;
    for (int i = 0; i < 50 && busy; i++) {
        AUTO(sqlite3_finalize_slot) sqlite3_stmt *statement = NULL;
        if (sqlite3_prepare_v2(db, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &statement, NULL) !=
                SQLITE_OK ||
            sqlite3_step(statement) != SQLITE_ROW)
            return sqlite_fail(db, path, err);
        busy = sqlite3_column_int(statement, 0);
        if (busy)
            sqlite3_sleep(100);
    }
    return busy
               ? fail(err, STATUS_UNAVAILABLE,
                      "%s: the rows are deleted, but the write-ahead log still holds them, because "
                      "somebody reads it: erase again",
                      path)
               : STATUS_OK;
}

static enum status delete_mentions(sqlite3 *db, const char *path, const char *handle,
                                   int64_t *ret_rows, struct error *err)
{
    AUTO(sqlite3_finalize_slot) sqlite3_stmt *statement = NULL;
    struct reqlog_filter filter = {.handle = handle};
    TRY(prepare(db, path, "DELETE FROM request" WHERE, &filter, &statement, err));
    if (sqlite3_step(statement) != SQLITE_DONE)
        return sqlite_fail(db, path, err);
    *ret_rows += sqlite3_changes64(db);
    return STATUS_OK;
}

enum status reqlog_erase(const char *path, const char *handle, int64_t *ret_rows, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    char hash[KEY_HANDLE_BYTES];
    int64_t rows = 0;
    TRY(open_log(path, &db, err));
    TRY(key_find_handle(path, handle, hash, err));
    TRY(execute(db, path, "PRAGMA secure_delete = ON", err));
    TRY(delete_mentions(db, path, handle, &rows, err));
    if (hash[0])
        TRY(delete_mentions(db, path, hash, &rows, err));
    /* The old pages are in the write-ahead log and in free space: both are rewritten. */
    TRY(execute(db, path, "VACUUM", err));
    TRY(empty_wal(db, path, err));
    *ret_rows = rows;
    return STATUS_OK;
}
