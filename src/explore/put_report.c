/* SPDX-License-Identifier: Apache-2.0 */

/* The whole report.json of raw data, and the parts of the overview that stand on data alone. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "explore/explore_inner.h"
#include "explore/figures.h"
#include "explore/finding.h"
#include "explore/put.h"

#define MAX_CAUTIONS 8

void explore_put_groups(const struct explore *explore, struct json_writer *w)
{
    static const char *const names[EXPLORE_N_GROUPINGS] = {"tier", "category", "country"};
    json_begin_object(w);
    for (size_t by = 0; by < EXPLORE_N_GROUPINGS; by++)
        put_texts(w, names[by], explore->frame->groups[by].names, explore->frame->groups[by].n);
    json_end_object(w);
}

static void put_headline(struct json_writer *w, const char *label, double value, const char *unit,
                         const char *note)
{
    json_begin_object(w);
    json_member_string(w, "label", label);
    put_member_figure(w, "value", value, 6);
    json_member_string(w, "unit", unit);
    json_member_string(w, "note", note);
    json_end_object(w);
}

static void put_median(const struct explore *explore, const struct frame_number *column,
                       struct json_writer *w)
{
    if (!column)
        return;
    const struct summary *summary =
        &explore->quality.numbers[column - explore->frame->numbers].summary;
    char name[64], label[80], note[96], low[FIGURE_BYTES], high[FIGURE_BYTES];
    finding_name(column->name, name);
    snprintf(label, sizeof label, "Median %s", name);
    figure_unit(summary->q05, column->unit, low);
    figure_unit(summary->q95, column->unit, high);
    snprintf(note, sizeof note, "9 of 10 accounts: %s to %s", low, high);
    put_headline(w, label, summary->median, column->unit, note);
}

static double share_of_cells(const struct explore *explore)
{
    const struct frame *frame = explore->frame;
    size_t n_present = 0, n_columns = 0;
    for (size_t i = 0; i < frame->n_numbers; i++)
        if (frame->numbers[i].role == FRAME_FIELD) {
            n_present += explore->quality.numbers[i].summary.n;
            n_columns++;
        }
    for (size_t i = 0; i < frame->n_texts; i++)
        if (frame->texts[i].role == FRAME_FIELD) {
            n_present += explore->quality.texts[i].n_present;
            n_columns++;
        }
    return n_columns ? (double)n_present / (double)(n_columns * frame->n_rows) : MISSING;
}

void explore_put_headlines(const struct explore *explore, struct json_writer *w)
{
    const struct frame *frame = explore->frame;
    put_headline(w, "Accounts", (double)frame->n_rows, "accounts",
                 frame->is_synthetic ? "synthetic demo data" : "");
    put_median(explore, frame->followers, w);
    put_median(explore, frame->measure, w);
    put_headline(w, "Cells filled", share_of_cells(explore), "fraction",
                 "of the columns that were understood");
    if (!explore->growth.absent)
        put_median(explore, frame->growth, w);
}

static void put_caution(struct json_writer *w, bool is_warning, const char *text,
                        const char *section)
{
    json_begin_object(w);
    json_member_string(w, "level", is_warning ? "warning" : "info");
    json_member_string(w, "text", text);
    json_member_string(w, "section", section);
    json_end_object(w);
}

/* Rows that were set aside; many of them are a warning. */
static void put_refused(const struct explore *explore, bool warnings, struct json_writer *w)
{
    const struct import_report *report = explore->input.report;
    size_t n_rows = 0, n_refused = 0;
    for (size_t i = 0; report && i < report->n_sources; i++) {
        n_rows += report->sources[i].n_rows;
        n_refused += report->sources[i].n_refused;
    }
    if (n_refused == 0 || warnings != (20 * n_refused > n_rows))
        return;
    char text[128];
    snprintf(text, sizeof text, "%zu of %zu rows were set aside: repeated, or not to be believed",
             n_refused, n_rows);
    put_caution(w, warnings, text, "data");
}

void explore_put_cautions(const struct explore *explore, struct json_writer *w)
{
    const struct alerts *alerts = &explore->alerts;
    if (explore->frame->is_synthetic)
        put_caution(w, true, "this is synthetic demo data: it says nothing of real accounts",
                    "data");
    put_refused(explore, true, w);
    size_t n = 0;
    for (size_t i = 0; i < alerts->n && n < MAX_CAUTIONS; i++)
        if (alerts->items[i].is_warning) {
            put_caution(w, true, alerts->items[i].text, "data");
            n++;
        }
    put_refused(explore, false, w);
    if (explore->frame->groups[EXPLORE_TIER].are_quarters)
        put_caution(w, false,
                    "nearly all accounts fall into one size tier, so sizes in Explore are quarters "
                    "of the followers",
                    "explore");
}

static void put_overview(const struct explore *explore, struct json_writer *w)
{
    const struct import_report *report = explore->input.report;
    char title[256];
    const char *path = report && report->n_sources ? report->sources[0].path : "";
    int length = snprintf(title, sizeof title, "%zu accounts", explore->frame->n_rows);
    if (path[0])
        length += snprintf(title + length, sizeof title - (size_t)length, " from %.120s",
                           file_name(path));
    if (report && report->n_sources > 1)
        snprintf(title + length, sizeof title - (size_t)length, " and %zu more",
                 report->n_sources - 1);
    json_put_key(w, "overview");
    json_begin_object(w);
    json_member_string(w, "title", title);
    json_put_key(w, "headline");
    json_begin_array(w);
    explore_put_headlines(explore, w);
    json_end_array(w);
    json_put_key(w, "careful");
    json_begin_array(w);
    explore_put_cautions(explore, w);
    json_end_array(w);
    json_end_object(w);
}

void explore_put_report(const struct explore *explore, int64_t made_utc_us, struct json_writer *w)
{
    char made[28];
    clock_format_utc(made_utc_us, made);
    json_begin_object(w);
    json_member_integer(w, "schema", 1);
    json_member_string(w, "kind", "explore");
    json_member_string(w, "made", made);
    json_member_string(w, "influence", INFLUENCE_VERSION);
    json_member_bool(w, "synthetic", explore->frame->is_synthetic);
    put_absent(w, "bundle", "raw data: influence train makes a bundle of it");
    put_overview(explore, w);
    json_put_key(w, "groups");
    explore_put_groups(explore, w);
    json_put_key(w, "data");
    explore_put_data(explore, w);
    json_put_key(w, "explore");
    explore_put_explore(explore, w);
    put_absent(w, "models", "no model yet: influence train");
    put_absent(w, "archetypes", "no model yet: influence train");
    put_absent(w, "network", "communities and links are found by influence train");
    put_absent(w, "virality", "what lifts a post is found by influence train --posts FILE");
    put_absent(w, "growth",
               "the next period is foreseen by influence train with two or more snapshots; "
               "explore.growth shows what was seen");
    json_end_object(w);
}
