/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The leaderboard of a search, for JSON, for a terminal and for a model card. */
#include <stdio.h>

#include "base/json.h"
#include "learn/crossval.h"

struct leaderboard {
    const struct crossval *crossval;
    enum metric metric; /* that picked */
    size_t chosen;
    const char *settings; /* of the chosen model as it ships */
    /* The choice as a whole, each fold's model chosen by the other folds: the figure to expect, as
     * the chosen one's own is too good by having been the best. NULL: there was nothing to choose.
     */
    const struct crossval_selection *selection;
};

/* "mae 6.030 +- 0.028 (ridge 3 x, huber 7 x)", of the metric that picked; nothing without a
 * selection. plus_minus: as is to be printed. */
void leaderboard_put_selection(const struct leaderboard *board, const char *plus_minus,
                               struct buffer *out);
/* Member "selection"; absent without one. */
void leaderboard_put_selection_json(const struct leaderboard *board, struct json_writer *w);

/* The elements of docs/report-schema.md's `leaderboard`, best first; the caller puts the key. */
void leaderboard_put_json(const struct leaderboard *board, struct json_writer *w);

/* A table of fixed columns. */
void leaderboard_print(const struct leaderboard *board, FILE *out);

/* The same as a Markdown table. */
void leaderboard_put_markdown(const struct leaderboard *board, struct buffer *out);
