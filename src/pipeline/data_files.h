/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The files that a bundle was made from, those of all workers where there are several. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dataset/import.h"
#include "learn/collective.h"

struct data_file {
    char name[256]; /* without its folder */
    char role[16];  /* "profiles"; of what was joined to them "posts" or "edges" */
    char schema[64];
    char month[16]; /* "2022-03", or "" */
    char sha256[72];
    uint64_t n_rows, n_kept;
};

struct data_files {
    struct data_file *files; /* in the arena */
    size_t n, n_profiles;
};

bool data_file_has_profiles(const struct data_file *file);

/* What the processes of the group have read, by rank: to rank 0; the others get none. All call it;
 * of a group of NULL it is this one's. */
enum status data_files_gather(struct collective *group, const struct import_report *report,
                              struct arena *memory, struct data_files *ret_files,
                              struct error *err);
