/* SPDX-License-Identifier: Apache-2.0 */

/* What was found, for a terminal, as JSON, and as the members of manifest.json. */
#include <math.h>
#include <string.h>

#include "explore/text_table.h"
#include "pipeline/leaderboard.h"
#include "pipeline/network_words.h"
#include "pipeline/train.h"
#include "pipeline/virality_words.h"
#include "profile/parse.h"

static const enum metric tier_metrics[] = {METRIC_MACRO_F1, METRIC_LOG_LOSS, METRIC_ACCURACY};

struct leaderboard training_score_board(const struct training *training)
{
    const struct searched *searched = &training->score.searched;
    return (struct leaderboard){
        .crossval = searched->crossval,
        .metric = training->config->search_select == 0 ? METRIC_MAE : METRIC_R2,
        .chosen = searched->chosen,
        .settings = searched->fitted->settings,
        .selection = searched->is_judged ? &searched->selection : NULL,
    };
}

struct leaderboard training_growth_board(const struct training *training)
{
    const struct searched *searched = &training->growth.searched;
    return (struct leaderboard){
        .crossval = searched->crossval,
        .metric = METRIC_SPEARMAN,
        .chosen = searched->chosen,
        .settings = searched->fitted->settings,
        .selection = searched->is_judged ? &searched->selection : NULL,
    };
}

struct leaderboard training_class_board(const struct training *training,
                                        const struct class_part *part)
{
    return (struct leaderboard){
        .crossval = part->searched.crossval,
        .metric = tier_metrics[training->config->search_select_tier],
        .chosen = part->searched.chosen,
        .settings = part->searched.fitted->settings,
        .selection = part->searched.is_judged ? &part->searched.selection : NULL,
    };
}

const char *training_score_target(const struct training *training)
{
    return training->score.is_composite ? "composite" : training->score.searched.target->name;
}

/* ---- terminal ---- */

/* The figure to expect stands before those that the models were chosen by. */
static void print_expected(const struct leaderboard *board, FILE *out)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    leaderboard_put_selection(board, "+-", &text);
    if (text.length > 0)
        fprintf(out, "  expect %s: each fold's model chosen by the other folds\n", text.at);
}

static void print_score(const struct training *training, FILE *out)
{
    const struct score_part *part = &training->score;
    if (part->is_composite) {
        fprintf(out, "\nscore: the table has no label, so the score is the composite itself\n");
        return;
    }
    const struct crossval *crossval = part->searched.crossval;
    struct leaderboard board = training_score_board(training);
    fprintf(out, "\nscore: %s, %zu rows, %zu folds x %zu, by %s\n", part->searched.target->name,
            part->searched.target->n, crossval->n_folds, crossval->n_repeats,
            metric_names[board.metric]);
    print_expected(&board, out);
    leaderboard_print(&board, out);
    fprintf(
        out,
        "  ships: %s (%s); intervals %.2f wide on average%s, state %.0f %%, covered %.1f %% out "
        "of fold\n",
        crossval->entries[board.chosen].trainer->name, board.settings, part->covered.width,
        part->intervals.n_groups ? ", by size" : "", 100 * training->config->score_coverage,
        100 * part->covered.covered);
}

static void print_class_part(const struct training *training, const char *title,
                             const struct class_part *part, FILE *out)
{
    const struct target *target = part->searched.target;
    struct leaderboard board = training_class_board(training, part);
    fprintf(out, "\n%s: %zu rows, %zu folds x %zu, by %s;", title, target->n,
            board.crossval->n_folds, board.crossval->n_repeats, metric_names[board.metric]);
    for (size_t c = 0; c < target->n_classes; c++)
        fprintf(out, "%s %s %zu", c ? "," : "", target->class_names[c], target->class_counts[c]);
    fputc('\n', out);
    print_expected(&board, out);
    leaderboard_print(&board, out);
    fprintf(out, "  ships: %s%s%s%s; probabilities %s, error %.3f -> %.3f\n",
            board.crossval->entries[board.chosen].trainer->name, board.settings[0] ? " (" : "",
            board.settings, board.settings[0] ? ")" : "", calibrated_text(&part->calibrated),
            part->calibrated.before.ece, part->calibrated.after.ece);
}

