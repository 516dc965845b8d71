/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Conditions on rows: "post_sample>=1, category=travel". */
#include "dataset/table.h"

/* ret_keep: [table->n_rows], true where every condition holds (a missing value meets none). A
 * condition is a field or a column of the table's own, one of >= <= > < =, and a value; texts know
 * only =. STATUS_INVALID, STATUS_NOT_FOUND: the message names the option and the condition. */
enum status row_filter(const char *option, const char *conditions, const struct table *table,
                       bool *ret_keep, struct error *err);
