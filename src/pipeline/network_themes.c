/* SPDX-License-Identifier: Apache-2.0 */

/* What sets communities apart: values that their members have more often than the members of all
 * communities, and figures that differ. Chance is the hypergeometric distribution for values, and
 * the standard error of the mean of ranks for figures (Mann and Whitney 1947). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dataset/intern.h"
#include "pipeline/network.h"

#define MIN_Z 4.0        /* many values are tried */
#define MIN_SHARE 0.05   /* of the members that have the value */
#define MIN_MEMBERS 3    /* that have it */
#define MIN_EFFECT 0.2   /* of figures: how far P(member > other) is from a half */
#define MAX_HASHTAGS 100 /* of an account */

struct item {
    uint32_t community, value;
};

static int by_value(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->community > y->community) - (x->community < y->community);
}

/* Keep the most telling ones, in falling order of |z|. */
static void keep_theme(struct network_community *community, struct network_theme theme)
{
    size_t at = community->n_themes;
    while (at > 0 && fabs(community->themes[at - 1].z) < fabs(theme.z))
        at--;
    if (at == NETWORK_MAX_THEMES)
        return;
    if (community->n_themes < NETWORK_MAX_THEMES)
        community->n_themes++;
    memmove(community->themes + at + 1, community->themes + at,
            (community->n_themes - 1 - at) * sizeof community->themes[0]);
    community->themes[at] = theme;
}

/* ---- values ---- */

struct values {
    struct arena memory;
    struct intern words;
    struct item *items; /* [n] */
    size_t n, capacity;
};

static void values_deinit(struct values *values)
{
    arena_deinit(&values->memory);
    free(values->items);
}

static enum status add(struct values *values, uint32_t community, const char *text, size_t length,
                       struct error *err)
{
    if (values->n == values->capacity) {
        size_t capacity = values->capacity ? 2 * values->capacity : 4096;
        struct item *items = realloc(values->items, capacity * sizeof *items);
        if (!items)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        values->items = items;
        values->capacity = capacity;
    }
    uint32_t value = intern_put(&values->words, text, length);
    if (value == INTERN_NONE)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    values->items[values->n++] = (struct item){community, value};
    return STATUS_OK;
}

static enum status collect(const struct table *table, enum profile_text field,
                           const struct network *network, struct values *values, struct error *err)
{
    const char *const *column = (const char *const *)table->text[field];
    for (size_t i = 0; i < network->graph->n; i++) {
        const char *text = column[network_row(network, i)];
        if (!text || text[0] == '\0')
            continue;
        if (field != PROFILE_hashtags) {
            TRY(add(values, network->community[i], text, strlen(text), err));
            continue;
        }
        for (size_t n = 0; *text && n < MAX_HASHTAGS; n++) {
            size_t length = strcspn(text, " ");
            if (length > 0)
                TRY(add(values, network->community[i], text, length, err));
            text += length + strspn(text + length, " ");
        }
    }
    return STATUS_OK;
}

/* One value: items [begin, end) are those who have it, by community. */
static enum status judge_value(struct network *network, const struct values *values, size_t begin,
                               size_t end, const char *kind, struct error *err)
{
    double n = (double)network->graph->n;
    double all = (double)(end - begin);
    for (size_t i = begin, next; i < end; i = next) {
        uint32_t c = values->items[i].community;
        for (next = i; next < end && values->items[next].community == c;)
            next++;
        if (c >= network->n_large || c >= NETWORK_MAX_THEMED)
            continue;
        struct network_community *community = &network->communities[c];
        double size = (double)community->size;
        double have = (double)(next - i);
        double share = all / n;
        double variance = size * share * (1 - share) * (n - size) / fmax(n - 1, 1);
        double z = variance > 0 ? (have - size * share) / sqrt(variance) : 0;
        if (z < MIN_Z || have < MIN_MEMBERS || have < MIN_SHARE * size)
            continue;
        const char *name =
            arena_strdup(&network->memory, values->words.texts[values->items[i].value]);
        if (!name)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        keep_theme(community, (struct network_theme){kind, name, have / size, share, z});
    }
    return STATUS_OK;
}

