/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/certainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/softmax.h"

static const double *outputs_of(const struct certainty_input *input)
{
    const struct crossval *crossval = input->crossval;
    return crossval->entries[input->entry].output +
           input->repeat * crossval->n * crossval->n_outputs;
}

enum status certainty_intervals(const struct certainty_input *input, struct interval_rule *ret_rule,
                                struct conformal_measure *ret_measure,
                                struct interval_offsets *ret_offsets, struct error *err)
{
    const struct target *target = input->target;
    AUTO(free_slot) double *followers = calloc(target->n + 1, sizeof *followers);
    if (!followers)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < target->n; i++) {
        struct profile profile;
        design_profile(input->table, target->rows[i], &profile);
        followers[i] = profile.number[PROFILE_followers];
    }
    bool hidden = (target->hidden >> PROFILE_followers & 1) != 0;
    struct conformal_rows rows = {
        .n = target->n,
        .y = target->y,
        .predicted = outputs_of(input),
        .fold = input->crossval->fold + input->repeat * target->n,
        .n_folds = input->crossval->n_folds,
        .followers = hidden ? NULL : followers,
        .cuts = input->sizes->cuts,
        .n_cuts = input->sizes->n - 1,
        .coverage = input->coverage,
    };
    return conformal_fit(&rows, ret_rule, ret_measure, ret_offsets, err);
}

const char *calibrated_text(const struct calibrated *calibrated)
{
    if (strcmp(calibrated->method, "none") == 0)
        return "left as they are, which no calibration betters";
    return strcmp(calibrated->method, "vector") == 0 ? "calibrated (vector scaling)"
                                                     : "calibrated (temperature scaling)";
}

void calibrated_deinit(struct calibrated *calibrated)
{
    free(calibrated->terms);
    free(calibrated->probability);
}

static enum status measure_raw(const struct certainty_input *input, double *scratch,
                               struct class_metrics *ret_metrics, struct error *err)
{
    size_t n = input->target->n;
    size_t k = input->target->n_classes;
    for (size_t i = 0; i < n; i++)
        softmax(outputs_of(input) + i * k, k, 1.0, scratch + i * k);
    return metrics_classification(input->target->label, scratch, n, k, ret_metrics, err);
}

enum status certainty_classes(const struct certainty_input *input,
                              struct calibrated *ret_calibrated, struct error *err)
{
    const struct target *target = input->target;
    size_t k = target->n_classes;
    AUTO(calibrated_deinit) struct calibrated made = {0};
    made.terms = calloc(2 * k, sizeof *made.terms);
    made.probability = calloc(target->n * k + 1, sizeof *made.probability);
    if (!made.terms || !made.probability)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct calibrate_rows rows = {
        .n = target->n,
        .k = k,
        .logit = outputs_of(input),
        .label = target->label,
        .fold = input->crossval->fold + input->repeat * target->n,
        .n_folds = input->crossval->n_folds,
    };
    TRY(measure_raw(input, made.probability, &made.before, err));
    TRY(calibrate_fit(&rows, made.terms, made.probability, &made.method, err));
    bool as_it_is = strcmp(made.method, "none") == 0;
    made.temperature = as_it_is ? 1 : temperature_fit(rows.logit, rows.label, rows.n, k);
    TRY(metrics_classification(target->label, made.probability, target->n, k, &made.after, err));
    *ret_calibrated = made;
    made = (struct calibrated){0};
    return STATUS_OK;
}

void certainty_reliability(const uint32_t *label, const double *probability, size_t n, size_t k,
                           struct reliability *ret_reliability)
{
    struct reliability table = {0};
    for (size_t i = 0; i < n; i++) {
        const double *row = probability + i * k;
        size_t top = argmax(row, k);
        size_t bin = (size_t)(row[top] * RELIABILITY_BINS);
        bin = bin < RELIABILITY_BINS ? bin : RELIABILITY_BINS - 1;
        table.n[bin]++;
        table.stated[bin] += row[top];
        table.observed[bin] += top == label[i];
    }
    for (size_t b = 0; b < RELIABILITY_BINS; b++) {
        table.stated[b] /= (double)table.n[b]; /* 0 / 0 is not known */
        table.observed[b] /= (double)table.n[b];
    }
    *ret_reliability = table;
}
