/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What lifts a post, in lines for a terminal and as a part of the model card. */
#include "base/text.h"
#include "explore/virality.h"

/* Factors, those that explain most first, each with the levels that its intervals tell apart. */
void virality_say(const struct virality *virality, struct buffer *out);

/* All levels, as a table of Markdown. */
void virality_put_card(const struct virality *virality, struct buffer *out);
