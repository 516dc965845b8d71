/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataset/encoding.h"

#define EXAMPLE_BYTES 60

static const struct {
    const char *name;
    enum import_event_kind kind;
    const char *text;
} rules[N_RULES] = {
#define RULE(name_, kind_, text_) {#name_, IMPORT_##kind_, (text_)},
#include "dataset/rules.def"
#undef RULE
};

void events_init(struct events *events, struct arena *memory)
{
    *events = (struct events){.memory = memory};
}

static bool same(const struct import_event *event, enum rule rule, const char *column)
{
    return event->rule == rules[rule].name &&
           (event->column == column || strcmp(event->column, column) == 0);
}

static struct import_event *append(struct events *events, enum rule rule, const char *column)
{
    if (events->n == events->capacity) {
        size_t capacity = events->capacity ? events->capacity * 2 : 16;
        struct import_event *list = ARENA_ARRAY(events->memory, struct import_event, capacity);
        if (!list) {
            events->failed = true;
            return NULL;
        }
        if (events->n > 0)
            memcpy(list, events->list, events->n * sizeof *list);
        events->list = list;
        events->capacity = capacity;
    }
    struct import_event *event = &events->list[events->n++];
    event->kind = rules[rule].kind;
    event->rule = rules[rule].name;
    event->column = column;
    event->text = rules[rule].text;
    events->last[rule] = events->n;
    return event;
}

static struct import_event *find(struct events *events, enum rule rule, const char *column)
{
    size_t last = events->last[rule];
    if (last > 0 && same(&events->list[last - 1], rule, column))
        return &events->list[last - 1];
    for (size_t i = 0; i < events->n; i++) {
        if (same(&events->list[i], rule, column)) {
            events->last[rule] = i + 1;
            return &events->list[i];
        }
    }
    return append(events, rule, column);
}

/* At most EXAMPLE_BYTES of `value`, whole characters, with an ellipsis where it was cut. */
static const char *shorten(struct arena *memory, const char *value)
{
    size_t length = strlen(value);
    if (length <= EXAMPLE_BYTES)
        return arena_strndup(memory, value, length);
    return arena_printf(memory, "%.*s...", (int)utf8_cut(value, length, EXAMPLE_BYTES - 3), value);
}

void events_add(struct events *events, enum rule rule, const char *column, size_t line,
                const char *value)
{
    struct import_event *event = find(events, rule, column);
    if (!event)
        return;
    event->count++;
    events->n_added++;
    if (line == 0 || event->n_examples == IMPORT_EXAMPLES)
        return;
    const char *text = shorten(events->memory, value);
    if (!text) {
        events->failed = true;
        return;
    }
    event->examples[event->n_examples].line = line;
    event->examples[event->n_examples++].value = text;
}

void events_add_n(struct events *events, enum rule rule, const char *column, size_t count)
{
    struct import_event *event = count > 0 ? find(events, rule, column) : NULL;
    if (event)
        event->count += count;
}

void events_explain(struct events *events, enum rule rule, const char *column, const char *format,
                    ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct import_event *event = find(events, rule, column);
    if (!event)
        return;
    event->count++;
    const char *copy = arena_strdup(events->memory, text);
    if (copy)
        event->text = copy;
    else
        events->failed = true;
}

size_t events_count(const struct events *events, enum rule rule)
{
    size_t count = 0;
    for (size_t i = 0; i < events->n; i++)
        if (events->list[i].rule == rules[rule].name)
            count += events->list[i].count;
    return count;
}
