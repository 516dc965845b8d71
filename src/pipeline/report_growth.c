/* SPDX-License-Identifier: Apache-2.0 */

/* report.json: growth, the forecast of the next period and what it is worth. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explore/statistics.h"
#include "pipeline/report.h"
#include "pipeline/train.h"
#include "profile/parse.h"

#define MAX_SHOWN 3000
#define MAX_RANKED 50
#define MAX_GROUPS 64
#define MIN_RANKED 10 /* accounts of a size, for a rank correlation among them */
#define UNIT "100 ln ratio"

/* Held-out accounts as they were at the start of the period. */
struct judged {
    const struct growth_part *part;
    const struct target *target;
    const double *first; /* [n] of the first repeat, which the offsets belong to */
    int32_t *size;       /* [n] group, or -1 */
    double *values;      /* [2 n] scratch */
};

static void judged_deinit(struct judged *judged)
{
    free(judged->size);
    free(judged->values);
}

static enum status judged_init(struct judged *judged, const struct report *report,
                               struct error *err)
{
    const struct growth_part *part = judged->part = &report->training->growth;
    const struct target *target = judged->target = part->searched.sample;
    judged->first = part->searched.crossval->entries[part->searched.chosen].output;
    judged->size = calloc(target->n + 1, sizeof *judged->size);
    judged->values = calloc(2 * target->n + 1, sizeof *judged->values);
    if (!judged->size || !judged->values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < target->n; i++) {
        struct profile profile;
        table_profile(part->cases.table, target->rows[i], &profile);
        judged->size[i] = explore_size_group(report->explore, profile.number[PROFILE_followers]);
    }
    return STATUS_OK;
}

static void put_months(struct json_writer *w, double base, double until)
{
    char text[8];
    parse_format_month(base, text);
    json_member_string(w, "base", text);
    parse_format_month(until, text);
    json_member_string(w, "until", text);
    json_member_number(w, "months", until - base);
}

/* ---- held-out accounts ---- */

static void put_predicted(const struct report *report, const struct judged *judged)
{
    static const char *const names[] = {"actual", "predicted", "low", "high"};
    struct json_writer *w = report->w;
    const struct growth_part *part = judged->part;
    size_t n = judged->target->n;
    size_t shown = n < MAX_SHOWN ? n : MAX_SHOWN;
    double columns[4][MAX_SHOWN];
    const char **handle = part->cases.table->text[PROFILE_handle];
    json_put_key(w, "predicted");
    json_begin_object(w);
    json_member_integer(w, "n", (int64_t)n);
    json_member_integer(w, "shown", (int64_t)shown);
    json_put_key(w, "handle");
    json_begin_array(w);
    for (size_t i = 0; i < shown; i++)
        json_put_string(w, handle[judged->target->rows[i * n / shown]]);
    json_end_array(w);
    for (size_t i = 0; i < shown; i++) {
        size_t at = i * n / shown;
        columns[0][i] = judged->target->y[at];
        columns[1][i] = part->out_of_fold[at];
        columns[2][i] = part->out_of_fold[at] + part->offsets[at].low;
        columns[3][i] = part->out_of_fold[at] + part->offsets[at].high;
    }
    for (size_t c = 0; c < 4; c++)
        report_put_numbers(report, names[c], columns[c], shown);
    json_put_key(w, "tier");
    json_begin_array(w);
    for (size_t i = 0; i < shown; i++)
        json_put_integer(w, judged->size[i * n / shown]);
    json_end_array(w);
    json_end_object(w);
}

/* ---- by size ---- */

enum {
    MEDIAN,
    SPEARMAN,
    MAE,
    COVERED,
    WIDTH,
    N_FIGURES
};
static const char *const figure_names[] = {"median", "spearman", "mae", "observed", "width"};

struct sizes {
    size_t n_groups, group[MAX_GROUPS], n[MAX_GROUPS];
    double figure[N_FIGURES][MAX_GROUPS];
};

static enum status measure_size(const struct judged *judged, int32_t size, struct sizes *sizes,
                                struct error *err)
{
    const struct growth_part *part = judged->part;
    const struct target *target = judged->target;
    double *actual = judged->values;
    double *predicted = actual + target->n;
    double sum[N_FIGURES] = {0};
    size_t n = 0;
    for (size_t i = 0; i < target->n; i++) {
        if (judged->size[i] != size)
            continue;
        double residual = target->y[i] - judged->first[i];
        const struct interval_offsets *offsets = &part->offsets[i];
        sum[MAE] += fabs(target->y[i] - part->out_of_fold[i]);
        sum[COVERED] += residual >= offsets->low && residual <= offsets->high;
        sum[WIDTH] += offsets->high - offsets->low;
        actual[n] = target->y[i];
        predicted[n++] = part->out_of_fold[i];
    }
    if (n == 0)
        return STATUS_OK;
    size_t at = sizes->n_groups++;
    sizes->group[at] = (size_t)size;
    sizes->n[at] = n;
    for (size_t f = MAE; f < N_FIGURES; f++)
        sizes->figure[f][at] = sum[f] / (double)n;
    sizes->figure[SPEARMAN][at] = MISSING;
    if (n >= MIN_RANKED)
        TRY(metrics_spearman(actual, predicted, n, &sizes->figure[SPEARMAN][at], err));
    statistics_sort(actual, n);
    sizes->figure[MEDIAN][at] = statistics_quantile(actual, n, 0.5);
    return STATUS_OK;
}

