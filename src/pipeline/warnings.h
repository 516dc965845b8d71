/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a reader of figures should be warned of. */
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "explore/snapshots.h"
#include "learn/target.h"

#define WARNINGS_MAX 32

struct warnings {
    const char *texts[WARNINGS_MAX]; /* [n] */
    size_t n;
};

/* Each text once, kept in the arena; more than fit are dropped. */
void warnings_add(struct warnings *warnings, struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void warnings_add_list(struct warnings *warnings, struct arena *arena, const char *format,
                       va_list args) __attribute__((format(printf, 3, 0)));

/* A table, or a part of it, that is too small for its figures to be believed. */
void warnings_add_few(struct warnings *warnings, struct arena *arena, size_t n_rows);

/* Classes of too few rows to be told. */
void warnings_add_rare(struct warnings *warnings, struct arena *arena, const struct target *target);

/* Columns that moved much between the two newest snapshots, if there are two. */
enum status warnings_add_drift(struct warnings *warnings, struct arena *arena,
                               const struct explore_snapshots *snapshots, struct error *err);

/* For the terminal, an empty line before the first; and the member "warnings". */
void warnings_print(const struct warnings *warnings, FILE *out);
void warnings_put_json(const struct warnings *warnings, struct json_writer *w);
