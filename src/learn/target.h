/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is to be predicted: a number or a class for each row that has one, and what must therefore
 * not be seen. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "dataset/table.h"
#include "learn/trainer.h"

struct target {
    struct arena memory; /* owns everything below */
    const char *name;    /* the column's */
    enum task task;
    size_t n;        /* rows that have the target */
    size_t *rows;    /* [n] of the table */
    double *y;       /* [n]; regression, and what classes were cut from */
    uint32_t *label; /* [n]; classification */
    uint32_t *group; /* [n] below n: rows of one group stay in one fold; NULL: no groups */
    size_t n_classes;
    const char **class_names; /* [n_classes] */
    size_t *class_counts;     /* [n_classes] */
    size_t n_cuts;            /* 0: the classes are no bins of a number, or it is a sample */
    double *cuts;             /* [n_cuts] where the bins were cut, as target_cut() has it */
    uint32_t *class_of_bin;   /* [n_cuts + 1] TARGET_NO_CLASS: dropped, because empty */
    uint64_t hidden;          /* number fields that give the target away; see leakage.h */
    bool hidden_text[PROFILE_N_TEXTS];
    size_t extra; /* index of the extra column that it is; SIZE_MAX: none */
};

#define TARGET_OTHER "(other)"
#define TARGET_NO_CLASS UINT32_MAX

void target_free(struct target *target);
DEFINE_SLOT(target_free, struct target)

/* A column of the table as a target: a profile field or an extra column, by its name or its header
 * in any case. Numbers make a regression
 * (an extra column counts as numbers when nine of ten values read as such), anything else classes:
 * its values in alphabetic order, those with fewer than 5 rows together as "(other)". Numbers that
 * are only ever one of two make two classes.
 * STATUS_NOT_FOUND: no such column; the message lists those there are. STATUS_INVALID: empty. */
enum status target_column(const struct table *table, const char *column, struct target **ret_target,
                          struct error *err);

/* The same of one extra column. extra: its index. */
enum status target_of_extra(const struct table *table, size_t extra, struct target **ret_target,
                            struct error *err);

/* Keep the rows of the table with keep[row] only. STATUS_INVALID: none is left. */
enum status target_keep(struct target *target, const bool *keep, struct error *err);

/* Cut a regression into classes in place: class i holds cuts[i-1] < y <= cuts[i].
 * names: [n_cuts + 1], or NULL: "<= 82", "82 .. 86", "> 86". */
enum status target_cut(struct target *target, const double *cuts, size_t n_cuts,
                       const char *const *names, struct error *err);

/* The cuts that make n_bins classes of about equal size: quantiles, linear between order
 * statistics. ret_cuts: [n_bins - 1]. STATUS_INVALID: so many ties that two coincide. */
enum status target_quantiles(const struct target *target, size_t n_bins, double *ret_cuts,
                             struct error *err);

/* Keep the k most frequent classes; the others become "(other)". STATUS_INVALID: it holds numbers.
 */
enum status target_top(struct target *target, size_t k, struct error *err);

/* Count the rows of each class again. */
enum status target_count_classes(struct target *target, struct error *err);

/* Drop the classes that no row has. */
void target_drop_empty(struct target *target);

/* Its classes are ordered: they were cut from numbers. */
bool target_is_ordered(const struct target *target);

/* At most n rows of it, drawn at random, in order; classes keep their numbers. */
enum status target_sample(const struct target *target, size_t n, uint64_t seed,
                          struct target **ret_sample, struct error *err);

/* The rows at the positions i with keep[i], in order; classes keep their numbers. */
enum status target_part(const struct target *target, const bool *keep, struct target **ret_part,
                        struct error *err);

/* What another process needs to know to make the same target of its own rows, as a JSON object; and
 * the target of such rows, of which there may be none. Not of samples. Rows of classes that the
 * form has not count as "(other)" where it has that, and are left out elsewhere. */
void target_put_form(const struct target *target, struct json_writer *w);
enum status target_of_form(const struct json *form, const struct table *table,
                           struct target **ret_target, struct error *err);
