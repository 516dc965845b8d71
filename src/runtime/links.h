/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Real edges between catalogued accounts, as lists of neighbours: who has to do with whom, either
 * way. Training holds them in its own memory; similar.blob keeps them for profiles that come with a
 * known handle. Nodes are rows of the catalogue, which are those of the table it was made of. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/status.h"

/* Of one node; borrowed from the links. */
struct link_list {
    const uint32_t *node; /* [n] ascending, not the node itself */
    const float *weight;  /* [n] > 0 */
    size_t n;
};

/* Views; who made them owns the memory. Zeros are links between no nodes. */
struct links {
    size_t n;              /* nodes */
    const uint64_t *start; /* [n + 1] into the two below */
    const uint32_t *node;
    const float *weight; /* ln(1 + what the files of edges add up to) */
};

/* Empty for a node out of range. */
struct link_list links_of(const struct links *links, size_t node);

/* Where a node stands among ascending nodes [n]; SIZE_MAX: it does not. */
size_t link_find(const uint32_t *nodes, size_t n, uint32_t node);

/* Sections: "links.start" u64 [n + 1]; "links.node" u32; "links.weight" f32. */
enum status links_write(struct artifact_writer *writer, const struct links *links,
                        struct error *err);

/* Views into the artifact, of n_nodes nodes. STATUS_NOT_FOUND without a message: it has none. */
enum status links_read(const struct artifact *artifact, size_t n_nodes, struct links *ret_links,
                       struct error *err);
