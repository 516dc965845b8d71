/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A table of profiles as columns. Rows keep the line of the file they come from. Immutable once
 * built. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "profile/profile.h"

/* A column of the file that is no profile field, as text (NULL: missing): kept, so that it can be a
 * target, or seen. */
struct table_extra {
    const char *name;  /* header, trimmed and folded: "7_day_growth" */
    const char **text; /* [n_rows] */
    double *number;    /* [n_rows]; NULL: it holds texts, or has not been read as numbers */
};

struct table {
    struct arena memory; /* owns columns and texts */
    char *pool;          /* owns texts that stand there as in the file; or NULL */
    size_t n_rows;
    double *number[PROFILE_N_NUMBERS];  /* [n_rows], NaN: missing; NULL: no such column */
    const char **text[PROFILE_N_TEXTS]; /* [n_rows], NULL: missing; NULL: no such column */
    uint32_t *line;                     /* [n_rows] line in the source, from 1 */
    uint32_t *source;                   /* [n_rows] which of the files, from 0; NULL: one file */
    struct table_extra *extras;
    size_t n_extras;
    struct profile_extra *extra_cells; /* [n_rows][n_extras] by table_read_extras(), or NULL */
};

void table_free(struct table *table);
DEFINE_SLOT(table_free, struct table)

/* Read the extra columns, so that profiles bring them along: those of which nine in ten values read
 * as numbers (or yes and no) hold numbers. Columns that have numbers already are left alone. */
enum status table_read_extras(struct table *table, struct error *err);

/* The same of rows that are a part of a table: all columns are read as numbers, where that makes
 * any, because which of them hold numbers is known of the whole. */
enum status table_read_all_extras(struct table *table, struct error *err);

/* The extra column of that name, or of that header: "Deal price" is deal_price. SIZE_MAX: there is
 * none. */
size_t table_find_extra(const struct table *table, const char *name);

/* Drop the rows of a table in the making for which keep [n_rows] is false. */
void table_keep_rows(struct table *table, const bool *keep);

/* The row as a profile; texts point into the table. */
void table_profile(const struct table *table, size_t row, struct profile *ret_profile);
