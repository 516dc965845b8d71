/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence train`: files in, a bundle out. */
#include <stdio.h>

#include "pipeline/leaderboard.h"
#include "pipeline/training.h"

struct train_input {
    struct own_target target;   /* with the files; none: influence_score, or the composite */
    struct visible_names names; /* what the target's model may see; nobody sees `exclude` */
    const char *group;          /* NULL, or a column: rows with the same value stay in one fold */
    const char *when;           /* NULL, or a column of numbers: folds of score and tier go by it */
    const char *monotone; /* NULL, or constraints of the score's model; see learn/monotone.h */
    const char *models;   /* NULL: as configured; or trainers of the target's model */
    const struct train_config *config;
    const char *models_dir;
    uint64_t seed;
    struct progress progress;
    struct collective *workers; /* processes that train together; NULL: this one alone */
    enum shard_rule rule;       /* of several: whose rows are whose */
};

/* What is wrong with the words of an input, before any file is read. STATUS_INVALID: a list names
 * what is no model; another status: models_dir cannot be written. */
enum status train_check(const struct train_input *input, struct error *err);

/* Import, search, refit, write the blobs, open them, report, and leave a bundle that is current. */
enum status train_run(const struct train_input *input, struct training **ret_training,
                      struct error *err);

/* The part of the workers that are not of rank 0, in a train_run() of that one: read rows, fit what
 * it says to them, leave. Targets, models and seed are rank 0's; files, labels and `where` are read
 * by each. */
enum status train_follow(const struct train_input *input, struct error *err);

/* The accounts of the files that are of the bundle, with what targets and conditions are read from;
 * of several workers those that each has read. */
enum status train_read(const struct train_input *input, struct table **ret_table,
                       struct import_report **ret_report, struct error *err);

/* Whether anything is to be read off columns of the tables' own. */
bool train_reads_extras(const struct train_input *input);

/* Leaderboards, warnings and where the bundle is, for a terminal; the same as JSON. */
void train_print(const struct training *training, FILE *out);
void train_put_json(const struct training *training, struct json_writer *w);

const char *training_score_target(const struct training *training);
struct leaderboard training_score_board(const struct training *training);  /* not of a composite */
struct leaderboard training_growth_board(const struct training *training); /* where learnt */
struct leaderboard training_class_board(const struct training *training,
                                        const struct class_part *part);

/* Members of manifest.json, without the outer braces; report.json; card.md. */
void manifest_put(const struct training *training, struct buffer *out);
enum status report_put(const struct training *training, int64_t created_utc_us, struct buffer *out,
                       struct error *err);
void card_put(const struct training *training, int64_t created_utc_us, struct buffer *out);
