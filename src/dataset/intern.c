/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/intern.h"

#include <stdbool.h>
#include <string.h>

#include "base/hash.h"

void intern_init(struct intern *intern, struct arena *arena)
{
    *intern = (struct intern){.arena = arena};
}

/* Open addressing with linear probing; the slot of the text or the empty one where it would go. */
static size_t find_slot(const struct intern *intern, const char *text, size_t length, uint64_t hash)
{
    size_t mask = intern->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        if (intern->slots[i] == 0)
            return i;
        uint32_t number = intern->slots[i] - 1;
        const char *known = intern->texts[number];
        if (intern->hashes[number] == hash && strncmp(known, text, length) == 0 &&
            known[length] == '\0')
            return i;
    }
}

/* Twice the room. What is left behind stays in the arena: in sum no more than the new arrays. */
static bool grow(struct intern *intern)
{
    size_t capacity = intern->capacity ? intern->capacity * 2 : 64;
    size_t n_slots = capacity * 2;
    const char **texts = arena_alloc(intern->arena, capacity * sizeof *texts);
    uint64_t *hashes = arena_alloc(intern->arena, capacity * sizeof *hashes);
    uint32_t *slots = ARENA_ARRAY(intern->arena, uint32_t, n_slots);
    if (!texts || !hashes || !slots)
        return false;
    for (size_t i = 0; i < intern->n; i++) {
        texts[i] = intern->texts[i];
        hashes[i] = intern->hashes[i];
        size_t slot = hashes[i] & (n_slots - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    intern->texts = texts;
    intern->hashes = hashes;
    intern->slots = slots;
    intern->capacity = capacity;
    intern->n_slots = n_slots;
    return true;
}

uint32_t intern_put(struct intern *intern, const char *text, size_t length)
{
    if (intern->n == intern->capacity && !grow(intern))
        return INTERN_NONE;
    uint64_t hash = hash_xxh3(text, length);
    size_t slot = find_slot(intern, text, length, hash);
    if (intern->slots[slot] != 0)
        return intern->slots[slot] - 1;
    char *copy = arena_strndup(intern->arena, text, length);
    if (!copy)
        return INTERN_NONE;
    intern->texts[intern->n] = copy;
    intern->hashes[intern->n] = hash;
    intern->slots[slot] = (uint32_t)++intern->n;
    return (uint32_t)intern->n - 1;
}

uint32_t intern_find(const struct intern *intern, const char *text, size_t length)
{
    if (intern->n_slots == 0)
        return INTERN_NONE;
    size_t slot = find_slot(intern, text, length, hash_xxh3(text, length));
    return intern->slots[slot] ? intern->slots[slot] - 1 : INTERN_NONE;
}