static enum status put_sizes(const struct report *report, const struct judged *judged,
                             struct error *err)
{
    struct sizes sizes = {0};
    size_t n_names = 0;
    explore_group_names(report->explore, EXPLORE_TIER, &n_names);
    for (size_t g = 0; g < n_names && g < MAX_GROUPS; g++)
        TRY(measure_size(judged, (int32_t)g, &sizes, err));
    json_put_key(report->w, "by_tier");
    json_begin_object(report->w);
    report_put_sizes(report, "group", sizes.group, sizes.n_groups);
    report_put_sizes(report, "n", sizes.n, sizes.n_groups);
    for (size_t f = 0; f < N_FIGURES; f++)
        report_put_numbers(report, figure_names[f], sizes.figure[f], sizes.n_groups);
    json_end_object(report->w);
    return STATUS_OK;
}

/* ---- the forecast ---- */

struct ranked {
    double forecast;
    size_t at; /* of the part's rows */
};

static int by_forecast_falling(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->forecast != y->forecast)
        return x->forecast < y->forecast ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

static void put_ranked(const struct report *report, const struct ranked *ranked, size_t n)
{
    const struct growth_part *part = &report->training->growth;
    const double *followers = report->training->table->number[PROFILE_followers];
    size_t shown = n < MAX_RANKED ? n : MAX_RANKED;
    size_t rows[MAX_RANKED];
    double columns[4][MAX_RANKED];
    static const char *const names[] = {"followers", "forecast", "low", "high"};
    for (size_t i = 0; i < shown; i++) {
        const struct growth_answer *answer = &part->forecast[ranked[i].at];
        rows[i] = part->rows[ranked[i].at];
        columns[0][i] = followers ? followers[rows[i]] : MISSING;
        columns[1][i] = answer->forecast;
        columns[2][i] = answer->low;
        columns[3][i] = answer->high;
    }
    json_put_key(report->w, "rows");
    json_begin_object(report->w);
    report_put_handles(report, rows, shown);
    for (size_t c = 0; c < ARRAY_LENGTH(names); c++)
        report_put_numbers(report, names[c], columns[c], shown);
    report_put_groups(report, "tier", EXPLORE_TIER, rows, shown);
    report_put_groups(report, "category", EXPLORE_CATEGORY, rows, shown);
    json_end_object(report->w);
}

/* How the forecasts spread within each size. values: [n of the part's rows] scratch. */
static void put_forecast_sizes(const struct report *report, double *values)
{
    static const char *const names[] = {"q05", "q25", "median", "q75", "q95"};
    static const double shares[] = {0.05, 0.25, 0.5, 0.75, 0.95};
    const struct growth_part *part = &report->training->growth;
    double columns[ARRAY_LENGTH(names)][MAX_GROUPS];
    size_t group[MAX_GROUPS];
    size_t n[MAX_GROUPS];
    size_t n_groups = 0;
    size_t n_names = 0;
    explore_group_names(report->explore, EXPLORE_TIER, &n_names);
    for (size_t g = 0; g < n_names && g < MAX_GROUPS; g++) {
        size_t k = 0;
        for (size_t i = 0; i < part->n_rows; i++)
            if (explore_row_group(report->explore, EXPLORE_TIER, part->rows[i]) == (int32_t)g)
                values[k++] = part->forecast[i].forecast;
        if (k == 0)
            continue;
        statistics_sort(values, k);
        for (size_t c = 0; c < ARRAY_LENGTH(names); c++)
            columns[c][n_groups] = statistics_quantile(values, k, shares[c]);
        group[n_groups] = g;
        n[n_groups++] = k;
    }
    json_put_key(report->w, "by_tier");
    json_begin_object(report->w);
    report_put_sizes(report, "group", group, n_groups);
    report_put_sizes(report, "n", n, n_groups);
    for (size_t c = 0; c < ARRAY_LENGTH(names); c++)
        report_put_numbers(report, names[c], columns[c], n_groups);
    json_end_object(report->w);
}

