/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Several tables as one, and the months of an account as one row. */
#include "dataset/events.h"
#include "dataset/table.h"

/* All rows of all tables, in order; columns that a table lacks are missing there. The tables may be
 * freed afterwards. */
enum status snapshots_append(struct table *const *tables, size_t n_tables, struct table **ret_table,
                             struct error *err);

#define SNAPSHOTS_GROWTH "growth"

/* Make growth a target. n_skipped: so many of the newest months are forgotten first, to see an
 * earlier growth with the eyes of its time. The rows of the newest month go, and the accounts of
 * the month before it keep what became of them as the extra column "growth": 100 ln((1 + followers
 * then) / (1 + followers)), missing where they fell below half, which is another account under the
 * same name. With three months or more only accounts that were there before too have it, so that
 * their growth so far can be a feature. To be joined afterwards. STATUS_INVALID: fewer than two
 * months. */
enum status snapshots_hold_newest(struct table *table, size_t n_skipped, struct error *err);

/* The end of the newest month, in seconds since 1970, UTC: what was posted later was not known
 * then. 0: the table has no months. */
double snapshots_end(const struct table *table);

/* Join the rows of each handle by their month (column snapshot): the newest stands, and previous_*
 * come from the one before, unless followers fell below half of it, which is another account under
 * the same name. Rows of the same handle and month count once. Does nothing to a table without
 * months. Sorted as before. */
enum status snapshots_join(struct table *table, struct events *events, struct error *err);
