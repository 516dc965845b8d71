/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Rows of the same account: handles are compared without regard to case, and the months of a table
 * that has several stay apart. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset/events.h"
#include "dataset/intern.h"
#include "dataset/table.h"

/* A hash of what makes a row its account's; the row has a handle. */
uint64_t merge_handle_hash(const struct table *table, size_t row);

/* The number of a handle, in folded case, at a month (NaN: none); INTERN_NONE: out of memory. */
uint32_t merge_handle_number(struct intern *handles, const char *handle, double month);

/* Of the rows with keep[row], one a handle and month stays: the most complete, the first of equals;
 * keep of the others becomes false and is recorded. Rows without a handle all stay. */
enum status merge_find_duplicates(const struct table *table, struct events *events,
                                  const char *column, bool *keep, struct error *err);

/* Close the gaps: only rows with keep[row] remain, in order. */
void merge_keep(struct table *table, const bool *keep);
