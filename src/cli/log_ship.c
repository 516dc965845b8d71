/* SPDX-License-Identifier: Apache-2.0 */

/* Exactly once: the mark of what has arrived lies in the database and moves in the transaction of
 * the rows. Whatever is killed, and wherever, the next round reads the mark and goes on behind it.
 * The mark in the log itself only follows: it tells retention what may be deleted. */
#include "cli/log_ship.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/csv_field.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "database/database.h"
#include "reqlog/delivery.h"
#include "reqlog/reader.h"

#define BATCH_ROWS 10000
#define BATCH_BYTES 16777216
#define IDLE_MS 500
#define MAX_RETRY_MS 30000
#define MARKS "influence_shipped"

static const char name[] = "log ship";

struct shipping {
    const struct log_ship *options;
    const volatile sig_atomic_t *cancel;
    struct delivery delivery;
    struct database *database; /* NULL: not connected */
    bool has_trace;            /* the table has a column for it: those of before have none */
    struct buffer rows;        /* the batch, as CSV */
    size_t n_rows;             /* of it */
    int64_t last_id;           /* the batch's last row */
    uint64_t n_shipped;
};

/* ---- a batch out of the log ---- */

/* The log was there when the command began: moved away, it is followed by another one. */
static enum status look_again(enum status status)
{
    return status == STATUS_NOT_FOUND ? STATUS_UNAVAILABLE : status;
}

static void put_body(struct buffer *line, const char *text, size_t bytes)
{
    static const char not_text[] = "(not text)";
    if (text && (!text_is_utf8(text, bytes) || memchr(text, 0, bytes)))
        csv_field_put(line, not_text, sizeof not_text - 1);
    else
        csv_field_put(line, text, bytes);
}

static void put_text(struct buffer *line, const char *text)
{
    put_body(line, text, text ? strlen(text) : 0);
}

/* For a column that is never NULL: COPY takes an empty field for one unless it stands in quotes.
 * Rows of the shadow have no caller. */
static void put_present(struct buffer *line, const char *text)
{
    if (text && *text)
        put_text(line, text);
    else
        buffer_put_text(line, "\"\"");
}

static bool add_row(void *user, const struct reqlog_record *record)
{
    struct shipping *shipping = user;
    struct buffer *line = &shipping->rows;
    char time[28];
    clock_format_utc(record->time_us, time);
    buffer_printf(line, "%s,%lld,%s,", shipping->delivery.origin, (long long)record->id, time);
    put_present(line, record->request_id);
    buffer_put_char(line, ',');
    put_present(line, record->route);
    buffer_printf(line, ",%d,", record->status);
    put_text(line, record->model);
    buffer_printf(line, ",%lld,", (long long)record->latency_us);
    put_present(line, record->caller);
    buffer_put_char(line, ',');
    put_body(line, record->input, record->input_bytes);
    buffer_put_char(line, ',');
    put_body(line, record->output, record->output_bytes);
    if (shipping->has_trace) {
        buffer_put_char(line, ',');
        put_text(line, record->trace_id);
    }
    buffer_put_char(line, '\n');
    shipping->last_id = record->id;
    return ++shipping->n_rows < BATCH_ROWS && line->length < BATCH_BYTES && !line->failed;
}

