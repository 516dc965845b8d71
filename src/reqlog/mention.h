/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether `text` mentions `handle` as a whole word, ASCII case folded, also when it is written with
 * an escape of JSON or of a URL. Letters, digits, dots and underscores make up a handle; a match
 * with more of those around it is another one's. */
bool mention_find(const char *text, size_t length, const char *handle);