static enum status find_values(const struct table *table, enum profile_text field, const char *kind,
                               struct network *network, struct error *err)
{
    if (!table->text[field])
        return STATUS_OK;
    AUTO(values_deinit) struct values values = {0};
    arena_init(&values.memory, 65536);
    intern_init(&values.words, &values.memory);
    TRY(collect(table, field, network, &values, err));
    if (values.n == 0)
        return STATUS_OK;
    qsort(values.items, values.n, sizeof values.items[0], by_value);
    for (size_t begin = 0, end; begin < values.n; begin = end) {
        for (end = begin; end < values.n && values.items[end].value == values.items[begin].value;)
            end++;
        TRY(judge_value(network, &values, begin, end, kind, err));
    }
    return STATUS_OK;
}

/* ---- figures ---- */

struct figure {
    double value;
    uint32_t community;
};

static int by_figure(const void *a, const void *b)
{
    const struct figure *x = a;
    const struct figure *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->community > y->community) - (x->community < y->community);
}

/* figures: [n] ascending; median of those of a community, or of all. */
static double median_of(const struct figure *figures, size_t n, uint32_t community, size_t n_own)
{
    size_t seen = 0;
    double low = 0;
    for (size_t i = 0; i < n; i++) {
        if (community != UINT32_MAX && figures[i].community != community)
            continue;
        if (seen == (n_own - 1) / 2)
            low = figures[i].value;
        if (seen == n_own / 2)
            return (low + figures[i].value) / 2;
        seen++;
    }
    return low;
}

/* Replace values of equal rank by their common rank: ret_rank: [n]. */
static void rank_figures(const struct figure *figures, size_t n, double *ret_rank)
{
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin; end < n && figures[end].value == figures[begin].value;)
            end++;
        for (size_t i = begin; i < end; i++)
            ret_rank[i] = ((double)begin + (double)end + 1) / 2;
    }
}

static void judge_figure(struct network *network, const struct figure *figures, const double *rank,
                         size_t n, const char *name)
{
    for (uint32_t c = 0; c < network->n_large && c < NETWORK_MAX_THEMED; c++) {
        double ranks = 0;
        size_t n_own = 0;
        for (size_t i = 0; i < n; i++) {
            if (figures[i].community != c)
                continue;
            ranks += rank[i];
            n_own++;
        }
        double own = (double)n_own;
        double others = (double)(n - n_own);
        if (n_own < NETWORK_MIN_COMMUNITY || others < 1)
            continue;
        double above = (ranks - own * (own + 1) / 2) / (own * others); /* P(member > other) */
        double z = (above - 0.5) / sqrt((own + others + 1) / (12 * own * others));
        if (fabs(z) < MIN_Z || fabs(above - 0.5) < MIN_EFFECT)
            continue;
        keep_theme(&network->communities[c],
                   (struct network_theme){"figure", name, median_of(figures, n, c, n_own),
                                          median_of(figures, n, UINT32_MAX, n), z});
    }
}

static enum status find_figures(const struct table *table, struct network *network,
                                struct error *err)
{
    static const enum profile_number fields[] = {
        PROFILE_followers,       PROFILE_following,       PROFILE_posts,
        PROFILE_engagement_rate, PROFILE_avg_engagement,  PROFILE_posts_per_week,
        PROFILE_video_share,     PROFILE_sponsored_share,
    };
    size_t n_nodes = network->graph->n;
    AUTO(free_slot) struct figure *figures = calloc(n_nodes + 1, sizeof *figures);
    AUTO(free_slot) double *rank = calloc(n_nodes + 1, sizeof *rank);
    if (!figures || !rank)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t f = 0; f < ARRAY_LENGTH(fields); f++) {
        const double *column = table->number[fields[f]];
        size_t n = 0;
        for (size_t i = 0; column && i < n_nodes; i++) {
            double value = column[network_row(network, i)];
            if (!isnan(value))
                figures[n++] = (struct figure){value, network->community[i]};
        }
        qsort(figures, n, sizeof figures[0], by_figure);
        rank_figures(figures, n, rank);
        judge_figure(network, figures, rank, n, profile_number_field(fields[f])->name);
    }
    return STATUS_OK;
}

