/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Posts as the rows of a table, so that a model can learn what a post's lift comes from: the fields
 * are its account's, the extra columns the post's own, those that are known before anybody has
 * liked it; each also beside the account's other posts (..._vs_own). */
#include "dataset/lifts.h"
#include "learn/target.h"

/* *ret_table borrows the texts of `accounts` and of `lifts`: free it before them.
 * *ret_target: post_lift, rows grouped by account. */
enum status post_table_make(const struct table *accounts, const struct lifts *lifts,
                            struct table **ret_table, struct target **ret_target,
                            struct error *err);
