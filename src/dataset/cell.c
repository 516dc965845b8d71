/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/cell.h"

const char *cell_number_text(uint32_t cell, char scratch[static CELL_TEXT_BYTES])
{
    uint32_t whole = cell_whole(cell);
    uint32_t behind = cell_digits_behind(cell);
    char *at = &scratch[CELL_TEXT_BYTES - 1];
    *at = '\0';
    for (uint32_t i = 0; i < behind; i++, whole /= 10)
        *--at = (char)('0' + whole % 10);
    if (behind > 0)
        *--at = '.';
    do
        *--at = (char)('0' + whole % 10);
    while ((whole /= 10) > 0);
    return at;
}

struct quantity cell_quantity(uint32_t cell)
{
    /* Both sides of the division are exact, so that the quotient is the nearest double. */
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    enum {
        SIX_DIGITS = 1000000 /* with three of them behind the point, at most three stand before */
    };
    uint32_t whole = cell_whole(cell);
    uint32_t behind = cell_digits_behind(cell);
    struct quantity quantity = {
        .value = (double)whole / powers[behind],
        .could_group = behind == 3 && whole < SIX_DIGITS,
    };
    quantity.decimal = behind > 0 && !quantity.could_group ? '.' : 0;
    return quantity;
}
