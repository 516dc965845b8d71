/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Writing CSV; every door that writes it quotes alike. */
#include <stddef.h>

#include "base/text.h"

/* A field (RFC 4180): in quotes, those inside doubled, when it holds a comma, a quote or a line
 * break, or begins or ends with a space. text may be NULL when bytes is 0. */
void csv_field_put(struct buffer *buffer, const char *text, size_t bytes);
