/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The network of a training run, in lines for a terminal and as a part of the model card. */
#include <stdio.h>

#include "base/text.h"
#include "pipeline/network.h"

/* The largest communities, hubs and bridges by their handles, homophily, suggested links. */
void network_print(const struct network *network, const struct table *table, FILE *out);

/* The same as Markdown, without the name of any account. */
void network_put_card(const struct network *network, struct buffer *out);