/* Nothing where it was one snapshot: nobody asked. */
static void print_growth(const struct training *training, FILE *out)
{
    const struct growth_part *part = &training->growth;
    if (!training->table->number[PROFILE_snapshot])
        return;
    if (part->absent) {
        fprintf(out, "\ngrowth: no forecast: %s\n", part->absent);
        return;
    }
    struct leaderboard board = training_growth_board(training);
    char base[8];
    char until[8];
    parse_format_month(part->cases.base, base);
    parse_format_month(part->until, until);
    fprintf(out,
            "\ngrowth (100 ln ratio of followers): %s to %s, %zu rows, %zu folds x %zu, by %s\n",
            base, until, part->searched.target->n, board.crossval->n_folds,
            board.crossval->n_repeats, metric_names[board.metric]);
    print_expected(&board, out);
    leaderboard_print(&board, out);
    AUTO(buffer_deinit) struct buffer text = {0};
    growth_part_say(part, &text);
    if (part->ships)
        fprintf(out,
                "  ships: %s (%s); intervals %.2f wide on average, state %.0f %%, covered %.1f %% "
                "out of fold\n",
                board.crossval->entries[board.chosen].trainer->name, board.settings,
                part->covered.width, 100 * training->config->growth_coverage,
                100 * part->covered.covered);
    fprintf(out, "  %s\n", text.failed ? "" : text.at);
}

#define BAR_WIDTH 24
#define WHY_LINES 5

static void print_bar(double value, double largest, FILE *out)
{
    AUTO(buffer_deinit) struct buffer bar = {0};
    text_put_bar(&bar, value, largest, BAR_WIDTH);
    fprintf(out, "%s\n", bar.length ? bar.at : "");
}

/* The foremost inputs, with what shuffling each one adds to the loss; of equal ones no bar. */
static void print_why(const struct importance *importance, const char *name, FILE *out)
{
    if (!importance || importance->n == 0)
        return;
    fprintf(out, "\nwhat the %s goes by, and the error that each saves\n", name);
    for (size_t i = 0; i < importance->n && i < WHY_LINES; i++) {
        fprintf(out, "  %-28s %7.3f  ", importance->name[i], importance->mean[i]);
        print_bar(importance->mean[i], importance->mean[0], out);
    }
}

static void print_archetypes(const struct training *training, FILE *out)
{
    uint32_t largest = 0;
    const struct archetypes *archetypes = training->cluster.archetypes;
    fprintf(out, "\narchetypes: %zu, silhouette %.2f (%s), stability %.2f\n", archetypes->model.k,
            archetypes->model.silhouette, archetypes_strength(archetypes->model.silhouette),
            archetypes->stability);
    for (size_t c = 0; c < archetypes->model.k; c++)
        largest = archetypes->model.sizes[c] > largest ? archetypes->model.sizes[c] : largest;
    for (size_t c = 0; c < archetypes->model.k; c++) {
        fprintf(out, "  %6u  %-36s  ", archetypes->model.sizes[c], archetypes->model.names[c]);
        print_bar(archetypes->model.sizes[c], largest, out);
    }
}

static void print_virality(const struct training *training, FILE *out)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    if (!training->virality)
        return;
    virality_say(training->virality, &text);
    fprintf(out, "\n%s", text.failed ? "" : text.at);
}

