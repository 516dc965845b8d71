/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/network_words.h"

#include <math.h>
#include <string.h>

#include "explore/text_table.h"

#define TOLD_COMMUNITIES 6
#define CARD_COMMUNITIES 12
#define CARD_THEMES 3
#define TOLD_ACCOUNTS 3
#define BAR_WIDTH 24

/* ---- what terminal and card say alike ---- */

static void say_what(const struct network *network, struct buffer *out)
{
    const struct graph *graph = network->graph;
    if (network->is_real)
        buffer_printf(out, "%zu accounts, %zu edges from the files, %zu without any", graph->n,
                      graph->n_arcs, network->n_isolated);
    else
        buffer_printf(out,
                      "%zu accounts, each joined to the %zu most like it by their figures: "
                      "likeness, no acquaintance",
                      graph->n, network->k);
}

static void say_communities(const struct network *network, struct buffer *out)
{
    buffer_printf(out,
                  "%zu communit%s of %d accounts or more, modularity %.2f (0: as by chance; "
                  "networks of chance have some, too)",
                  network->n_large, network->n_large == 1 ? "y" : "ies", NETWORK_MIN_COMMUNITY,
                  network->modularity);
}

static bool is_beyond_chance(const struct graph_homophily *found)
{
    return found->assortativity > found->high || found->assortativity < found->low;
}

static void say_homophily(const struct network *network, struct buffer *out)
{
    const struct graph_homophily *found = &network->homophily;
    if (!network->has_homophily) {
        buffer_put_text(out, "homophily: the accounts have no categories to compare");
        return;
    }
    buffer_printf(out,
                  "homophily by category %.2f, as by chance %.2f to %.2f%s: %.0f %% of %zu edges "
                  "keep within one, by chance %.0f %%",
                  found->assortativity, found->low, found->high,
                  is_beyond_chance(found) ? "" : ", so none to speak of", 100 * found->within,
                  found->n_edges, 100 * found->expected);
}

/* plus_minus: before the spread. */
static void say_links(const char *what, const struct network_links *links, const char *plus_minus,
                      struct buffer *out)
{
    const struct link_assessment *found = &links->assessed;
    if (!links->is_there) {
        buffer_printf(out, "%s: none, %s", what, links->why);
        return;
    }
    buffer_printf(out,
                  "%s by %s: AUC %.3f %s %.3f on %zu links held out, popularity alone %.3f; of the "
                  "better half of the pairs %.0f %% are links",
                  what, link_method_names[found->method], found->auc, plus_minus, found->auc_sd,
                  found->n_held, found->mean[LINK_POPULARITY], 100 * found->precision);
}

/* Without edges there is nothing to suggest, and nobody asked. */
static bool may_suggest(const struct network *network)
{
    return network->is_real || network->brands.is_there;
}

/* ---- terminal ---- */

static const char *handle_of(const struct network *network, const struct table *table,
                             uint32_t node)
{
    const char *const *handle = (const char *const *)table->text[PROFILE_handle];
    return handle ? handle[network_row(network, node)] : NULL;
}

static void print_communities(const struct network *network, FILE *out)
{
    static const char *const headers[] = {">accounts", ">edges inside", "what sets it apart", ""};
    size_t n = network->n_large < TOLD_COMMUNITIES ? network->n_large : TOLD_COMMUNITIES;
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t c = 0; c < n; c++) {
        const struct network_community *community = &network->communities[c];
        AUTO(buffer_deinit) struct buffer bar = {0};
        text_put_bar(&bar, (double)community->size, (double)network->communities[0].size,
                     BAR_WIDTH);
        text_table_printf(&table, "%zu", community->size);
        text_table_printf(&table, "%.0f %%", 100 * community->within);
        text_table_put(&table, community->name);
        text_table_put(&table, bar.at);
    }
    if (n > 0)
        text_table_print(&table, 120, out);
    text_table_deinit(&table);
}

