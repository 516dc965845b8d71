/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was downloaded, as files in a folder: an archive is unpacked, a single table is stored as it
 * is. The only user of libarchive.
 *
 * The bytes come from anywhere, so nothing in them is believed: names, types, sizes and counts are
 * checked before anything is written, and what was written is bounded by what really comes out, not
 * by what the archive announces. */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct unpack_request {
    const char *path;       /* what was downloaded */
    const char *dir;        /* an empty directory */
    const char *plain_name; /* how to call it when it is a single table */
    const char *shown;      /* stands in messages */
    uint64_t max_bytes;     /* all files together */
    uint64_t max_ratio;     /* of these to the archive's own; small archives are let through */
    size_t max_entries;
    const volatile sig_atomic_t *cancel; /* may be NULL */
};

/* STATUS_INVALID: neither an archive nor a table, damaged, or with an entry that is refused.
 * STATUS_LIMIT: too large. */
enum status unpack(const struct unpack_request *request, struct error *err);

/* STATUS_INVALID unless `name` is a relative path of ordinary parts: no "..", no "/" in front, no
 * backslash, colon or control character, at most 16 parts of at most 255 bytes. */
enum status unpack_check_name(const char *name, struct error *err);
