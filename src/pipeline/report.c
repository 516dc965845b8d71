/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "pipeline/train.h"

void report_put_numbers(const struct report *report, const char *key, const double *values,
                        size_t n)
{
    json_put_key(report->w, key);
    json_begin_array(report->w);
    for (size_t i = 0; i < n; i++)
        json_put_number(report->w, values[i]);
    json_end_array(report->w);
}

void report_put_sizes(const struct report *report, const char *key, const size_t *values, size_t n)
{
    json_put_key(report->w, key);
    json_begin_array(report->w);
    for (size_t i = 0; i < n; i++)
        json_put_integer(report->w, (int64_t)values[i]);
    json_end_array(report->w);
}

void report_put_texts(const struct report *report, const char *key, const char *const *values,
                      size_t n)
{
    json_put_key(report->w, key);
    json_begin_array(report->w);
    for (size_t i = 0; i < n; i++)
        json_put_string(report->w, values[i]);
    json_end_array(report->w);
}

void report_put_absent(const struct report *report, const char *key, const char *why)
{
    json_put_key(report->w, key);
    json_begin_object(report->w);
    json_member_string(report->w, "absent", why);
    json_end_object(report->w);
}

void report_put_handles(const struct report *report, const size_t *rows, size_t n)
{
    const char *const *handle = (const char *const *)report->training->table->text[PROFILE_handle];
    json_put_key(report->w, "handle");
    json_begin_array(report->w);
    for (size_t i = 0; i < n; i++)
        json_put_string(report->w, handle ? handle[rows[i]] : NULL);
    json_end_array(report->w);
}

void report_put_groups(const struct report *report, const char *key, enum explore_grouping by,
                       const size_t *rows, size_t n)
{
    json_put_key(report->w, key);
    json_begin_array(report->w);
    for (size_t i = 0; i < n; i++)
        json_put_integer(report->w, explore_row_group(report->explore, by, rows[i]));
    json_end_array(report->w);
}

static void put_bundle(const struct report *report, const char *created)
{
    struct json_writer *w = report->w;
    const struct training *training = report->training;
    json_put_key(w, "bundle");
    json_begin_object(w);
    json_member_string(w, "id", "");
    json_member_string(w, "created", created);
    json_member_integer(w, "seed", (int64_t)training->seed);
    json_put_key(w, "data");
    json_begin_array(w);
    for (size_t i = 0; i < training->data.n; i++) {
        const struct data_file *file = &training->data.files[i];
        json_begin_object(w);
        json_member_string(w, "name", file->name);
        json_member_string(w, "role", file->role);
        json_member_integer(w, "rows", (int64_t)file->n_kept);
        json_member_string(w, "sha256", file->sha256);
        json_member_string(w, "month", file->month);
        json_end_object(w);
    }
    json_end_array(w);
    json_member_integer(w, "rows", (int64_t)training->table->n_rows);
    json_member_bool(w, "synthetic", training->is_synthetic);
    json_member_string(w, "licence", training->config->data_licence);
    json_put_key(w, "stages");
    stages_put_json(&training->stages, w);
    json_put_key(w, "versions");
    json_begin_object(w);
    json_member_string(w, "influence", INFLUENCE_VERSION);
    json_end_object(w);
    json_end_object(w);
}

static void put_headline(struct json_writer *w, const char *label, double value, const char *unit,
                         const char *note)
{
    json_begin_object(w);
    json_member_string(w, "label", label);
    json_member_number(w, "value", value);
    json_member_string(w, "unit", unit);
    json_member_string(w, "note", note);
    json_end_object(w);
}

/* What the models add to what the data shows. */
static void put_model_headlines(const struct report *report)
{
    const struct training *training = report->training;
    const struct score_part *score = &training->score;
    if (!score->is_composite) {
        struct leaderboard board = training_score_board(training);
        const struct crossval_entry *entry = &board.crossval->entries[board.chosen];
        put_headline(report->w, "Mean absolute error of the score", entry->mean[METRIC_MAE],
                     "points", entry->trainer->name);
        put_headline(report->w, "R2 of the score, out of fold", entry->mean[METRIC_R2], "",
                     "0 is guessing the mean");
    }
    const struct class_part *tier = &training->tier.tier;
    put_headline(report->w, "Tiers told right, out of fold", tier->calibrated.after.accuracy,
                 "fraction", training->tier.target);
}

static void put_overview(const struct report *report)
{
    struct json_writer *w = report->w;
    const struct training *training = report->training;
    char title[320];
    snprintf(title, sizeof title, "%zu accounts from %s%s", training->table->n_rows,
             training->data.files[0].name, training->data.n_profiles > 1 ? " and others" : "");
    json_put_key(w, "overview");
    json_begin_object(w);
    json_member_string(w, "title", title);
    json_put_key(w, "headline");
    json_begin_array(w);
    put_model_headlines(report);
    explore_put_headlines(report->explore, w);
    json_end_array(w);
    json_put_key(w, "careful");
    json_begin_array(w);
    for (size_t i = 0; i < training->warnings.n; i++) {
        const char *text = training->warnings.texts[i];
        json_begin_object(w);
        json_member_string(w, "level", "warning");
        json_member_string(w, "text", text);
        json_member_string(w, "section",
                           text_starts_with(text, "archetypes") ? "archetypes" : "models");
        json_end_object(w);
    }
    explore_put_cautions(report->explore, w);
    json_end_array(w);
    json_end_object(w);
}

static enum status put_report(const struct report *report, const char *created, struct error *err)
{
    struct json_writer *w = report->w;
    json_begin_object(w);
    json_member_integer(w, "schema", 1);
    json_member_string(w, "kind", "bundle");
    json_member_string(w, "made", created);
    json_member_string(w, "influence", INFLUENCE_VERSION);
    json_member_bool(w, "synthetic", report->training->is_synthetic);
    put_bundle(report, created);
    put_overview(report);
    json_put_key(w, "groups");
    explore_put_groups(report->explore, w);
    json_put_key(w, "data");
    explore_put_data(report->explore, w);
    json_put_key(w, "explore");
    explore_put_explore(report->explore, w);
    TRY(report_put_models(report, err));
    TRY(report_put_archetypes(report, err));
    TRY(report_put_network(report, err));
    if (report->training->virality) {
        json_put_key(w, "virality");
        virality_put(report->training->virality, w);
    } else {
        report_put_absent(report, "virality", report->training->no_virality);
    }
    TRY(report_put_growth(report, err));
    json_end_object(w);
    return STATUS_OK;
}

enum status report_put_models(const struct report *report, struct error *err)
{
    json_put_key(report->w, "models");
    json_begin_object(report->w);
    json_put_key(report->w, "score");
    TRY(report_put_score(report, err));
    json_put_key(report->w, "tier");
    TRY(report_put_tier(report, err));
    json_end_object(report->w);
    return STATUS_OK;
}

enum status report_put(const struct training *training, int64_t created_utc_us, struct buffer *out,
                       struct error *err)
{
    char created[28];
    clock_format_utc(created_utc_us, created);
    struct json_writer w = json_writer(out);
    struct report report = {training, training->explore, &w};
    return put_report(&report, created, err);
}
