/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The parts of report.json's section `explore` that tell groups apart. */
#include "explore/explore_inner.h"

void put_distributions(const struct spreads *spreads, struct json_writer *w);
void put_growth(const struct explore *explore, struct json_writer *w);
void put_group_table(const struct group_table *table, bool has_score, const char *name,
                     struct json_writer *w);

/* The values of a column in some rows; [] when there is no column. */
void put_rows(struct json_writer *w, const char *key, const struct frame_number *column,
              const struct sample *rows, int digits);
