/* SPDX-License-Identifier: Apache-2.0 */

/* The section `explore` of report.json: how the figures spread and go together. */
#include <math.h>
#include <string.h>

#include "explore/explore_inner.h"
#include "explore/finding.h"
#include "explore/put.h"

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
    json_member_string(w, "text", frame->measure_text);
    bool is_log = explore->quality.numbers[frame->measure - frame->numbers].is_log;
    json_member_string(w, "scale", is_log ? "log" : "linear");
    json_end_object(w);
}

/* The sampled rows of a column; [] when there is none. */
static void put_sampled(const struct sample *sample, const struct frame_number *column,
                        const char *key, int digits, struct json_writer *w)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; column && i < sample->n; i++)
        put_figure(w, column->values[sample->rows[i]], digits);
    json_end_array(w);
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
    put_sampled(sample, explore->frame->followers, "followers", 10, w);
    put_sampled(sample, explore->frame->measure, "measure", 5, w);
    put_sampled_groups(explore, EXPLORE_TIER, "tier", w);
    put_sampled_groups(explore, EXPLORE_CATEGORY, "category", w);
    put_sampled_groups(explore, EXPLORE_COUNTRY, "country", w);
    put_sampled(sample, explore->frame->score, "score", 6, w);
    put_sampled(sample, explore->frame->growth, "growth", 4, w);
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

/* One part of a group's summary, by its place in `spread_keys`. */
static const char *const spread_keys[] = {"group",  "n",   "min", "q05", "q25",
                                          "median", "q75", "q95", "max"};

static double spread_part(const struct group_spread *group, size_t part)
{
    const struct summary *s = &group->summary;
    const double parts[] = {(double)group->group,
                            (double)s->n,
                            s->min,
                            s->q05,
                            s->q25,
                            s->median,
                            s->q75,
                            s->q95,
                            s->max};
    return parts[part];
}

static void put_spread_groups(const struct spread *spread, struct json_writer *w)
{
    json_put_key(w, "groups");
    json_begin_object(w);
    for (size_t part = 0; part < ARRAY_LENGTH(spread_keys); part++) {
        json_put_key(w, spread_keys[part]);
        json_begin_array(w);
        for (size_t i = 0; i < spread->n_groups; i++)
            put_figure(w, spread_part(&spread->groups[i], part), part < 2 ? 10 : 6);
        json_end_array(w);
    }
    json_put_key(w, "counts");
    json_begin_array(w);
    for (size_t i = 0; i < spread->n_groups; i++) {
        json_begin_array(w);
        for (size_t bin = 0; bin < spread->column->histogram.n_bins; bin++)
            json_put_integer(w, (int64_t)spread->groups[i].counts[bin]);
        json_end_array(w);
    }
    json_end_array(w);
    json_end_object(w);
}

static void put_distributions(const struct spreads *spreads, struct json_writer *w)
{
    static const char *const by[EXPLORE_N_GROUPINGS] = {"tier", "category", "country"};
    json_put_key(w, "distributions");
    json_begin_array(w);
    for (size_t i = 0; i < spreads->n; i++) {
        const struct spread *spread = &spreads->items[i];
        const struct histogram *edges = &spread->column->histogram;
        json_begin_object(w);
        json_member_string(w, "column", spread->column->column->name);
        json_member_string(w, "unit", spread->column->column->unit);
        json_member_string(w, "by", by[spread->by]);
        json_member_string(w, "scale", edges->is_log ? "log" : "linear");
        put_figures(w, "edges", edges->edges, edges->n_bins ? edges->n_bins + 1 : 0, 6);
        put_spread_groups(spread, w);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_growth_groups(const struct spread *spread, const char *name, struct json_writer *w)
{
    static const char *const keys[] = {"group", "n", "median", "low", "high"};
    json_put_key(w, name);
    json_begin_object(w);
    for (size_t part = 0; part < ARRAY_LENGTH(keys); part++) {
        json_put_key(w, keys[part]);
        json_begin_array(w);
        for (size_t i = 0; i < spread->n_groups; i++) {
            const struct group_spread *group = &spread->groups[i];
            const double parts[] = {(double)group->group, (double)group->summary.n,
                                    group->median.value, group->median.low, group->median.high};
            put_figure(w, parts[part], part < 2 ? 10 : 4);
        }
        json_end_array(w);
    }
    json_end_object(w);
}

static void put_growth_rows(const struct explore *explore, struct json_writer *w)
{
    const struct growth *growth = &explore->growth;
    const struct frame *frame = explore->frame;
    const struct frame_number *previous = frame_find(frame, "previous_followers");
    const struct sample rows = {.rows = growth->rows, .n = growth->n_rows};
    json_put_key(w, "rows");
    json_begin_object(w);
    json_put_key(w, "handle");
    json_begin_array(w);
    for (size_t i = 0; i < growth->n_rows; i++)
        json_put_string(w, frame_handle(frame, growth->rows[i]));
    json_end_array(w);
    put_sampled(&rows, frame->followers, "followers", 10, w);
    put_sampled(&rows, previous, "previous", 10, w);
    put_sampled(&rows, frame->growth, "growth", 4, w);
    json_end_object(w);
}

static void put_growth(const struct explore *explore, struct json_writer *w)
{
    const struct growth *growth = &explore->growth;
    if (growth->absent) {
        put_absent(w, "growth", growth->absent);
        return;
    }
    const struct summary *summary = &growth->column->summary;
    json_put_key(w, "growth");
    json_begin_object(w);
    json_member_string(w, "unit", "percent a month");
    put_member_figure(w, "months", growth->months, 4);
    json_member_integer(w, "n", (int64_t)summary->n);
    put_member_figure(w, "median", growth->median.value, 4);
    put_bounds(w, growth->median);
    put_member_figure(w, "q05", summary->q05, 4);
    put_member_figure(w, "q25", summary->q25, 4);
    put_member_figure(w, "q75", summary->q75, 4);
    put_member_figure(w, "q95", summary->q95, 4);
    put_member_figure(w, "shrinking", growth->shrinking, 4);
    put_histogram(w, "histogram", &growth->column->histogram);
    put_growth_groups(&growth->by_tier, "by_tier", w);
    put_growth_groups(&growth->by_category, "by_category", w);
    put_growth_rows(explore, w);
    json_end_object(w);
}

static void put_group_table(const struct group_table *table, bool has_score, const char *name,
                            struct json_writer *w)
{
    static const char *const keys[] = {"group",   "n",           "share",        "followers",
                                       "measure", "measure_low", "measure_high", "score"};
    if (table->n == 0) {
        put_absent(w, name, "the table has no such column");
        return;
    }
    json_put_key(w, name);
    json_begin_object(w);
    for (size_t part = 0; part < ARRAY_LENGTH(keys); part++) {
        json_put_key(w, keys[part]);
        json_begin_array(w);
        for (size_t i = 0; (has_score || part < 7) && i < table->n; i++) {
            const struct group_row *row = &table->rows[i];
            const double parts[] = {
                (double)row->group, (double)row->n,     (double)row->n / (double)table->n_total,
                row->followers,     row->measure.value, row->measure.low,
                row->measure.high,  row->score};
            put_figure(w, parts[part], part < 2 ? 10 : 5);
        }
        json_end_array(w);
    }
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
    put_absent(w, "timing", "timing needs posts with their time, which are not read yet");
    put_group_table(&explore->categories, has_score, "categories", w);
    put_group_table(&explore->countries, has_score, "countries", w);
    put_projection(explore, w);
    json_end_object(w);
}