static enum status put_forecast(const struct report *report, struct error *err)
{
    struct json_writer *w = report->w;
    const struct growth_part *part = &report->training->growth;
    if (!part->ships) {
        report_put_absent(report, "forecast",
                          "nothing ranks growth better than chance here: a forecast would mislead");
        return STATUS_OK;
    }
    AUTO(free_slot) struct ranked *ranked = calloc(part->n_rows + 1, sizeof *ranked);
    AUTO(free_slot) double *values = calloc(part->n_rows + 1, sizeof *values);
    if (!ranked || !values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < part->n_rows; i++)
        ranked[i] = (struct ranked){part->forecast[i].forecast, i};
    qsort(ranked, part->n_rows, sizeof *ranked, by_forecast_falling);
    json_put_key(w, "forecast");
    json_begin_object(w);
    json_member_integer(w, "n", (int64_t)part->n_rows);
    json_member_number(w, "months", part->until - part->cases.base);
    json_member_number(w, "coverage", report->training->config->growth_coverage);
    put_ranked(report, ranked, part->n_rows);
    put_forecast_sizes(report, values);
    json_end_object(w);
    return STATUS_OK;
}

/* ---- the member ---- */

static void put_earlier(const struct report *report)
{
    struct json_writer *w = report->w;
    const struct growth_earlier *earlier = &report->training->growth.earlier;
    if (earlier->absent) {
        report_put_absent(report, "earlier", earlier->absent);
        return;
    }
    json_put_key(w, "earlier");
    json_begin_object(w);
    put_months(w, earlier->base, earlier->until);
    json_member_integer(w, "n", (int64_t)earlier->n);
    json_member_integer(w, "n_learnt", (int64_t)earlier->n_learnt);
    json_member_bool(w, "had_growth", earlier->had_growth);
    json_member_number(w, "spearman", earlier->spearman);
    json_member_number(w, "mae", earlier->mae);
    json_member_number(w, "baseline_mae", earlier->baseline_mae);
    json_member_number(w, "observed", earlier->covered);
    json_end_object(w);
}

static void put_coverage(const struct report *report, const struct judged *judged)
{
    struct json_writer *w = report->w;
    const struct growth_part *part = judged->part;
    json_put_key(w, "coverage");
    json_begin_object(w);
    json_member_number(w, "stated", report->training->config->growth_coverage);
    json_member_number(w, "observed", part->covered.covered);
    json_member_integer(w, "n", (int64_t)judged->target->n);
    json_member_number(w, "width", part->covered.width);
    report_put_rule(report, &part->intervals);
    json_end_object(w);
}

static void put_search(const struct report *report, const struct judged *judged)
{
    struct json_writer *w = report->w;
    struct leaderboard board = training_growth_board(report->training);
    json_member_string(w, "target", "growth");
    visible_put_leaks(judged->part->searched.leaks, judged->part->searched.n_leaks, w);
    json_member_integer(w, "n", (int64_t)judged->target->n);
    json_member_integer(w, "folds", (int64_t)board.crossval->n_folds);
    json_member_integer(w, "repeats", (int64_t)board.crossval->n_repeats);
    json_member_integer(w, "seed", (int64_t)report->training->seed);
    json_member_string(w, "selected_by", metric_names[board.metric]);
    json_member_string(w, "chosen", board.crossval->entries[board.chosen].trainer->name);
    leaderboard_put_selection_json(&board, w);
    json_put_key(w, "leaderboard");
    leaderboard_put_json(&board, w);
    json_member_number(w, "spearman", judged->part->spearman);
    json_member_number(w, "spearman_low", judged->part->spearman_low);
    json_member_number(w, "spearman_high", judged->part->spearman_high);
    json_member_number(w, "mae", board.crossval->entries[board.chosen].mean[METRIC_MAE]);
}

enum status report_put_growth(const struct report *report, struct error *err)
{
    struct json_writer *w = report->w;
    const struct growth_part *part = &report->training->growth;
    if (part->absent) {
        report_put_absent(report, "growth", part->absent);
        return STATUS_OK;
    }
    AUTO(judged_deinit) struct judged judged = {0};
    AUTO(buffer_deinit) struct buffer text = {0};
    TRY(judged_init(&judged, report, err));
    growth_part_say(part, &text);
    if (text.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    json_put_key(w, "growth");
    json_begin_object(w);
    json_member_string(w, "text", text.at);
    json_member_string(w, "strength", growth_part_strength(part));
    json_member_bool(w, "ships", part->ships);
    put_months(w, part->cases.base, part->until);
    json_member_string(w, "unit", UNIT);
    put_search(report, &judged);
    TRY(report_put_baseline(report, judged.target->y, judged.target->n, err));
    put_coverage(report, &judged);
    TRY(put_sizes(report, &judged, err));
    put_predicted(report, &judged);
    put_earlier(report);
    TRY(put_forecast(report, err));
    json_end_object(w);
    return STATUS_OK;
}
