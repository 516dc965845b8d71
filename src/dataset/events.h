/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The account of what was done to the data: nothing is changed, dropped or believed less without an
 * event. One recorder a file; running out of memory is remembered in `failed`. */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "dataset/import.h"

enum rule {
#define RULE(name, kind, text) RULE_##name,
#include "dataset/rules.def"
#undef RULE
    N_RULES
};

struct events {
    struct arena *memory; /* borrowed: the report's */
    struct import_event *list;
    size_t n, capacity;
    size_t n_added;       /* over all rules */
    size_t last[N_RULES]; /* 1 + index of the rule's event used last */
    bool failed;
};

void events_init(struct events *events, struct arena *memory);

/* Count one more. column: "" or a header that lives as long as the memory. line 0: no example. */
void events_add(struct events *events, enum rule rule, const char *column, size_t line,
                const char *value);
void events_add_n(struct events *events, enum rule rule, const char *column, size_t count);

/* Count one, with a sentence of its own instead of the rule's. */
void events_explain(struct events *events, enum rule rule, const char *column, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

size_t events_count(const struct events *events, enum rule rule); /* over all columns */
