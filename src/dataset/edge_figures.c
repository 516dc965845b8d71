/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/edge_figures.h"

#include <string.h>

#include "base/hash.h"

void edge_figures_deinit(struct edge_figures *figures)
{
    distinct_deinit(&figures->in);
    distinct_deinit(&figures->out);
    distinct_deinit(&figures->comments_in);
    distinct_deinit(&figures->mentions_in);
    distinct_deinit(&figures->brands);
    tag_sketch_deinit(&figures->brand_names);
}

static enum status add_incoming(struct edge_figures *figures, enum edge_kind kind, uint32_t from,
                                struct error *err)
{
    TRY(distinct_add(&figures->in, from, err));
    if (kind == EDGE_COMMENT)
        TRY(distinct_add(&figures->comments_in, from, err));
    if (kind == EDGE_TAG || kind == EDGE_MENTION)
        TRY(distinct_add(&figures->mentions_in, from, err));
    return STATUS_OK;
}

static enum status add_brand(struct edge_figures *figures, const struct edge_row *edge,
                             uint32_t brand, struct error *err)
{
    size_t times = edge->weight < 1 ? 1 : (size_t)edge->weight;
    TRY(distinct_add(&figures->brands, brand, err));
    return tag_sketch_add(&figures->brand_names, edge->target_handle, strlen(edge->target_handle),
                          times, err);
}

enum status edge_figures_add(struct edge_figures *figures, const struct edge_row *edge,
                             struct error *err)
{
    uint32_t source = (uint32_t)hash_xxh3(edge->source_handle, strlen(edge->source_handle));
    uint32_t target = (uint32_t)hash_xxh3(edge->target_handle, strlen(edge->target_handle));
    if (edge->kind == EDGE_BRAND)
        return edge->source == HANDLE_NONE ? STATUS_OK
                                           : add_brand(&figures[edge->source], edge, target, err);
    if (edge->source != HANDLE_NONE)
        TRY(distinct_add(&figures[edge->source].out, target, err));
    if (edge->target != HANDLE_NONE)
        TRY(add_incoming(&figures[edge->target], edge->kind, source, err));
    return STATUS_OK;
}

void edge_figures_get(const struct edge_figures *figures,
                      double ret_number[static PROFILE_N_NUMBERS])
{
    ret_number[PROFILE_edges_in] = distinct_count(&figures->in);
    ret_number[PROFILE_edges_out] = distinct_count(&figures->out);
    ret_number[PROFILE_comments_in] = distinct_count(&figures->comments_in);
    ret_number[PROFILE_mentions_in] = distinct_count(&figures->mentions_in);
    ret_number[PROFILE_brand_links] = distinct_count(&figures->brands);
}

static bool has_edge(const struct edges *edges, uint32_t source, uint32_t target)
{
    size_t low = 0;
    size_t high = edges->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct edge *edge = &edges->list[middle];
        bool before = edge->source < source || (edge->source == source && edge->target < target);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < edges->n && edges->list[low].source == source && edges->list[low].target == target;
         low++)
        if (edges->list[low].kind != EDGE_BRAND)
            return true;
    return false;
}

void edge_reciprocity(const struct edges *edges, double *ret_reciprocity)
{
    for (size_t row = 0; row < edges->n_rows; row++)
        ret_reciprocity[row] = MISSING;
    for (size_t i = 0; i < edges->n;) {
        uint32_t source = edges->list[i].source;
        double n = 0;
        double n_returned = 0;
        uint32_t last = HANDLE_NONE; /* edges of other kinds to the same account count once */
        for (; i < edges->n && edges->list[i].source == source; i++) {
            const struct edge *edge = &edges->list[i];
            if (edge->kind == EDGE_BRAND || edge->target == last || edge->target >= edges->n_rows)
                continue;
            last = edge->target;
            n++;
            n_returned += has_edge(edges, edge->target, source);
        }
        if (n > 0 && source < edges->n_rows)
            ret_reciprocity[source] = n_returned / n;
    }
}
