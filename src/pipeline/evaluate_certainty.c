/* SPDX-License-Identifier: Apache-2.0 */

/* `influence evaluate`: intervals and probabilities of the chosen model. */
#include <math.h>
#include <string.h>

#include "pipeline/evaluate.h"

#define COVERAGE 0.9

void evaluation_certainty_deinit(struct evaluation_certainty *certainty)
{
    calibrated_deinit(&certainty->calibrated);
}

static struct certainty_input input_of(const struct evaluation *evaluation, size_t repeat)
{
    return (struct certainty_input){
        .table = evaluation->cases.table,
        .target = evaluation->cases.target,
        .crossval = evaluation->crossval,
        .entry = evaluation->chosen,
        .repeat = repeat,
        .sizes = &evaluation->sizes,
        .coverage = COVERAGE,
    };
}

/* Repeats have the same rows in the same groups. */
static enum status measure_intervals(struct evaluation *evaluation, struct error *err)
{
    struct evaluation_certainty *certainty = &evaluation->certainty;
    struct conformal_measure *mean = &certainty->measure;
    size_t n_repeats = evaluation->crossval->n_repeats;
    for (size_t r = 0; r < n_repeats; r++) {
        struct conformal_measure one;
        struct interval_rule rule;
        struct certainty_input input = input_of(evaluation, r);
        TRY(certainty_intervals(&input, &rule, &one, NULL, err));
        if (r == 0) {
            certainty->rule = rule;
            mean->n_groups = one.n_groups;
            memcpy(mean->n, one.n, sizeof mean->n);
        }
        double share = 1.0 / (double)n_repeats;
        mean->covered += one.covered * share;
        mean->width += one.width * share;
        for (size_t g = 0; g <= one.n_groups; g++) {
            mean->group_covered[g] += one.group_covered[g] * share;
            mean->group_width[g] += one.group_width[g] * share;
        }
    }
    return STATUS_OK;
}

static enum status measure_probabilities(struct evaluation *evaluation, struct error *err)
{
    struct evaluation_certainty *certainty = &evaluation->certainty;
    const struct target *target = evaluation->cases.target;
    size_t n_repeats = evaluation->crossval->n_repeats;
    for (size_t r = 0; r < n_repeats; r++) {
        AUTO(calibrated_deinit) struct calibrated one = {0};
        struct certainty_input input = input_of(evaluation, r);
        TRY(certainty_classes(&input, &one, err));
        certainty->ece_before += one.before.ece / (double)n_repeats;
        certainty->ece_after += one.after.ece / (double)n_repeats;
        if (r > 0)
            continue;
        certainty_reliability(target->label, one.probability, target->n, target->n_classes,
                              &certainty->reliability);
        certainty->calibrated = one;
        one = (struct calibrated){0};
    }
    return STATUS_OK;
}

enum status evaluation_measure_certainty(struct evaluation *evaluation, struct error *err)
{
    return evaluation->cases.target->task == TASK_REGRESSION
               ? measure_intervals(evaluation, err)
               : measure_probabilities(evaluation, err);
}

/* ---- for a terminal ---- */

/* "micro", or of quarters "from 33.2M followers". */
static void name_group(const struct evaluation *evaluation, size_t group, char ret_name[static 64])
{
    const struct interval_rule *rule = &evaluation->certainty.rule;
    const struct size_tiers *sizes = &evaluation->sizes;
    bool by_size = rule->n_groups == sizes->n;
    for (size_t i = 0; i + 1 < rule->n_groups && by_size; i++)
        by_size = rule->cuts[i] == sizes->cuts[i];
    if (group == rule->n_groups)
        snprintf(ret_name, 64, "followers not known");
    else if (by_size)
        snprintf(ret_name, 64, "%s", sizes->names[group]);
    else if (group == 0)
        snprintf(ret_name, 64, "below %.0f followers", rule->cuts[0]);
    else
        snprintf(ret_name, 64, "from %.0f followers", rule->cuts[group - 1]);
}

