/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* gzip (RFC 1952) in and out. */
#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

/* One gzip member, appended to `out`. STATUS_INVALID: it is none, is cut off, or has something
 * behind it. STATUS_LIMIT: more than max_bytes come out, which is found out before they are
 * written. STATUS_NO_MEMORY. */
enum status encoding_inflate(const void *data, size_t bytes, size_t max_bytes, struct buffer *out,
                             struct error *err);

/* Data that becomes one gzip member, some of it with each call. */
struct packing;

enum packed {
    PACKED_IN_PART,
    PACKED_WHOLE, /* appended to `out` */
    PACKED_NOT,
};

/* Begin; borrows data, and out, until the end, and lives in the arena. NULL: out of memory. */
struct packing *encoding_pack(const void *data, size_t bytes, struct buffer *out,
                              struct arena *arena);
/* 64 KiB more of the data. */
enum packed encoding_pack_on(struct packing *packing);
/* Give back what it took; NULL is nothing. */
void encoding_pack_end(struct packing *packing);
