/* SPDX-License-Identifier: Apache-2.0 */

/* The section `explore` of report.json: how the figures spread and go together. */
#include <math.h>
#include <string.h>

#include "explore/explore_inner.h"
#include "explore/finding.h"
#include "explore/put.h"
#include "explore/put_groups.h"

static bool has_field(const struct import_source *source, const char *field)
{
    for (size_t i = 0; i < source->n_columns; i++)
        if (strcmp(source->columns[i].field, field) == 0)
            return true;
    return false;
}

/* How the measure came about: a rate that no file of accounts has was filled in from the posts. */
static const char *measure_text(const struct explore *explore)
{
    const struct import_report *report = explore->input.report;
    const struct frame *frame = explore->frame;
    bool is_rate = strcmp(frame->measure->name, "engagement_rate") == 0;
    if (!is_rate || frame->measure->role != FRAME_FIELD || !report || report->n_joined == 0)
        return frame->measure_text;
    for (size_t i = 0; i < report->n_sources; i++)
        if (has_field(&report->sources[i], "engagement_rate"))
            return frame->measure_text;
    return "from the posts: mean likes and comments a post, divided by followers";
}

static void put_measure(const struct explore *explore, struct json_writer *w)
{
    const struct frame *frame = explore->frame;
    if (!frame->measure) {
        put_absent(w, "measure", "the table has no figure of engagement, likes, views or posts");
        return;
    }
    json_put_key(w, "measure");
    json_begin_object(w);
    json_member_string(w, "name", frame->measure->name);
    json_member_string(w, "unit", frame->measure->unit);
    json_member_string(w, "text", measure_text(explore));
    bool is_log = explore->quality.numbers[frame->measure - frame->numbers].is_log;
    json_member_string(w, "scale", is_log ? "log" : "linear");
    json_end_object(w);
}

static void put_sampled_groups(const struct explore *explore, enum explore_grouping by,
                               const char *key, struct json_writer *w)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < explore->sample.n; i++)
        json_put_integer(w, explore_row_group(explore, by, explore->sample.rows[i]));
    json_end_array(w);
}

static void put_scatter(const struct explore *explore, struct json_writer *w)
{
    const struct sample *sample = &explore->sample;
    if (sample->absent) {
        put_absent(w, "scatter", sample->absent);
        return;
    }
    json_put_key(w, "scatter");
    json_begin_object(w);
    json_member_integer(w, "n", (int64_t)sample->n_both);
    json_member_integer(w, "shown", (int64_t)sample->n);
    json_member_string(w, "text",
                       sample->n < sample->n_both
                           ? "the 500 accounts of most followers, and others at random"
                           : "all accounts that have both figures");
    json_put_key(w, "handle");
    json_begin_array(w);
    for (size_t i = 0; i < sample->n; i++)
        json_put_string(w, frame_handle(explore->frame, sample->rows[i]));
    json_end_array(w);
    put_rows(w, "followers", explore->frame->followers, sample, 10);
    put_rows(w, "measure", explore->frame->measure, sample, 5);
    put_sampled_groups(explore, EXPLORE_TIER, "tier", w);
    put_sampled_groups(explore, EXPLORE_CATEGORY, "category", w);
    put_sampled_groups(explore, EXPLORE_COUNTRY, "country", w);
    put_rows(w, "score", explore->frame->score, sample, 6);
    put_rows(w, "growth", explore->frame->growth, sample, 4);
    json_end_object(w);
}

enum density_part {
    DENSITY_X,
    DENSITY_Y,
    DENSITY_COUNT
};

static void put_density_part(const struct density *density, enum density_part part, const char *key,
                             struct json_writer *w)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < density->x.n_bins; i++)
        for (size_t j = 0; j < density->y.n_bins; j++) {
            uint32_t count = density->counts[i * density->y.n_bins + j];
            if (count)
                json_put_integer(w, part == DENSITY_X   ? (int64_t)i
                                    : part == DENSITY_Y ? (int64_t)j
                                                        : count);
        }
    json_end_array(w);
}

static void put_density(const struct explore *explore, struct json_writer *w)
{
    const struct density *density = &explore->density;
    if (!density->counts) {
        put_absent(w, "density",
                   explore->sample.absent ? explore->sample.absent : "all points are in scatter");
        return;
    }
    json_put_key(w, "density");
    json_begin_object(w);
    put_figures(w, "x_edges", density->x.edges, density->x.n_bins + 1, 6);
    put_figures(w, "y_edges", density->y.edges, density->y.n_bins + 1, 6);
    put_density_part(density, DENSITY_X, "x", w);
    put_density_part(density, DENSITY_Y, "y", w);
    put_density_part(density, DENSITY_COUNT, "count", w);
    json_end_object(w);
}

static void put_estimates(const struct relations *relations, bool spearman, const char *name,
                          struct json_writer *w)
{
    static const char *const suffixes[] = {"", "_low", "_high"};
    size_t n_pairs = relations->n_columns * (relations->n_columns - 1) / 2;
    for (size_t part = 0; part < 3; part++) {
        char key[32];
        snprintf(key, sizeof key, "%s%s", name, suffixes[part]);
        json_put_key(w, key);
        json_begin_array(w);
        for (size_t i = 0; i < n_pairs; i++) {
            const struct interval *r =
                spearman ? &relations->pairs[i].spearman : &relations->pairs[i].pearson;
            put_figure(w, part == 0 ? r->value : part == 1 ? r->low : r->high, 3);
        }
        json_end_array(w);
    }
}

