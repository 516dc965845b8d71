/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Numbers as people write them: 475.8M, 1.39 %, 0.042. Locale-free. */
#include <stddef.h>

#define FIGURE_BYTES 32

/* 950, 1.2k, 475.8M, 29B; a figure below 100 keeps two decimals. Missing is "-". */
void figure_count(double value, char ret_text[static FIGURE_BYTES]);

/* A fraction as percent: "1.39 %", "62 %". */
void figure_percent(double fraction, char ret_text[static FIGURE_BYTES]);

/* By unit: "fraction" as percent, everything else as a count. */
void figure_unit(double value, const char *unit, char ret_text[static FIGURE_BYTES]);