/* ---- communities ---- */

static enum status count_within(struct network *network, struct error *err)
{
    const struct graph *graph = network->graph;
    AUTO(free_slot) double *n_ends = calloc(network->n_large + 1, sizeof *n_ends);
    if (!n_ends)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < graph->n; i++) {
        uint32_t own = network->community[i];
        if (own >= network->n_large)
            continue;
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            network->communities[own].within += network->community[graph->neighbour[at]] == own;
            n_ends[own]++;
        }
    }
    for (size_t c = 0; c < network->n_large; c++)
        if (n_ends[c] > 0)
            network->communities[c].within /= n_ends[c];
    return STATUS_OK;
}

/* "many followers", "low engagement rate"; "#ootd"; "beauty". */
static const char *say_theme(struct arena *memory, const struct network_theme *theme)
{
    if (strcmp(theme->kind, "hashtag") == 0)
        return arena_printf(memory, "#%.28s", theme->name);
    if (strcmp(theme->kind, "figure") != 0)
        return arena_printf(memory, "%.28s", theme->name);
    const struct profile_field *field = profile_field_find(theme->name, strlen(theme->name));
    const char *most = field && field->kind == PROFILE_COUNT ? "many" : "high";
    const char *least = field && field->kind == PROFILE_COUNT ? "few" : "low";
    const bool is_mean = text_starts_with(theme->name, "avg_");
    char *text = arena_printf(memory, "%s %s%s", theme->z > 0 ? most : least,
                              is_mean ? "average " : "", theme->name + (is_mean ? 4 : 0));
    for (char *c = text; c && *c; c++)
        if (*c == '_')
            *c = ' ';
    return text;
}

static bool is_taken(const struct network *network, size_t c, const char *name)
{
    for (size_t other = 0; other < c; other++)
        if (strcmp(network->communities[other].name, name) == 0)
            return true;
    return false;
}

/* By its two most telling themes: "many followers, fashion"; "community 3" when it has none. */
static enum status name_community(struct network *network, size_t c, struct error *err)
{
    struct arena *memory = &network->memory;
    struct network_community *community = &network->communities[c];
    const char *parts[2] = {NULL, NULL};
    for (size_t t = 0; t < community->n_themes && t < 2; t++) {
        parts[t] = say_theme(memory, &community->themes[t]);
        if (!parts[t])
            return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (!parts[0])
        community->name = arena_printf(memory, "community %zu", c + 1);
    else
        community->name = parts[1] ? arena_printf(memory, "%s, %s", parts[0], parts[1]) : parts[0];
    if (community->name && is_taken(network, c, community->name))
        community->name = arena_printf(memory, "%s (%zu)", community->name, c + 1);
    return community->name ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

enum status network_find_themes(const struct table *table, struct network *network,
                                struct error *err)
{
    static const struct {
        enum profile_text field;
        const char *kind;
    } texts[] = {{PROFILE_category, "category"},
                 {PROFILE_country, "country"},
                 {PROFILE_audience_country, "audience_country"},
                 {PROFILE_hashtags, "hashtag"}};
    AUTO(free_slot) size_t *sizes = calloc(network->n_communities + 1, sizeof *sizes);
    if (!sizes)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < network->graph->n; i++)
        sizes[network->community[i]]++;
    while (network->n_large < network->n_communities &&
           sizes[network->n_large] >= NETWORK_MIN_COMMUNITY)
        network->n_large++;
    network->communities =
        ARENA_ARRAY(&network->memory, struct network_community, network->n_large + 1);
    if (!network->communities)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t c = 0; c < network->n_large; c++)
        network->communities[c].size = sizes[c];
    TRY(count_within(network, err));
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        TRY(find_values(table, texts[i].field, texts[i].kind, network, err));
    TRY(find_figures(table, network, err));
    for (size_t c = 0; c < network->n_large; c++)
        TRY(name_community(network, c, err));
    return STATUS_OK;
}