static void put_correlations(const struct relations *relations, struct json_writer *w)
{
    if (relations->n_columns < 2) {
        put_absent(w, "correlations", "fewer than two columns of numbers vary");
        return;
    }
    json_put_key(w, "correlations");
    json_begin_object(w);
    json_put_key(w, "columns");
    json_begin_array(w);
    for (size_t i = 0; i < relations->n_columns; i++)
        json_put_string(w, relations->columns[i]->column->name);
    json_end_array(w);
    json_put_key(w, "transform");
    json_begin_array(w);
    for (size_t i = 0; i < relations->n_columns; i++)
        json_put_string(w, relations->columns[i]->is_log ? "ln" : "none");
    json_end_array(w);
    json_put_key(w, "n");
    json_begin_array(w);
    for (size_t i = 0; i < relations->n_columns * (relations->n_columns - 1) / 2; i++)
        json_put_integer(w, (int64_t)relations->pairs[i].n);
    json_end_array(w);
    put_estimates(relations, false, "pearson", w);
    put_estimates(relations, true, "spearman", w);
    json_end_object(w);
}

static void put_band(const struct slope *slope, struct json_writer *w)
{
    double fit[SLOPE_BAND], low[SLOPE_BAND], high[SLOPE_BAND];
    for (size_t i = 0; i < SLOPE_BAND; i++) {
        fit[i] = slope->band[i].value;
        low[i] = slope->band[i].low;
        high[i] = slope->band[i].high;
    }
    json_put_key(w, "band");
    json_begin_object(w);
    put_figures(w, "followers", slope->band_followers, SLOPE_BAND, 5);
    put_figures(w, "fit", fit, SLOPE_BAND, 5);
    put_figures(w, "low", low, SLOPE_BAND, 5);
    put_figures(w, "high", high, SLOPE_BAND, 5);
    json_end_object(w);
}

static void put_category_slopes(const struct slope *slope, struct json_writer *w)
{
    static const char *const keys[] = {"category", "n", "slope", "low", "high"};
    json_put_key(w, "by_category");
    json_begin_object(w);
    for (size_t part = 0; part < ARRAY_LENGTH(keys); part++) {
        json_put_key(w, keys[part]);
        json_begin_array(w);
        for (size_t i = 0; i < slope->n_categories; i++) {
            const struct line_fit *fit = &slope->categories[i].fit;
            const double parts[] = {(double)slope->categories[i].group, (double)fit->n,
                                    fit->slope.value, fit->slope.low, fit->slope.high};
            put_figure(w, parts[part], part < 2 ? 10 : 5);
        }
        json_end_array(w);
    }
    json_end_object(w);
}

static void put_slope(const struct explore *explore, struct json_writer *w)
{
    const struct slope *slope = &explore->slope;
    if (slope->absent) {
        put_absent(w, "slope", slope->absent);
        return;
    }
    char text[FINDING_BYTES], model[FINDING_BYTES];
    finding_slope(explore, text);
    snprintf(model, sizeof model, "ln(%s) = a + b ln(followers)", explore->frame->measure->name);
    json_put_key(w, "slope");
    json_begin_object(w);
    json_member_string(w, "text", text);
    json_member_string(w, "model", model);
    json_member_integer(w, "n", (int64_t)slope->fit.n);
    put_member_figure(w, "slope", slope->fit.slope.value, 5);
    put_bounds(w, slope->fit.slope);
    put_member_figure(w, "intercept", slope->fit.intercept, 6);
    put_member_figure(w, "r2", slope->fit.r2, 4);
    put_member_figure(w, "tenfold", slope->tenfold.value, 4);
    put_member_figure(w, "tenfold_low", slope->tenfold.low, 4);
    put_member_figure(w, "tenfold_high", slope->tenfold.high, 4);
    put_band(slope, w);
    put_category_slopes(slope, w);
    json_end_object(w);
}

static void put_projection(const struct explore *explore, struct json_writer *w)
{
    const struct projection *projection = &explore->projection;
    if (projection->absent) {
        put_absent(w, "projection", projection->absent);
        return;
    }
    json_put_key(w, "projection");
    json_begin_object(w);
    json_put_key(w, "columns");
    json_begin_array(w);
    for (size_t i = 0; i < projection->n_columns; i++)
        json_put_string(w, projection->columns[i]->column->name);
    json_end_array(w);
    put_figures(w, "explained", projection->pca.explained, 2, 4);
    json_put_key(w, "loadings");
    json_begin_array(w);
    for (size_t i = 0; i < 2; i++) {
        json_begin_array(w);
        for (size_t j = 0; j < projection->n_columns; j++)
            put_figure(w, projection->pca.loadings[i * projection->n_columns + j], 4);
        json_end_array(w);
    }
    json_end_array(w);
    put_figures(w, "x", projection->x, explore->sample.n, 4);
    put_figures(w, "y", projection->y, explore->sample.n, 4);
    json_end_object(w);
}

void explore_put_explore(const struct explore *explore, struct json_writer *w)
{
    bool has_score = explore->frame->score != NULL;
    json_begin_object(w);
    put_measure(explore, w);
    put_scatter(explore, w);
    put_density(explore, w);
    put_correlations(&explore->relations, w);
    put_slope(explore, w);
    put_distributions(&explore->spreads, w);
    put_growth(explore, w);
    timing_put(&explore->timing, w);
    put_group_table(&explore->categories, has_score, "categories", w);
    put_group_table(&explore->countries, has_score, "countries", w);
    put_projection(explore, w);
    json_end_object(w);
}