static enum status take_batch(struct shipping *shipping, int64_t after_id, struct error *err)
{
    buffer_clear(&shipping->rows);
    shipping->n_rows = 0;
    buffer_put_text(&shipping->rows, "origin,id,time,request_id,route,status,model,latency_us,"
                                     "caller,input,output");
    buffer_put_text(&shipping->rows, shipping->has_trace ? ",trace_id\n" : "\n");
    struct reqlog_filter filter = {.after_id = after_id};
    TRY(look_again(reqlog_read(shipping->options->path, &filter, add_row, shipping, err)));
    return shipping->rows.failed ? fail(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

/* ---- into the database ---- */

static enum status put_table_text(const struct shipping *shipping, struct buffer *sql,
                                  struct error *err)
{
    AUTO(buffer_deinit) struct buffer quoted = {0};
    TRY(database_put_table(shipping->database, shipping->options->table, &quoted, err));
    if (quoted.failed || !quoted.at)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return database_put_text(shipping->database, quoted.at, sql, err);
}

/* A statement about the marks, which lie in the schema of the rows: "%M" is their table, "%T" that
 * of the rows, "%R" the same as a text, "%D" its name as one, "%O" the origin likewise. */
static enum status put_sql(const struct shipping *shipping, const char *form, struct buffer *sql,
                           struct error *err)
{
    const char *table = shipping->options->table;
    const char *dot = strchr(table, '.');
    char marks[160];
    int schema = dot ? (int)(dot + 1 - table) : 0;
    snprintf(marks, sizeof marks, "%.*s" MARKS, schema, table);
    buffer_clear(sql);
    for (; *form; form++) {
        if (*form != '%')
            buffer_put_char(sql, *form);
        else if (*++form == 'M')
            TRY(database_put_table(shipping->database, marks, sql, err));
        else if (*form == 'T')
            TRY(database_put_table(shipping->database, table, sql, err));
        else if (*form == 'R')
            TRY(put_table_text(shipping, sql, err));
        else if (*form == 'D')
            TRY(database_put_text(shipping->database, table + schema, sql, err));
        else
            TRY(database_put_text(shipping->database, shipping->delivery.origin, sql, err));
    }
    return sql->failed ? fail(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

static enum status ask_number(const struct shipping *shipping, const char *form,
                              int64_t *ret_number, struct error *err)
{
    AUTO(buffer_deinit) struct buffer sql = {0};
    TRY(put_sql(shipping, form, &sql, err));
    return database_number(shipping->database, sql.at, ret_number, err);
}

/* A mark beside a table that is gone: its rows were delivered, and nobody has them any more. */
static enum status check_table(const struct shipping *shipping, struct error *err)
{
    static const char count[] = "SELECT count(*) FROM %M WHERE origin = %O AND destination = %D";
    int64_t n_marks = 0;
    bool is_there = false;
    TRY(database_has_table(shipping->database, shipping->options->table, &is_there, err));
    if (is_there)
        return STATUS_OK;
    TRY(ask_number(shipping, count, &n_marks, err));
    if (n_marks == 0)
        return STATUS_OK;
    return fail(
        err, STATUS_INVALID,
        "the table '%s' is gone, into which rows of this log were delivered. To ship again what "
        "the log still holds: DELETE FROM " MARKS " WHERE origin = '%s'",
        shipping->options->table, shipping->delivery.origin);
}

static enum status make_tables(struct shipping *shipping, struct error *err)
{
    static const char columns[] =
        " (origin text, id bigint, time timestamptz NOT NULL, request_id text NOT NULL,"
        " route text NOT NULL, status int NOT NULL, model text, latency_us bigint NOT NULL,"
        " caller text NOT NULL, input text, output text, trace_id text,"
        " PRIMARY KEY (origin, id))";
    static const char marks[] = " (origin text, destination text, last_id bigint NOT NULL,"
                                " PRIMARY KEY (origin, destination))";
    const char *table = shipping->options->table;
    const char *dot = strchr(table, '.');
    char name_of_marks[160];
    snprintf(name_of_marks, sizeof name_of_marks, "%.*s" MARKS, dot ? (int)(dot + 1 - table) : 0,
             table);
    TRY(database_make(shipping->database, name_of_marks, marks, err));
    TRY(check_table(shipping, err));
    return database_make(shipping->database, table, columns, err);
}

static enum status look_for_trace(struct shipping *shipping, struct error *err)
{
    int64_t n = 0;
    TRY(ask_number(shipping,
                   "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(%R)"
                   " AND attname = 'trace_id' AND NOT attisdropped",
                   &n, err));
    shipping->has_trace = n > 0;
    return STATUS_OK;
}

/* Clients write what they like: one letter that the database does not have would stop all rows
 * behind it. SQL_ASCII keeps any. */
static enum status check_encoding(const struct shipping *shipping, struct error *err)
{
    static const char count[] = "SELECT count(*) FROM pg_settings WHERE name = 'server_encoding'"
                                " AND setting NOT IN ('UTF8', 'SQL_ASCII')";
    int64_t n = 0;
    TRY(ask_number(shipping, count, &n, err));
    return n == 0 ? STATUS_OK
                  : fail(err, STATUS_INVALID,
                         "the log needs a database in UTF8 (CREATE DATABASE ... ENCODING 'UTF8' "
                         "TEMPLATE template0), as requests hold any letter");
}

static enum status connect(struct shipping *shipping, struct error *err)
{
    struct database_options options = {.cancel = shipping->cancel, .max_attempts = 1};
    TRY(database_open(shipping->options->to, &options, &shipping->database, err));
    enum status status = check_encoding(shipping, err);
    if (status == STATUS_OK)
        status = make_tables(shipping, err);
    if (status == STATUS_OK)
        status = look_for_trace(shipping, err);
    if (status != STATUS_OK)
        database_close(STEAL(shipping->database));
    return status;
}

/* Without a mark what is there counts: rows of an older version of this program. */
static enum status read_mark(const struct shipping *shipping, int64_t *ret_mark, struct error *err)
{
    enum status status = ask_number(
        shipping,
        "SELECT coalesce((SELECT last_id FROM %M WHERE origin = %O AND destination = %D),"
        " (SELECT max(id) FROM %T WHERE origin = %O), 0)",
        ret_mark, err);
    struct error gone;
    if (status != STATUS_INVALID || check_table(shipping, &gone) == STATUS_OK)
        return status;
    *err = gone; /* it knows what to do about it */
    return gone.status;
}

static bool is_never(const char *column)
{
    (void)column;
    return false;
}

static enum status send_batch(struct shipping *shipping, struct error *err)
{
    AUTO(buffer_deinit) struct buffer mark = {0};
    char form[160];
    snprintf(form, sizeof form,
             "INSERT INTO %%M VALUES (%%O, %%D, %lld)"
             " ON CONFLICT (origin, destination) DO UPDATE SET last_id = excluded.last_id",
             (long long)shipping->last_id);
    TRY(put_sql(shipping, form, &mark, err));
    struct database_table table = {.name = shipping->options->table,
                                   .mode = DATABASE_ADD,
                                   .is_number = is_never,
                                   .with = mark.at};
    FILE *out = NULL;
    uint64_t n_rows = 0;
    TRY(database_begin(shipping->database, &table, &out, err));
    if (fwrite(shipping->rows.at, 1, shipping->rows.length, out) != shipping->rows.length) {
        enum status status = database_abort(shipping->database, out, err);
        return status != STATUS_OK ? status : fail(err, STATUS_IO, "cannot send the rows");
    }
    TRY(database_commit(shipping->database, out, &n_rows, err));
    shipping->n_shipped += n_rows;
    return STATUS_OK;
}

/* What is new, batch by batch. Ids begin anew in a log that was begun in the place of one that was
 * moved away, so each batch is read between two looks at whose it is. */
static enum status ship_all(struct shipping *shipping, struct error *err)
{
    const char *path = shipping->options->path;
    if (!shipping->database)
        TRY(connect(shipping, err));
    for (;;) {
        int64_t mark = 0;
        struct delivery behind;
        TRY(look_again(delivery_open(path, &shipping->delivery, err)));
        TRY(read_mark(shipping, &mark, err));
        TRY(take_batch(shipping, mark, err));
        TRY(look_again(delivery_open(path, &behind, err)));
        if (strcmp(behind.origin, shipping->delivery.origin) != 0)
            continue;
        /* Behind the database's mark, also after a crash between the two. */
        if (mark > shipping->delivery.last_id)
            TRY(look_again(delivery_move(path, shipping->delivery.origin, mark, err)));
        if (shipping->n_rows == 0)
            return STATUS_OK;
        TRY(send_batch(shipping, err));
        if (*shipping->cancel)
            return fail(err, STATUS_CANCELLED, "stopped on request");
    }
}

/* ---- the command ---- */

static void sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL); /* a signal ends it */
}

/* A database that is away, or a log that is locked, comes back. A primary that has become a standby
 * denies, as does one whose passwords are being changed; a time limit, or somebody else, cancels
 * there (here it is the flag that tells). Anything else is for people. */
static bool is_passing(enum status status)
{
    return status == STATUS_UNAVAILABLE || status == STATUS_IO || status == STATUS_DENIED ||
           status == STATUS_CANCELLED;
}

static enum status follow(struct shipping *shipping, struct error *err)
{
    unsigned retry_ms = IDLE_MS;
    while (!*shipping->cancel) {
        enum status status = ship_all(shipping, err);
        if (status == STATUS_OK) {
            retry_ms = IDLE_MS;
        } else if (status == STATUS_CANCELLED && *shipping->cancel) {
            return STATUS_OK;
        } else if (is_passing(status)) {
            log_warning("%s; again in %u ms", err->message, retry_ms);
            database_close(STEAL(shipping->database));
        } else {
            return status;
        }
        sleep_ms(retry_ms);
        if (status != STATUS_OK)
            retry_ms = retry_ms < MAX_RETRY_MS / 2 ? 2 * retry_ms : MAX_RETRY_MS;
    }
    return STATUS_OK;
}

static void shipping_deinit(struct shipping *shipping)
{
    database_close(shipping->database);
    buffer_deinit(&shipping->rows);
}

static int forget(const struct log_ship *ship)
{
    struct error err = {0};
    int64_t n_rows = 0;
    if (delivery_forget(ship->path, &n_rows, &err) != STATUS_OK)
        return command_failed(name, &err);
    printf(ship->as_json
               ? "{\"undelivered\":%lld}\n"
               : "%lld rows were not delivered; from now on none waits, until ship is run again\n",
           (long long)n_rows);
    return command_finish(name);
}

int log_ship_run(const struct log_ship *ship)
{
    struct error err = {0};
    if (ship->forget)
        return forget(ship);
    if (!ship->to || !database_is_uri(ship->to) || !ship->table)
        return command_usage("log", "ship needs --to postgresql://... and --table NAME");
    AUTO(shipping_deinit)
    struct shipping shipping = {.options = ship, .cancel = interrupt_flag()};
    /* A log that was never there is a mistake in the path, not one to wait for. */
    enum status status = delivery_open(ship->path, &shipping.delivery, &err);
    if (status == STATUS_OK)
        status = ship->follow ? follow(&shipping, &err) : ship_all(&shipping, &err);
    if (status != STATUS_OK)
        return command_failed(name, &err);
    printf(ship->as_json ? "{\"origin\":\"%s\",\"shipped\":%llu}\n" : "%s: %llu rows shipped\n",
           shipping.delivery.origin, (unsigned long long)shipping.n_shipped);
    return command_finish(name);
}
