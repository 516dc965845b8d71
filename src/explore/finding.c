/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/finding.h"

#include <stdio.h>

#include "explore/explore_inner.h"

void finding_name(const char *column, char ret_text[static 64])
{
    size_t i = 0;
    for (; i < 63 && column[i]; i++)
        ret_text[i] = column[i] == '_' ? ' ' : column[i];
    ret_text[i] = '\0';
}

void finding_slope(const struct explore *explore, char ret_text[static FINDING_BYTES])
{
    const struct interval *tenfold = &explore->slope.tenfold;
    const char *name = explore->frame->measure_label;
    if (tenfold->low <= 1 && 1 <= tenfold->high)
        snprintf(ret_text, FINDING_BYTES,
                 "%s shows no clear change with size: x %.2f for ten times the followers (95 %%: "
                 "%.2f to %.2f)",
                 name, tenfold->value, tenfold->low, tenfold->high);
    else
        snprintf(ret_text, FINDING_BYTES,
                 "%s %s with size: x %.2f for ten times the followers (95 %%: %.2f to %.2f)", name,
                 tenfold->value < 1 ? "falls" : "rises", tenfold->value, tenfold->low,
                 tenfold->high);
}
