/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* At most `decimals` digits behind the point, trailing zeros left out. */
static void put(double value, int decimals, const char *suffix, char ret_text[static FIGURE_BYTES])
{
    char digits[FIGURE_BYTES];
    snprintf(digits, sizeof digits, "%.*f", decimals, value);
    if (strchr(digits, '.')) {
        size_t length = strlen(digits);
        while (digits[length - 1] == '0')
            length--;
        if (digits[length - 1] == '.')
            length--;
        digits[length] = '\0';
    }
    if (strcmp(digits, "-0") == 0)
        strcpy(digits, "0");
    snprintf(ret_text, FIGURE_BYTES, "%.20s%s", digits, suffix);
}

void figure_count(double value, char ret_text[static FIGURE_BYTES])
{
    static const struct {
        double from, unit; /* from: what would round up to 1000 of the unit before */
        const char *suffix;
    } units[] = {
        {999.5e9, 1e12, "T"}, {999.95e6, 1e9, "B"}, {999.95e3, 1e6, "M"}, {999.95, 1e3, "k"}};
    if (!isfinite(value) || fabs(value) >= 1e15) {
        snprintf(ret_text, FIGURE_BYTES, isnan(value) ? "-" : "%.3g", value);
        return;
    }
    double size = fabs(value);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (size >= units[i].from) {
            put(value / units[i].unit, 1, units[i].suffix, ret_text);
            return;
        }
    if (size > 0 && size < 0.01)
        snprintf(ret_text, FIGURE_BYTES, "%.2g", value);
    else
        put(value, size >= 100 ? 1 : 2, "", ret_text);
}

void figure_percent(double fraction, char ret_text[static FIGURE_BYTES])
{
    double percent = 100 * fraction;
    if (!isfinite(percent) || fabs(percent) >= 1e15)
        figure_count(percent, ret_text);
    else
        put(percent, fabs(percent) < 10 ? 2 : fabs(percent) < 100 ? 1 : 0, " %", ret_text);
}

void figure_unit(double value, const char *unit, char ret_text[static FIGURE_BYTES])
{
    if (strcmp(unit, "fraction") == 0)
        figure_percent(value, ret_text);
    else
        figure_count(value, ret_text);
}
