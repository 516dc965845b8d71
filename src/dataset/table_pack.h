/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Rows of a table as bytes, for another process of the same build, and a table of them. */
#include "base/text.h"
#include "dataset/table.h"

/* The rows named [n], in that order, with all columns; appended to the buffer. */
void table_pack(const struct table *table, const size_t *rows, size_t n, struct buffer *out);

/* What one row says, and not where it stands: equal rows of tables with the same columns are equal
 * bytes. Appended to the buffer. */
void table_pack_values(const struct table *table, size_t row, struct buffer *out);

/* The table of such bytes, which need not outlive it. STATUS_CORRUPT: they are none. */
enum status table_unpack(const void *bytes, size_t n_bytes, struct table **ret_table,
                         struct error *err);

/* A table of its own of the rows named [n], in that order. */
enum status table_take(const struct table *table, const size_t *rows, size_t n,
                       struct table **ret_table, struct error *err);
