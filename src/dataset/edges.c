/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/edges.h"

#include <math.h>
#include <string.h>

#include "dataset/stream.h"
#include "profile/profile.h"

#define MAX_WEIGHT 1e9

const char *const edge_kind_names[N_EDGE_KINDS] = {
    [EDGE_COMMENT] = "comment", [EDGE_TAG] = "tag",     [EDGE_MENTION] = "mention",
    [EDGE_FOLLOW] = "follow",   [EDGE_BRAND] = "brand", [EDGE_OTHER] = "other",
};

enum column {
#define POST(name, headers)
#define EDGE(name, headers) COLUMN_##name,
#include "dataset/sources.def"
#undef POST
#undef EDGE
    N_COLUMNS
};

static const struct stream_column columns[N_COLUMNS] = {
#define POST(name, headers)
#define EDGE(name, headers) {#name, (headers)},
#include "dataset/sources.def"
#undef POST
#undef EDGE
};

static const struct stream_kind stream_kind = {"edges", columns, N_COLUMNS};

struct reading {
    const struct edges_input *input;
    edge_function on_edge;
    void *user;
    bool keep_outside;
    enum column source, target; /* of the file being read */
    enum edge_kind kind;        /* of rows that do not say */
};

static bool first_of(const struct stream *stream, const enum column *of, size_t n,
                     enum column *ret_column)
{
    for (size_t i = 0; i < n; i++) {
        if (stream->header[of[i]][0] == '\0')
            continue;
        *ret_column = of[i];
        return true;
    }
    return false;
}

static enum status check_header(void *user, struct stream *stream, struct error *err)
{
    static const enum column sources[] = {COLUMN_source, COLUMN_follower, COLUMN_influencer};
    static const enum column targets[] = {COLUMN_target, COLUMN_followed, COLUMN_brand};
    struct reading *reading = user;
    if (!first_of(stream, sources, ARRAY_LENGTH(sources), &reading->source) ||
        !first_of(stream, targets, ARRAY_LENGTH(targets), &reading->target))
        return fail(err, STATUS_INVALID,
                    "no table of edges: it needs two columns of accounts: source and target, "
                    "follower and followed, or influencer and brand");
    bool is_follow = reading->source == COLUMN_follower || reading->target == COLUMN_followed;
    reading->kind = is_follow                         ? EDGE_FOLLOW
                    : reading->target == COLUMN_brand ? EDGE_BRAND
                                                      : EDGE_OTHER;
    return STATUS_OK;
}

static enum edge_kind kind_of(const char *text, bool *ret_known)
{
    static const struct {
        const char *word;
        enum edge_kind kind;
    } words[] = {
        {"comment", EDGE_COMMENT}, {"repl", EDGE_COMMENT},  {"follow", EDGE_FOLLOW},
        {"brand", EDGE_BRAND},     {"sponsor", EDGE_BRAND}, {"mention", EDGE_MENTION},
        {"tag", EDGE_TAG},         {"other", EDGE_OTHER},
    };
    char lower[32];
    size_t n = 0;
    for (; text[n] && n + 1 < sizeof lower; n++)
        lower[n] = text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] + 'a' - 'A') : text[n];
    lower[n] = '\0';
    *ret_known = true;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (strstr(lower, words[i].word))
            return words[i].kind;
    *ret_known = false;
    return EDGE_OTHER;
}

static enum edge_kind read_kind(const struct reading *reading, struct stream *stream)
{
    const char *text = stream->cell[COLUMN_kind];
    if (!text || text[0] == '\0')
        return reading->kind;
    bool known;
    enum edge_kind kind = kind_of(text, &known);
    if (!known)
        stream_note(stream, RULE_kind_unknown, COLUMN_kind);
    return kind;
}

static enum status read_edge(void *user, struct stream *stream, struct error *err)
{
    const struct reading *reading = user;
    char source[HANDLE_BYTES];
    char target[HANDLE_BYTES];
    bool has_source = handles_fold(stream->cell[reading->source], source) > 0;
    if (!has_source || handles_fold(stream->cell[reading->target], target) == 0) {
        stream_refuse(stream, RULE_row_without_account,
                      has_source ? reading->target : reading->source);
        return STATUS_OK;
    }
    const struct handles *handles = reading->input->handles;
    struct edge_row edge = {
        .source = handles_find(handles, source),
        .target = handles_find(handles, target),
        .source_handle = source,
        .target_handle = target,
    };
    bool is_outside = edge.source == HANDLE_NONE && edge.target == HANDLE_NONE;
    if (strcmp(source, target) == 0)
        stream_refuse(stream, RULE_edge_to_itself, reading->target);
    else if (is_outside && !reading->keep_outside)
        stream_refuse(stream, RULE_edge_outside, reading->source);
    else {
        edge.kind = read_kind(reading, stream);
        edge.weight = stream_number(stream, COLUMN_weight, MAX_WEIGHT);
        if (edge.weight == 0) {
            stream_refuse(stream, RULE_edge_without_weight, COLUMN_weight);
            return STATUS_OK;
        }
        if (isnan(edge.weight))
            edge.weight = 1;
        return reading->on_edge(reading->user, &edge, err);
    }
    return STATUS_OK;
}

