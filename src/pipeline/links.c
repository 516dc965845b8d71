/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/links.h"

#include <string.h>

#include "learn/metrics.h"

#define MAX_ACCOUNTS 50000000
#define PER_ACCOUNT 3 /* suggestions that name the same account */

void links_result_free(struct links_result *result)
{
    if (!result)
        return;
    import_report_free(result->imported);
    edges_free(result->edges);
    graph_free(result->graph);
    free(result->suggestions);
    free(result);
}

/* Bits of the kinds named in "follow, tag". */
static enum status parse_kinds(const char *text, unsigned *ret_kinds, struct error *err)
{
    unsigned kinds = 0;
    for (const char *word = text; *word;) {
        size_t length = strcspn(word, ", ");
        size_t kind = 0;
        while (kind < N_EDGE_KINDS && (strlen(edge_kind_names[kind]) != length ||
                                       strncmp(edge_kind_names[kind], word, length) != 0))
            kind++;
        if (length > 0 && kind == N_EDGE_KINDS)
            return fail(err, STATUS_INVALID,
                        "'%.*s' is no kind of edge: comment, tag, mention, follow, brand, other",
                        (int)length, word);
        if (length > 0)
            kinds |= 1U << kind;
        word += length + (word[length] != '\0');
    }
    *ret_kinds = kinds;
    return kinds ? STATUS_OK : fail(err, STATUS_INVALID, "no kind of edge is named");
}

/* There is no table: every account is one of the edges' own. */
static enum status load(const struct links_input *input, struct links_result *result,
                        struct error *err)
{
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 1024);
    struct table nobody = {0};
    struct handles handles;
    TRY(handles_init(&handles, &nobody, &memory, err));
    result->imported = calloc(1, sizeof *result->imported);
    if (!result->imported)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&result->imported->memory, 4096);
    struct edges_input edges = {input->files, input->n_files, &handles, input->progress};
    return edges_load(&edges, &(struct edges_options){.max_outside = MAX_ACCOUNTS},
                      result->imported, &result->edges, err);
}

