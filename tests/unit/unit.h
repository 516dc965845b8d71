/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What every unit test needs, in the order that cmocka wants it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* cmocka's macros hide the function fail() of base/status.h. */
#undef fail
#undef fail_msg
#define fail_msg(...)              \
    do {                           \
        print_error(__VA_ARGS__);  \
        print_error("\n");         \
        _fail(__FILE__, __LINE__); \
    } while (0)

/* |a - b| <= tolerance, in double: cmocka's assert_float_equal() compares floats. */
#define assert_near(a, b, tolerance)                                                             \
    do {                                                                                         \
        double near_a_ = (a);                                                                    \
        double near_b_ = (b);                                                                    \
        if (!(fabs(near_a_ - near_b_) <= (tolerance)))                                           \
            fail_msg("%s is %.17g, not %.17g +- %g", #a, near_a_, near_b_, (double)(tolerance)); \
    } while (0)
