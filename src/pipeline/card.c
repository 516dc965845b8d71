/* SPDX-License-Identifier: Apache-2.0 */

/* card.md: the model card (after Mitchell et al. 2019), for people who decide whether to rely on
 * the bundle. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "pipeline/by_group.h"
#include "pipeline/network_words.h"
#include "pipeline/train.h"
#include "pipeline/virality_words.h"
#include "profile/parse.h"

static void put_data(const struct training *training, struct buffer *out)
{
    const char *licence = training->config->data_licence;
    buffer_put_text(out,
                    "\n## Data\n\n| file | schema | rows kept | SHA-256 |\n|---|---|---|---|\n");
    for (size_t i = 0; i < training->data.n; i++) {
        const struct data_file *file = &training->data.files[i];
        buffer_printf(out, "| %s | %s | %llu of %llu | `%s` |\n", file->name, file->schema,
                      (unsigned long long)file->n_kept, (unsigned long long)file->n_rows,
                      file->sha256);
    }
    buffer_printf(out, "\n%zu accounts%s.\n\nLicence of the data: %s.\n", training->table->n_rows,
                  training->is_synthetic ? ", **all of them synthetic (demo data)**" : "",
                  licence[0] ? licence : "not stated (`--licence` states it); check its source");
}

/* ---- figures by group ---- */

static void put_groups(const struct training *training, const char *title, const char *figure,
                       enum explore_grouping by, const struct by_group *groups, struct buffer *out)
{
    size_t n_names = 0;
    const char *const *names = explore_group_names(training->explore, by, &n_names);
    if (groups->n_groups < 2)
        return;
    buffer_printf(out, "\n| %s | accounts | %s | 95 %% |\n|---|---|---|---|\n", title, figure);
    for (size_t i = 0; i < groups->n_groups && groups->group[i] < n_names; i++) {
        buffer_printf(out, "| %s | %zu | %.3f |", names[groups->group[i]], groups->n[i],
                      groups->value[i]);
        if (isnan(groups->low[i]))
            buffer_put_text(out, " - |\n");
        else
            buffer_printf(out, " %.3f to %.3f |\n", groups->low[i], groups->high[i]);
    }
}

static void put_by_group(const struct training *training, const struct class_part *part,
                         struct buffer *out)
{
    static const struct {
        enum explore_grouping by;
        const char *title;
    } groupings[] = {{EXPLORE_TIER, "size"}, {EXPLORE_CATEGORY, "category"}};
    for (size_t i = 0; i < ARRAY_LENGTH(groupings); i++) {
        struct by_group groups;
        if (part)
            by_group_accuracy(training, part, groupings[i].by, &groups);
        else
            by_group_error(training, groupings[i].by, &groups);
        put_groups(training, groupings[i].title, part ? "told right" : "mean error",
                   groupings[i].by, &groups, out);
    }
}

/* ---- the models ---- */

static void put_importance(const struct importance *importance, struct buffer *out)
{
    if (!importance || importance->n == 0)
        return;
    buffer_put_text(out, "\nIt goes by");
    for (size_t i = 0; i < importance->n && i < 5; i++)
        buffer_printf(out, "%s %s (%.3f ± %.3f)", i ? "," : "", importance->name[i],
                      importance->mean[i], importance->sd[i]);
    buffer_put_text(out, ": how much worse it does when the figure is shuffled, on accounts it had "
                         "not seen, ± spread.\n");
}

static void put_leaks(const struct searched *searched, struct buffer *out)
{
    if (searched->n_leaks > 0)
        buffer_put_text(out, "\nNot seen, because it gives the target away:\n\n");
    for (size_t i = 0; i < searched->n_leaks; i++)
        buffer_printf(out, "- %s: %s\n", searched->leaks[i].column, searched->leaks[i].reason);
}

/* The figure to expect, then those that the models were chosen by. */
static void put_board(const struct leaderboard *board, struct buffer *out)
{
    if (board->selection) {
        buffer_put_text(out, "**Expect ");
        leaderboard_put_selection(board, "±", out);
        buffer_put_text(out, "**: the choice as a whole, each fold's model chosen by the other "
                             "folds. The chosen model's own figure below is what it was chosen by, "
                             "and a little too good for that.\n\n");
    }
    leaderboard_put_markdown(board, out);
}

