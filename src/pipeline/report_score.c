/* SPDX-License-Identifier: Apache-2.0 */

/* report.json: models.score. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/report.h"
#include "pipeline/train.h"

#define MAX_SHOWN 3000
#define RESIDUAL_BINS 24
#define MAX_GROUPS 64

/* Held-out predictions of the searched rows, beside what was there. */
struct judged {
    size_t n;
    const size_t *rows; /* of the table */
    const double *y;
    const double *predicted;
    const double *first; /* of the first repeat, which the offsets belong to */
    const struct interval_offsets *offsets;
};

static struct judged judged_of(const struct training *training)
{
    const struct score_part *part = &training->score;
    const struct target *target = part->searched.sample;
    return (struct judged){
        .n = target->n,
        .rows = target->rows,
        .y = target->y,
        .predicted = part->out_of_fold,
        .first = part->searched.crossval->entries[part->searched.chosen].output,
        .offsets = part->offsets,
    };
}

static void put_predicted(const struct report *report, const struct judged *judged)
{
    struct json_writer *w = report->w;
    size_t shown = judged->n < MAX_SHOWN ? judged->n : MAX_SHOWN;
    size_t rows[MAX_SHOWN];
    double columns[4][MAX_SHOWN];
    static const char *const names[] = {"actual", "predicted", "low", "high"};
    for (size_t i = 0; i < shown; i++) {
        size_t at = i * judged->n / shown;
        rows[i] = judged->rows[at];
        columns[0][i] = judged->y[at];
        columns[1][i] = judged->predicted[at];
        columns[2][i] = judged->predicted[at] + judged->offsets[at].low;
        columns[3][i] = judged->predicted[at] + judged->offsets[at].high;
    }
    json_put_key(w, "predicted");
    json_begin_object(w);
    json_member_integer(w, "n", (int64_t)judged->n);
    json_member_integer(w, "shown", (int64_t)shown);
    report_put_handles(report, rows, shown);
    for (size_t c = 0; c < 4; c++)
        report_put_numbers(report, names[c], columns[c], shown);
    report_put_groups(report, "tier", EXPLORE_TIER, rows, shown);
    report_put_groups(report, "category", EXPLORE_CATEGORY, rows, shown);
    json_end_object(w);
}

/* The positions of the rows of one group; returns how many. */
static size_t members(const struct report *report, const struct judged *judged,
                      enum explore_grouping by, int32_t group, size_t *ret_at)
{
    size_t n = 0;
    for (size_t i = 0; i < judged->n; i++)
        if (explore_row_group(report->explore, by, judged->rows[i]) == group)
            ret_at[n++] = i;
    return n;
}

void report_put_rule(const struct report *report, const struct interval_rule *rule)
{
    char text[200];
    snprintf(text, sizeof text, "conformal, from errors on accounts not seen; %s%s",
             rule->n_groups ? "by size" : "one width for all sizes",
             rule->n_knots ? "; wider where predictions of that height miss by more" : "");
    json_member_string(report->w, "text", text);
}

