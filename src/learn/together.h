/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Models fitted by a group of processes to the rows of all: rank 0 leads, and tells the others what
 * to fit; they follow until they are told that it is over. Each has a table of its own rows; what
 * rank 0 decides by are rows that it has besides. */
#include "dataset/table.h"
#include "learn/archetypes.h"
#include "learn/target.h"
#include "learn/trainer.h"

/* A process of a group with its own rows; borrows both. Members are NULL where a process works
 * alone. */
struct together {
    struct collective *group;
    const struct table *own;
};

/* Fewer rows of a target than so many in one process are an error. */
#define TOGETHER_MIN_ROWS 20

/* ---- rank 0 ---- */

/* Fit a trainer that joins groups. target, deciding: of the rows that rank 0 decides by; columns
 * are those of deciding->spec. STATUS_INVALID: a process has too few rows. */
enum status together_fit(const struct together *together, const struct trainer *trainer,
                         const struct target *target, const struct problem *deciding,
                         struct fitted **ret_fitted, struct error *err);

/* archetypes_fit(), but centroids and sizes are of the rows of all. matrix: rows of the spec that
 * rank 0 decides by. */
enum status together_archetypes(const struct together *together, const struct feature_spec *spec,
                                const struct matrix *matrix,
                                const struct archetypes_options *options,
                                struct archetypes **ret_archetypes, struct error *err);

/* Nothing more is to be fitted. */
enum status together_end(const struct together *together, struct error *err);

/* ---- the others ---- */

/* Do what rank 0 says until it ends. */
enum status together_follow(const struct together *together, struct error *err);
