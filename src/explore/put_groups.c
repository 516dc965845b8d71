/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/put_groups.h"

#include "explore/put.h"

void put_rows(struct json_writer *w, const char *key, const struct frame_number *column,
              const struct sample *rows, int digits)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; column && i < rows->n; i++)
        put_figure(w, column->values[rows->rows[i]], digits);
    json_end_array(w);
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

void put_distributions(const struct spreads *spreads, struct json_writer *w)
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
    put_rows(w, "followers", frame->followers, &rows, 10);
    put_rows(w, "previous", previous, &rows, 10);
    put_rows(w, "growth", frame->growth, &rows, 4);
    json_end_object(w);
}

void put_growth(const struct explore *explore, struct json_writer *w)
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
    put_histogram(w, "histogram", &growth->histogram);
    put_growth_groups(&growth->by_tier, "by_tier", w);
    put_growth_groups(&growth->by_category, "by_category", w);
    put_growth_rows(explore, w);
    json_end_object(w);
}

void put_group_table(const struct group_table *table, bool has_score, const char *name,
                     struct json_writer *w)
{
    static const char *const keys[] = {"group",     "n",       "n_measured",  "share",
                                       "followers", "measure", "measure_low", "measure_high",
                                       "score"};
    static const size_t without_score = ARRAY_LENGTH(keys) - 1;
    if (table->n == 0) {
        put_absent(w, name, "the table has no such column");
        return;
    }
    json_put_key(w, name);
    json_begin_object(w);
    for (size_t part = 0; part < ARRAY_LENGTH(keys); part++) {
        json_put_key(w, keys[part]);
        json_begin_array(w);
        for (size_t i = 0; (has_score || part < without_score) && i < table->n; i++) {
            const struct group_row *row = &table->rows[i];
            const double parts[] = {
                (double)row->group,
                (double)row->n,
                (double)row->n_measured,
                (double)row->n / (double)table->n_total,
                row->followers,
                row->measure.value,
                row->measure.low,
                row->measure.high,
                row->score,
            };
            put_figure(w, parts[part], part < 3 ? 10 : 5);
        }
        json_end_array(w);
    }
    json_end_object(w);
}