static void put_coverage(const struct report *report, const struct judged *judged, size_t *at)
{
    struct json_writer *w = report->w;
    double observed[MAX_GROUPS];
    double width[MAX_GROUPS];
    size_t group[MAX_GROUPS];
    size_t n[MAX_GROUPS];
    size_t n_groups = 0;
    size_t n_names = 0;
    explore_group_names(report->explore, EXPLORE_TIER, &n_names);
    for (size_t g = 0; g < n_names && g < MAX_GROUPS; g++) {
        size_t n_members = members(report, judged, EXPLORE_TIER, (int32_t)g, at);
        if (n_members == 0)
            continue;
        size_t inside = 0;
        double widths = 0;
        for (size_t i = 0; i < n_members; i++) {
            double residual = judged->y[at[i]] - judged->first[at[i]];
            const struct interval_offsets *offsets = &judged->offsets[at[i]];
            inside += residual >= offsets->low && residual <= offsets->high;
            widths += offsets->high - offsets->low;
        }
        group[n_groups] = g;
        n[n_groups] = n_members;
        observed[n_groups] = (double)inside / (double)n_members;
        width[n_groups++] = widths / (double)n_members;
    }
    json_put_key(w, "coverage");
    json_begin_object(w);
    json_member_number(w, "stated", report->training->config->score_coverage);
    json_member_number(w, "observed", report->training->score.covered.covered);
    json_member_integer(w, "n", (int64_t)judged->n);
    json_member_number(w, "width", report->training->score.covered.width);
    report_put_rule(report, &report->training->score.intervals);
    json_put_key(w, "by_tier");
    json_begin_object(w);
    report_put_sizes(report, "group", group, n_groups);
    report_put_sizes(report, "n", n, n_groups);
    report_put_numbers(report, "observed", observed, n_groups);
    report_put_numbers(report, "width", width, n_groups);
    json_end_object(w);
    json_end_object(w);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t low = (size_t)at;
    size_t high = low + 1 < n ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

enum {
    BIAS,
    MAE,
    Q05,
    MEDIAN,
    Q95,
    N_FIGURES
};

/* Residuals here are predicted - actual, as the schema has them. residual: [n], sorted in place. */
static void residual_figures(double *residual, size_t n, double *ret_figures)
{
    double sum = 0;
    double absolute = 0;
    for (size_t i = 0; i < n; i++) {
        sum += residual[i];
        absolute += fabs(residual[i]);
    }
    qsort(residual, n, sizeof residual[0], compare_doubles);
    ret_figures[BIAS] = sum / (double)n;
    ret_figures[MAE] = absolute / (double)n;
    ret_figures[Q05] = quantile(residual, n, 0.05);
    ret_figures[MEDIAN] = quantile(residual, n, 0.5);
    ret_figures[Q95] = quantile(residual, n, 0.95);
}

static void put_residual_groups(const struct report *report, const char *key,
                                const struct judged *judged, enum explore_grouping by, size_t *at,
                                double *residual)
{
    static const char *const names[] = {"bias", "mae", "q05", "median", "q95"};
    struct json_writer *w = report->w;
    double figures[N_FIGURES][MAX_GROUPS];
    size_t group[MAX_GROUPS];
    size_t n[MAX_GROUPS];
    size_t n_groups = 0;
    size_t n_names = 0;
    explore_group_names(report->explore, by, &n_names);
    for (size_t g = 0; g < n_names && g < MAX_GROUPS; g++) {
        size_t n_members = members(report, judged, by, (int32_t)g, at);
        if (n_members == 0)
            continue;
        double of_group[N_FIGURES];
        for (size_t i = 0; i < n_members; i++)
            residual[i] = judged->predicted[at[i]] - judged->y[at[i]];
        residual_figures(residual, n_members, of_group);
        for (size_t f = 0; f < N_FIGURES; f++)
            figures[f][n_groups] = of_group[f];
        group[n_groups] = g;
        n[n_groups++] = n_members;
    }
    json_put_key(w, key);
    json_begin_object(w);
    report_put_sizes(report, "group", group, n_groups);
    report_put_sizes(report, "n", n, n_groups);
    for (size_t f = 0; f < N_FIGURES; f++)
        report_put_numbers(report, names[f], figures[f], n_groups);
    json_end_object(w);
}

static void put_histogram(const struct report *report, const double *residual, size_t n)
{
    double low = HUGE_VAL;
    double high = -HUGE_VAL;
    double edges[RESIDUAL_BINS + 1];
    size_t counts[RESIDUAL_BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, residual[i]);
        high = fmax(high, residual[i]);
    }
    if (!(high > low))
        high = low + 1;
    for (size_t b = 0; b <= RESIDUAL_BINS; b++)
        edges[b] = low + (high - low) * (double)b / RESIDUAL_BINS;
    for (size_t i = 0; i < n; i++) {
        size_t bin = (size_t)((residual[i] - low) / (high - low) * RESIDUAL_BINS);
        counts[bin < RESIDUAL_BINS ? bin : RESIDUAL_BINS - 1]++;
    }
    json_put_key(report->w, "histogram");
    json_begin_object(report->w);
    json_member_string(report->w, "scale", "linear");
    report_put_numbers(report, "edges", edges, RESIDUAL_BINS + 1);
    report_put_sizes(report, "counts", counts, RESIDUAL_BINS);
    json_member_integer(report->w, "zeros", 0);
    json_end_object(report->w);
}

static enum status put_residuals(const struct report *report, const struct judged *judged,
                                 size_t *at, struct error *err)
{
    AUTO(free_slot) double *residual = calloc(judged->n + 1, sizeof *residual);
    if (!residual)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < judged->n; i++)
        residual[i] = judged->predicted[i] - judged->y[i];
    json_put_key(report->w, "residuals");
    json_begin_object(report->w);
    put_histogram(report, residual, judged->n);
    put_residual_groups(report, "by_tier", judged, EXPLORE_TIER, at, residual);
    put_residual_groups(report, "by_category", judged, EXPLORE_CATEGORY, at, residual);
    json_end_object(report->w);
    return STATUS_OK;
}

