/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/reader.h"

#include <stdio.h>
#include <string.h>

#include "reqlog/key.h"
#include "reqlog/mention.h"
#include "reqlog/store.h"

/* One WHERE for all: ?1 since, ?2 until, ?3 route, ?4 status, ?5 handle, ?6 from id on. */
#define WHERE                                                         \
    " WHERE (?1 = 0 OR time_us >= ?1) AND (?2 = 0 OR time_us < ?2)"   \
    " AND (?3 IS NULL OR route = ?3)"                                 \
    " AND (?4 = 0 OR status = ?4 OR (?4 < 10 AND status / 100 = ?4))" \
    " AND (?5 IS NULL OR mentions(input, ?5) OR mentions(output, ?5)) AND id >= ?6"

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

static enum status add_functions(const char *path, sqlite3 **ret_db, struct error *err)
{
    if (sqlite3_create_function(*ret_db, "mentions", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                sql_mentions, NULL, NULL) == SQLITE_OK)
        return STATUS_OK;
    enum status status = sqlite_fail(*ret_db, path, err);
    sqlite3_close(*ret_db);
    *ret_db = NULL;
    return status;
}

static enum status open_log(const char *path, sqlite3 **ret_db, struct error *err)
{
    TRY(store_open_reader(path, ret_db, err));
    return add_functions(path, ret_db, err);
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
    sqlite3_bind_int64(s, 6, filter->after_id + 1);
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

struct reading {
    sqlite3_stmt *rows; /* borrows */
    reqlog_visit visit;
    void *user;
    bool in_order;
    int64_t next_id;    /* behind the last row that was read */
    int64_t damaged_id; /* where the first damage was passed over */
    int n_damages;
};

static int read_on(struct reading *reading)
{
    int code;
    while ((code = sqlite3_step(reading->rows)) == SQLITE_ROW) {
        struct reqlog_record record = record_of(reading->rows);
        if (reading->in_order && record.id < reading->next_id)
            return SQLITE_CORRUPT; /* half a page, the rest of which is zeros */
        reading->next_id = record.id + 1;
        if (!reading->visit(reading->user, &record))
            return SQLITE_DONE;
    }
    return code;
}

static bool can_read_from(const struct reading *reading, int64_t id)
{
    sqlite3_reset(reading->rows);
    sqlite3_bind_int64(reading->rows, 6, id);
    int code = sqlite3_step(reading->rows);
    bool is_row = code == SQLITE_ROW && sqlite3_column_int64(reading->rows, 0) >= id;
    sqlite3_reset(reading->rows);
    return is_row || code == SQLITE_DONE;
}

/* To the first row behind the damage: by ever longer steps, then between the last two. False: there
 * is none. */
static bool pass_damage(struct reading *reading)
{
    int64_t step = 1;
    if (reading->n_damages++ == 0)
        reading->damaged_id = reading->next_id;
    while (!can_read_from(reading, reading->next_id + step)) {
        if (step > INT64_MAX / 8)
            return false;
        step *= 2;
    }
    int64_t bad = reading->next_id + step / 2;
    int64_t good = reading->next_id + step;
    while (good - bad > 1) {
        int64_t middle = bad + (good - bad) / 2;
        if (can_read_from(reading, middle))
            good = middle;
        else
            bad = middle;
    }
    reading->next_id = good;
    sqlite3_bind_int64(reading->rows, 6, good);
    return true;
}

enum status reqlog_read(const char *path, const struct reqlog_filter *filter, reqlog_visit visit,
                        void *user, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    AUTO(sqlite3_finalize_slot) sqlite3_stmt *statement = NULL;
    TRY((filter->past_damage ? store_open_damaged : store_open_reader)(path, &db, err));
    TRY(add_functions(path, &db, err));
    TRY(prepare(db, path, rows_sql[filter->newest > 0][has_traces(db)], filter, &statement, err));
    if (filter->newest > 0)
        sqlite3_bind_int64(statement, 7, filter->newest);
    struct reading reading = {.rows = statement,
                              .visit = visit,
                              .user = user,
                              .in_order = filter->past_damage && filter->newest == 0,
                              .next_id = filter->after_id + 1};
    int code;
    do
        code = read_on(&reading);
    while (filter->past_damage && (code & 0xFF) == SQLITE_CORRUPT && pass_damage(&reading));
    if (reading.n_damages > 0)
        return fail(err, STATUS_CORRUPT,
                    "%s: the file is damaged: rows cannot be read in %d places, the first from "
                    "row %lld on",
                    path, reading.n_damages, (long long)reading.damaged_id);
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

/* A page that cannot be read may hold anything. Of a deletion that meets one SQLite keeps nothing.
 */
static enum status tell_damage(enum status status, int64_t rows, struct error *err)
{
    char reason[sizeof err->message];
    if (status != STATUS_CORRUPT || !err)
        return status;
    snprintf(reason, sizeof reason, "%s", err->message);
    return fail(err, status,
                "%s; %lld rows were erased, and the damaged file may hold the handle still: print "
                "what can be read of it (`influence log export --db FILE`), and delete it with "
                "what lies beside it (-wal, -shm)",
                reason, (long long)rows);
}

/* The old pages are in the write-ahead log and in free space: both are rewritten. */
static enum status rebuild(sqlite3 *db, const char *path, int64_t rows, struct error *err)
{
    enum status status = execute(db, path, "VACUUM", err);
    if (status == STATUS_OK)
        return empty_wal(db, path, err);
    return status == STATUS_CORRUPT
               ? status
               : fail_prefix(err, status,
                             "%lld rows are deleted, but the file is not rebuilt without them, "
                             "which takes free space of twice its size: erase again",
                             (long long)rows);
}

static enum status erase(const char *path, const char *handle, int64_t *ret_rows, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    char hash[KEY_HANDLE_BYTES];
    TRY(open_log(path, &db, err));
    TRY(key_find_handle(path, handle, hash, err));
    TRY(execute(db, path, "PRAGMA secure_delete = ON", err));
    TRY(delete_mentions(db, path, handle, ret_rows, err));
    if (hash[0])
        TRY(delete_mentions(db, path, hash, ret_rows, err));
    return rebuild(db, path, *ret_rows, err);
}

enum status reqlog_erase(const char *path, const char *handle, int64_t *ret_rows, struct error *err)
{
    int64_t rows = 0;
    TRY(tell_damage(erase(path, handle, &rows, err), rows, err));
    *ret_rows = rows;
    return STATUS_OK;
}
