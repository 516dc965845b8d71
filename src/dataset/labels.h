/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Labels from a file of their own, joined to a table by handle. */
#include "dataset/table.h"

/* Accounts with a label, and those of them that are in the table. */
struct labels_joined {
    size_t n_labels, n_matched;
};

/* labels: FILE or FILE:COLUMN, a delimited table with a header, a column of handles (by its name,
 * else the first) and one of labels (by the name given, else the only other one). The table gets
 * the labels as its first extra column, instead of one of the same name.
 * ret_joined may be NULL.
 * STATUS_INVALID: no such column, several to choose from, two labels for one account, or no handle
 * in common; the message says which. */
enum status labels_join(struct table *table, const char *labels, const char *schema_dir,
                        struct labels_joined *ret_joined, struct error *err);