enum status report_put_baseline(const struct report *report, const double *y, size_t n,
                                struct error *err)
{
    AUTO(free_slot) double *sorted = malloc((n + 1) * sizeof *sorted);
    if (!sorted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    memcpy(sorted, y, n * sizeof *sorted);
    qsort(sorted, n, sizeof sorted[0], compare_doubles);
    double median = quantile(sorted, n, 0.5);
    double mean = metrics_mean(sorted, n);
    double absolute = 0;
    double squared = 0;
    for (size_t i = 0; i < n; i++) {
        absolute += fabs(sorted[i] - median);
        squared += (sorted[i] - mean) * (sorted[i] - mean);
    }
    json_put_key(report->w, "baseline");
    json_begin_object(report->w);
    json_member_number(report->w, "mae", absolute / (double)n);
    json_member_number(report->w, "rmse", sqrt(squared / (double)n));
    json_end_object(report->w);
    return STATUS_OK;
}

static void put_composite(const struct report *report)
{
    struct json_writer *w = report->w;
    json_put_key(w, "composite");
    json_begin_object(w);
    json_put_key(w, "weights");
    json_begin_object(w);
    for (size_t p = 0; p < COMPOSITE_N_PARTS; p++)
        json_member_number(w, composite_part_names[p], report->training->score.composite.weight[p]);
    json_end_object(w);
    json_put_key(w, "parts");
    json_begin_object(w);
    for (size_t p = 0; p < COMPOSITE_N_PARTS; p++)
        json_member_string(w, composite_part_names[p], composite_part_help[p]);
    json_end_object(w);
    json_end_object(w);
}

static void put_nothing_learnt(const struct report *report)
{
    static const char *const parts[] = {"predicted",  "coverage",   "residuals",
                                        "importance", "dependence", "interaction"};
    struct json_writer *w = report->w;
    json_member_integer(w, "n", (int64_t)report->training->table->n_rows);
    json_member_integer(w, "folds", 0);
    json_member_integer(w, "repeats", 0);
    json_member_integer(w, "seed", (int64_t)report->training->seed);
    json_member_string(w, "selected_by", "");
    json_member_string(w, "chosen", "composite");
    json_put_key(w, "leaderboard");
    json_begin_array(w);
    json_end_array(w);
    json_member_string(w, "unit", "points");
    json_put_key(w, "baseline");
    json_begin_object(w);
    json_member_number(w, "mae", (double)NAN);
    json_member_number(w, "rmse", (double)NAN);
    json_end_object(w);
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        report_put_absent(report, parts[i],
                          "the table has no label: the score is the composite formula itself");
}

static enum status put_learnt(const struct report *report, struct error *err)
{
    struct json_writer *w = report->w;
    const struct training *training = report->training;
    struct leaderboard board = training_score_board(training);
    struct judged judged = judged_of(training);
    const struct profile_field *field = profile_field_find(training_score_target(training),
                                                           strlen(training_score_target(training)));
    AUTO(free_slot) size_t *at = calloc(judged.n + 1, sizeof *at);
    if (!at)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    json_member_integer(w, "n", (int64_t)judged.n);
    json_member_integer(w, "folds", (int64_t)board.crossval->n_folds);
    json_member_integer(w, "repeats", (int64_t)board.crossval->n_repeats);
    json_member_integer(w, "seed", (int64_t)training->seed);
    json_member_string(w, "selected_by", metric_names[board.metric]);
    json_member_string(w, "chosen", board.crossval->entries[board.chosen].trainer->name);
    leaderboard_put_selection_json(&board, w);
    json_put_key(w, "leaderboard");
    leaderboard_put_json(&board, w);
    json_member_string(w, "unit", field ? field->unit : "");
    TRY(report_put_baseline(report, judged.y, judged.n, err));
    put_predicted(report, &judged);
    put_coverage(report, &judged, at);
    TRY(put_residuals(report, &judged, at, err));
    const char *why_absent = "the score is a constant: nothing moves it";
    report_put_importance(report, training->why.score, TASK_REGRESSION, field ? field->unit : "",
                          why_absent);
    report_put_dependence(report, training->why.score_dependence, why_absent);
    return STATUS_OK;
}

enum status report_put_score(const struct report *report, struct error *err)
{
    json_begin_object(report->w);
    const struct searched *searched = &report->training->score.searched;
    json_member_string(report->w, "target", training_score_target(report->training));
    visible_put_leaks(searched->leaks, searched->n_leaks, report->w);
    if (report->training->score.is_composite)
        put_nothing_learnt(report);
    else
        TRY(put_learnt(report, err));
    put_composite(report);
    json_end_object(report->w);
    return STATUS_OK;
}
