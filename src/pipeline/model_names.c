/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/model_names.h"

#include <string.h>

#include "base/text.h"
#include "pipeline/train_config.h"

static bool is_model(const char *name, enum model_kind kind)
{
    return ((kind & MODELS_OF_NUMBERS) && trainer_find(name, TASK_REGRESSION)) ||
           ((kind & MODELS_OF_CLASSES) && trainer_find(name, TASK_CLASSIFICATION));
}

static void list_models(enum task task, struct buffer *out)
{
    for (size_t i = 0; i < n_trainers; i++)
        if (trainers[i]->task == task)
            buffer_printf(out, " %s", trainers[i]->name);
}

static enum status refuse(const char *option, const char *name, enum model_kind kind,
                          struct error *err)
{
    AUTO(buffer_deinit) struct buffer there = {0};
    if (kind & MODELS_OF_NUMBERS) {
        buffer_put_text(&there, "; of numbers there are:");
        list_models(TASK_REGRESSION, &there);
    }
    if (kind & MODELS_OF_CLASSES) {
        buffer_put_text(&there, "; of classes there are:");
        list_models(TASK_CLASSIFICATION, &there);
    }
    if (there.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (!name)
        return fail(err, STATUS_INVALID, "%s: names no model%s", option, there.at);
    if (is_model(name, MODELS_OF_BOTH))
        return fail(err, STATUS_INVALID, "%s: '%s' learns %s, and %s are to be learnt%s", option,
                    name, kind == MODELS_OF_NUMBERS ? "classes" : "numbers",
                    kind == MODELS_OF_NUMBERS ? "numbers" : "classes", there.at);
    return fail(err, STATUS_INVALID, "%s: there is no model '%s'%s", option, name, there.at);
}

enum status model_names_check(const char *option, const char *list, enum model_kind kind,
                              struct error *err)
{
    if (!list)
        return STATUS_OK;
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 512);
    const char *name = train_config_word(&list, ", ", &arena);
    if (!name)
        return refuse(option, NULL, kind, err);
    for (; name; name = train_config_word(&list, ", ", &arena))
        if (!is_model(name, kind))
            return refuse(option, name, kind, err);
    return STATUS_OK;
}
