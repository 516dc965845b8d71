/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/links.h"

struct link_list links_of(const struct links *links, size_t node)
{
    if (!links || node >= links->n)
        return (struct link_list){0};
    size_t start = (size_t)links->start[node];
    return (struct link_list){links->node + start, links->weight + start,
                              (size_t)links->start[node + 1] - start};
}

size_t link_find(const uint32_t *nodes, size_t n, uint32_t node)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (nodes[middle] < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && nodes[low] == node ? low : SIZE_MAX;
}

enum status links_write(struct artifact_writer *writer, const struct links *links,
                        struct error *err)
{
    size_t n = (size_t)links->start[links->n];
    TRY(artifact_add(writer, "links.start", ARTIFACT_U64, links->n + 1, 1, links->start, err));
    TRY(artifact_add(writer, "links.node", ARTIFACT_U32, n, 1, links->node, err));
    return artifact_add(writer, "links.weight", ARTIFACT_F32, n, 1, links->weight, err);
}

static enum status check_list(const struct links *links, size_t node, const char *name,
                              struct error *err)
{
    struct link_list list = links_of(links, node);
    for (size_t i = 0; i < list.n; i++)
        if (list.node[i] >= links->n || (i > 0 && list.node[i] <= list.node[i - 1]) ||
            !(list.weight[i] > 0))
            return fail(err, STATUS_CORRUPT, "%s: section 'links.node': node %zu: a wrong link",
                        name, node);
    return STATUS_OK;
}

enum status links_read(const struct artifact *artifact, size_t n_nodes, struct links *ret_links,
                       struct error *err)
{
    struct artifact_section section;
    if (artifact_find(artifact, "links.start", &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    struct links links = {.n = n_nodes};
    TRY(artifact_need(artifact, "links.start", ARTIFACT_U64, n_nodes + 1, 1, &section, err));
    links.start = section.data;
    TRY(artifact_need(artifact, "links.node", ARTIFACT_U32, ARTIFACT_ANY, 1, &section, err));
    links.node = section.data;
    size_t n = section.rows;
    TRY(artifact_need(artifact, "links.weight", ARTIFACT_F32, n, 1, &section, err));
    links.weight = section.data;
    bool in_order = links.start[0] == 0 && links.start[n_nodes] == n;
    for (size_t i = 0; i < n_nodes; i++)
        in_order &= links.start[i] <= links.start[i + 1];
    if (!in_order)
        return fail(err, STATUS_CORRUPT, "%s: section 'links.start': its lists do not follow",
                    artifact_name(artifact));
    for (size_t i = 0; i < n_nodes; i++)
        TRY(check_list(&links, i, artifact_name(artifact), err));
    *ret_links = links;
    return STATUS_OK;
}
