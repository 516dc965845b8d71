/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <assert.h>
#include <string.h>

typedef unsigned __int128 wide;

#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1075 /* of a mantissa that is a whole number */
#define MOST_DIGITS 17     /* tell any two doubles apart */

/* value = mantissa x 2^exponent */
struct parts {
    uint64_t mantissa;
    int exponent;
};

static struct parts split(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t one = UINT64_C(1) << MANTISSA_BITS;
    return (struct parts){(bits & (one - 1)) | one, (int)(bits >> MANTISSA_BITS) - EXPONENT_BIAS};
}

static uint64_t power_of_five(unsigned exponent)
{
    static const uint32_t low[] = {1, 5, 25, 125, 625, 3125, 15625, 78125};
    static const uint64_t eighths[] = {1, 390625, UINT64_C(152587890625)};
    return eighths[exponent / 8] * low[exponent % 8];
}

/* x with 10^x <= value < 10^(x + 1) */
static int power_of(double value)
{
    static const double powers[] = {1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4, 1e5,
                                    1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14};
    int x = 0;
    while (value >= powers[x + 1])
        x++;
    return x - 4;
}

struct decimal decimal_shortest(double value)
{
    assert(value >= DECIMAL_MIN && value < DECIMAL_MAX);
    const struct parts parts = split(value);
    int power = power_of(value);
    for (int n_digits = 15;; n_digits++) {
        /* value x 10^decimals = product / 2^shift, with nothing lost: at most 53 + 47 bits. */
        unsigned decimals = (unsigned)(n_digits - 1 - power);
        uint64_t five = power_of_five(decimals);
        wide product = (wide)parts.mantissa * five;
        unsigned shift = (unsigned)(-parts.exponent - (int)decimals);
        uint64_t digits = (uint64_t)(product >> shift);
        wide rest = product - ((wide)digits << shift);
        wide half = (wide)1 << (shift - 1);
        if (rest > half || (rest == half && digits % 2 == 1))
            digits++;
        /* It reads back when it is nearer than half the way to the next double: half of `five`. */
        wide written = (wide)digits << shift;
        wide off = written > product ? written - product : product - written;
        bool is_narrow_below = parts.mantissa == UINT64_C(1) << MANTISSA_BITS && written < product;
        if (n_digits == MOST_DIGITS || (is_narrow_below ? 4 : 2) * off < five)
            return (struct decimal){digits, decimals};
    }
}
