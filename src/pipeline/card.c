/* SPDX-License-Identifier: Apache-2.0 */

/* card.md: the model card (after Mitchell et al. 2019), for people who decide whether to rely on
 * the bundle. */
#include <string.h>

#include "base/clock.h"
#include "pipeline/train.h"

static void put_data(const struct training *training, struct buffer *out)
{
    buffer_put_text(out,
                    "\n## Data\n\n| file | schema | rows kept | SHA-256 |\n|---|---|---|---|\n");
    for (size_t i = 0; i < training->imported->n_sources; i++) {
        const struct import_source *source = &training->imported->sources[i];
        const char *slash = strrchr(source->path, '/');
        buffer_printf(out, "| %s | %s | %zu of %zu | `%.16s…` |\n",
                      slash ? slash + 1 : source->path, source->schema, source->n_kept,
                      source->n_rows, source->sha256);
    }
    buffer_printf(out,
                  "\n%zu accounts%s. Licence of the data: not stated here; check its source.\n",
                  training->table->n_rows,
                  training->is_synthetic ? ", **all of them synthetic (demo data)**" : "");
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
    leaderboard_put_markdown(&board, out);
    buffer_printf(out,
                  "\nInterval: conformal, states %.0f %%, covered %.1f %% of held-out rows "
                  "(%.2f wide on average).\n",
                  100 * training->config->score_coverage, 100 * part->covered.covered,
                  part->covered.width);
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
    leaderboard_put_markdown(&board, out);
    buffer_printf(
        out,
        "\nProbabilities are calibrated (%s scaling): expected calibration error %.3f on rows "
        "that the calibration had not seen, %.3f before.\n",
        part->tier.calibrated.method, part->tier.calibrated.after.ece,
        part->tier.calibrated.before.ece);
}

static void put_archetypes(const struct training *training, struct buffer *out)
{
    const struct clusters_model *model = &training->cluster.archetypes->model;
    const char *strength = archetypes_strength(model->silhouette);
    buffer_printf(out,
                  "\n## Archetypes\n\nk-means, k = %zu by silhouette (%.2f: %s); on "
                  "bootstrap samples they come out again with an adjusted Rand index of %.2f (1: "
                  "always the same).%s\n\n",
                  model->k, model->silhouette, strength, training->cluster.archetypes->stability,
                  strcmp(strength, "weak") == 0
                      ? " The groups are a way to cut a cloud, not natural kinds."
                      : "");
    for (size_t c = 0; c < model->k; c++)
        buffer_printf(out, "- %s: %u accounts\n", model->names[c], model->sizes[c]);
}

void card_put(const struct training *training, int64_t created_utc_us, struct buffer *out)
{
    char created[28];
    clock_format_utc(created_utc_us, created);
    buffer_printf(out, "# Model card\n\nTrained %.19sZ by influence %s, seed %llu.\n", created,
                  INFLUENCE_VERSION, (unsigned long long)training->seed);
    if (training->n_warnings > 0)
        buffer_put_text(out, "\n## Careful\n\n");
    for (size_t i = 0; i < training->n_warnings; i++)
        buffer_printf(out, "- %s\n", training->warnings[i]);
    put_data(training, out);
    put_score(training, out);
    put_tier(training, out);
    put_archetypes(training, out);
    buffer_put_text(out,
                    "\n## Intended use\n\nTo rank, compare and explain public social media "
                    "accounts like those in the data, as one input to a person's decision. The "
                    "novelty of an answer says how far an account is from this data.\n\n"
                    "## Limits\n\n- It reproduces the label or formula above, not influence "
                    "itself; it shows association, not cause.\n- Other platforms, countries, sizes "
                    "and times than in the data are extrapolation.\n- Figures of audiences can be "
                    "bought; what is counted is what was reported.\n- Not for decisions about "
                    "people beyond marketing, and not without a person.\n");
}
