/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Equal texts, one copy and one number: 0, 1, 2, ... in the order in which they first came. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define INTERN_NONE UINT32_MAX

struct intern {
    struct arena *arena; /* borrowed: owns the texts and the arrays */
    const char **texts;  /* [n] */
    uint64_t *hashes;    /* [n] */
    uint32_t *slots;     /* 1 + number, or 0 */
    size_t n, capacity, n_slots;
};

void intern_init(struct intern *intern, struct arena *arena);

/* The number of `text`, which is copied when it is new; INTERN_NONE: out of memory. */
uint32_t intern_put(struct intern *intern, const char *text, size_t length);

/* The number of `text`, or INTERN_NONE. */
uint32_t intern_find(const struct intern *intern, const char *text, size_t length);
