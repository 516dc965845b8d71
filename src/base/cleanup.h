/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Cleanup by attribute, so that an early return is always right.
 *
 *     AUTO(free_slot) char *name = strdup(text);
 *     AUTO(table_free_slot) struct table *table = NULL;
 *     ...
 *     *ret_table = STEAL(table);
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(function) __attribute__((cleanup(function)))

/* The value of `pointer`, which is left NULL: ownership moves to the receiver. */
#define STEAL(pointer)                           \
    ({                                           \
        __typeof__(pointer) stolen_ = (pointer); \
        (pointer) = NULL;                        \
        stolen_;                                 \
    })

/* Define name_slot(), the cleanup function of a `type *` variable whose destructor is name(). */
#define DEFINE_SLOT(name, type)                 \
    static inline void name##_slot(type **slot) \
    {                                           \
        name(*slot);                            \
    }

static inline void free_slot(void *slot)
{
    free(*(void **)slot);
}

static inline void close_slot(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void fclose_slot(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
