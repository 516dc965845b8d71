/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "dataset/fetch.h"

struct list {
    struct inputs *inputs;
    const char **files;
    size_t capacity;
};

void inputs_free(struct inputs *inputs)
{
    if (!inputs)
        return;
    arena_deinit(&inputs->memory);
    free(inputs);
}

/* The length of the name without "@YYYY-MM" at its end. */
static size_t without_month(const char *text)
{
    static const char form[] = "@0000-00";
    size_t length = strlen(text);
    size_t suffix = sizeof form - 1;
    if (length <= suffix)
        return length;
    const char *at = text + length - suffix;
    for (size_t i = 0; i < suffix; i++)
        if (form[i] == '0' ? at[i] < '0' || at[i] > '9' : at[i] != form[i])
            return length;
    return length - suffix;
}

static enum status add(struct list *list, const char *file, struct error *err)
{
    if (!list->files || list->inputs->n_files == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        const char **files = ARENA_ARRAY(&list->inputs->memory, const char *, capacity);
        if (!files)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        if (list->files)
            memcpy(files, list->files, list->capacity * sizeof *files);
        list->files = files;
        list->capacity = capacity;
    }
    list->files[list->inputs->n_files++] = file;
    list->inputs->files = list->files;
    return STATUS_OK;
}

static enum status expand(struct list *list, const char *argument, struct error *err)
{
    struct arena *memory = &list->inputs->memory;
    size_t length = without_month(argument);
    const char *name = arena_strndup(memory, argument, length);
    if (!name)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct fetch_options options = {
        .data_dir = getenv("INFLUENCE_DATA"),
        .progress = command_progress(),
        .cancel = interrupt_flag(),
    };
    AUTO(fetched_free_slot) struct fetched *fetched = NULL;
    TRY(fetch_resolve(name, &options, &fetched, err));
    if (fetched->n_tables > 1)
        log_info("%s: has %zu tables, all are taken", name, fetched->n_tables);
    for (size_t i = 0; i < fetched->n_tables; i++) {
        const char *file = arena_printf(memory, "%s%s", fetched->tables[i], argument + length);
        if (!file)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        TRY(add(list, file, err));
    }
    return STATUS_OK;
}

enum status inputs_expand(char *const *arguments, size_t n_arguments, struct inputs **ret_inputs,
                          struct error *err)
{
    AUTO(inputs_free_slot) struct inputs *inputs = calloc(1, sizeof *inputs);
    if (!inputs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&inputs->memory, 4096);
    struct list list = {.inputs = inputs};
    for (size_t i = 0; i < n_arguments; i++) {
        if (fetch_is_remote(arguments[i]))
            TRY(expand(&list, arguments[i], err));
        else
            TRY(add(&list, arguments[i], err));
    }
    *ret_inputs = STEAL(inputs);
    return STATUS_OK;
}

const char *inputs_schema_dir(void)
{
    static const char dir[] = "config/schemas";
    return file_exists(dir) ? dir : NULL;
}
