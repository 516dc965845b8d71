/* SPDX-License-Identifier: Apache-2.0 */

/* report.json: importance, dependence, interaction. */
#include <math.h>
#include <stdio.h>

#include "pipeline/report.h"

#define MAX_FEATURES 30

void report_put_importance(const struct report *report, const struct importance *importance,
                           enum task task, const char *unit, const char *why_absent)
{
    struct json_writer *w = report->w;
    if (!importance) {
        report_put_absent(report, "importance", why_absent);
        return;
    }
    size_t n = importance->n < MAX_FEATURES ? importance->n : MAX_FEATURES;
    char text[160];
    snprintf(text, sizeof text,
             "how much %s when the figure is shuffled among accounts the model has not seen; mean "
             "over folds and %d shuffles",
             task == TASK_REGRESSION ? "the mean error rises" : "the share told right falls",
             IMPORTANCE_SHUFFLES);
    json_put_key(w, "importance");
    json_begin_object(w);
    json_member_string(w, "text", text);
    json_member_string(w, "unit", unit);
    json_member_number(w, "loss", importance->loss);
    report_put_texts(report, "feature", importance->name, n);
    report_put_numbers(report, "mean", importance->mean, n);
    report_put_numbers(report, "sd", importance->sd, n);
    if (importance->contribution)
        report_put_numbers(report, "contribution", importance->contribution, n);
    else
        report_put_absent(report, "contribution",
                          "this family of models has no contributions that add up to its answer");
    json_member_string(w, "contribution_unit", task == TASK_REGRESSION ? unit : "logits");
    json_end_object(w);
}

static void put_axis(const struct report *report, const struct dependence_axis *axis)
{
    json_member_string(report->w, "feature", axis->feature);
    json_member_string(report->w, "unit", axis->unit);
    json_member_string(report->w, "input", axis->input);
}

static void put_curves(const struct report *report, const struct dependence *dependence)
{
    struct json_writer *w = report->w;
    json_put_key(w, "dependence");
    json_begin_array(w);
    for (size_t i = 0; i < dependence->n_curves; i++) {
        const struct dependence_curve *curve = &dependence->curves[i];
        json_begin_object(w);
        put_axis(report, &curve->axis);
        report_put_numbers(report, "x", curve->axis.x, curve->axis.n);
        report_put_numbers(report, "mean", curve->mean, curve->axis.n);
        report_put_numbers(report, "low", curve->low, curve->axis.n);
        report_put_numbers(report, "high", curve->high, curve->axis.n);
        report_put_numbers(report, "density", curve->density, curve->axis.n);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_pairs(const struct report *report, const struct dependence *dependence)
{
    struct json_writer *w = report->w;
    const char *a[DEPENDENCE_MAX_PAIRS];
    const char *b[DEPENDENCE_MAX_PAIRS];
    double h[DEPENDENCE_MAX_PAIRS];
    for (size_t i = 0; i < dependence->n_pairs; i++) {
        a[i] = dependence->pairs[i].a;
        b[i] = dependence->pairs[i].b;
        h[i] = dependence->pairs[i].h;
    }
    json_put_key(w, "pairs");
    json_begin_object(w);
    report_put_texts(report, "a", a, dependence->n_pairs);
    report_put_texts(report, "b", b, dependence->n_pairs);
    report_put_numbers(report, "h", h, dependence->n_pairs);
    json_end_object(w);
}

static void put_side(const struct report *report, const char *key,
                     const struct dependence_axis *axis)
{
    json_put_key(report->w, key);
    json_begin_object(report->w);
    put_axis(report, axis);
    report_put_numbers(report, "at", axis->x, axis->n);
    json_end_object(report->w);
}

static void put_surface(const struct report *report, const struct dependence *dependence)
{
    struct json_writer *w = report->w;
    const struct dependence_axis *side = dependence->side;
    json_put_key(w, "mean");
    json_begin_array(w);
    for (size_t y = 0; y < side[1].n; y++) {
        json_begin_array(w);
        for (size_t x = 0; x < side[0].n; x++)
            json_put_number(w, dependence->surface[y * side[0].n + x]);
        json_end_array(w);
    }
    json_end_array(w);
    json_put_key(w, "count");
    json_begin_array(w);
    for (size_t y = 0; y < side[1].n; y++) {
        json_begin_array(w);
        for (size_t x = 0; x < side[0].n; x++)
            json_put_integer(w, (int64_t)dependence->count[y * side[0].n + x]);
        json_end_array(w);
    }
    json_end_array(w);
}

void report_put_dependence(const struct report *report, const struct dependence *dependence,
                           const char *why_absent)
{
    struct json_writer *w = report->w;
    if (!dependence) {
        report_put_absent(report, "dependence", why_absent);
        report_put_absent(report, "interaction", why_absent);
        return;
    }
    put_curves(report, dependence);
    if (!dependence->has_surface) {
        report_put_absent(report, "interaction", "the model goes by fewer than two figures");
        return;
    }
    double h = dependence->pairs[0].h;
    char text[160];
    snprintf(text, sizeof text, "%s (H %.2f: 0 is none, 1 is nothing but interaction)",
             h < 0.05  ? "the two strongest figures act each on its own"
             : h < 0.2 ? "the two strongest figures act nearly each on its own"
                       : "what one of the two strongest figures does depends on the other",
             h);
    json_put_key(w, "interaction");
    json_begin_object(w);
    json_member_string(w, "text", text);
    json_member_number(w, "h", h);
    put_side(report, "x", &dependence->side[0]);
    put_side(report, "y", &dependence->side[1]);
    put_surface(report, dependence);
    put_pairs(report, dependence);
    json_end_object(w);
}
