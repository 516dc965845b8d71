/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a fuzz target implements: libFuzzer's entry, and that of replay.c. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold: the fuzzer and the replay both see the abort. */
#define FUZZ_REQUIRE(condition) \
    do {                        \
        if (!(condition))       \
            __builtin_trap();   \
    } while (0)
