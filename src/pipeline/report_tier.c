/* SPDX-License-Identifier: Apache-2.0 */

/* report.json: models.tier. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/by_group.h"
#include "pipeline/report.h"
#include "pipeline/train.h"

static void put_confusion(const struct report *report, const size_t *counts, size_t k)
{
    json_put_key(report->w, "confusion");
    json_begin_array(report->w);
    for (size_t c = 0; c < k; c++) {
        json_begin_array(report->w);
        for (size_t other = 0; other < k; other++)
            json_put_integer(report->w, (int64_t)counts[c * k + other]);
        json_end_array(report->w);
    }
    json_end_array(report->w);
}

static void put_by_tier(const struct report *report, const size_t *counts, size_t k)
{
    double precision[TIERS_MAX];
    double recall[TIERS_MAX];
    double f1[TIERS_MAX];
    for (size_t c = 0; c < k; c++) {
        double is = 0;
        double said = 0;
        double right = (double)counts[c * k + c];
        for (size_t other = 0; other < k; other++) {
            is += (double)counts[c * k + other];
            said += (double)counts[other * k + c];
        }
        /* 0 / 0 is not known, and written as null. */
        precision[c] = right / said;
        recall[c] = right / is;
        f1[c] = 2 * right / (is + said);
    }
    json_put_key(report->w, "by_tier");
    json_begin_object(report->w);
    report_put_numbers(report, "precision", precision, k);
    report_put_numbers(report, "recall", recall, k);
    report_put_numbers(report, "f1", f1, k);
    json_end_object(report->w);
}

static void put_reliability(const struct report *report, const struct class_part *part)
{
    const struct target *target = part->searched.sample;
    size_t k = target->n_classes;
    double edges[RELIABILITY_BINS + 1];
    double figures[4][RELIABILITY_BINS] = {0}; /* stated, observed, low, high */
    static const char *const names[] = {"stated", "observed", "low", "high"};
    for (size_t b = 0; b <= RELIABILITY_BINS; b++)
        edges[b] = (double)b / RELIABILITY_BINS;
    struct reliability table;
    certainty_reliability(target->label, part->calibrated.probability, target->n, k, &table);
    for (size_t b = 0; b < RELIABILITY_BINS; b++) {
        double count = (double)table.n[b];
        figures[0][b] = table.stated[b];
        figures[1][b] = table.observed[b];
        wilson_interval(table.observed[b], count, &figures[2][b], &figures[3][b]);
    }
    json_put_key(report->w, "reliability");
    json_begin_object(report->w);
    report_put_numbers(report, "edges", edges, RELIABILITY_BINS + 1);
    report_put_sizes(report, "n", table.n, RELIABILITY_BINS);
    json_member_string(report->w, "method", part->calibrated.method);
    json_member_number(report->w, "ece", part->calibrated.after.ece);
    json_member_number(report->w, "ece_before", part->calibrated.before.ece);
    for (size_t f = 0; f < 4; f++)
        report_put_numbers(report, names[f], figures[f], RELIABILITY_BINS);
    json_end_object(report->w);
}

/* Accuracy of accounts of each size and category, whatever the tier is. */
static void put_groups(const struct report *report, const char *key, const struct class_part *part,
                       enum explore_grouping by)
{
    struct by_group groups;
    by_group_accuracy(report->training, part, by, &groups);
    json_put_key(report->w, key);
    json_begin_object(report->w);
    report_put_sizes(report, "group", groups.group, groups.n_groups);
    report_put_sizes(report, "n", groups.n, groups.n_groups);
    report_put_numbers(report, "accuracy", groups.value, groups.n_groups);
    report_put_numbers(report, "low", groups.low, groups.n_groups);
    report_put_numbers(report, "high", groups.high, groups.n_groups);
    json_end_object(report->w);
}

static enum status count_confusion(const struct class_part *part, size_t **ret_counts,
                                   struct error *err)
{
    const struct target *target = part->searched.sample;
    size_t k = target->n_classes;
    size_t *counts = calloc(k * k + 1, sizeof *counts);
    if (!counts)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    metrics_confusion(target->label, part->calibrated.probability, target->n, k, counts);
    *ret_counts = counts;
    return STATUS_OK;
}

/* The size that behaviour predicts, of whichever model predicts sizes. */
static enum status put_audience(const struct report *report, struct error *err)
{
    const struct tier_part *tier = &report->training->tier;
    bool main_is_size = strcmp(tier->target, "size") == 0;
    if (!main_is_size && !tier->has_size) {
        report_put_absent(report, "audience", "the data has fewer than two size tiers");
        return STATUS_OK;
    }
    const struct class_part *part = main_is_size ? &tier->tier : &tier->size;
    const struct target *target = part->searched.sample;
    AUTO(free_slot) size_t *counts = NULL;
    TRY(count_confusion(part, &counts, err));
    json_put_key(report->w, "audience");
    json_begin_object(report->w);
    report_put_texts(report, "names", target->class_names, target->n_classes);
    put_confusion(report, counts, target->n_classes);
    json_member_number(report->w, "accuracy", part->calibrated.after.accuracy);
    json_member_number(report->w, "disagree", 1 - part->calibrated.after.accuracy);
    json_end_object(report->w);
    return STATUS_OK;
}

enum status report_put_tier(const struct report *report, struct error *err)
{
    struct json_writer *w = report->w;
    const struct training *training = report->training;
    const struct class_part *part = &training->tier.tier;
    const struct target *target = part->searched.sample;
    struct leaderboard board = training_class_board(training, part);
    AUTO(free_slot) size_t *counts = NULL;
    TRY(count_confusion(part, &counts, err));
    json_begin_object(w);
    json_member_string(w, "target", training->tier.target);
    visible_put_leaks(part->searched.leaks, part->searched.n_leaks, w);
    json_member_integer(w, "n", (int64_t)target->n);
    json_member_integer(w, "folds", (int64_t)board.crossval->n_folds);
    json_member_integer(w, "repeats", (int64_t)board.crossval->n_repeats);
    json_member_integer(w, "seed", (int64_t)training->seed);
    json_member_string(w, "selected_by", metric_names[board.metric]);
    json_member_string(w, "chosen", board.crossval->entries[board.chosen].trainer->name);
    leaderboard_put_selection_json(&board, w);
    json_put_key(w, "leaderboard");
    leaderboard_put_json(&board, w);
    report_put_texts(report, "names", target->class_names, target->n_classes);
    report_put_sizes(report, "counts", target->class_counts, target->n_classes);
    put_confusion(report, counts, target->n_classes);
    put_by_tier(report, counts, target->n_classes);
    put_groups(report, "by_size", part, EXPLORE_TIER);
    put_groups(report, "by_category", part, EXPLORE_CATEGORY);
    put_reliability(report, part);
    report_put_importance(report, training->why.tier, TASK_CLASSIFICATION, "fraction",
                          "the tier is guessed from the shares of its classes: nothing moves it");
    TRY(put_audience(report, err));
    json_end_object(w);
    return STATUS_OK;
}
