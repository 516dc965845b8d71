/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/delivery.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reqlog/store.h"

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
    enum status status = code == SQLITE_BUSY                               ? STATUS_UNAVAILABLE
                         : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? STATUS_CORRUPT
                                                                           : STATUS_IO;
    return fail(err, status, "%s: %s", path, sqlite3_errmsg(db));
}

/* The row of the mark; NULL: there is none yet. */
static sqlite3_stmt *find_mark(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "SELECT origin, last_id FROM delivery", -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        return statement;
    sqlite3_finalize(statement);
    return NULL;
}

static bool make_mark(sqlite3 *db)
{
    static const char sql[] = "BEGIN IMMEDIATE;" DELIVERY_TABLE ";"
                              "INSERT INTO delivery SELECT lower(hex(randomblob(16))), 0"
                              " WHERE NOT EXISTS (SELECT * FROM delivery); COMMIT";
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

enum status delivery_open(const char *path, struct delivery *ret_delivery, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    AUTO(sqlite3_finalize_slot) sqlite3_stmt *statement = NULL;
    TRY(store_open_reader(path, &db, err));
    TRY(store_keep_ids(db, err));
    statement = find_mark(db);
    /* Only the first time: whoever follows a log asks often, and must not lock it for that. */
    if (!statement && make_mark(db))
        statement = find_mark(db);
    if (!statement)
        return sqlite_fail(db, path, err);
    const char *origin = (const char *)sqlite3_column_text(statement, 0);
    if (!origin || strlen(origin) != DELIVERY_ORIGIN_BYTES - 1 ||
        strspn(origin, "0123456789abcdef") != DELIVERY_ORIGIN_BYTES - 1)
        return fail(err, STATUS_CORRUPT, "%s: the origin of the log cannot be read", path);
    memcpy(ret_delivery->origin, origin, DELIVERY_ORIGIN_BYTES);
    ret_delivery->last_id = sqlite3_column_int64(statement, 1);
    return STATUS_OK;
}

enum status delivery_move(const char *path, const char *origin, int64_t last_id, struct error *err)
{
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    TRY(store_open_reader(path, &db, err));
    char sql[160];
    snprintf(sql, sizeof sql,
             "UPDATE delivery SET last_id = max(last_id, %lld) WHERE origin = '%.*s'",
             (long long)last_id, DELIVERY_ORIGIN_BYTES - 1, origin);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(db, path, err);
    return STATUS_OK;
}

enum status delivery_forget(const char *path, int64_t *ret_rows, struct error *err)
{
    static const char forget[] = "UPDATE delivery SET last_id = -1 - last_id WHERE last_id >= 0";
    AUTO(sqlite3_close_slot) sqlite3 *db = NULL;
    TRY(store_open_reader(path, &db, err));
    struct store_undelivered waiting;
    AUTO(sqlite3_finalize_slot) sqlite3_stmt *mark = find_mark(db);
    if (!mark || sqlite3_column_int64(mark, 1) < 0)
        return fail(err, STATUS_NOT_FOUND, "%s: no rows wait for a delivery", path);
    sqlite3_reset(mark);
    TRY(store_undelivered(&(struct store){.db = db}, &waiting, err));
    if (sqlite3_exec(db, forget, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(db, path, err);
    *ret_rows = (int64_t)waiting.n_rows;
    return STATUS_OK;
}
