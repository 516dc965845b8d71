/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A table as exploration sees it: every column that holds numbers as doubles, also those that are
 * no profile field; figures derived from others; and the groups that rows belong to. Borrows the
 * table; owns the rest. Immutable once built. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "dataset/table.h"
#include "explore/explore.h"

enum frame_role {
    FRAME_FIELD,   /* a profile field */
    FRAME_EXTRA,   /* a column of the file that is no field */
    FRAME_DERIVED, /* computed from fields */
};

struct frame_number {
    const char *name, *unit, *help;
    enum profile_kind kind;
    enum frame_role role;
    const double *values; /* [n_rows], NaN: missing */
};

struct frame_text {
    const char *name, *help;
    enum frame_role role;
    const char *const *values; /* [n_rows], NULL: missing */
};

struct frame_groups {
    const char *const *names; /* [n] */
    size_t n;                 /* 0: the table has none */
    const int32_t *of_row;    /* [n_rows] -1: missing; NULL when n is 0 */
    bool are_quarters;        /* of followers: nearly all rows fall into one size tier */
    const double *cuts;       /* [n - 1] of sizes: followers at which the next begins; else NULL */
};

struct frame {
    struct arena memory;
    const struct table *table;
    size_t n_rows;
    struct frame_number *numbers;
    size_t n_numbers;
    struct frame_text *texts;
    size_t n_texts;
    struct frame_groups groups[EXPLORE_N_GROUPINGS];
    const struct frame_number *followers; /* NULL: none */
    const struct frame_number *measure;   /* what stands for engagement; NULL: nothing does */
    const char *measure_label;            /* for titles */
    const char *measure_text;             /* how it is computed */
    const struct frame_number *score;     /* influence_score; NULL: none */
    const struct frame_number *growth;    /* percent a month; NULL: no earlier snapshot */
    bool is_synthetic;
};

enum status frame_new(const struct table *table, const struct explore_sizes *sizes,
                      struct frame **ret_frame, struct error *err);
void frame_free(struct frame *frame);
DEFINE_SLOT(frame_free, struct frame)

/* NULL when there is none of that name. */
const struct frame_number *frame_find(const struct frame *frame, const char *name);

/* The row's account name, or NULL. */
const char *frame_handle(const struct frame *frame, size_t row);
