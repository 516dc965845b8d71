/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Decimals of a double without printf, for numbers of everyday size: an exact product in 128 bits
 * takes the place of printf's long arithmetic, some thirty times as fast. */
#include <stdbool.h>
#include <stdint.h>

#define DECIMAL_MIN 1e-4
#define DECIMAL_MAX 1e14

/* The number is digits x 10^-decimals, rounded as printf rounds, half to even. */
struct decimal {
    uint64_t digits;
    unsigned decimals;
};

/* The shortest of 15, 16 or 17 significant digits that reads back to the same double, as
 * text_format_number() has it. DECIMAL_MIN <= value < DECIMAL_MAX. */
struct decimal decimal_shortest(double value);
