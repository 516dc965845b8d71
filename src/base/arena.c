/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16

struct arena_block {
    struct arena_block *previous;
    size_t bytes;
    _Alignas(ALIGNMENT) unsigned char memory[];
};

void arena_init(struct arena *arena, size_t first_bytes)
{
    *arena = (struct arena){.first_bytes = first_bytes < 256 ? 256 : first_bytes};
}

static void free_chain(struct arena_block *block)
{
    while (block) {
        struct arena_block *previous = block->previous;
        free(block);
        block = previous;
    }
}

void arena_deinit(struct arena *arena)
{
    free_chain(arena->block);
    arena->block = NULL;
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
    if (!arena->block)
        return;
    /* Blocks only ever grow, so the newest is the largest. */
    free_chain(arena->block->previous);
    arena->block->previous = NULL;
}

size_t arena_bytes(const struct arena *arena)
{
    size_t bytes = 0;
    for (const struct arena_block *block = arena->block; block; block = block->previous)
        bytes += block->bytes;
    return bytes;
}

static struct arena_block *grow(struct arena *arena, size_t bytes)
{
    size_t size = arena->block ? arena->block->bytes * 2 : arena->first_bytes;
    if (size < bytes)
        size = bytes;
    if (size > SIZE_MAX - sizeof(struct arena_block))
        return NULL;
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    *block = (struct arena_block){.previous = arena->block, .bytes = size};
    arena->block = block;
    arena->used = 0;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        return NULL;
    size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!arena->block || arena->block->bytes - arena->used < rounded)
        if (!grow(arena, rounded))
            return NULL;
    void *memory = arena->block->memory + arena->used;
    arena->used += rounded;
    return memory;
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    void *memory = arena_alloc(arena, bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *arena_zalloc_array(struct arena *arena, size_t size, size_t count)
{
    size_t bytes;
    if (__builtin_mul_overflow(size, count, &bytes))
        return NULL;
    return arena_zalloc(arena, bytes);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    char *text = arena_alloc(arena, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
