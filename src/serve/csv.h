/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* CSV as clients post and get it: RFC 4180, strictly: commas, quotes doubled inside quotes, LF or
 * CRLF. (The importer's room, which takes what people have, is not the daemon's to use.) */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

#define CSV_MAX_FIELDS 256

struct csv_reader {
    char *at, *end; /* the text, which is changed: fields are unquoted in place */
    size_t line;    /* of the next record, from 1 */
};

struct csv_record {
    size_t line;
    size_t n;
    const char *field[CSV_MAX_FIELDS]; /* NUL-terminated, in the reader's text */
};

/* text: [length + 1], the caller's, NUL-terminated. A byte order mark is passed over. */
struct csv_reader csv_reader(char *text, size_t length);

/* The next record; empty lines are passed over. STATUS_NOT_FOUND without a message: there is none.
 * STATUS_INVALID names the line. */
enum status csv_next(struct csv_reader *reader, struct csv_record *ret_record, struct error *err);

/* One field, quoted where it must be. NULL is empty. */
void csv_put(struct buffer *out, const char *text);
void csv_put_fixed(struct buffer *out, double value, unsigned decimals); /* NaN is empty */
