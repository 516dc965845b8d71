/* SPDX-License-Identifier: Apache-2.0 */

/* Exploration for a terminal: the page's first three sections, compact. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explore/explore_inner.h"
#include "explore/figures.h"
#include "explore/finding.h"
#include "explore/text_table.h"

#define SPARK_WIDTH 20
#define BAR_WIDTH 24
#define HISTOGRAM_LINES 12
#define TOP_PAIRS 8
#define GROUP_LINES 10
#define FAR_LINES 6
#define GROWTH_LINES 3

static void print_title(const char *title, FILE *out)
{
    fprintf(out, "\n%s\n", title);
}

static void put_share(struct text_table *table, size_t part, size_t whole)
{
    char text[FIGURE_BYTES];
    figure_percent((double)part / (double)whole, text);
    text_table_put(table, text);
}

static void put_unit(struct text_table *table, double value, const char *unit)
{
    char text[FIGURE_BYTES];
    figure_unit(value, unit, text);
    text_table_put(table, text);
}

static void put_number_row(struct text_table *table, const struct number_quality *quality,
                           size_t n_rows)
{
    const struct summary *s = &quality->summary;
    const char *unit = quality->column->unit;
    struct buffer spark = {0};
    text_put_sparkline(&spark, quality->histogram.counts, quality->histogram.n_bins, SPARK_WIDTH);
    buffer_put_text(&spark, quality->is_log ? "  log" : "");
    text_table_put(table, quality->column->name);
    put_share(table, s->n, n_rows);
    text_table_printf(table, "%zu", quality->n_distinct);
    const double figures[] = {s->min, s->q25, s->median, s->q75, s->max};
    bool is_month = quality->column->kind == PROFILE_MONTH;
    for (size_t i = 0; i < ARRAY_LENGTH(figures); i++)
        if (is_month && !isnan(figures[i]))
            text_table_printf(table, "%d-%02d", (int)figures[i] / 12, (int)figures[i] % 12 + 1);
        else
            put_unit(table, figures[i], unit);
    text_table_put(table, spark.at);
    buffer_deinit(&spark);
}

static void print_numbers(const struct explore *explore, int width, FILE *out)
{
    static const char *const headers[] = {"figure", ">present", ">distinct",
                                          ">min",   ">25 %",    ">median",
                                          ">75 %",  ">max",     "distribution"};
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < explore->frame->n_numbers; i++)
        put_number_row(&table, &explore->quality.numbers[i], explore->frame->n_rows);
    print_title("COLUMNS", out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static void put_top(struct text_table *table, const struct text_quality *quality)
{
    struct buffer top = {0};
    bool is_name = quality->n_distinct == quality->n_present;
    for (size_t i = 0; !is_name && i < 4 && i < quality->n_top; i++) {
        char share[FIGURE_BYTES];
        figure_percent((double)quality->top[i].count / (double)quality->n_present, share);
        buffer_printf(&top, "%s%.40s %s", i ? ", " : "", quality->top[i].value, share);
    }
    text_table_put(table, is_name && quality->n_present ? "all different" : top.at);
    buffer_deinit(&top);
}

static void print_texts(const struct explore *explore, int width, FILE *out)
{
    static const char *const headers[] = {"text", ">present", ">distinct", "most frequent"};
    struct text_table table;
    if (explore->frame->n_texts == 0)
        return;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < explore->frame->n_texts; i++) {
        const struct text_quality *quality = &explore->quality.texts[i];
        text_table_put(&table, quality->column->name);
        put_share(&table, quality->n_present, explore->frame->n_rows);
        text_table_printf(&table, "%zu", quality->n_distinct);
        put_top(&table, quality);
    }
    fputc('\n', out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static void print_alerts(const struct alerts *alerts, FILE *out)
{
    if (alerts->n == 0)
        return;
    print_title("CAREFUL", out);
    for (size_t i = 0; i < alerts->n; i++)
        fprintf(out, "  %c %s\n", alerts->items[i].is_warning ? '!' : '-', alerts->items[i].text);
}

/* Neighbouring bins merged to at most HISTOGRAM_LINES lines. */
static void print_histogram(const struct number_quality *quality, int width, FILE *out)
{
    static const char *const headers[] = {">from", ">to", ">rows", ""};
    const struct histogram *h = &quality->histogram;
    if (h->n_bins == 0)
        return;
    size_t merged = (h->n_bins + HISTOGRAM_LINES - 1) / HISTOGRAM_LINES, largest = 0;
    size_t counts[HISTOGRAM_MAX_BINS] = {0};
    for (size_t i = 0; i < h->n_bins; i++) {
        counts[i / merged] += h->counts[i];
        largest = counts[i / merged] > largest ? counts[i / merged] : largest;
    }
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < h->n_bins; i += merged) {
        size_t bin = i / merged;
        size_t end = i + merged < h->n_bins ? i + merged : h->n_bins;
        struct buffer bar = {0};
        text_put_bar(&bar, (double)counts[bin], (double)largest, BAR_WIDTH);
        put_unit(&table, h->edges[i], quality->column->unit);
        put_unit(&table, h->edges[end], quality->column->unit);
        text_table_printf(&table, "%zu", counts[i / merged]);
        text_table_put(&table, bar.length ? bar.at : " ");
        buffer_deinit(&bar);
    }
    char name[64];
    finding_name(quality->column->name, name);
    fprintf(out, "\n  %s%s\n", name, h->is_log ? ", log scale" : "");
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static int compare_pairs(const void *a, const void *b, void *user)
{
    const struct relations *relations = user;
    double x = fabs(relations->pairs[*(const size_t *)a].spearman.value);
    double y = fabs(relations->pairs[*(const size_t *)b].spearman.value);
    x = isnan(x) ? -1 : x;
    y = isnan(y) ? -1 : y;
    return (x < y) - (x > y);
}

