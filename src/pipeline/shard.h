/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rows of processes that train together: which are whose, and what rank 0 has of all.
 *
 * Each process keeps rows of its own. Rank 0 gathers as many of all as it may hold, and decides by
 * those (searches, tunes, describes); the models are fitted to all rows where these are. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset/table.h"
#include "learn/collective.h"

/* How accounts come to be shared out. */
enum shard_rule {
    SHARD_ROWS,  /* all processes have read the same, in any order; each keeps its share, by a hash
                  * of the handle, or of all that the row says */
    SHARD_FILES, /* each has read what is its own */
};

struct shard_input {
    struct collective *group;
    enum shard_rule rule;
    bool reads_extras; /* the tables' own columns are seen */
    size_t max_rows;   /* that rank 0 gathers; of more, a sample by another hash of the handle */
};

#define SHARD_MAX_WORKERS 1024

struct shard {
    struct table *own;
    struct table
        *deciding; /* of rank 0: the rows it has gathered, as one process would have them */
    size_t n_workers;
    double n_rows[SHARD_MAX_WORKERS]; /* by rank */
    double n_all;
};

void shard_deinit(struct shard *shard);

/* Share `table`, which it takes, out. All processes of the group call it together.
 * STATUS_INVALID: an account that two have (files), rows that differ (rows), a worker without rows;
 * STATUS_UNSUPPORTED: processes of different versions. */
enum status shard_make(const struct shard_input *input, struct table *table,
                       struct shard *ret_shard, struct error *err);
