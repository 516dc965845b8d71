/* SPDX-License-Identifier: Apache-2.0 */

/* What mention_find() finds, found by the server: rows are many, and need not travel for it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/log_erase.h"
#include "database/database.h"
#include "reqlog/key.h"

static const char name[] = "log";

/* Hex digits of the bytes that may stand in a handle, and of the others. */
#define INSIDE "(?:2e|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a]|[89a-f][0-9a-f])"
#define OUTSIDE "(?:[01][0-9a-f]|2[0-9a-df]|3[a-f]|40|5[b-e]|60|7[b-f])"
/* A character of a handle, plain or escaped, as in a URL or in JSON. */
#define OF_HANDLE \
    "[a-z0-9._]|[^\\u0001-\\u007f]|%" INSIDE "|\\\\u00" INSIDE "|\\\\u(?!00)[0-9a-f]{4}"
/* No such one before; and no digits of an escape that begin here. */
#define BEFORE "(?:(?<!" OF_HANDLE ")|(?<=%" OUTSIDE "|\\\\u00" OUTSIDE "))(?!(?<=%)[0-9a-f]{2})"
#define AFTER "(?!" OF_HANDLE ")"

/* One character, plain or escaped. */
static void put_character(struct buffer *pattern, const char *text, size_t bytes, uint32_t code)
{
    buffer_put_text(pattern, "(?:");
    if (bytes == 1 && ispunct((unsigned char)text[0]) && text[0] != '_')
        buffer_put_char(pattern, '\\');
    buffer_put(pattern, text, bytes);
    buffer_put_char(pattern, '|');
    for (size_t i = 0; i < bytes; i++)
        buffer_printf(pattern, "%%%02x", (unsigned char)text[i]);
    if (code < 0x10000)
        buffer_printf(pattern, "|\\\\u%04x", code);
    buffer_put_char(pattern, ')');
}

static enum status put_pattern(const char *handle, struct buffer *pattern, struct error *err)
{
    size_t length = strlen(handle);
    buffer_put_text(pattern, BEFORE);
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t step = text_utf8_step(handle + i, length - i, &code);
        if (step == 0)
            return fail(err, STATUS_INVALID, "--handle: must be UTF-8");
        put_character(pattern, handle + i, step, code);
        i += step;
    }
    buffer_put_text(pattern, AFTER);
    return pattern->failed ? fail(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

static enum status delete_mentions(struct database *database, const struct log_erase *erase,
                                   const char *handle, int64_t *ret_rows, struct error *err)
{
    AUTO(buffer_deinit) struct buffer pattern = {0};
    AUTO(buffer_deinit) struct buffer sql = {0};
    int64_t n_rows = 0;
    TRY(put_pattern(handle, &pattern, err));
    buffer_put_text(&sql, "WITH erased AS (DELETE FROM ");
    TRY(database_put_table(database, erase->table, &sql, err));
    buffer_put_text(&sql, " WHERE input ~* ");
    TRY(database_put_text(database, pattern.at, &sql, err));
    buffer_put_text(&sql, " OR output ~* ");
    TRY(database_put_text(database, pattern.at, &sql, err));
    buffer_put_text(&sql, " RETURNING 1) SELECT count(*) FROM erased");
    if (sql.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(database_number(database, sql.at, &n_rows, err));
    *ret_rows += n_rows;
    return STATUS_OK;
}

static enum status erase_rows(const struct log_erase *erase, int64_t *ret_rows, struct error *err)
{
    struct database_options options = {.cancel = interrupt_flag()};
    AUTO(database_close_slot) struct database *database = NULL;
    char hash[KEY_HANDLE_BYTES];
    /* Rows of a log that hashes handles have the hash in its place; its key lies beside it. */
    TRY(key_find_handle(erase->path, erase->handle, hash, err));
    TRY(database_open(erase->to, &options, &database, err));
    TRY(delete_mentions(database, erase, erase->handle, ret_rows, err));
    return hash[0] ? delete_mentions(database, erase, hash, ret_rows, err) : STATUS_OK;
}

int log_erase_table_run(const struct log_erase *erase)
{
    struct error err = {0};
    int64_t n_rows = 0;
    if (!erase->to || !database_is_uri(erase->to) || !erase->table)
        return command_usage(name, "erase in a table needs --to postgresql://... and --table NAME");
    if (erase_rows(erase, &n_rows, &err) != STATUS_OK)
        return command_failed(name, &err);
    printf(erase->as_json ? "{\"erased\":%lld}\n" : "%lld rows erased from the table\n",
           (long long)n_rows);
    return command_finish(name);
}
