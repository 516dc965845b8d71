/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "reqlog/store_inner.h"

static const char schema[] = "CREATE TABLE request ("
                             " id INTEGER PRIMARY KEY AUTOINCREMENT," /* none comes twice */
                             " time_us INTEGER NOT NULL,"
                             " request_id TEXT NOT NULL,"
                             " route TEXT NOT NULL,"
                             " status INTEGER NOT NULL,"
                             " model TEXT,"
                             " latency_us INTEGER NOT NULL,"
                             " caller TEXT NOT NULL,"
                             " input TEXT,"
                             " output TEXT,"
                             " trace_id TEXT)";

static const char insert_sql[] =
    "INSERT INTO request"
    " (time_us, request_id, route, status, model, latency_us, caller, input, output,"
    " trace_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static enum status sqlite_fail(sqlite3 *db, int code, const char *what, struct error *err)
{
    enum status status = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? STATUS_CORRUPT
                         : code == SQLITE_NOMEM                          ? STATUS_NO_MEMORY
                         : code == SQLITE_BUSY                           ? STATUS_UNAVAILABLE
                                                                         : STATUS_IO;
    return fail(err, status, "request log: %s: %s", what, db ? sqlite3_errmsg(db) : "no memory");
}

enum status store_execute(sqlite3 *db, const char *sql, struct error *err)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : sqlite_fail(db, code & 0xFF, sql, err);
}

enum status store_read_integer(sqlite3 *db, const char *sql, int64_t *ret_value, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret_value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? STATUS_OK : sqlite_fail(db, code & 0xFF, sql, err);
}

/* Rows hold what people asked about: the file is its owner's, and SQLite makes the files beside it
 * alike. */
static enum status create_private(const char *path, struct error *err)
{
    char directory[4096];
    const char *slash = strrchr(path, '/');
    if (slash && slash > path) {
        snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
        TRY(file_make_directories(directory, err));
    }
    AUTO(close_slot) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? fail_errno(err, "request log: %s", path) : STATUS_OK;
}

static enum status check_version(sqlite3 *db, const char *path, bool *ret_is_new, struct error *err)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t n_tables = 0;
    enum status status = store_read_integer(db, "PRAGMA application_id", &application, err);
    if (status == STATUS_OK)
        status = store_read_integer(db, "PRAGMA user_version", &version, err);
    if (status == STATUS_OK)
        status = store_read_integer(db, "SELECT count(*) FROM sqlite_schema", &n_tables, err);
    if (status != STATUS_OK)
        return fail_prefix(err, status, "%s", path);
    *ret_is_new = application == 0 && version == 0 && n_tables == 0;
    if (!*ret_is_new && application != STORE_APPLICATION_ID)
        return fail(err, STATUS_INVALID, "%s: a database, but no request log", path);
    if (version > STORE_VERSION)
        return fail(err, STATUS_UNSUPPORTED,
                    "%s: written by a later version (schema %lld, this one knows %d)", path,
                    (long long)version, STORE_VERSION);
    return STATUS_OK;
}

static enum status create_schema(sqlite3 *db, struct error *err)
{
    char pragmas[128];
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             STORE_APPLICATION_ID, STORE_VERSION);
    TRY(store_execute(db, "BEGIN IMMEDIATE", err));
    TRY(store_execute(db, schema, err));
    TRY(store_execute(db, pragmas, err));
    return store_execute(db, "COMMIT", err);
}

static enum status add_columns(sqlite3 *db, struct error *err)
{
    int64_t has_trace = 0;
    TRY(store_read_integer(db, STORE_HAS_TRACE, &has_trace, err));
    return has_trace ? STATUS_OK
                     : store_execute(db, "ALTER TABLE request ADD COLUMN trace_id TEXT", err);
}

/* AUTOINCREMENT is a word of the schema and a row of SQLite's own table, which comes with the first
 * table that has it: no row of the log is touched. */
static enum status add_autoincrement(sqlite3 *db, struct error *err)
{
    static const char begin[] =
        "BEGIN IMMEDIATE; " DELIVERY_TABLE ";"
        "CREATE TABLE sequence (id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE sequence;"
        "INSERT INTO sqlite_sequence SELECT 'request', coalesce(max("
        " (SELECT coalesce(max(id), 0) FROM request),"
        " (SELECT coalesce(max(max(last_id, -1 - last_id)), 0) FROM delivery)), 0);"
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = replace(sql, 'id INTEGER PRIMARY KEY,',"
        " 'id INTEGER PRIMARY KEY AUTOINCREMENT,') WHERE type = 'table' AND name = 'request'";
    char end[128];
    int64_t version = 0;
    enum status status = store_execute(db, begin, err);
    if (status == STATUS_OK)
        status = store_read_integer(db, "PRAGMA schema_version", &version, err);
    snprintf(end, sizeof end, "PRAGMA schema_version = %lld; COMMIT", (long long)version + 1);
    if (status == STATUS_OK)
        status = store_execute(db, end, err);
    if (status != STATUS_OK)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA writable_schema = OFF", NULL, NULL, NULL);
    return status;
}

enum status store_keep_ids(sqlite3 *db, struct error *err)
{
    int64_t is_old = 0;
    TRY(store_read_integer(
        db,
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'request'"
        " AND sql LIKE '%id INTEGER PRIMARY KEY,%'",
        &is_old, err));
    return is_old ? add_autoincrement(db, err) : STATUS_OK;
}

static enum status prepare(struct store *store, struct error *err)
{
    const struct {
        const char *sql;
        sqlite3_stmt **statement;
    } all[] = {{"BEGIN IMMEDIATE", &store->begin},
               {"COMMIT", &store->commit},
               {"ROLLBACK", &store->rollback},
               {insert_sql, &store->insert}};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        int code = sqlite3_prepare_v3(store->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      all[i].statement, NULL);
        if (code != SQLITE_OK)
            return sqlite_fail(store->db, code & 0xFF, all[i].sql, err);
    }
    return STATUS_OK;
}

