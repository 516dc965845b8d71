/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Options that evaluate and train have in common: the target, the rows, what may be seen, and which
 * models try. Their values are borrowed from argv. */
#include <getopt.h>
#include <stdbool.h>

#include "pipeline/own_target.h"
#include "pipeline/visible.h"

/* Where the values go. */
struct targets_options {
    struct own_target *target;
    struct visible_names *names;
    const char **group, **models, **monotone;
};

/* Rows of a command's table of options. */
enum {
    TARGETS_TARGET = 2000,
    TARGETS_BINS,
    TARGETS_TOP,
    TARGETS_LABELS,
    TARGETS_WHERE,
    TARGETS_FEATURES,
    TARGETS_EXCLUDE,
    TARGETS_ALLOW,
    TARGETS_GROUP,
    TARGETS_MODELS,
    TARGETS_MONOTONE,
    TARGETS_SCHEMAS,
    TARGETS_END
};
/* clang-format off */
#define TARGETS_OPTIONS \
    {"target", required_argument, NULL, TARGETS_TARGET}, \
    {"bins", required_argument, NULL, TARGETS_BINS}, \
    {"top", required_argument, NULL, TARGETS_TOP}, \
    {"labels", required_argument, NULL, TARGETS_LABELS}, \
    {"where", required_argument, NULL, TARGETS_WHERE}, \
    {"features", required_argument, NULL, TARGETS_FEATURES}, \
    {"exclude", required_argument, NULL, TARGETS_EXCLUDE}, \
    {"allow-leakage", required_argument, NULL, TARGETS_ALLOW}, \
    {"group", required_argument, NULL, TARGETS_GROUP}, \
    {"models", required_argument, NULL, TARGETS_MODELS}, \
    {"monotone", required_argument, NULL, TARGETS_MONOTONE}, \
    {"schemas", required_argument, NULL, TARGETS_SCHEMAS}
/* clang-format on */

static inline bool targets_has(int option)
{
    return option >= TARGETS_TARGET && option < TARGETS_END;
}

/* Take the value of one of these options; false: it is out of range. */
bool targets_take(int option, const char *value, const struct targets_options *options);

/* What is wrong with all of them together, or NULL. */
const char *targets_conflict(const struct own_target *target);
