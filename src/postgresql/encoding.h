/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Texts between a database, which has them in its own encoding, and the library, which has UTF-8.
 * Where the database has UTF-8 too, or does not know (SQL_ASCII), they are the same bytes. */
#include <postgres.h>

#include <mb/pg_wchar.h>
#include <utils/builtins.h>

static inline bool encoding_differs(void)
{
    return GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII;
}

/* Borrows `text`, or is in the memory of the call. */
static inline const char *encoding_in(const char *text)
{
    return encoding_differs() ? pg_server_to_any(text, (int)strlen(text), PG_UTF8) : text;
}

/* Raises an error where the database's encoding does not have a letter. */
static inline Datum encoding_out(const char *text)
{
    return CStringGetTextDatum(
        encoding_differs() ? pg_any_to_server(text, (int)strlen(text), PG_UTF8) : text);
}

/* For messages, which must not fail: what is not ASCII becomes question marks. */
static inline const char *encoding_plain(const char *text)
{
    if (!encoding_differs())
        return text;
    char *plain = pstrdup(text);
    for (char *at = plain; *at; at++)
        if (IS_HIGHBIT_SET(*at))
            *at = '?';
    return plain;
}
