/* SPDX-License-Identifier: Apache-2.0 */

/* report.json: archetypes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/pca.h"
#include "base/sort.h"
#include "pipeline/report.h"

#define MAX_SHOWN 5000
#define MAX_MEMBERS 8

/* The median of a field among the members; NaN when none has it. */
static double member_median(const struct report *report, enum profile_number field, size_t cluster,
                            double *work)
{
    const struct training *training = report->training;
    size_t n = 0;
    for (size_t i = 0; i < training->table->n_rows; i++) {
        if (training->cluster.archetypes->cluster[i] != cluster)
            continue;
        struct profile profile;
        design_profile(training->table, i, &profile);
        if (!isnan(profile.number[field]))
            work[n++] = profile.number[field];
    }
    if (n == 0)
        return MISSING;
    sort_doubles(work, n);
    return (work[(n - 1) / 2] + work[n / 2]) / 2.0;
}

static void put_figures(const struct report *report, double *work)
{
    /* What stands for engagement: the first that the table has. */
    static const enum profile_number measures[] = {PROFILE_engagement_rate, PROFILE_avg_engagement,
                                                   PROFILE_avg_likes, PROFILE_avg_views,
                                                   PROFILE_posts};
    struct json_writer *w = report->w;
    json_put_key(w, "figures");
    json_begin_array(w);
    for (size_t c = 0; c < report->training->cluster.archetypes->model.k; c++) {
        double measure = MISSING;
        for (size_t m = 0; m < ARRAY_LENGTH(measures) && isnan(measure); m++)
            measure = member_median(report, measures[m], c, work);
        json_begin_object(w);
        json_member_number(w, "followers", member_median(report, PROFILE_followers, c, work));
        json_member_number(w, "measure", measure);
        json_member_number(w, "posts", member_median(report, PROFILE_posts, c, work));
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_centroids(const struct report *report)
{
    const struct clusters_model *model = &report->training->cluster.archetypes->model;
    struct json_writer *w = report->w;
    json_put_key(w, "centroids");
    json_begin_array(w);
    for (size_t c = 0; c < model->k; c++) {
        json_begin_array(w);
        for (size_t j = 0; j < model->n_inputs; j++)
            json_put_fixed(w, (double)model->centroids[c * model->n_inputs + j], 4);
        json_end_array(w);
    }
    json_end_array(w);
}

/* Coordinates of all rows on the plane of largest variance; ret_x, ret_y: [n]. */
static enum status project(const struct matrix *matrix, struct arena *memory, struct pca *pca,
                           double *ret_x, double *ret_y, struct error *err)
{
    size_t p = matrix->p;
    double *rows = ARENA_ARRAY(memory, double, matrix->n *p + 1);
    if (!rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < matrix->n * p; i++)
        rows[i] = (double)matrix->scaled[i];
    TRY(pca_fit(rows, matrix->n, p, p < 2 ? p : 2, memory, pca, err));
    for (size_t i = 0; i < matrix->n; i++) {
        double scores[2] = {0};
        pca_project(pca, rows + i * p, scores);
        ret_x[i] = round(1e4 * scores[0]) / 1e4;
        ret_y[i] = round(1e4 * scores[1]) / 1e4;
    }
    return STATUS_OK;
}

static void put_rows(const struct report *report, const char *key, const double *all,
                     const size_t *rows, size_t n)
{
    json_put_key(report->w, key);
    json_begin_array(report->w);
    for (size_t i = 0; i < n; i++)
        json_put_number(report->w, all ? all[rows[i]] : MISSING);
    json_end_array(report->w);
}

static enum status put_projection(const struct report *report, struct error *err)
{
    const struct training *training = report->training;
    const struct matrix *matrix = &training->cluster.matrix;
    size_t n = matrix->n;
    size_t shown = n < MAX_SHOWN ? n : MAX_SHOWN;
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 65536);
    double *x = ARENA_ARRAY(&memory, double, n);
    double *y = ARENA_ARRAY(&memory, double, n);
    double *cluster = ARENA_ARRAY(&memory, double, n);
    size_t *rows = ARENA_ARRAY(&memory, size_t, shown);
    if (!x || !y || !cluster || !rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct pca pca = {0};
    TRY(project(matrix, &memory, &pca, x, y, err));
    for (size_t i = 0; i < shown; i++)
        rows[i] = i * n / shown;
    for (size_t i = 0; i < n; i++)
        cluster[i] = training->cluster.archetypes->cluster[i];
    const double explained[2] = {pca.explained[0], pca.n_components > 1 ? pca.explained[1] : 0};
    json_put_key(report->w, "projection");
    json_begin_object(report->w);
    report_put_numbers(report, "explained", explained, 2);
    report_put_handles(report, rows, shown);
    put_rows(report, "x", x, rows, shown);
    put_rows(report, "y", y, rows, shown);
    put_rows(report, "cluster", cluster, rows, shown);
    put_rows(report, "followers", training->table->number[PROFILE_followers], rows, shown);
    report_put_groups(report, "tier", EXPLORE_TIER, rows, shown);
    report_put_groups(report, "category", EXPLORE_CATEGORY, rows, shown);
    json_end_object(report->w);
    return STATUS_OK;
}

struct member {
    double distance;
    size_t row;
};

static int by_distance(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Handles of the members nearest to the centroid, or farthest from it. */
static void put_members(const struct report *report, const char *key, bool nearest,
                        struct member *work)
{
    const struct training *training = report->training;
    const struct archetypes *archetypes = training->cluster.archetypes;
    const char *const *handle = (const char *const *)training->table->text[PROFILE_handle];
    json_put_key(report->w, key);
    json_begin_array(report->w);
    for (size_t c = 0; c < archetypes->model.k; c++) {
        size_t n = 0;
        for (size_t i = 0; i < training->table->n_rows; i++)
            if (archetypes->cluster[i] == c)
                work[n++] = (struct member){archetypes->distance[i], i};
        qsort(work, n, sizeof work[0], by_distance);
        json_begin_array(report->w);
        for (size_t i = 0; i < n && i < MAX_MEMBERS; i++)
            json_put_string(report->w, handle ? handle[work[nearest ? i : n - 1 - i].row] : NULL);
        json_end_array(report->w);
    }
    json_end_array(report->w);
}

static void put_candidates(const struct report *report)
{
    const struct archetypes *archetypes = report->training->cluster.archetypes;
    json_put_key(report->w, "candidates");
    json_begin_object(report->w);
    size_t k[ARCHETYPES_MAX_TRIED];
    double figures[3][ARCHETYPES_MAX_TRIED];
    static const char *const names[] = {"silhouette", "stability", "stability_sd"};
    for (size_t i = 0; i < archetypes->n_tried; i++) {
        k[i] = archetypes->tried[i].k;
        figures[0][i] = archetypes->tried[i].silhouette;
        figures[1][i] = archetypes->tried[i].stability;
        figures[2][i] = archetypes->tried[i].stability_sd;
    }
    report_put_sizes(report, "k", k, archetypes->n_tried);
    for (size_t f = 0; f < ARRAY_LENGTH(names); f++)
        report_put_numbers(report, names[f], figures[f], archetypes->n_tried);
    json_end_object(report->w);
}

static void put_what_they_are(const struct report *report)
{
    const struct cluster_part *part = &report->training->cluster;
    const struct clusters_model *model = &part->archetypes->model;
    const char *strength = archetypes_strength(model->silhouette);
    bool stable = part->archetypes->stability >= ARCHETYPES_STABLE;
    char text[240];
    snprintf(text, sizeof text,
             strcmp(strength, "weak") == 0
                 ? "weak clusters (silhouette %.2f): a way to cut a cloud, not natural kinds; %s"
                 : "clusters with a silhouette of %.2f (1 is perfect, 0 is none); %s",
             model->silhouette,
             stable ? "other samples of the accounts give much the same"
                    : "other samples of the accounts give others: do not rely on who is in which");
    json_member_integer(report->w, "k", (int64_t)model->k);
    json_member_number(report->w, "silhouette", model->silhouette);
    json_member_number(report->w, "stability", part->archetypes->stability);
    json_member_string(report->w, "strength", strength);
    json_member_string(report->w, "text", text);
    put_candidates(report);
    json_put_key(report->w, "features");
    json_begin_array(report->w);
    for (size_t i = 0; i < part->spec->n_columns; i++)
        json_put_string(report->w, part->spec->columns[i].name);
    json_end_array(report->w);
    report_put_texts(report, "names", model->names, model->k);
    json_put_key(report->w, "size");
    json_begin_array(report->w);
    for (size_t c = 0; c < model->k; c++)
        json_put_integer(report->w, model->sizes[c]);
    json_end_array(report->w);
}

enum status report_put_archetypes(const struct report *report, struct error *err)
{
    size_t n = report->training->table->n_rows;
    AUTO(free_slot) double *work = calloc(n + 1, sizeof *work);
    AUTO(free_slot) struct member *members = calloc(n + 1, sizeof *members);
    if (!work || !members)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    json_put_key(report->w, "archetypes");
    json_begin_object(report->w);
    put_what_they_are(report);
    put_centroids(report);
    put_figures(report, work);
    TRY(put_projection(report, err));
    put_members(report, "typical", true, members);
    put_members(report, "extreme", false, members);
    json_end_object(report->w);
    return STATUS_OK;
}