static void print_intervals(const struct evaluation *evaluation, FILE *out)
{
    const struct evaluation_certainty *certainty = &evaluation->certainty;
    const struct conformal_measure *measure = &certainty->measure;
    fprintf(out, "\n%.0f %% intervals covered %.1f %% of held-out rows, %.4g wide on average%s\n",
            100 * COVERAGE, 100 * measure->covered, measure->width,
            certainty->rule.n_knots ? ", wider where predictions of that height miss by more" : "");
    for (size_t g = 0; g <= measure->n_groups && measure->n_groups > 0; g++) {
        char name[64];
        if (measure->n[g] == 0)
            continue;
        name_group(evaluation, g, name);
        fprintf(out, "  %-28s %6zu rows  covered %5.1f %%  width %.4g\n", name, measure->n[g],
                100 * measure->group_covered[g], measure->group_width[g]);
    }
}

static void print_probabilities(const struct evaluation_certainty *certainty, FILE *out)
{
    const struct reliability *table = &certainty->reliability;
    fprintf(out,
            "\nprobabilities, %s, judged on other folds: expected calibration error "
            "%.3f, %.3f before\n  stated          rows  mean stated  right\n",
            calibrated_text(&certainty->calibrated), certainty->ece_after, certainty->ece_before);
    for (size_t b = 0; b < RELIABILITY_BINS; b++)
        if (table->n[b] > 0)
            fprintf(out, "  %3zu .. %3zu %%  %7zu      %5.1f %%  %5.1f %%\n",
                    100 * b / RELIABILITY_BINS, 100 * (b + 1) / RELIABILITY_BINS, table->n[b],
                    100 * table->stated[b], 100 * table->observed[b]);
}

void evaluation_print_certainty(const struct evaluation *evaluation, FILE *out)
{
    if (evaluation->cases.target->task == TASK_REGRESSION)
        print_intervals(evaluation, out);
    else
        print_probabilities(&evaluation->certainty, out);
}

/* ---- JSON ---- */

static void put_intervals(const struct evaluation *evaluation, struct json_writer *w)
{
    const struct evaluation_certainty *certainty = &evaluation->certainty;
    const struct conformal_measure *measure = &certainty->measure;
    json_member_number(w, "interval_coverage", COVERAGE);
    json_member_number(w, "interval_covered", measure->covered);
    json_member_number(w, "interval_width", measure->width);
    json_put_key(w, "interval_groups");
    json_begin_array(w);
    for (size_t g = 0; g <= measure->n_groups && measure->n_groups > 0; g++) {
        char name[64];
        if (measure->n[g] == 0)
            continue;
        name_group(evaluation, g, name);
        json_begin_object(w);
        json_member_string(w, "group", name);
        json_member_integer(w, "rows", (int64_t)measure->n[g]);
        json_member_number(w, "covered", measure->group_covered[g]);
        json_member_number(w, "width", measure->group_width[g]);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_probabilities(const struct evaluation_certainty *certainty, struct json_writer *w)
{
    const struct reliability *table = &certainty->reliability;
    json_member_string(w, "calibration", certainty->calibrated.method);
    json_member_number(w, "ece_before", certainty->ece_before);
    json_member_number(w, "ece_calibrated", certainty->ece_after);
    json_put_key(w, "reliability");
    json_begin_array(w);
    for (size_t b = 0; b < RELIABILITY_BINS; b++) {
        if (table->n[b] == 0)
            continue;
        json_begin_object(w);
        json_member_number(w, "low", (double)b / RELIABILITY_BINS);
        json_member_number(w, "high", (double)(b + 1) / RELIABILITY_BINS);
        json_member_integer(w, "rows", (int64_t)table->n[b]);
        json_member_number(w, "stated", table->stated[b]);
        json_member_number(w, "observed", table->observed[b]);
        json_end_object(w);
    }
    json_end_array(w);
}

void evaluation_put_certainty(const struct evaluation *evaluation, struct json_writer *w)
{
    if (evaluation->cases.target->task == TASK_REGRESSION)
        put_intervals(evaluation, w);
    else
        put_probabilities(&evaluation->certainty, w);
}