static enum status open_store(const char *path, struct store *store, struct error *err)
{
    TRY(create_private(path, err));
    int code = sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return sqlite_fail(store->db, code & 0xFF, path, err);
    sqlite3_busy_timeout(store->db, 1000);
    bool is_new = false;
    TRY(check_version(store->db, path, &is_new, err));
    /* Pages of 8 KiB hold several rows; a checkpoint each 32 MiB of log; FULL: a commit is on disk.
     */
    if (is_new)
        TRY(store_execute(store->db, "PRAGMA page_size = 8192", err));
    TRY(store_execute(store->db,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864",
                      err));
    if (is_new)
        TRY(create_schema(store->db, err));
    TRY(store_execute(store->db, DELIVERY_TABLE, err));
    TRY(add_columns(store->db, err));
    TRY(store_keep_ids(store->db, err));
    return prepare(store, err);
}

enum status store_open(const char *path, struct store *ret_store, struct error *err)
{
    struct store store = {0};
    enum status status = open_store(path, &store, err);
    if (status == STATUS_OK)
        *ret_store = store;
    else
        store_close(&store);
    return status;
}

void store_close(struct store *store)
{
    sqlite3_finalize(store->begin);
    sqlite3_finalize(store->commit);
    sqlite3_finalize(store->rollback);
    sqlite3_finalize(store->insert);
    sqlite3_close(store->db);
    *store = (struct store){0};
}

enum status store_flush(struct store *store, struct error *err)
{
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK
                             : sqlite_fail(store->db, code & 0xFF, "request log: checkpoint", err);
}

static enum status open_reader(const char *path, const char *first_sql, sqlite3 **ret_db,
                               struct error *err)
{
    if (!file_exists(path))
        return fail(err, STATUS_NOT_FOUND, "%s: no such file", path);
    sqlite3 *db = NULL;
    bool is_new = false;
    /* Read-write, because a log that was not closed in order is recovered by its first reader. */
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    enum status status = code == SQLITE_OK ? STATUS_OK : sqlite_fail(db, code & 0xFF, path, err);
    if (status == STATUS_OK) {
        sqlite3_busy_timeout(db, 5000);
        sqlite3_exec(db, first_sql, NULL, NULL, NULL);
        status = check_version(db, path, &is_new, err);
    }
    if (status != STATUS_OK)
        sqlite3_close(db);
    else
        *ret_db = db;
    return status;
}

enum status store_open_reader(const char *path, sqlite3 **ret_db, struct error *err)
{
    return open_reader(path, "", ret_db, err);
}

enum status store_open_damaged(const char *path, sqlite3 **ret_db, struct error *err)
{
    /* So that SQLite takes a file that is shorter than its header says. */
    return open_reader(path, "PRAGMA writable_schema = ON", ret_db, err);
}

static enum status run(struct store *store, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    if (code == SQLITE_DONE && reset == SQLITE_OK)
        return STATUS_OK;
    return sqlite_fail(store->db, (code == SQLITE_DONE ? reset : code) & 0xFF,
                       sqlite3_sql(statement), err);
}

enum status store_begin(struct store *store, struct error *err)
{
    return run(store, store->begin, err);
}

enum status store_commit(struct store *store, struct error *err)
{
    return run(store, store->commit, err);
}

void store_rollback(struct store *store)
{
    if (store->db && !sqlite3_get_autocommit(store->db))
        run(store, store->rollback, NULL);
}

static int bind_text(sqlite3_stmt *statement, int column, const char *text, uint32_t bytes)
{
    if (!text)
        return sqlite3_bind_null(statement, column);
    if (!text_is_utf8(text, bytes) || memchr(text, 0, bytes))
        return sqlite3_bind_blob(statement, column, text, (int)bytes, SQLITE_STATIC);
    return sqlite3_bind_text(statement, column, text, (int)bytes, SQLITE_STATIC);
}

enum status store_insert(struct store *store, const struct queue_row *row, struct error *err)
{
    sqlite3_stmt *insert = store->insert;
    int code = sqlite3_bind_int64(insert, 1, row->time_us);
    code |= bind_text(insert, 2, row->request_id, row->request_id_bytes);
    code |= sqlite3_bind_text(insert, 3, row->route, -1, SQLITE_STATIC);
    code |= sqlite3_bind_int(insert, 4, (int)row->status);
    code |= bind_text(insert, 5, row->model, row->model_bytes);
    code |= sqlite3_bind_int64(insert, 6, (int64_t)row->latency_us);
    code |= bind_text(insert, 7, row->caller, row->caller_bytes);
    code |= bind_text(insert, 8, row->input, row->input_bytes);
    code |= bind_text(insert, 9, row->output, row->output_bytes);
    code |= bind_text(insert, 10, row->trace_id, row->trace_id_bytes);
    if (code != SQLITE_OK)
        return sqlite_fail(store->db, SQLITE_NOMEM, "bind", err);
    return run(store, insert, err);
}

bool store_has_moved(const struct store *store)
{
    int moved = 0;
    return store->db &&
           sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved;
}
