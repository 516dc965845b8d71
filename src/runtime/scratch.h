/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Carving a caller's scratch into 64-byte aligned pieces. The piece's size is counted once, in
 * scratch_align(), when the owner says how much it needs, and once when it is taken. */
#include <stddef.h>

static inline size_t scratch_align(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/* The next `bytes` at *at, which moves on. */
static inline void *scratch_take(void **at, size_t bytes)
{
    void *piece = *at;
    *at = (char *)piece + scratch_align(bytes);
    return piece;
}
