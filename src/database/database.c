/* SPDX-License-Identifier: Apache-2.0 */
#include "database/database_inner.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

#define DEFAULT_ATTEMPTS 4
#define DEFAULT_CONNECT_TIMEOUT_S 10
#define FIRST_DELAY_MS 250 /* before the second attempt, doubled at each */
#define POLL_MS 200        /* how soon a cancel is noticed */

bool database_is_uri(const char *name)
{
    return text_starts_with(name, "postgresql://") || text_starts_with(name, "postgres://");
}

static void options_slot(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
    for (; options && options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val;
    return NULL;
}

/* What a URI leaves open, as libpq fills it in: from the environment and the service that it names.
 * Not what is so everywhere. */
static const char *default_value(const PQconninfoOption *defaults, const char *keyword)
{
    for (const PQconninfoOption *at = defaults; at && at->keyword; at++)
        if (strcmp(at->keyword, keyword) == 0)
            return at->val && at->compiled && strcmp(at->val, at->compiled) == 0 ? NULL : at->val;
    return NULL;
}

void database_name(const char *uri, char ret_name[static DATABASE_NAME_BYTES])
{
    AUTO(options_slot) PQconninfoOption *options = PQconninfoParse(uri, NULL);
    const char *host = option_value(options, "host");
    /* Behind an @ that is not escaped stands the end of a password. */
    if (host && strrchr(host, '@'))
        host = strrchr(host, '@') + 1;
    const char *port = option_value(options, "port");
    const char *name = option_value(options, "dbname");
    AUTO(options_slot) PQconninfoOption *defaults = PQconndefaults();
    if (!host)
        host = default_value(defaults, "host");
    if (!port)
        port = default_value(defaults, "port");
    if (!name)
        name = default_value(defaults, "dbname");
    snprintf(ret_name, DATABASE_NAME_BYTES, "%s%s%s/%s", host ? host : "localhost", port ? ":" : "",
             port ? port : "", name ? name : "");
}

/* ---- errors ---- */

static enum status status_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum status status;
    } classes[] = {
        {"57014", STATUS_CANCELLED}, /* query_canceled */
        {"57", STATUS_UNAVAILABLE},  /* shutting down, cannot connect now */
        {"53", STATUS_UNAVAILABLE},  /* out of connections, memory, disk */
        {"40", STATUS_UNAVAILABLE},  /* serialisation, deadlock */
        {"08", STATUS_UNAVAILABLE},  /* connection */
        {"28", STATUS_DENIED},       /* authorisation */
        {"42501", STATUS_DENIED},    /* privilege */
        {"3D", STATUS_NOT_FOUND},    /* no such database */
        {"42P07", STATUS_EXISTS},    /* duplicate table */
        {"0A", STATUS_UNSUPPORTED},  /* feature not supported */
        {"42", STATUS_INVALID},      /* syntax, unknown names */
        {"22", STATUS_INVALID},      /* data */
        {"25006", STATUS_DENIED},    /* writes in a read-only transaction, or on a standby */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++)
        if (text_starts_with(state, classes[i].prefix))
            return classes[i].status;
    return STATUS_IO;
}

enum status database_fail(const struct database *database, const PGresult *result,
                          struct error *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (!text)
        text = PQerrorMessage(database->connection);
    bool is_lost = PQstatus(database->connection) == CONNECTION_BAD;
    enum status status = state ? status_of(state) : is_lost ? STATUS_UNAVAILABLE : STATUS_IO;
    if (is_lost && status == STATUS_IO)
        status = STATUS_UNAVAILABLE;
    /* The key that is there twice; for COPY the line and the column. */
    const char *detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
    const char *context = result ? PQresultErrorField(result, PG_DIAG_CONTEXT) : NULL;
    const char *more = detail                                          ? detail
                       : context && text_starts_with(context, "COPY ") ? context
                                                                       : "";
    return fail(err, status, "%s: %.*s%s%.*s%s", database->name, (int)strcspn(text, "\n"), text,
                more[0] ? " (" : "", (int)strcspn(more, "\n"), more, more[0] ? ")" : "");
}

static enum status fail_cancelled(struct database *database, struct error *err)
{
    char ignored[256];
    PGcancel *request = PQgetCancel(database->connection);
    if (request)
        PQcancel(request, ignored, sizeof ignored);
    PQfreeCancel(request);
    return fail(err, STATUS_CANCELLED, "%s: stopped on request", database->name);
}

/* ---- waiting ---- */

enum status database_wait(struct database *database, bool for_writing, struct error *err)
{
    int unsent = PQflush(database->connection);
    if (unsent < 0)
        return database_fail(database, NULL, err);
    bool is_sending = for_writing || unsent > 0;
    struct pollfd socket = {.fd = PQsocket(database->connection),
                            .events = (short)(POLLIN | (is_sending ? POLLOUT : 0))};
    for (;;) {
        if (database->cancel && *database->cancel)
            return fail_cancelled(database, err);
        int n = poll(&socket, 1, POLL_MS);
        if (n > 0)
            break;
        if (n < 0 && errno != EINTR)
            return fail_errno(err, "%s", database->name);
    }
    if (socket.revents & POLLIN && !PQconsumeInput(database->connection))
        return database_fail(database, NULL, err);
    return STATUS_OK;
}

