/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/targets.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "database/database.h"

#define MAX_TOP 1000

static bool take_top(const char *value, size_t *ret_top)
{
    int64_t number;
    if (!text_parse_integer(value, strlen(value), &number) || number < 1 || number > MAX_TOP)
        return false;
    *ret_top = (size_t)number;
    return true;
}

bool targets_take(int option, const char *value, const struct targets_options *options)
{
    const char **const places[TARGETS_END - TARGETS_TARGET] = {
        [TARGETS_TARGET - TARGETS_TARGET] = &options->target->target,
        [TARGETS_BINS - TARGETS_TARGET] = &options->target->bins,
        [TARGETS_LABELS - TARGETS_TARGET] = &options->target->labels,
        [TARGETS_WHERE - TARGETS_TARGET] = &options->target->where,
        [TARGETS_FEATURES - TARGETS_TARGET] = &options->names->features,
        [TARGETS_EXCLUDE - TARGETS_TARGET] = &options->names->exclude,
        [TARGETS_ALLOW - TARGETS_TARGET] = &options->names->allow,
        [TARGETS_GROUP - TARGETS_TARGET] = options->group,
        [TARGETS_MODELS - TARGETS_TARGET] = options->models,
        [TARGETS_MONOTONE - TARGETS_TARGET] = options->monotone,
        [TARGETS_SCHEMAS - TARGETS_TARGET] = &options->target->schema_dir,
    };
    if (option == TARGETS_TOP)
        return take_top(value, &options->target->top);
    assert(targets_has(option) && places[option - TARGETS_TARGET]);
    *places[option - TARGETS_TARGET] = value;
    return true;
}

const char *targets_conflict(const struct own_target *target)
{
    if (target->target && target->labels)
        return "the labels are the target: --labels FILE:COLUMN, no --target";
    if (target->labels && database_is_uri(target->labels))
        return "--labels takes a FILE: of a database, join the labels in the --query";
    return NULL;
}
