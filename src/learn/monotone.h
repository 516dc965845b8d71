/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Monotone constraints: along which features a prediction may not fall, or not rise, with all else
 * the same. Trees are grown under them (boosting.c); of every model fitted it is proven that it
 * keeps them, or it is left out. */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "learn/trainer.h"

struct monotone_constraint {
    const char
        *name; /* a numeric feature: "ln_followers"; or a column of the table's own: "rank" */
    int sign;  /* +1: may not fall; -1: may not rise */
};

struct monotone {
    const struct monotone_constraint *items;
    size_t n;
};

/* "ln_followers=+1, ln_posts=-1"; the list lives in the arena. STATUS_INVALID: it cannot be read.
 */
enum status monotone_parse(const char *text, struct arena *arena, struct monotone *ret_monotone,
                           struct error *err);

/* STATUS_NOT_FOUND: a feature that is not in the spec, or is a level of a text; the message lists
 * those there are. */
enum status monotone_check(const struct monotone *monotone, const struct feature_spec *spec,
                           struct error *err);

/* Both, for a target that must be a number: classes have no order to keep. */
enum status monotone_for(const char *text, enum task task, const struct feature_spec *spec,
                         struct arena *arena, struct monotone *ret_monotone, struct error *err);

/* Whether the constraint is on that column of the spec. */
bool monotone_names(const struct monotone_constraint *constraint, const struct feature_spec *spec,
                    size_t column);

/* The signs of a spec's columns: ret_sign: [n_columns], 0 where there is no constraint. */
void monotone_signs(const struct monotone *monotone, const struct feature_spec *spec,
                    signed char *ret_sign);

/* The first column along which the model is not proven to keep its sign; SIZE_MAX: it keeps all.
 * A linear model is by its weights, trees by each split: no leaf on the wrong side exceeds one on
 * the other, which is what XGBoost's constraints bring about; a blend by its members. Of other
 * families nothing can be proven. Cost O(nodes depth). */
size_t monotone_broken(const struct fitted *fitted, const signed char *sign, size_t n_columns);
