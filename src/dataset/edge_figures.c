/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/edge_figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct edge_account {
    struct distinct any[N_EDGE_DIRECTIONS]; /* of all kinds but brand */
    struct distinct of_kind[N_EDGE_DIRECTIONS][N_EDGE_KINDS];
    struct tag_sketch brands;
};

#define NO_FIELD PROFILE_N_NUMBERS

static const enum profile_number any_fields[N_EDGE_DIRECTIONS] = {PROFILE_edges_in,
                                                                  PROFILE_edges_out};
static const enum profile_number kind_fields[N_EDGE_DIRECTIONS][N_EDGE_KINDS] = {
    [EDGE_IN] = {[EDGE_COMMENT] = PROFILE_comments_in,
                 [EDGE_TAG] = PROFILE_tags_in,
                 [EDGE_MENTION] = PROFILE_mentions_in,
                 [EDGE_FOLLOW] = PROFILE_follows_in,
                 [EDGE_BRAND] = PROFILE_brand_links_in,
                 [EDGE_OTHER] = NO_FIELD},
    [EDGE_OUT] = {[EDGE_COMMENT] = PROFILE_comments_out,
                  [EDGE_TAG] = PROFILE_tags_out,
                  [EDGE_MENTION] = PROFILE_mentions_out,
                  [EDGE_FOLLOW] = PROFILE_follows_out,
                  [EDGE_BRAND] = PROFILE_brand_links,
                  [EDGE_OTHER] = NO_FIELD},
};

enum status edge_figures_init(struct edge_figures *figures, size_t n_rows, struct error *err)
{
    *figures = (struct edge_figures){.n_rows = n_rows};
    figures->accounts = calloc(n_rows + 1, sizeof(struct edge_account *));
    return figures->accounts ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static void free_account(struct edge_account *account)
{
    if (!account)
        return;
    for (size_t d = 0; d < N_EDGE_DIRECTIONS; d++) {
        distinct_deinit(&account->any[d]);
        for (size_t kind = 0; kind < N_EDGE_KINDS; kind++)
            distinct_deinit(&account->of_kind[d][kind]);
    }
    tag_sketch_deinit(&account->brands);
    free(account);
}

void edge_figures_deinit(struct edge_figures *figures)
{
    for (size_t row = 0; figures->accounts && row < figures->n_rows; row++)
        free_account(figures->accounts[row]);
    free(figures->accounts);
    *figures = (struct edge_figures){0};
}

/* One end of an edge: its row, and who is on the other. */
struct end {
    uint32_t row;
    size_t direction; /* as the row sees it */
    const char *other;
};

static enum status add_end(struct edge_figures *figures, const struct edge_row *edge,
                           const struct end *end, struct error *err)
{
    if (end->row == HANDLE_NONE)
        return STATUS_OK;
    struct edge_account **account = &figures->accounts[end->row];
    if (!*account)
        *account = calloc(1, sizeof **account);
    if (!*account)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t d = end->direction;
    uint32_t hash = (uint32_t)hash_xxh3(end->other, strlen(end->other));
    figures->seen[d][edge->kind] = true;
    if (edge->kind != EDGE_BRAND)
        TRY(distinct_add(&(*account)->any[d], hash, err));
    if (kind_fields[d][edge->kind] != NO_FIELD)
        TRY(distinct_add(&(*account)->of_kind[d][edge->kind], hash, err));
    if (edge->kind != EDGE_BRAND || d != EDGE_OUT)
        return STATUS_OK;
    size_t times = edge->weight < 1 ? 1 : (size_t)edge->weight;
    return tag_sketch_add(&(*account)->brands, end->other, strlen(end->other), times, err);
}

enum status edge_figures_add(struct edge_figures *figures, const struct edge_row *edge,
                             struct error *err)
{
    TRY(add_end(figures, edge, &(struct end){edge->source, EDGE_OUT, edge->target_handle}, err));
    return add_end(figures, edge, &(struct end){edge->target, EDGE_IN, edge->source_handle}, err);
}

void edge_figures_get(const struct edge_figures *figures, size_t row,
                      double ret_number[static PROFILE_N_NUMBERS])
{
    static const struct edge_account none;
    const struct edge_account *account = figures->accounts[row] ? figures->accounts[row] : &none;
    for (size_t d = 0; d < N_EDGE_DIRECTIONS; d++) {
        bool any = false;
        for (size_t kind = 0; kind < N_EDGE_KINDS; kind++) {
            any |= kind != EDGE_BRAND && figures->seen[d][kind];
            if (kind_fields[d][kind] != NO_FIELD)
                ret_number[kind_fields[d][kind]] =
                    figures->seen[d][kind] ? distinct_count(&account->of_kind[d][kind]) : MISSING;
        }
        ret_number[any_fields[d]] = any ? distinct_count(&account->any[d]) : MISSING;
    }
}

struct tag_sketch *edge_figures_brands(const struct edge_figures *figures, size_t row)
{
    return figures->accounts[row] ? &figures->accounts[row]->brands : NULL;
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
