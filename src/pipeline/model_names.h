/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lists of models, as options and the configuration hold them: names of trainers between spaces or
 * commas. They are checked before there is any work to lose. */
#include <stdbool.h>

#include "base/status.h"
#include "learn/trainer.h"

/* What a list may name. */
enum model_kind {
    MODELS_OF_NUMBERS = 1,
    MODELS_OF_CLASSES = 2,
    MODELS_OF_BOTH = 3,
};

static inline enum model_kind model_kind_of(enum task task)
{
    return task == TASK_REGRESSION ? MODELS_OF_NUMBERS : MODELS_OF_CLASSES;
}

/* option: who says so, for the message. list: NULL is fine.
 * STATUS_INVALID: it names nothing, or what is no model of that kind; the message tells those that
 * are. */
enum status model_names_check(const char *option, const char *list, enum model_kind kind,
                              struct error *err);
