/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/edge_figures.h"
#include "dataset/post_figures.h"

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* The column of a field, made of missing values where the table has none. */
static double *number_column(struct table *table, enum profile_number field)
{
    if (table->number[field])
        return table->number[field];
    double *column = arena_alloc(&table->memory, (table->n_rows + 1) * sizeof *column);
    for (size_t row = 0; column && row < table->n_rows; row++)
        column[row] = MISSING;
    table->number[field] = column;
    return column;
}

/* Fill the fields first..last of a row where they are missing. */
static enum status fill(struct table *table, size_t row, const double *numbers, size_t first,
                        size_t last, struct error *err)
{
    for (size_t f = first; f <= last; f++) {
        const struct profile_field *field = profile_number_field((enum profile_number)f);
        if (!(numbers[f] >= field->min && numbers[f] <= field->max))
            continue;
        double *column = number_column(table, (enum profile_number)f);
        if (!column)
            return no_memory(err);
        if (isnan(column[row]))
            column[row] = numbers[f];
    }
    return STATUS_OK;
}

/* ---- posts ---- */

struct accounts {
    struct post_figures **figures; /* [n_rows], NULL: no posts */
    size_t n_rows;
};

static void accounts_deinit(struct accounts *accounts)
{
    for (size_t row = 0; accounts->figures && row < accounts->n_rows; row++) {
        if (accounts->figures[row])
            post_figures_deinit(accounts->figures[row]);
        free(accounts->figures[row]);
    }
    free(accounts->figures);
}

static enum status add_post(void *user, const struct post *post, struct error *err)
{
    struct accounts *accounts = user;
    struct post_figures **figures = &accounts->figures[post->row];
    if (!*figures)
        *figures = calloc(1, sizeof **figures);
    if (!*figures)
        return no_memory(err);
    return post_figures_add(*figures, post, post->row, err);
}

/* Where the table has none. */
static enum status put_words(struct table *table, size_t row, enum profile_text field,
                             struct tag_sketch *sketch, struct error *err)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    if (sketch->n == 0)
        return STATUS_OK;
    const char ***column = &table->text[field];
    if (!*column)
        *column = ARENA_ARRAY(&table->memory, const char *, table->n_rows + 1);
    if (!*column)
        return no_memory(err);
    if ((*column)[row])
        return STATUS_OK;
    tag_sketch_put(sketch, profile_fields[field].max_bytes, &text);
    const char *copy = text.failed ? NULL : arena_strndup(&table->memory, text.at, text.length);
    if (!copy)
        return no_memory(err);
    (*column)[row] = copy;
    return STATUS_OK;
}

/* Means that profiles have, of the posts seen: only for a table that has no such column. */
static enum status put_means(struct table *table, const bool *is_given, size_t row,
                             const double *numbers, struct error *err)
{
    static const enum profile_number means[] = {PROFILE_avg_likes, PROFILE_avg_comments,
                                                PROFILE_avg_views, PROFILE_is_verified};
    for (size_t i = 0; i < ARRAY_LENGTH(means); i++)
        if (!is_given[means[i]])
            TRY(fill(table, row, numbers, means[i], means[i], err));
    const double *followers = table->number[PROFILE_followers];
    if (is_given[PROFILE_engagement_rate] || is_given[PROFILE_avg_likes] || !followers)
        return STATUS_OK;
    double rate[PROFILE_N_NUMBERS];
    rate[PROFILE_engagement_rate] =
        (numbers[PROFILE_avg_likes] +
         (isnan(numbers[PROFILE_avg_comments]) ? 0 : numbers[PROFILE_avg_comments])) /
        followers[row];
    return fill(table, row, rate, PROFILE_engagement_rate, PROFILE_engagement_rate, err);
}

static enum status put_posts(struct table *table, const struct handles *handles,
                             const struct accounts *accounts, struct error *err)
{
    double numbers[PROFILE_N_NUMBERS];
    bool is_given[PROFILE_N_NUMBERS];
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
        is_given[f] = table->number[f] != NULL;
    for (size_t row = 0; row < table->n_rows; row++) {
        struct post_figures *figures = accounts->figures[handles->same[row]];
        if (!figures)
            continue;
        post_figures_get(figures, numbers);
        TRY(fill(table, row, numbers, PROFILE_post_sample, PROFILE_hour_concentration, err));
        TRY(put_means(table, is_given, row, numbers, err));
        TRY(put_words(table, row, PROFILE_hashtags, &figures->tags, err));
    }
    return STATUS_OK;
}

static enum status join_posts(const struct import_joins *joins, const struct handles *handles,
                              struct table *table, struct import_report *report, struct error *err)
{
    AUTO(accounts_deinit) struct accounts accounts = {.n_rows = table->n_rows};
    accounts.figures = calloc(table->n_rows + 1, sizeof(struct post_figures *));
    if (!accounts.figures)
        return no_memory(err);
    struct posts_input posts = {joins->posts, joins->n_posts, handles, joins->progress,
                                joins->before};
    TRY(posts_each(&posts, add_post, &accounts, report, err));
    return put_posts(table, handles, &accounts, err);
}

/* ---- edges ---- */

static enum status add_edge(void *user, const struct edge_row *edge, struct error *err)
{
    return edge_figures_add(user, edge, err);
}

static enum status put_edges(struct table *table, const struct handles *handles,
                             const struct edge_figures *figures, const double *reciprocity,
                             struct error *err)
{
    double numbers[PROFILE_N_NUMBERS];
    for (size_t row = 0; row < table->n_rows; row++) {
        uint32_t same = handles->same[row];
        struct tag_sketch *brands = edge_figures_brands(figures, same);
        edge_figures_get(figures, same, numbers);
        numbers[PROFILE_edge_reciprocity] = reciprocity[same];
        TRY(fill(table, row, numbers, PROFILE_edges_in, PROFILE_brand_links, err));
        if (brands)
            TRY(put_words(table, row, PROFILE_brands, brands, err));
    }
    return STATUS_OK;
}

static enum status join_edges(const struct import_joins *joins, const struct handles *handles,
                              struct table *table, struct import_report *report, struct error *err)
{
    AUTO(edge_figures_deinit) struct edge_figures figures = {0};
    AUTO(edges_free_slot) struct edges *list = NULL;
    AUTO(free_slot) double *reciprocity = calloc(table->n_rows + 1, sizeof *reciprocity);
    if (!reciprocity)
        return no_memory(err);
    TRY(edge_figures_init(&figures, table->n_rows, err));
    struct edges_input edges = {joins->edges, joins->n_edges, handles, joins->progress};
    TRY(edges_each(&edges, add_edge, &figures, report, err));
    TRY(edges_load(&edges, NULL, NULL, &list, err));
    edge_reciprocity(list, reciprocity);
    return put_edges(table, handles, &figures, reciprocity, err);
}

enum status join_sources(const struct import_joins *joins, struct table *table,
                         struct import_report *report, struct error *err)
{
    if (joins->n_posts == 0 && joins->n_edges == 0)
        return STATUS_OK;
    if (!table->text[PROFILE_handle])
        return fail(err, STATUS_INVALID,
                    "posts and edges join by handle, and the table of profiles has none");
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 1 << 16);
    struct handles handles;
    TRY(handles_init(&handles, table, &memory, err));
    if (joins->n_posts > 0)
        TRY(join_posts(joins, &handles, table, report, err));
    if (joins->n_edges > 0)
        TRY(join_edges(joins, &handles, table, report, err));
    return STATUS_OK;
}
