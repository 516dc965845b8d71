/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What lies in the folder of a data set beside its files: SHA256SUMS for `sha256sum -c`, and
 * source.json with where it came from. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"

struct record_origin {
    const char *name, *url, *etag, *last_modified;
    const char *part_path; /* what was downloaded, for its hash */
    uint64_t n_bytes;
};

struct record_file {
    const char *name; /* relative to the folder */
    uint64_t n_bytes;
    char sha256[SHA256_HEX_LENGTH + 1];
};

struct record {
    const struct record_file *files; /* [n_files], sorted by name */
    size_t n_files;
};

/* Hash every file below `dir` and write both, and sync the folders. */
enum status record_write(const char *dir, const struct record_origin *origin, struct error *err);

bool record_exists(const char *dir);

/* The files that source.json names, in the arena. STATUS_EXISTS: one of them is gone or has another
 * size. STATUS_CORRUPT: source.json cannot be right. */
enum status record_read(const char *dir, struct arena *arena, struct record *ret_record,
                        struct error *err);