static void put_pair(struct text_table *table, const struct relations *relations, size_t i,
                     size_t j)
{
    const struct correlation *pair = &relations->pairs[j * (j - 1) / 2 + i];
    struct buffer bar = {0};
    text_put_bar(&bar, fabs(pair->spearman.value), 1, BAR_WIDTH);
    text_table_put(table, relations->columns[i]->column->name);
    text_table_put(table, relations->columns[j]->column->name);
    text_table_printf(table, "%+.2f", pair->spearman.value);
    text_table_printf(table, "%+.2f to %+.2f", pair->spearman.low, pair->spearman.high);
    text_table_printf(table, "%zu", pair->n);
    text_table_put(table, bar.length ? bar.at : " ");
    buffer_deinit(&bar);
}

static void print_correlations(struct relations *relations, int width, FILE *out)
{
    static const char *const headers[] = {"one", "other", ">rank r", ">95 % interval", ">rows", ""};
    size_t order[RELATIONS_MAX_COLUMNS * RELATIONS_MAX_COLUMNS], n = 0;
    for (size_t i = 0; i < relations->n_columns * (relations->n_columns - 1) / 2; i++)
        order[n++] = i;
    if (relations->n_columns < 2)
        return;
    qsort_r(order, n, sizeof order[0], compare_pairs, relations);
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t rank = 0; rank < n && rank < TOP_PAIRS; rank++)
        for (size_t j = 1; j < relations->n_columns; j++)
            if (order[rank] >= j * (j - 1) / 2 && order[rank] < j * (j + 1) / 2 &&
                !isnan(relations->pairs[order[rank]].spearman.value))
                put_pair(&table, relations, order[rank] - j * (j - 1) / 2, j);
    print_title("WHAT GOES TOGETHER (the strongest rank correlations)", out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

/* Medians by group with their intervals. */
static void print_spread(const struct explore *explore, const struct spread *spread, int width,
                         FILE *out)
{
    static const char *const by[EXPLORE_N_GROUPINGS] = {"tier", "category", "country"};
    const char *const headers[] = {by[spread->by], ">rows",          ">25 %",       ">median",
                                   ">75 %",        ">95 % interval", "distribution"};
    const struct frame_groups *groups = &explore->frame->groups[spread->by];
    const char *unit = spread->column->column->unit;
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < spread->n_groups && i < GROUP_LINES; i++) {
        const struct group_spread *group = &spread->groups[i];
        char low[FIGURE_BYTES], high[FIGURE_BYTES];
        struct buffer spark = {0};
        text_put_sparkline(&spark, group->counts, spread->column->histogram.n_bins, SPARK_WIDTH);
        figure_unit(group->median.low, unit, low);
        figure_unit(group->median.high, unit, high);
        text_table_put(&table, groups->names[group->group]);
        text_table_printf(&table, "%zu", group->summary.n);
        put_unit(&table, group->summary.q25, unit);
        put_unit(&table, group->summary.median, unit);
        put_unit(&table, group->summary.q75, unit);
        if (isnan(group->median.low))
            text_table_put(&table, "too few rows");
        else
            text_table_printf(&table, "%s to %s", low, high);
        text_table_put(&table, spark.at);
        buffer_deinit(&spark);
    }
    char name[64];
    finding_name(spread->column->column->name, name);
    fprintf(out, "\n  %s by %s\n", name, by[spread->by]);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
    if (spread->n_groups > GROUP_LINES)
        fprintf(out, "  and %zu more\n", spread->n_groups - GROUP_LINES);
}

