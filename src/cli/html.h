/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The page with its data inside, as one file to send to somebody. */
#include <stddef.h>

#include "base/status.h"

/* Write the page that shows `report`, a whole report.json, to `path` ("-": stdout), whole or not at
 * all, and its size to *ret_bytes. STATUS_UNSUPPORTED: built without the page. */
enum status html_write_report(const char *path, const char *report, size_t n_report,
                              size_t *ret_bytes, struct error *err);
