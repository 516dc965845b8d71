/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What may be seen: the names in --features, --exclude and --allow-leakage as design options, with
 * what gives the target away left out. Shared by evaluate and train. */
#include "base/json.h"
#include "learn/design.h"
#include "learn/leakage_scan.h"
#include "learn/target.h"

struct visible_names {
    const char *features; /* NULL, or a list: only these */
    const char *exclude;  /* NULL, or a list: none of these */
    const char *allow;    /* NULL, or a list: columns that may be seen though they leak */
    bool extras;          /* columns of the table's own are seen unless excluded */
    bool served;          /* by a bundle: a request brings them by their names */
    bool peers; /* what is seen, also relative to accounts of the same category and size */
};

/* Member "leakage": [{column, reason}]. */
void visible_put_leaks(const struct leak *leaks, size_t n, struct json_writer *w);

struct visible {
    struct design_options options; /* borrows from the arena */
    struct leak *leaks;            /* what was left out, and why */
    size_t n_leaks;
};

/* The names alone, before there is any work to lose.
 * STATUS_NOT_FOUND: no such name, or --features names what the table has in no row. */
enum status visible_check_names(const struct table *table, const struct visible_names *names,
                                struct error *err);

/* A name is a feature (ln_followers), a field (followers: every feature that reads nothing but
 * fields named; to exclude: every feature that reads it), a group (size, engagement, activity,
 * growth, content, network, ...; `extra`: all columns of the table's own), or such a column
 * (rank, extra:rank).
 * STATUS_NOT_FOUND: no such name. STATUS_INVALID: --features names what gives the target away,
 * with the reason. */
enum status visible_choose(const struct table *table, const struct target *target,
                           const struct visible_names *names, struct arena *arena,
                           struct visible *ret_visible, struct error *err);
