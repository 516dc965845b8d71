/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Counts of texts. Borrows the texts. */
#include <stddef.h>

#include "base/status.h"

struct tally_entry {
    const char *text; /* NULL: an empty slot of the table */
    size_t count;
    size_t order; /* of first appearance, from 0 */
};

struct tally {
    struct tally_entry *slots; /* owns; open-addressed by hash, at most half full */
    size_t size;               /* a power of two, or 0 */
    size_t n_distinct, n_total;
};

void tally_deinit(struct tally *tally);

/* Count one more of `text`, which must not be NULL. */
enum status tally_add(struct tally *tally, const char *text, struct error *err);

/* The slot of `text`, or NULL. */
const struct tally_entry *tally_find(const struct tally *tally, const char *text);

/* Entries by falling count, then by first appearance; ret_entries: [n_distinct]. */
void tally_sorted(const struct tally *tally, struct tally_entry *ret_entries);