enum status database_result(struct database *database, PGresult **ret_result, struct error *err)
{
    while (PQisBusy(database->connection))
        TRY(database_wait(database, false, err));
    *ret_result = PQgetResult(database->connection);
    return STATUS_OK;
}

enum status database_execute(struct database *database, const char *sql, struct error *err)
{
    if (!PQsendQuery(database->connection, sql))
        return database_fail(database, NULL, err);
    enum status status = STATUS_OK;
    for (;;) {
        AUTO(result_slot) PGresult *result = NULL;
        TRY(database_result(database, &result, err));
        if (!result)
            return status;
        ExecStatusType kind = PQresultStatus(result);
        if (status == STATUS_OK && kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK)
            status = database_fail(database, result, err);
        if (kind == PGRES_COPY_IN)
            return status;
    }
}

/* ---- connecting ---- */

static void sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

/* Whether another attempt may help: nobody answered, or the server starts, stops or is full.
 * libpq gives no SQLSTATE for a failed connection. */
static bool is_passing(const PGconn *connection)
{
    const char *text = PQerrorMessage(connection);
    static const char *const signs[] = {"could not connect",
                                        "Connection refused",
                                        "timeout expired",
                                        "starting up",
                                        "shutting down",
                                        "too many clients",
                                        "server closed the connection"};
    for (size_t i = 0; i < ARRAY_LENGTH(signs); i++)
        if (strstr(text, signs[i]))
            return true;
    return false;
}

static enum status fail_connect(const struct database *database, struct error *err)
{
    const char *text = PQerrorMessage(database->connection);
    enum status status = is_passing(database->connection) ? STATUS_UNAVAILABLE
                         : PQconnectionNeedsPassword(database->connection) ||
                                 strstr(text, "authentication failed") || strstr(text, "pg_hba") ||
                                 strstr(text, "role ")
                             ? STATUS_DENIED
                         : strstr(text, "does not exist") ? STATUS_NOT_FOUND
                                                          : STATUS_UNAVAILABLE;
    /* Of several addresses that were tried the last one counts; what failed stands behind it. */
    const char *reason = text;
    for (const char *at = text; (at = strstr(at, "failed: ")); reason = at)
        at += strlen("failed: ");
    return fail(err, status, "%s: cannot connect: %.*s", database->name, (int)strcspn(reason, "\n"),
                reason);
}

static void drop_notice(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

static void connect_once(struct database *database, const char *uri, unsigned timeout_s)
{
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%u", timeout_s);
    /* Later words win over the URI's; the timeout stands first, so that the URI's is the last. */
    const char *const words[] = {"connect_timeout", "fallback_application_name", "dbname",
                                 "client_encoding", NULL};
    const char *const values[] = {timeout, "influence", uri, "UTF8", NULL};
    PQfinish(database->connection);
    database->connection = PQconnectdbParams(words, values, 1);
}

enum status database_open(const char *uri, const struct database_options *options,
                          struct database **ret_database, struct error *err)
{
    if (!database_is_uri(uri))
        return fail(err, STATUS_INVALID, "not a database: give postgresql://HOST/DATABASE");
    AUTO(options_slot) PQconninfoOption *parsed = PQconninfoParse(uri, NULL);
    if (!parsed)
        return fail(err, STATUS_INVALID,
                    "the database's URI cannot be read; its form is "
                    "postgresql://[USER@]HOST[:PORT]/DATABASE[?OPTION=VALUE]");
    const char *host = option_value(parsed, "host");
    if (host && strchr(host, '@'))
        return fail(err, STATUS_INVALID,
                    "the database's URI: an @ in the password is written %%40");
    AUTO(database_close_slot) struct database *database = calloc(1, sizeof *database);
    if (!database)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    database->cancel = options->cancel;
    database->by_rows = options->by_rows;
    database_name(uri, database->name);
    unsigned attempts = options->max_attempts ? options->max_attempts : DEFAULT_ATTEMPTS;
    unsigned delay_ms = FIRST_DELAY_MS;
    for (unsigned i = 0;; i++, delay_ms *= 2) {
        connect_once(database, uri,
                     options->connect_timeout_s ? options->connect_timeout_s
                                                : DEFAULT_CONNECT_TIMEOUT_S);
        if (!database->connection)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        if (PQstatus(database->connection) == CONNECTION_OK)
            break;
        if (i + 1 >= attempts || !is_passing(database->connection))
            return fail_connect(database, err);
        if (database->cancel && *database->cancel)
            return fail(err, STATUS_CANCELLED, "%s: stopped on request", database->name);
        log_warning("%s does not answer, trying again in %u ms", database->name, delay_ms);
        sleep_ms(delay_ms);
    }
    PQsetNoticeReceiver(database->connection, drop_notice, NULL);
    /* Else libpq waits by itself where the server does not take what it is sent. */
    if (PQsetnonblocking(database->connection, 1) != 0)
        return database_fail(database, NULL, err);
    *ret_database = STEAL(database);
    return STATUS_OK;
}

void database_close(struct database *database)
{
    if (!database)
        return;
    PQfinish(database->connection);
    buffer_deinit(&database->header);
    free(database);
}
