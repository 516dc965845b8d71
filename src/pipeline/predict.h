/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence predict`: every row of a table through the engine, by the calls of the daemon. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/progress.h"
#include "base/status.h"

struct predict_input {
    const char *const *files; /* as for import_files() */
    size_t n_files;
    const char *schema_dir;
    const char *bundle; /* a bundle or a models directory */
    bool explain;       /* a column for the base and for each contribution */
    struct progress progress;
};

/* Score, tier and cluster of every row as CSV, with the digits that read back to the same double.
 * *ret_n_rows: how many. */
enum status predict_run(const struct predict_input *input, FILE *out, size_t *ret_n_rows,
                        struct error *err);
