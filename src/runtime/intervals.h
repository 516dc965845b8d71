/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where the truth lies around a prediction: offsets by group of accounts, times a spread that
 * depends on the prediction. The one formula for training and serving; what the offsets promise is
 * learn/conformal.h's. */
#include <stdbool.h>
#include <stddef.h>

#include "artifact/artifact.h"

#define INTERVAL_MAX_GROUPS 16
#define INTERVAL_MAX_KNOTS 9

/* Offsets in units of the spread. */
struct interval_offsets {
    double low, high; /* low <= high */
};

struct interval_rule {
    size_t n_groups;                  /* 0: all accounts are one */
    double cuts[INTERVAL_MAX_GROUPS]; /* [n_groups - 1] followers at which the next group begins */
    /* [n_groups + 1]; the last is for accounts whose followers are not known. */
    struct interval_offsets offsets[INTERVAL_MAX_GROUPS + 1];
    size_t n_knots; /* 0: the spread is 1 */
    struct {
        double at, spread; /* of the prediction, rising; linear in between, constant beyond */
    } knots[INTERVAL_MAX_KNOTS];
};

/* The group of an account: n_groups when its followers are missing. */
size_t interval_group(const struct interval_rule *rule, double followers);

double interval_spread(const struct interval_rule *rule, double predicted);

struct interval_offsets interval_at(const struct interval_rule *rule, double predicted,
                                    double followers);

/* Sections "<prefix>.groups" f64 [n_groups + 1][3] (cut, low, high), "<prefix>.spread" f64
 * [n_knots][2]. */
enum status interval_rule_write(struct artifact_writer *writer, const char *prefix,
                                const struct interval_rule *rule, struct error *err);

/* STATUS_NOT_FOUND without a message: a blob from before there were rules. */
enum status interval_rule_read(const struct artifact *artifact, const char *prefix,
                               struct interval_rule *ret_rule, struct error *err);
