/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What must not be seen when a field is the target: the field itself, the fields that determine it
 * together with others (an identity such as total_likes = posts x avg_likes), and the fields that
 * feature_prepare() computed from it in this very data. A feature is hidden when it reads any. */
#include <stdbool.h>
#include <stdint.h>

#include "dataset/table.h"
#include "features/spec.h"

/* Bits of number fields: `targets` and what gives them away by definition. */
uint64_t leakage_closure(uint64_t targets);

/* Fields that in some row of `table` are only known because a field of `hidden` is. */
uint64_t leakage_derived(const struct table *table, uint64_t hidden);

/* Both, to be handed to a design. */
uint64_t leakage_hidden(const struct table *table, uint64_t targets);

static inline bool leakage_hides(uint64_t hidden, enum feature_id feature)
{
    return (feature_definitions[feature].inputs & hidden) != 0;
}
