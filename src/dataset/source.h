/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The bytes of a table, as a stream of bounded chunks: gzip is unpacked (the only user of zlib),
 * UTF-16 becomes UTF-8, a byte order mark is dropped. 8-bit text passes as it is: encoding.c
 * decides field by field. Read with read(), never mapped, so that a file that shrinks is an error
 * and not a signal. One reader at a time. */
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"

#define SOURCE_CHUNK_BYTES 65536

struct source;

/* `name`, borrowed until close, stands in messages. STATUS_INVALID: a directory, a FIFO, empty, or
 * something that is no text table (a spreadsheet, a web page, JSON): the message says what.
 * STATUS_NOT_FOUND: no such file. */
enum status source_open(const char *path, const char *name, struct source **ret_source,
                        struct error *err);

/* `bytes` are borrowed until close. */
enum status source_open_memory(const void *bytes, size_t n_bytes, const char *name,
                               struct source **ret_source, struct error *err);
void source_close(struct source *source);
DEFINE_SLOT(source_close, struct source)

/* The first chunk, without taking it out of the stream. */
void source_sample(const struct source *source, const char **ret_bytes, size_t *ret_n);

/* The next chunk, borrowed until the next call; *ret_n is 0 at the end. */
enum status source_next(struct source *source, const char **ret_bytes, size_t *ret_n,
                        struct error *err);

/* "utf-8", "utf-8 with BOM", "utf-16le", "utf-16be": what the first bytes say. */
const char *source_encoding(const struct source *source);
bool source_is_gzip(const struct source *source);
/* SHA-256 of the file as stored; once, when the stream has come to its end. */
void source_digest(struct source *source, char ret_hex[static SHA256_HEX_LENGTH + 1]);
size_t source_n_bytes(const struct source *source); /* of the file, as stored */
