/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A data set's name taken apart: where it is downloaded from, and where it lives. */
#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"

struct fetch_source {
    const char *name;       /* as given, without query and fragment: for messages and records */
    const char *url;        /* may hold secrets in its query */
    const char *shown;      /* the same without them */
    const char *folder;     /* below the data directory: "kaggle/OWNER/DATASET" */
    const char *file;       /* one file of it that was asked for, or NULL: all tables */
    const char *plain_name; /* how to call a download that is no archive */
    bool is_kaggle;         /* takes Kaggle's credentials */
};

/* base_url: of Kaggle. Everything lives in the arena. STATUS_INVALID: not a usable name. */
enum status fetch_source_parse(const char *name, const char *base_url, struct arena *arena,
                               struct fetch_source *ret_source, struct error *err);