static void put_score(const struct training *training, struct buffer *out)
{
    const struct score_part *part = &training->score;
    buffer_printf(out, "\n## Score: %s\n\n", training_score_target(training));
    if (part->is_composite) {
        buffer_put_text(out, "The data has no label, so the score is the composite: the weighted "
                             "mean of percentiles among these accounts. It is exact; its interval "
                             "is the bound left by parts that an account lacks.\n\n");
        for (size_t p = 0; p < COMPOSITE_N_PARTS; p++)
            buffer_printf(out, "- %s, weight %g: %s%s\n", composite_part_names[p],
                          part->composite.weight[p], composite_part_help[p],
                          part->composite.grid[p] ? "" : " (not in this data)");
        return;
    }
    struct leaderboard board = training_score_board(training);
    const struct crossval *crossval = board.crossval;
    buffer_printf(out,
                  "%s (%s), picked by %s over %zu folds x %zu repeats; all tuning inside the "
                  "training folds, all figures on rows that the model had not seen.\n\n",
                  crossval->entries[board.chosen].trainer->name, board.settings,
                  metric_names[board.metric], crossval->n_folds, crossval->n_repeats);
    put_board(&board, out);
    put_by_group(training, NULL, out);
    buffer_printf(out,
                  "\nInterval: conformal%s, states %.0f %%, covered %.1f %% of held-out rows "
                  "(%.2f wide on average).\n",
                  part->intervals.n_groups ? ", by size of the account" : "",
                  100 * training->config->score_coverage, 100 * part->covered.covered,
                  part->covered.width);
    put_leaks(&part->searched, out);
    put_importance(training->why.score, out);
}

static void put_tier(const struct training *training, struct buffer *out)
{
    const struct tier_part *part = &training->tier;
    const struct target *target = part->tier.searched.target;
    buffer_printf(out, "\n## Tier: %s\n\n", part->target);
    if (part->why[0])
        buffer_printf(out, "Note: %s.\n\n", part->why);
    for (size_t c = 0; c < target->n_classes; c++)
        buffer_printf(out, "- %s: %zu accounts\n", target->class_names[c], target->class_counts[c]);
    buffer_put_text(out, "\nThe classifier does not see what defines its label.\n\n");
    struct leaderboard board = training_class_board(training, &part->tier);
    put_board(&board, out);
    put_by_group(training, &part->tier, out);
    buffer_printf(out,
                  "\nProbabilities are %s: expected calibration error %.3f on "
                  "rows that the calibration had not seen, %.3f before.\n",
                  calibrated_text(&part->tier.calibrated), part->tier.calibrated.after.ece,
                  part->tier.calibrated.before.ece);
    put_leaks(&part->tier.searched, out);
    put_importance(training->why.tier, out);
}

static void put_archetypes(const struct training *training, struct buffer *out)
{
    const struct archetypes *archetypes = training->cluster.archetypes;
    const struct clusters_model *model = &archetypes->model;
    const char *strength = archetypes_strength(model->silhouette);
    buffer_printf(
        out,
        "\n## Archetypes\n\nk-means, k = %zu by silhouette (%.2f: %s); on bootstrap "
        "samples they come out again with an adjusted Rand index of %.2f (1: always the "
        "same).%s%s\n\n",
        model->k, model->silhouette, strength, archetypes->stability,
        strcmp(strength, "weak") == 0 ? " The groups are a way to cut a cloud, not natural kinds."
                                      : "",
        archetypes->stability < ARCHETYPES_STABLE ? " Do not rely on which account is in which."
                                                  : "");
    for (size_t c = 0; c < model->k; c++)
        buffer_printf(out, "- %s: %u accounts\n", model->names[c], model->sizes[c]);
}

static void put_growth(const struct training *training, struct buffer *out)
{
    const struct growth_part *part = &training->growth;
    if (!training->table->number[PROFILE_snapshot])
        return;
    buffer_put_text(out, "\n## Growth in the next period\n\n");
    if (part->absent) {
        buffer_printf(out, "No forecast: %s.\n", part->absent);
        return;
    }
    struct leaderboard board = training_growth_board(training);
    char base[8];
    char until[8];
    parse_format_month(part->cases.base, base);
    parse_format_month(part->until, until);
    buffer_printf(out,
                  "%s (%s), learnt from %zu accounts between %s and %s, picked by rank "
                  "correlation; errors in 100 ln ratio of followers, about percent. ",
                  board.crossval->entries[board.chosen].trainer->name, board.settings,
                  part->searched.target->n, base, until);
    growth_part_say(part, out);
    buffer_printf(
        out,
        "\n\nIntervals state %.0f %% and covered %.1f %% of held-out accounts of that period.\n\n",
        100 * training->config->growth_coverage, 100 * part->covered.covered);
    put_board(&board, out);
}

/* ---- what to do with them, and what not ---- */

static void put_use(struct buffer *out)
{
    buffer_put_text(
        out,
        "\n## Intended use\n\nTo rank, compare and explain public social media accounts like those "
        "in the data, as one input to a person's decision. The novelty of an answer says how far "
        "an account is from this data; beyond it, an answer says so.\n"
        "\n## Out of scope\n\n- Decisions about people beyond marketing (credit, work, insurance, "
        "policing), and any without a person.\n- Proof that somebody bought followers or is an "
        "impostor: a disagreement is a reason to look.\n- Forecasts of sales or of what a campaign "
        "will bring: no such figure was seen.\n- Private persons, and minors.\n");
}

