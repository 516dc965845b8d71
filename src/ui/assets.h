/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What bundle.mjs generates (assets.c in the build directory). */
#include "ui/page.h"

extern const struct page_asset page_assets[]; /* at least one, the last ones may be unused */
extern const size_t page_n_assets;            /* 0: built without the page */
extern const char page_build_note[];          /* why there is none; "" otherwise */

/* The one-file page, in three parts: its data and then the script go in between. */
extern const struct page_asset page_report_head, page_report_tail;
