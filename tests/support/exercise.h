/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ask an engine everything it can be asked, about invented profiles, known and unknown handles,
 * with and without filters. The answers are written as text, a line each, numbers to 6 digits; a
 * failed call leaves its status and message. */
#include "base/text.h"
#include "runtime/engine.h"

void exercise_engine(const struct engine *engine, struct buffer *out);
