/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The trainer's configuration: one member a row of train.def, named section_key. */
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "features/composite.h"
#include "runtime/engine.h"

#define TRAIN_MEMBER_INTEGER int64_t
#define TRAIN_MEMBER_NUMBER double
#define TRAIN_MEMBER_FLAG bool
#define TRAIN_MEMBER_TEXT const char *
#define TRAIN_MEMBER_CHOICE int

struct train_config {
#define KEY(section, name, type, unit, min, max, choices, default_, help) \
    TRAIN_MEMBER_##type section##_##name;
#include "pipeline/train.def"
#undef KEY
};

/* tier.by, in the order of its choices. */
enum tier_by {
    TIER_AUTO,
    TIER_SIZE,
    TIER_SCORE_QUANTILE,
    TIER_SCORE_CUTS,
    TIER_COLUMN,
};

extern const struct config_table train_config_table;

void train_config_weights(const struct train_config *config,
                          double ret_weight[static COMPOSITE_N_PARTS]);

/* The size tiers that the configuration asks for. */
struct size_tiers {
    const char *names[TIERS_MAX];
    double cuts[TIERS_MAX - 1]; /* [n - 1] followers at which the next size begins */
    size_t n;
};

/* Which size so many followers make; of NaN 0. */
size_t size_tiers_find(const struct size_tiers *sizes, double followers);

/* STATUS_INVALID: own cuts that do not rise, or names that do not fit them. Names of `own` live in
 * the arena. */
enum status train_config_sizes(const struct train_config *config, struct arena *arena,
                               struct size_tiers *ret_sizes, struct error *err);

/* "82, 86" -> numbers that rise. STATUS_INVALID names the key. */
enum status train_config_numbers(const char *key, const char *text, size_t max, double *ret_numbers,
                                 size_t *ret_n, struct error *err);

/* The next word of "a, b c": a copy in the arena; NULL at the end. Advances *text. */
char *train_config_word(const char **text, const char *separators, struct arena *arena);