void train_print(const struct training *training, FILE *out)
{
    fprintf(out, "%zu accounts from %zu file%s\n", training->table->n_rows,
            training->data.n_profiles, training->data.n_profiles == 1 ? "" : "s");
    if (training->shard.n_workers > 1)
        fprintf(out, "%.0f accounts of %zu workers, of which the first had %zu to decide by\n",
                training->shard.n_all, training->shard.n_workers, training->table->n_rows);
    size_t n_refused = import_report_refused(training->imported);
    if (n_refused > 0)
        fprintf(out, "%zu row%s set aside: `influence import` says which and why\n", n_refused,
                n_refused == 1 ? "" : "s");
    if (training->input->when)
        fprintf(out,
                "folds go by %s: figures, intervals and probabilities are of newer accounts, by "
                "models of older ones\n",
                training->input->when);
    print_score(training, out);
    char title[96];
    snprintf(title, sizeof title, "tier (%s)", training->tier.target);
    print_class_part(training, title, &training->tier.tier, out);
    if (training->tier.has_size)
        print_class_part(training, "size, for the audience check", &training->tier.size, out);
    print_growth(training, out);
    print_why(training->why.score, "score", out);
    print_why(training->why.tier, "tier", out);
    print_archetypes(training, out);
    network_print(training->network, training->table, out);
    print_virality(training, out);
    warnings_print(&training->warnings, out);
    fputc('\n', out);
    stages_print(&training->stages, out);
    fprintf(out, "\nbundle %s, %.1f s\n", training->bundle_id, training->seconds);
}

/* ---- JSON ---- */

static void put_class_part(const struct training *training, const char *key,
                           const struct class_part *part, struct json_writer *w)
{
    const struct target *target = part->searched.target;
    struct leaderboard board = training_class_board(training, part);
    json_put_key(w, key);
    json_begin_object(w);
    json_member_string(w, "chosen", board.crossval->entries[board.chosen].trainer->name);
    json_member_string(w, "selected_by", metric_names[board.metric]);
    json_put_key(w, "classes");
    json_begin_array(w);
    for (size_t c = 0; c < target->n_classes; c++)
        json_put_string(w, target->class_names[c]);
    json_end_array(w);
    visible_put_leaks(part->searched.leaks, part->searched.n_leaks, w);
    json_member_number(w, "temperature", part->calibrated.temperature);
    json_member_string(w, "calibration", part->calibrated.method);
    json_member_number(w, "ece_calibrated", part->calibrated.after.ece);
    leaderboard_put_selection_json(&board, w);
    json_put_key(w, "leaderboard");
    leaderboard_put_json(&board, w);
    json_end_object(w);
}

static void put_score(const struct training *training, struct json_writer *w)
{
    const struct score_part *part = &training->score;
    json_put_key(w, "score");
    json_begin_object(w);
    json_member_string(w, "target", training_score_target(training));
    if (part->is_composite) {
        json_member_string(w, "chosen", "composite");
    } else {
        struct leaderboard board = training_score_board(training);
        json_member_string(w, "chosen", board.crossval->entries[board.chosen].trainer->name);
        json_member_string(w, "selected_by", metric_names[board.metric]);
        visible_put_leaks(part->searched.leaks, part->searched.n_leaks, w);
        json_member_number(w, "interval_coverage", training->config->score_coverage);
        json_member_number(w, "interval_covered", part->covered.covered);
        json_member_number(w, "interval_width", part->covered.width);
        leaderboard_put_selection_json(&board, w);
        json_put_key(w, "leaderboard");
        leaderboard_put_json(&board, w);
    }
    json_end_object(w);
}

static void put_growth(const struct training *training, struct json_writer *w)
{
    const struct growth_part *part = &training->growth;
    json_put_key(w, "growth");
    json_begin_object(w);
    if (part->absent) {
        json_member_string(w, "absent", part->absent);
        json_end_object(w);
        return;
    }
    struct leaderboard board = training_growth_board(training);
    json_member_bool(w, "ships", part->ships);
    json_member_string(w, "chosen", board.crossval->entries[board.chosen].trainer->name);
    json_member_string(w, "selected_by", metric_names[board.metric]);
    json_member_number(w, "months", part->until - part->cases.base);
    json_member_number(w, "spearman", part->spearman);
    json_member_number(w, "interval_coverage", training->config->growth_coverage);
    json_member_number(w, "interval_covered", part->covered.covered);
    json_member_number(w, "interval_width", part->covered.width);
    leaderboard_put_selection_json(&board, w);
    json_put_key(w, "leaderboard");
    leaderboard_put_json(&board, w);
    json_end_object(w);
}

