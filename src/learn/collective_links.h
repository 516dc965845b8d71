/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The connections of this process to others of its group. XGBoost has them and shows them to
 * nobody: they are what was opened while it joined. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define LINKS_MAX 64 /* a parent, two children, two in the ring; some to spare */
#define LINKS_MAX_FDS 65536

struct links_before {
    uint8_t is_open[LINKS_MAX_FDS / 8]; /* as bits */
};

/* What is open now. */
enum status links_note(struct links_before *ret_before, struct error *err);

/* The connections that have come since, up to LINKS_MAX; from now on they notice within a minute
 * that the other host has gone without a word. */
enum status links_find(const struct links_before *before, int *ret_links, size_t *ret_n,
                       struct error *err);
