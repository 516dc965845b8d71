/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/handles.h"

#include "dataset/work.h"

size_t handles_fold(const char *cell, char ret_handle[static HANDLE_BYTES])
{
    const char *handle;
    size_t length = identity_handle(cell, &handle);
    if (length >= HANDLE_BYTES)
        return 0;
    for (size_t i = 0; i < length; i++)
        ret_handle[i] =
            handle[i] >= 'A' && handle[i] <= 'Z' ? (char)(handle[i] + 'a' - 'A') : handle[i];
    ret_handle[length] = '\0';
    return length;
}

enum status handles_init(struct handles *handles, const struct table *table, struct arena *arena,
                         struct error *err)
{
    *handles = (struct handles){.n_rows = table->n_rows};
    intern_init(&handles->names, arena);
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, table->n_rows + 1);
    handles->same = ARENA_ARRAY(arena, uint32_t, table->n_rows + 1);
    if (!rows || !handles->same)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    handles->rows = rows;
    const char *const *column = (const char *const *)table->text[PROFILE_handle];
    for (size_t row = 0; row < table->n_rows; row++) {
        char handle[HANDLE_BYTES];
        handles->same[row] = (uint32_t)row;
        size_t length = column && column[row] ? handles_fold(column[row], handle) : 0;
        if (length == 0)
            continue;
        size_t n_before = handles->names.n;
        uint32_t number = intern_put(&handles->names, handle, length);
        if (number == INTERN_NONE)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        if (handles->names.n > n_before)
            rows[number] = (uint32_t)row;
        handles->same[row] = rows[number];
    }
    return STATUS_OK;
}

uint32_t handles_find(const struct handles *handles, const char *cell)
{
    char handle[HANDLE_BYTES];
    size_t length = handles_fold(cell, handle);
    uint32_t number = length ? intern_find(&handles->names, handle, length) : INTERN_NONE;
    return number == INTERN_NONE ? HANDLE_NONE : handles->rows[number];
}
