/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The tables that a command is given. An argument is
 *
 *   FILE[@YYYY-MM]                    a file, as import_files() takes it
 *   kaggle:OWNER/DATASET[/FILE][@YYYY-MM], https://...[@YYYY-MM]
 *                                     a data set: downloaded into ./data unless it is there
 *
 * and a data set with several tables becomes several files. The folder is $INFLUENCE_DATA where
 * that is set. Commands call inputs_expand() with their remaining argv and hand files and n_files
 * on. */
#include <stddef.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"

struct inputs {
    struct arena memory;
    const char *const *files; /* [n_files]; in the memory, or the argument itself */
    size_t n_files;
};

void inputs_free(struct inputs *inputs);
DEFINE_SLOT(inputs_free, struct inputs)

/* Statuses of fetch_resolve(). No arguments is fine: no files. */
enum status inputs_expand(char *const *arguments, size_t n_arguments, struct inputs **ret_inputs,
                          struct error *err);

/* The folder of the user's own schemas, config/schemas, where it exists; else NULL. */
const char *inputs_schema_dir(void);