static void print_engagement(const struct explore *explore, int width, FILE *out)
{
    const struct frame *frame = explore->frame;
    print_title("SIZE AND ENGAGEMENT", out);
    if (!explore->slope.absent) {
        char text[FINDING_BYTES];
        finding_slope(explore, text);
        fprintf(out, "  %s\n", text);
    } else {
        fprintf(out, "  No slope: %s\n", explore->slope.absent);
    }
    if (frame->followers)
        print_histogram(&explore->quality.numbers[frame->followers - frame->numbers], width, out);
    if (frame->measure)
        print_histogram(&explore->quality.numbers[frame->measure - frame->numbers], width, out);
    for (size_t i = 0; i < explore->spreads.n; i++)
        if (frame->measure && explore->spreads.items[i].column->column == frame->measure)
            print_spread(explore, &explore->spreads.items[i], width, out);
}

static void print_growth(const struct explore *explore, int width, FILE *out)
{
    static const char *const headers[] = {"account", ">before", ">now", ">percent a month"};
    const struct growth *growth = &explore->growth;
    if (growth->absent)
        return;
    const struct frame_number *previous = frame_find(explore->frame, "previous_followers");
    char shrinking[FIGURE_BYTES];
    figure_percent(growth->shrinking, shrinking);
    print_title("GROWTH", out);
    fprintf(out,
            "  The median account grew by %.2f %% a month (95 %%: %.2f to %.2f) over %.0f months; "
            "%s shrank\n\n",
            growth->median.value, growth->median.low, growth->median.high, growth->months,
            shrinking);
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < growth->n_rows; i++) {
        if (i % GROWTH_ROWS >= GROWTH_LINES)
            continue;
        uint32_t row = growth->rows[i];
        text_table_put(&table, frame_handle(explore->frame, row));
        put_unit(&table, previous ? previous->values[row] : MISSING, "");
        put_unit(&table, explore->frame->followers->values[row], "");
        text_table_printf(&table, "%+.2f", explore->frame->growth->values[row]);
    }
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static void print_comparison(const struct comparison *comparison, int width, FILE *out)
{
    static const char *const headers[] = {"figure",         ">median before", ">after",
                                          ">median change", ">95 % interval", ">PSI"};
    if (comparison->absent)
        return;
    print_title("TWO SNAPSHOTS", out);
    fprintf(out, "  %s to %s: %zu accounts in both, %zu appeared, %zu gone\n\n", comparison->before,
            comparison->after, comparison->in_both, comparison->appeared, comparison->gone);
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < comparison->n_columns; i++) {
        const struct compared_column *column = &comparison->columns[i];
        text_table_put(&table, column->name);
        put_unit(&table, column->median_before, column->unit);
        put_unit(&table, column->median_after, column->unit);
        text_table_printf(&table, "%+.1f %%", 100 * expm1(column->change.value));
        text_table_printf(&table, "%+.1f to %+.1f", 100 * expm1(column->change.low),
                          100 * expm1(column->change.high));
        text_table_printf(&table, "%.3f", column->psi);
    }
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static void print_far_rows(const struct explore *explore, int width, FILE *out)
{
    static const char *const headers[] = {"account", ">line", "figure", ">value",
                                          ">deviations from the median"};
    const struct quality *quality = &explore->quality;
    if (quality->n_far_rows == 0)
        return;
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < quality->n_far_rows && i < FAR_LINES; i++) {
        const struct far_row *far = &quality->far_rows[i];
        const uint32_t *line = explore->frame->table->line;
        text_table_put(&table, frame_handle(explore->frame, far->row));
        text_table_printf(&table, "%u", line ? line[far->row] : 0);
        text_table_put(&table, far->column->name);
        put_unit(&table, far->value, far->column->unit);
        text_table_printf(&table, "%+.1f", far->z);
    }
    print_title("FAR OUT", out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

void explore_print(const struct explore *explore, int width, FILE *out)
{
    struct relations relations = explore->relations; /* qsort_r wants it mutable */
    fprintf(out, "%zu accounts%s\n", explore->frame->n_rows,
            explore->frame->is_synthetic ? " (synthetic demo data)" : "");
    print_numbers(explore, width, out);
    print_texts(explore, width, out);
    print_alerts(&explore->alerts, out);
    print_engagement(explore, width, out);
    print_correlations(&relations, width, out);
    print_growth(explore, width, out);
    timing_print(&explore->timing, width, out);
    print_comparison(&explore->comparison, width, out);
    print_far_rows(explore, width, out);
}
