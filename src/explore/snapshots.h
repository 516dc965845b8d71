/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The two newest snapshots of several files, each imported alone: what the join of snapshots leaves
 * of them cannot be compared any more. */
#include "base/cleanup.h"
#include "explore/explore.h"

struct explore_snapshots {
    struct table *before, *after;       /* owns; NULL: fewer than two months were given */
    char before_name[8], after_name[8]; /* "2022-03" */
};

/* files: as given to import_files(), whose report says of which month each is. */
enum status explore_snapshots_load(const char *const *files, size_t n_files,
                                   const struct import_options *options,
                                   const struct import_report *report,
                                   struct explore_snapshots *ret_snapshots, struct error *err);
void explore_snapshots_deinit(struct explore_snapshots *snapshots);

/* Hand them to an exploration, which borrows them. */
void explore_snapshots_use(const struct explore_snapshots *snapshots, struct explore_input *input);