static void put_limits(const struct training *training, struct buffer *out)
{
    buffer_put_text(
        out, "\n## Limits\n\n- It reproduces the label or formula above, not influence itself; it "
             "shows association, not cause.\n- Other platforms, countries, sizes and times than in "
             "the data are extrapolation.\n- Figures of audiences can be bought; what is counted "
             "is what was reported.\n");
    buffer_put_text(out, "\n## What the data cannot tell\n\n");
    if (training->score.is_composite)
        buffer_put_text(out, "- How influential an account is by anybody's judgement: there is no "
                             "label, only the formula.\n");
    else
        buffer_printf(out,
                      "- What else makes up %s: these columns leave %.0f %% of its variance "
                      "unexplained, out of fold.\n",
                      training_score_target(training),
                      100 * (1 - fmax(0, training->score.searched.crossval
                                             ->entries[training->score.searched.chosen]
                                             .mean[METRIC_R2])));
    if (!training->snapshots.after)
        buffer_put_text(out, "- How accounts change: it is one snapshot.\n");
    if (!training->table->text[PROFILE_category])
        buffer_put_text(out, "- What an account is about: there is no category.\n");
    buffer_put_text(out, "- Who the followers are, and why they follow.\n"
                         "- Accounts that nobody listed: how rows came into the table is not known "
                         "here, and a list of the largest says little of the small.\n");
}

/* A value as a shell takes it. */
static void put_option(const char *option, const char *value, struct buffer *out)
{
    if (!value)
        return;
    buffer_printf(out, " --%s '", option);
    for (; *value; value++) {
        if (*value == '\'')
            buffer_put_text(out, "'\\''");
        else
            buffer_put_char(out, *value);
    }
    buffer_put_char(out, '\'');
}

static void put_target(const struct train_input *input, struct buffer *out)
{
    const struct own_target *target = &input->target;
    put_option("target", target->target, out);
    put_option("labels", target->labels ? file_name(target->labels) : NULL, out);
    put_option("bins", target->bins, out);
    if (target->top > 0)
        buffer_printf(out, " --top %zu", target->top);
    put_option("where", target->where, out);
    put_option("features", input->names.features, out);
    put_option("exclude", input->names.exclude, out);
    put_option("allow-leakage", input->names.allow, out);
    if (input->names.extras)
        buffer_put_text(out, " --extras");
    put_option("group", input->group, out);
    put_option("time", input->when, out);
    put_option("monotone", input->monotone, out);
    put_option("models", input->models, out);
}

/* No paths: whoever has the files knows where they are. */
static void put_reproduce(const struct training *training, struct buffer *out)
{
    buffer_put_text(out, "\n## How to reproduce\n\nWith the files above (their SHA-256 says "
                         "whether they are the same), and the same configuration:\n\n    influence "
                         "train");
    for (size_t i = 0; i < training->data.n; i++) {
        const struct data_file *file = &training->data.files[i];
        if (!data_file_has_profiles(file))
            buffer_printf(out, " --%s", file->role);
        buffer_printf(out, " '%s%s%s'", file->name, file->month[0] ? "@" : "", file->month);
    }
    put_target(training->input, out);
    bool each_its_own = training->input->rule == SHARD_FILES;
    if (training->shard.n_workers > 1 && !each_its_own)
        buffer_printf(out, " --workers %zu", training->shard.n_workers);
    buffer_printf(out,
                  " --seed %llu\n\nThe same data, seed and version of influence (%s) give the same "
                  "blobs, byte for byte; `influence models verify` checks them.\n",
                  (unsigned long long)training->seed, INFLUENCE_VERSION);
    if (training->shard.n_workers > 1 && each_its_own)
        buffer_printf(out,
                      "\nIt was made by %zu workers, each of which read its own of these files.\n",
                      training->shard.n_workers);
}

void card_put(const struct training *training, int64_t created_utc_us, struct buffer *out)
{
    char created[28];
    clock_format_utc(created_utc_us, created);
    buffer_printf(out, "# Model card\n\nTrained %.19sZ by influence %s, seed %llu.\n", created,
                  INFLUENCE_VERSION, (unsigned long long)training->seed);
    if (training->warnings.n > 0)
        buffer_put_text(out, "\n## Careful\n\n");
    for (size_t i = 0; i < training->warnings.n; i++)
        buffer_printf(out, "- %s\n", training->warnings.texts[i]);
    put_data(training, out);
    if (training->input->when)
        buffer_printf(out,
                      "\nFolds go by %s: the figures of score and tier are of newer accounts, by "
                      "models of older ones; the oldest are told by none.\n",
                      training->input->when);
    put_score(training, out);
    put_tier(training, out);
    put_growth(training, out);
    put_archetypes(training, out);
    network_put_card(training->network, out);
    if (training->virality)
        virality_put_card(training->virality, out);
    put_use(out);
    put_limits(training, out);
    put_reproduce(training, out);
}
