/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A bump allocator: one a request, one a training run. Blocks are chained as needed; reset keeps
 * the largest, so that a warm arena allocates nothing. Not thread-safe: one owner at a time. */
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *block; /* owns the chain, newest first */
    size_t used;               /* bytes used in `block` */
    size_t first_bytes;        /* size of the first block */
};

void arena_init(struct arena *arena, size_t first_bytes);
void arena_deinit(struct arena *arena);

/* Forget everything allocated; keeps the largest block. */
void arena_reset(struct arena *arena);

/* What its blocks take. */
size_t arena_bytes(const struct arena *arena);

/* Memory aligned to 16 bytes, borrowed until reset or deinit; NULL when out of memory. Not zeroed.
 */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_zalloc(struct arena *arena, size_t bytes);

/* Copy of `length` bytes of text, with a NUL added. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_zalloc_array((arena), sizeof(type), (count)))

/* Zeroed array; NULL when out of memory or when count * size overflows. */
void *arena_zalloc_array(struct arena *arena, size_t size, size_t count);