/* Hubs are drawn first: by falling PageRank. */
static void print_accounts(const struct network *network, const struct table *table, FILE *out)
{
    uint32_t bridges[TOLD_ACCOUNTS];
    size_t n_bridges = network_bridges(network, bridges, TOLD_ACCOUNTS);
    fprintf(out, "  hubs, PageRank in times the average:");
    for (size_t i = 0; i < network->n_drawn && i < TOLD_ACCOUNTS; i++) {
        const char *handle = handle_of(network, table, network->drawn[i]);
        fprintf(out, "%s %s %.1f", i ? "," : "", handle ? handle : "-",
                network->measures.pagerank[network->drawn[i]] * (double)network->graph->n);
    }
    fprintf(out, "\n  bridges, between communities on most shortest paths:%s",
            n_bridges ? "" : " none");
    for (size_t i = 0; i < n_bridges; i++) {
        const char *handle = handle_of(network, table, bridges[i]);
        fprintf(out, "%s %s %.2g %%", i ? "," : "", handle ? handle : "-",
                100 * network->measures.betweenness[bridges[i]]);
    }
    fputc('\n', out);
}

static void print_line(const char *before, struct buffer *text, FILE *out)
{
    fprintf(out, "%s%s\n", before, text->failed || text->length == 0 ? "" : text->at);
    buffer_clear(text);
}

void network_print(const struct network *network, const struct table *table, FILE *out)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    say_what(network, &text);
    print_line("\nnetwork: ", &text, out);
    say_communities(network, &text);
    print_line("  ", &text, out);
    print_communities(network, out);
    print_accounts(network, table, out);
    say_homophily(network, &text);
    print_line("  ", &text, out);
    if (!may_suggest(network))
        return;
    say_links("suggested collaborations", &network->links, "+-", &text);
    print_line("  ", &text, out);
    say_links("suggested brands", &network->brands, "+-", &text);
    print_line("  ", &text, out);
}

/* ---- card ---- */

static void put_themes(const struct network_community *community, struct buffer *out)
{
    if (community->n_themes == 0)
        buffer_put_text(out, "nothing beyond chance");
    for (size_t t = 0; t < community->n_themes && t < CARD_THEMES; t++) {
        const struct network_theme *theme = &community->themes[t];
        buffer_put_text(out, t ? "; " : "");
        if (strcmp(theme->kind, "figure") != 0)
            buffer_printf(out, "%s %s %.0f %% (%.0f %%)", theme->kind, theme->name,
                          100 * theme->share, 100 * theme->overall);
        else
            buffer_printf(out, fabs(theme->overall) < 100 ? "%s %.3g (%.3g)" : "%s %.0f (%.0f)",
                          theme->name, theme->share, theme->overall);
    }
}

static void put_communities(const struct network *network, struct buffer *out)
{
    if (network->n_large == 0)
        return;
    buffer_put_text(out, "\n| community | accounts | edges inside | what sets it apart: share of "
                         "the accounts, or median (of all) "
                         "|\n|---|---|---|---|\n");
    for (size_t c = 0; c < network->n_large && c < CARD_COMMUNITIES; c++) {
        const struct network_community *community = &network->communities[c];
        buffer_printf(out, "| %s | %zu | %.0f %% | ", community->name, community->size,
                      100 * community->within);
        put_themes(community, out);
        buffer_put_text(out, " |\n");
    }
    if (network->n_large > CARD_COMMUNITIES)
        buffer_printf(out, "\nThe %d largest of %zu.\n", CARD_COMMUNITIES, network->n_large);
}

/* How much of all attention the foremost get; who they are is in the report. */
static void put_hubs(const struct network *network, struct buffer *out)
{
    double held = 0;
    size_t n = (network->graph->n + 99) / 100;
    n = n < network->n_drawn ? n : network->n_drawn;
    for (size_t i = 0; i < n; i++)
        held += network->measures.pagerank[network->drawn[i]];
    buffer_printf(out,
                  "\n- hubs: the %zu of highest PageRank hold %.1f %% of it\n- bridges: the "
                  "accounts that lie on most shortest paths between communities; with the hubs "
                  "in `report.json`\n",
                  n, 100 * held);
}

void network_put_card(const struct network *network, struct buffer *out)
{
    buffer_put_text(out, "\n## Network\n\n");
    say_what(network, out);
    buffer_put_text(out, ". ");
    say_communities(network, out);
    buffer_put_text(out, ".\n");
    put_communities(network, out);
    put_hubs(network, out);
    buffer_put_text(out, "- ");
    say_homophily(network, out);
    buffer_put_text(out, "\n");
    if (!may_suggest(network))
        return;
    buffer_put_text(out, "- ");
    say_links("suggested collaborations", &network->links, "±", out);
    buffer_put_text(out, "\n- ");
    say_links("suggested brands", &network->brands, "±", out);
    buffer_put_text(out, "\n\nA link held out is told from a pair drawn at random: easier than to "
                         "find it among all accounts. A suggestion is a pair to look at.\n");
}
