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
};

/* The elements of docs/report-schema.md's `leaderboard`, best first; the caller puts the key. */
void leaderboard_put_json(const struct leaderboard *board, struct json_writer *w);

/* A table of fixed columns. */
void leaderboard_print(const struct leaderboard *board, FILE *out);

/* The same as a Markdown table. */
void leaderboard_put_markdown(const struct leaderboard *board, struct buffer *out);
