/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The accounts of a table by handle, for files of rows that belong to them. Handles are compared
 * without regard to case, as the platforms do. Immutable once built. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "dataset/intern.h"
#include "dataset/table.h"

#define HANDLE_NONE UINT32_MAX

struct handles {
    struct intern names;  /* folded handles */
    const uint32_t *rows; /* [names.n] the first row of that handle */
    uint32_t *same; /* [n_rows] the first row of the same handle; the row itself without one */
    size_t n_rows;
};

/* Everything lives in the arena. */
enum status handles_init(struct handles *handles, const struct table *table, struct arena *arena,
                         struct error *err);

/* The row of the account in a cell (with or without @, or a link to its profile), or HANDLE_NONE.
 */
uint32_t handles_find(const struct handles *handles, const char *cell);

/* The handle in a cell, folded; returns its length, 0 when it is none. */
#define HANDLE_BYTES 65
size_t handles_fold(const char *cell, char ret_handle[static HANDLE_BYTES]);