static void put_workers(const struct training *training, struct json_writer *w)
{
    const struct shard *shard = &training->shard;
    json_put_key(w, "workers");
    json_begin_object(w);
    json_put_key(w, "rows");
    json_begin_array(w);
    for (size_t rank = 0; rank < shard->n_workers; rank++)
        json_put_integer(w, (int64_t)shard->n_rows[rank]);
    json_end_array(w);
    json_member_integer(w, "rows_of_rank_0", (int64_t)training->table->n_rows);
    json_end_object(w);
}

static void put_data(const struct training *training, struct json_writer *w)
{
    json_put_key(w, "data");
    json_begin_array(w);
    for (size_t i = 0; i < training->data.n; i++) {
        const struct data_file *file = &training->data.files[i];
        json_begin_object(w);
        json_member_string(w, "name", file->name);
        json_member_string(w, "role", file->role);
        json_member_string(w, "schema", file->schema);
        json_member_string(w, "month", file->month);
        json_member_integer(w, "rows", (int64_t)file->n_kept);
        json_member_string(w, "sha256", file->sha256);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_spec(const char *key, const struct feature_spec *spec, struct json_writer *w)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < spec->n_columns; i++)
        json_put_string(w, spec->columns[i].name);
    json_end_array(w);
}

static void put_features(const struct training *training, struct json_writer *w)
{
    json_put_key(w, "features");
    json_begin_object(w);
    put_spec("score",
             training->score.is_composite ? training->score.spec : training->score.searched.spec,
             w);
    put_spec("tier", training->tier.tier.searched.spec, w);
    put_spec("cluster", training->cluster.spec, w);
    put_spec("similar", training->similar_spec, w);
    if (training->growth.ships)
        put_spec("growth", training->growth.searched.spec, w);
    json_end_object(w);
}

/* What manifest.json and --json have in common. */
static void put_members(const struct training *training, struct json_writer *w)
{
    json_member_integer(w, "seed", (int64_t)training->seed);
    json_member_bool(w, "synthetic", training->is_synthetic);
    json_member_string(w, "licence", training->config->data_licence);
    json_member_integer(w, "rows", (int64_t)training->table->n_rows);
    json_member_string(w, "target", training_score_target(training));
    json_member_string(w, "tiers", training->tier.target);
    if (training->input->when)
        json_member_string(w, "time", training->input->when);
    put_data(training, w);
    if (training->shard.n_workers > 1)
        put_workers(training, w);
    put_score(training, w);
    put_class_part(training, "tier", &training->tier.tier, w);
    if (training->tier.has_size)
        put_class_part(training, "size", &training->tier.size, w);
    put_growth(training, w);
    json_put_key(w, "archetypes");
    json_begin_object(w);
    json_member_integer(w, "k", (int64_t)training->cluster.archetypes->model.k);
    json_member_number(w, "silhouette", training->cluster.archetypes->model.silhouette);
    json_member_number(w, "stability", training->cluster.archetypes->stability);
    json_end_object(w);
    put_features(training, w);
    warnings_put_json(&training->warnings, w);
}

void manifest_put(const struct training *training, struct buffer *out)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_object(&w);
    put_members(training, &w);
    json_end_object(&w);
    if (text.failed || text.length < 2)
        out->failed = true;
    else
        buffer_put(out, text.at + 1, text.length - 2);
}

void train_put_json(const struct training *training, struct json_writer *w)
{
    json_begin_object(w);
    json_member_string(w, "bundle", training->bundle_id);
    json_member_fixed(w, "seconds", training->seconds, 3);
    json_put_key(w, "stages");
    stages_put_json(&training->stages, w);
    put_members(training, w);
    json_end_object(w);
}
