/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence predict`: every row of a table through the engine, by the calls of the daemon. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/progress.h"
#include "base/status.h"
#include "dataset/import.h"

#define PREDICT_MAX_THREADS 64

struct predict_input {
    const char *const *files; /* as for import_files() */
    size_t n_files;
    const char *schema_dir;
    struct import_joins joins; /* posts and edges */
    const char *bundle;        /* a bundle or a models directory */
    bool explain;              /* a column for the base and for each contribution */
    size_t n_threads;          /* that predict; 0 is 1; the output is the same */
    struct progress progress;
};

struct predict_counts {
    size_t n_rows;    /* predicted */
    size_t n_beyond;  /* of them, unlike nearly every row of the training */
    size_t n_refused; /* set aside by the import */
};

/* Score, tier and cluster of every row as CSV, with the digits that read back to the same double.
 */
enum status predict_run(const struct predict_input *input, FILE *out,
                        struct predict_counts *ret_counts, struct error *err);