static enum status read_files(struct reading *reading, struct import_report *report,
                              struct error *err)
{
    AUTO(arena_deinit) struct arena unheard;
    arena_init(&unheard, 4096);
    const struct stream_callbacks callbacks = {check_header, read_edge, reading};
    for (size_t i = 0; i < reading->input->n_files; i++) {
        struct import_source silent = {0};
        struct stream stream = {
            .kind = &stream_kind,
            .path = reading->input->files[i],
            .memory = report ? &report->memory : &unheard,
            .out = report ? import_report_join(report) : &silent,
            .progress = reading->input->progress,
        };
        if (!stream.out)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        TRY(stream_read(&stream, &callbacks, err));
    }
    return STATUS_OK;
}

enum status edges_each(const struct edges_input *input, edge_function on_edge, void *user,
                       struct import_report *report, struct error *err)
{
    struct reading reading = {.input = input, .on_edge = on_edge, .user = user};
    return read_files(&reading, report, err);
}

/* ---- the list ---- */

struct loading {
    struct edges *edges;
    struct intern outside;
    size_t capacity, max_edges, max_outside;
};

void edges_free(struct edges *edges)
{
    if (!edges)
        return;
    arena_deinit(&edges->memory);
    free(edges->list);
    free(edges);
}

static int by_ends(const void *a, const void *b)
{
    const struct edge *x = a;
    const struct edge *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

/* Sort, and add up those that are alike. */
static void merge(struct edges *edges)
{
    if (edges->n == 0)
        return;
    qsort(edges->list, edges->n, sizeof *edges->list, by_ends);
    size_t n = 0;
    for (size_t i = 0; i < edges->n; i++) {
        if (n > 0 && by_ends(&edges->list[n - 1], &edges->list[i]) == 0)
            edges->list[n - 1].weight += edges->list[i].weight;
        else
            edges->list[n++] = edges->list[i];
    }
    edges->n = n;
}

static enum status grow(struct loading *loading, struct error *err)
{
    struct edges *edges = loading->edges;
    merge(edges);
    if (edges->n > loading->max_edges)
        return fail(err, STATUS_LIMIT, "more than %zu edges between accounts of the table",
                    loading->max_edges);
    if (edges->n * 4 < loading->capacity * 3)
        return STATUS_OK;
    size_t wanted = loading->capacity ? 2 * loading->capacity : 1024;
    struct edge *list = realloc(edges->list, wanted * sizeof *list);
    if (!list)
        return fail(err, STATUS_NO_MEMORY, "out of memory for %zu edges", wanted);
    edges->list = list;
    loading->capacity = wanted;
    return STATUS_OK;
}

/* The node of one end; HANDLE_NONE: it is not kept. */
static enum status find_node(struct loading *loading, uint32_t row, const char *handle,
                             uint32_t *ret_node, struct error *err)
{
    *ret_node = row;
    if (row != HANDLE_NONE || loading->max_outside == 0)
        return STATUS_OK;
    size_t length = strlen(handle);
    uint32_t number = loading->outside.n < loading->max_outside
                          ? intern_put(&loading->outside, handle, length)
                          : intern_find(&loading->outside, handle, length);
    if (number == INTERN_NONE)
        return loading->outside.n < loading->max_outside
                   ? fail(err, STATUS_NO_MEMORY, "out of memory")
                   : STATUS_OK;
    *ret_node = (uint32_t)loading->edges->n_rows + number;
    return STATUS_OK;
}

static enum status keep(void *user, const struct edge_row *row, struct error *err)
{
    struct loading *loading = user;
    struct edges *edges = loading->edges;
    uint32_t source;
    uint32_t target;
    TRY(find_node(loading, row->source, row->source_handle, &source, err));
    TRY(find_node(loading, row->target, row->target_handle, &target, err));
    if (source == HANDLE_NONE || target == HANDLE_NONE)
        return STATUS_OK;
    if (edges->n == loading->capacity)
        TRY(grow(loading, err));
    edges->list[edges->n++] = (struct edge){source, target, (float)row->weight, row->kind};
    return STATUS_OK;
}

enum status edges_load(const struct edges_input *input, const struct edges_options *options,
                       struct import_report *report, struct edges **ret_edges, struct error *err)
{
    AUTO(edges_free_slot) struct edges *edges = calloc(1, sizeof *edges);
    if (!edges)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&edges->memory, 4096);
    edges->n_rows = input->handles->n_rows;
    struct loading loading = {
        .edges = edges,
        .max_edges = options && options->max_edges ? options->max_edges : 50000000,
        .max_outside = options ? options->max_outside : 0,
    };
    intern_init(&loading.outside, &edges->memory);
    struct reading reading = {
        .input = input, .on_edge = keep, .user = &loading, .keep_outside = loading.max_outside > 0};
    TRY(read_files(&reading, report, err));
    merge(edges);
    edges->outside = loading.outside.texts;
    edges->n_outside = loading.outside.n;
    *ret_edges = STEAL(edges);
    return STATUS_OK;
}
