/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Posts and edges joined to a table by handle: its number columns post_sample ... brand_links and
 * its hashtags and brands are made of them. The one place where that happens; import_files() calls
 * it. */
#include "base/status.h"
#include "dataset/import.h"
#include "dataset/table.h"

/* Add the columns; a value that the table has already stands, and figures fill where it is missing.
 * Accounts without posts have no post figures (all missing); accounts without edges have 0 of them,
 * as the files were searched for all. Statuses of posts_each() and edges_load(). */
enum status join_sources(const struct import_joins *joins, struct table *table,
                         struct import_report *report, struct error *err);
