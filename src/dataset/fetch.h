/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Data sets by name: downloaded once, unpacked, checked, and from then on found in the data folder.
 *
 *   kaggle:OWNER/DATASET        all tables of a Kaggle data set
 *   kaggle:OWNER/DATASET/FILE   one of its files
 *   https://HOST/PATH           an archive (zip, tar, also compressed) or a single table
 *
 *   DATA/kaggle/OWNER/DATASET/    the files as they were in the archive, SHA256SUMS (for sha256sum
 *   DATA/url/HOST/NAME-HASH/      -c), source.json (name, address, time, ETag, hashes)
 *   DATA/.fetch/                  what is not finished: a cut download is taken up again from here
 *
 * A folder appears whole, by rename, or not at all. An archive is refused as a whole for a path
 * that leaves the folder, for anything that is no file or directory, and for more than the limits.
 * Credentials are read from where Kaggle's own tools keep them (fetch_credentials.h), go to the
 * first host only, and stand in no message and no file. Plain http is spoken to this machine only.
 * One process at a time works on one data set; not for more than one thread. */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/progress.h"
#include "base/status.h"

struct fetch_options {
    const char *data_dir; /* NULL: "data" */
    const char *base_url; /* of Kaggle; NULL: $KAGGLE_API_ENDPOINT or https://www.kaggle.com */
    bool refresh;         /* download again what is there already */

    /* 0 stands for the default. */
    uint64_t max_download_bytes; /* 2 GiB */
    uint64_t max_unpacked_bytes; /* 8 GiB, and never more than 200 times the archive */
    size_t max_entries;          /* 10,000 files and folders in an archive */
    unsigned max_attempts;       /* 6; one that brought data forward does not count */
    unsigned retry_delay_ms;     /* 1,000, doubled at each attempt, with jitter */
    unsigned connect_timeout_s;  /* 20 */
    unsigned stall_timeout_s;    /* 30 with less than 64 bytes a second */

    struct progress progress;
    const volatile sig_atomic_t *cancel; /* not 0: stop as soon as possible; may be NULL */
};

/* What a name stands for, on disk. */
struct fetched {
    struct arena memory;
    const char *dir;
    const char *const *tables; /* [n_tables] paths of the CSV, TSV and text files, sorted */
    size_t n_tables;
    bool was_present; /* nothing was downloaded */
};

void fetched_free(struct fetched *fetched);
DEFINE_SLOT(fetched_free, struct fetched)

/* True for the names above; everything else is a file of the user's. */
bool fetch_is_remote(const char *name);

/* Download `name` unless it is in the data folder, and list its tables. Commands do not call this
 * themselves: cli/inputs.h expands their arguments.
 *
 * STATUS_INVALID: not a usable name or address, or an archive that is refused. STATUS_DENIED:
 * credentials are missing or not accepted. STATUS_NOT_FOUND: no such data set, or no such file in
 * it. STATUS_LIMIT: larger than allowed. STATUS_UNAVAILABLE: the server did not answer as it
 * should, after all attempts; what came is kept for the next. STATUS_EXISTS: files in the folder
 * were changed since. STATUS_CANCELLED: stopped by `cancel`. */
enum status fetch_resolve(const char *name, const struct fetch_options *options,
                          struct fetched **ret_fetched, struct error *err);
