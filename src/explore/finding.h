/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Findings in words, for titles and for the terminal. */
#include "explore/explore.h"

#define FINDING_BYTES 256

/* "engagement rate falls with size: x 0.62 for ten times the followers (95 %: 0.58 to 0.66)". The
 * slope must not be absent. */
void finding_slope(const struct explore *explore, char ret_text[static FINDING_BYTES]);

/* "follower_growth" -> "follower growth". */
void finding_name(const char *column, char ret_text[static 64]);
