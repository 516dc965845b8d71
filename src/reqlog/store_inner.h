/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* SQL as the files behind store.h say it. */
#include <stdint.h>

#include <sqlite3.h>

#include "base/status.h"

enum status store_execute(sqlite3 *db, const char *sql, struct error *err);

/* The first column of the first row; without a row it fails. */
enum status store_read_integer(sqlite3 *db, const char *sql, int64_t *ret_value, struct error *err);