static enum status build(const struct links_input *input, struct links_result *result,
                         struct error *err)
{
    const struct edges *edges = result->edges;
    unsigned kinds = UINT32_MAX;
    if (input->kinds)
        TRY(parse_kinds(input->kinds, &kinds, err));
    AUTO(free_slot) uint32_t *from = calloc(edges->n + 1, sizeof *from);
    AUTO(free_slot) uint32_t *to = calloc(edges->n + 1, sizeof *to);
    AUTO(free_slot) double *weight = calloc(edges->n + 1, sizeof *weight);
    if (!from || !to || !weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    for (size_t i = 0; i < edges->n; i++) {
        const struct edge *edge = &edges->list[i];
        result->n_of_kind[edge->kind]++;
        if (!(kinds >> edge->kind & 1))
            continue;
        from[n] = edge->source;
        to[n] = edge->target;
        weight[n++] = (double)edge->weight;
    }
    struct graph_edges list = {edges->n_outside, n, from, to, weight};
    return graph_new(&list, true, &result->graph, err);
}

/* The graph without the accounts that have no link at all: they play no part. */
static enum status drop_isolated(const struct graph *graph, struct graph **ret_graph,
                                 struct error *err)
{
    AUTO(free_slot) uint32_t *nodes = calloc(graph->n + 1, sizeof *nodes);
    if (!nodes)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    for (uint32_t i = 0; i < graph->n; i++)
        if (graph_degree(graph, i) > 0)
            nodes[n++] = i;
    return graph_induced(graph, nodes, n, ret_graph, err);
}

enum status links_assess(const struct graph *graph, const struct links_protocol *protocol,
                         struct link_assessment *ret_assessment, struct error *err)
{
    size_t n = protocol->n_repeats;
    struct link_assessment assessment = {0};
    AUTO(free_slot) struct link_figures *figures = calloc(n, sizeof *figures);
    AUTO(free_slot) double *values = calloc(n, sizeof *values);
    AUTO(graph_free_slot) struct graph *linked = NULL;
    if (!figures || !values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(drop_isolated(graph, &linked, err));
    for (size_t r = 0; r < n; r++) {
        TRY(links_evaluate(linked, protocol->holdout, protocol->seed + r, &figures[r], err));
        assessment.n_chosen[figures[r].chosen]++;
        assessment.precision += figures[r].precision / (double)n;
        values[r] = figures[r].auc[figures[r].chosen];
    }
    assessment.n_held = figures[0].n_held;
    assessment.n_unseen = figures[0].n_unseen;
    assessment.auc = metrics_mean(values, n);
    assessment.auc_sd = metrics_sd(values, n);
    for (size_t method = 0; method < LINK_N_METHODS; method++) {
        for (size_t r = 0; r < n; r++)
            values[r] = figures[r].auc[method];
        assessment.mean[method] = metrics_mean(values, n);
        assessment.sd[method] = metrics_sd(values, n);
        if (assessment.n_chosen[method] > assessment.n_chosen[assessment.method])
            assessment.method = (enum link_method)method;
    }
    *ret_assessment = assessment;
    return STATUS_OK;
}

enum status links_run(const struct links_input *input, struct links_result **ret_result,
                      struct error *err)
{
    AUTO(links_result_free_slot) struct links_result *result = calloc(1, sizeof *result);
    if (!result)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    result->protocol = input->protocol;
    TRY(load(input, result, err));
    TRY(build(input, result, err));
    progress_show(input->progress, "holding out links", -1);
    TRY(links_assess(result->graph, &input->protocol, &result->assessed, err));
    result->suggestions = calloc(input->n_suggestions + 1, sizeof *result->suggestions);
    if (!result->suggestions)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (input->n_suggestions > 0) {
        progress_show(input->progress, "looking for links", -1);
        TRY(links_suggest(result->graph, result->assessed.method, input->protocol.seed, PER_ACCOUNT,
                          input->n_suggestions, result->suggestions, &result->n_suggestions, err));
    }
    *ret_result = STEAL(result);
    return STATUS_OK;
}

/* ---- saying it ---- */

static const char *name_of(const struct links_result *result, uint32_t node)
{
    return result->edges->outside[node];
}

void links_print(const struct links_result *result, FILE *out)
{
    const struct link_assessment *found = &result->assessed;
    fprintf(out, "%zu accounts, %zu links (", result->graph->n, result->graph->n_arcs);
    const char *comma = "";
    for (size_t kind = 0; kind < N_EDGE_KINDS; kind++) {
        if (result->n_of_kind[kind] == 0)
            continue;
        fprintf(out, "%s%s %zu", comma, edge_kind_names[kind], result->n_of_kind[kind]);
        comma = ", ";
    }
    fprintf(out,
            ")\n\n%zu links held out, %zu of them of accounts unseen in training; against as "
            "many pairs that are no link,\ndrawn uniformly among the sources and targets "
            "seen; %zu repeats from seed %llu\n\n",
            found->n_held, found->n_unseen, result->protocol.n_repeats,
            (unsigned long long)result->protocol.seed);
    fprintf(out, "  %-18s %-16s chosen  what it is\n", "score", "AUC");
    for (size_t method = 0; method < LINK_N_METHODS; method++)
        fprintf(out, "  %-18s %.4f +- %.4f %4zu x   %s\n", link_method_names[method],
                result->assessed.mean[method], result->assessed.sd[method],
                result->assessed.n_chosen[method], link_method_help[method]);
    fprintf(out,
            "\nchosen inside the training links: AUC %.4f +- %.4f; of its better half of the pairs "
            "%.1f %% are links\n",
            found->auc, found->auc_sd, 100 * found->precision);
    if (result->n_suggestions > 0)
        fprintf(out, "\nsuggested links (%s):\n", link_method_names[result->assessed.method]);
    for (size_t i = 0; i < result->n_suggestions; i++)
        fprintf(out, "  %-30s %-30s %.4g\n", name_of(result, result->suggestions[i].from),
                name_of(result, result->suggestions[i].to), result->suggestions[i].score);
}

static void put_methods(const struct links_result *result, struct json_writer *w)
{
    json_put_key(w, "scores");
    json_begin_array(w);
    for (size_t method = 0; method < LINK_N_METHODS; method++) {
        json_begin_object(w);
        json_member_string(w, "name", link_method_names[method]);
        json_member_string(w, "help", link_method_help[method]);
        json_member_number(w, "auc", result->assessed.mean[method]);
        json_member_number(w, "auc_sd", result->assessed.sd[method]);
        json_member_integer(w, "chosen", (int64_t)result->assessed.n_chosen[method]);
        json_end_object(w);
    }
    json_end_array(w);
}

void links_put_json(const struct links_result *result, struct json_writer *w)
{
    json_begin_object(w);
    json_member_integer(w, "accounts", (int64_t)result->graph->n);
    json_member_integer(w, "links", (int64_t)result->graph->n_arcs);
    json_member_number(w, "holdout", result->protocol.holdout);
    json_member_integer(w, "repeats", (int64_t)result->protocol.n_repeats);
    json_member_integer(w, "seed", (int64_t)result->protocol.seed);
    json_member_integer(w, "held", (int64_t)result->assessed.n_held);
    json_member_integer(w, "unseen", (int64_t)result->assessed.n_unseen);
    json_member_number(w, "auc", result->assessed.auc);
    json_member_number(w, "auc_sd", result->assessed.auc_sd);
    json_member_number(w, "precision", result->assessed.precision);
    put_methods(result, w);
    json_member_string(w, "method", link_method_names[result->assessed.method]);
    json_put_key(w, "suggestions");
    json_begin_array(w);
    for (size_t i = 0; i < result->n_suggestions; i++) {
        json_begin_object(w);
        json_member_string(w, "from", name_of(result, result->suggestions[i].from));
        json_member_string(w, "to", name_of(result, result->suggestions[i].to));
        json_member_number(w, "score", result->suggestions[i].score);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}
