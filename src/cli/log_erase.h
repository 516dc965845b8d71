/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence log erase`: a handle out of one log, or out of every log of a folder that replicas
 * share. What cannot be searched, such as a damaged file that was set aside, is named, and the
 * command fails: nobody shall take such an erasure for a whole one. */
#include <stdbool.h>

struct log_erase {
    const char *path; /* a log, or a folder of them */
    const char *handle;
    const char *to;    /* postgresql://...: rows that were shipped there; or NULL */
    const char *table; /* there */
    bool as_json;
};

/* The exit status. */
int log_erase_run(const struct log_erase *erase);

/* In the table of a database, and not in the file, of which it takes the key. The exit status. */
int log_erase_table_run(const struct log_erase *erase);
