/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/models_show.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "explore/figures.h"
#include "explore/text_table.h"
#include "profile/profile.h"

#define BAR_WIDTH 24
#define IMPORTANCE_LINES 8
#define FORECAST_LINES 8
#define MAX_METRICS 8
#define MAX_BINS 64

static const char *text_of(const struct json *object, const char *key)
{
    return json_string_or(json_get(object, key), "");
}

static double number_of(const struct json *object, const char *key)
{
    return json_number_or(json_get(object, key), MISSING);
}

static const struct json *item(const struct json *array, size_t index)
{
    const struct json *at = json_first(array);
    while (at && index-- > 0)
        at = json_next(at);
    return at;
}

static void put_bar(struct text_table *table, double value, double largest)
{
    AUTO(buffer_deinit) struct buffer bar = {0};
    text_put_bar(&bar, value, largest, BAR_WIDTH);
    text_table_put(table, bar.length ? bar.at : " ");
}

static void print_heading(const struct models_show *show, FILE *out)
{
    fprintf(out, "id: %s\ncreated: %s by influence %s, seed %.0f\n", show->id,
            text_of(show->manifest, "created"), text_of(show->manifest, "influence"),
            json_number_or(json_get(show->manifest, "seed"), 0));
    const struct json *bundle = json_get(show->report, "bundle");
    for (const struct json *file = json_first(json_get(bundle, "data")); file;
         file = json_next(file)) {
        const char *month = text_of(file, "month");
        fprintf(out, "data: %s, %.0f rows%s%s\n", text_of(file, "name"), number_of(file, "rows"),
                month[0] ? ", " : "", month);
    }
    if (json_bool_or(json_get(show->report, "synthetic"), false))
        fputs("synthetic demo data: it says nothing of real accounts\n", out);
}

/* The metrics of the first model are those of all. */
static void put_model(struct text_table *table, const struct json *model,
                      const struct json *first_metrics)
{
    text_table_printf(table, "%s %s", json_bool_or(json_get(model, "chosen"), false) ? ">" : " ",
                      text_of(model, "name"));
    for (const struct json *metric = json_first(first_metrics); metric;
         metric = json_next(metric)) {
        const struct json *value = json_get(json_get(model, "metrics"), json_key(metric));
        double mean = number_of(value, "mean"), sd = number_of(value, "sd");
        if (isnan(mean))
            text_table_put(table, NULL);
        else if (isnan(sd))
            text_table_printf(table, "%.3f", mean);
        else
            text_table_printf(table, "%.3f \u00b1 %.3f", mean, sd);
    }
    text_table_printf(table, "%.2f", number_of(model, "fit_seconds"));
    text_table_put(table, text_of(model, "settings"));
}

static void print_leaderboard(const struct json *board, int width, FILE *out)
{
    const struct json *models = json_get(board, "leaderboard");
    const struct json *metrics = json_get(json_first(models), "metrics");
    char right[MAX_METRICS][32];
    const char *headers[MAX_METRICS + 3] = {"  model"};
    size_t n = 1;
    for (const struct json *metric = json_first(metrics); metric && n <= MAX_METRICS;
         metric = json_next(metric), n++) {
        snprintf(right[n - 1], sizeof right[0], ">%s", json_key(metric));
        headers[n] = right[n - 1];
    }
    if (!models || json_count(metrics) > MAX_METRICS || n == 1)
        return;
    headers[n++] = ">fit s";
    headers[n++] = "settings";
    struct text_table table;
    text_table_init(&table, headers, n);
    for (const struct json *model = json_first(models); model; model = json_next(model))
        put_model(&table, model, metrics);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static void print_board_title(const char *title, const struct json *board, FILE *out)
{
    fprintf(out, "\n%s  %s, %.0f rows", title, text_of(board, "target"), number_of(board, "n"));
    if (number_of(board, "folds") > 0)
        fprintf(out, ", %.0f folds x %.0f, all figures out of fold; chosen by %s",
                number_of(board, "folds"), number_of(board, "repeats"),
                text_of(board, "selected_by"));
    fputc('\n', out);
}

static void print_importance(const struct json *importance, int width, FILE *out)
{
    static const char *const headers[] = {"what it looks at", ">error it saves", ">spread", ""};
    const struct json *mean = json_get(importance, "mean"), *sd = json_get(importance, "sd");
    const struct json *features = json_get(importance, "feature");
    double largest = json_number_or(json_first(mean), 0);
    if (!json_first(features))
        return;
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < IMPORTANCE_LINES && i < json_count(features); i++) {
        double value = json_number_or(item(mean, i), MISSING);
        text_table_put(&table, json_string_or(item(features, i), ""));
        text_table_printf(&table, "%.3f", value);
        text_table_printf(&table, "%.3f", json_number_or(item(sd, i), MISSING));
        put_bar(&table, value, largest);
    }
    fputc('\n', out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

/* A share of a column; "-" when it cannot be had: no row was predicted so. */
static void put_share(struct text_table *table, const struct json *column, size_t i)
{
    double value = json_number_or(item(column, i), MISSING);
    if (isnan(value))
        text_table_put(table, "-");
    else
        text_table_printf(table, "%.2f", value);
}

/* A figure of the target's unit with its sign: errors lie on both sides of zero. */
static void write_error(double value, const char *unit, char ret_text[static FIGURE_BYTES])
{
    char text[FIGURE_BYTES];
    figure_unit(value, unit, text);
    snprintf(ret_text, FIGURE_BYTES, "%s%.*s", value > 0 ? "+" : "", FIGURE_BYTES - 2, text);
}

/* The shape of all errors in one line, between the largest on either side. */
static void print_error_shape(const struct json *histogram, const char *unit, FILE *out)
{
    AUTO(buffer_deinit) struct buffer shape = {0};
    char low[FIGURE_BYTES], high[FIGURE_BYTES];
    size_t counts[MAX_BINS] = {0}, n = 0;
    for (const struct json *count = json_first(json_get(histogram, "counts"));
         count && n < MAX_BINS; count = json_next(count))
        counts[n++] = (size_t)json_number_or(count, 0);
    text_put_sparkline(&shape, counts, n, n);
    write_error(json_number_or(item(json_get(histogram, "edges"), 0), MISSING), unit, low);
    write_error(json_number_or(item(json_get(histogram, "edges"), n), MISSING), unit, high);
    fprintf(out, "\n  errors out of fold, predicted less actual: %s %s %s\n", low,
            shape.length ? shape.at : "", high);
}

static void print_errors(const struct models_show *show, const struct json *score, FILE *out)
{
    static const char *const headers[] = {"size", ">rows",   ">mean error", ">bias",
                                          ">5 %", ">median", ">95 %",       ""};
    static const char *const columns[] = {"bias", "q05", "median", "q95"};
    const char *unit = text_of(score, "unit");
    const struct json *residuals = json_get(score, "residuals");
    const struct json *by_tier = json_get(residuals, "by_tier");
    const struct json *groups = json_get(by_tier, "group"), *mae = json_get(by_tier, "mae");
    const struct json *names = json_get(json_get(show->report, "groups"), "tier");
    double largest = 0;
    if (!json_first(json_get(json_get(residuals, "histogram"), "counts")))
        return;
    print_error_shape(json_get(residuals, "histogram"), unit, out);
    for (const struct json *value = json_first(mae); value; value = json_next(value))
        largest = fmax(largest, json_number_or(value, 0));
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < json_count(groups); i++) {
        char text[FIGURE_BYTES];
        double group = json_number_or(item(groups, i), -1);
        double error = json_number_or(item(mae, i), MISSING);
        figure_unit(error, unit, text);
        text_table_put(&table, group < 0 ? "-" : json_string_or(item(names, (size_t)group), "-"));
        text_table_printf(&table, "%.0f", json_number_or(item(json_get(by_tier, "n"), i), 0));
        text_table_put(&table, text);
        for (size_t c = 0; c < ARRAY_LENGTH(columns); c++) {
            write_error(json_number_or(item(json_get(by_tier, columns[c]), i), MISSING), unit,
                        text);
            text_table_put(&table, text);
        }
        put_bar(&table, error, largest);
    }
    if (table.n_cells > 0)
        text_table_print(&table, show->width, out);
    text_table_deinit(&table);
}

static void print_score(const struct models_show *show, const struct json *score, FILE *out)
{
    if (!score || json_get(score, "absent"))
        return;
    int width = show->width;
    print_board_title("SCORE", score, out);
    if (!json_first(json_get(score, "leaderboard")))
        fputs("  the table has no label: the score is the composite formula itself\n", out);
    print_leaderboard(score, width, out);
    const struct json *coverage = json_get(score, "coverage");
    if (json_get(coverage, "observed")) {
        char stated[FIGURE_BYTES], observed[FIGURE_BYTES];
        figure_percent(number_of(coverage, "stated"), stated);
        figure_percent(number_of(coverage, "observed"), observed);
        fprintf(out, "  intervals state %s and held the score in %s of cases, %.2f wide\n", stated,
                observed, number_of(coverage, "width"));
    }
    print_errors(show, score, out);
    print_importance(json_get(score, "importance"), width, out);
}

static void print_tier(const struct json *tier, int width, FILE *out)
{
    static const char *const headers[] = {"tier", ">rows", ">precision", ">recall", ">F1", ""};
    if (!tier || json_get(tier, "absent"))
        return;
    print_board_title("TIER", tier, out);
    print_leaderboard(tier, width, out);
    const struct json *by_tier = json_get(tier, "by_tier");
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < json_count(json_get(tier, "names")); i++) {
        double f1 = json_number_or(item(json_get(by_tier, "f1"), i), MISSING);
        text_table_put(&table, json_string_or(item(json_get(tier, "names"), i), ""));
        text_table_printf(&table, "%.0f", json_number_or(item(json_get(tier, "counts"), i), 0));
        put_share(&table, json_get(by_tier, "precision"), i);
        put_share(&table, json_get(by_tier, "recall"), i);
        put_share(&table, json_get(by_tier, "f1"), i);
        put_bar(&table, f1, 1);
    }
    fputc('\n', out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
    print_importance(json_get(tier, "importance"), width, out);
}

/* What a fraction of the followers is, in percent with its sign. */
static void put_change(struct text_table *table, const struct json *column, size_t i)
{
    double value = json_number_or(item(column, i), MISSING);
    if (isnan(value))
        text_table_put(table, "-");
    else
        text_table_printf(table, "%+.1f %%", 100 * value);
}

static void print_forecast(const struct json *forecast, int width, FILE *out)
{
    static const char *const headers[] = {"foremost in growth", ">followers", ">forecast", ">low",
                                          ">high"};
    const struct json *rows = json_get(forecast, "rows");
    const struct json *handles = json_get(rows, "handle");
    if (!json_first(handles))
        return;
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < FORECAST_LINES && i < json_count(handles); i++) {
        char followers[FIGURE_BYTES];
        figure_count(json_number_or(item(json_get(rows, "followers"), i), MISSING), followers);
        text_table_put(&table, json_string_or(item(handles, i), "-"));
        text_table_put(&table, followers);
        put_change(&table, json_get(rows, "forecast"), i);
        put_change(&table, json_get(rows, "low"), i);
        put_change(&table, json_get(rows, "high"), i);
    }
    fputc('\n', out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static void print_growth(const struct json *growth, int width, FILE *out)
{
    if (!growth || json_get(growth, "absent"))
        return;
    print_board_title("FORECAST", growth, out);
    print_leaderboard(growth, width, out);
    const struct json *coverage = json_get(growth, "coverage");
    char stated[FIGURE_BYTES], observed[FIGURE_BYTES];
    figure_percent(number_of(coverage, "stated"), stated);
    figure_percent(number_of(coverage, "observed"), observed);
    fprintf(out, "  %s to %s; intervals state %s and held the growth in %s of cases\n  %s\n",
            text_of(growth, "base"), text_of(growth, "until"), stated, observed,
            text_of(growth, "text"));
    print_forecast(json_get(growth, "forecast"), width, out);
}

static void print_archetypes(const struct json *archetypes, int width, FILE *out)
{
    static const char *const headers[] = {"archetype", ">members", ""};
    const struct json *names = json_get(archetypes, "names"), *sizes = json_get(archetypes, "size");
    if (!json_first(names))
        return;
    double largest = 0;
    for (const struct json *size = json_first(sizes); size; size = json_next(size))
        largest = fmax(largest, json_number_or(size, 0));
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (size_t i = 0; i < json_count(names); i++) {
        double size = json_number_or(item(sizes, i), 0);
        text_table_put(&table, json_string_or(item(names, i), ""));
        text_table_printf(&table, "%.0f", size);
        put_bar(&table, size, largest);
    }
    fprintf(out, "\nARCHETYPES  silhouette %.2f: %s\n", number_of(archetypes, "silhouette"),
            text_of(archetypes, "text"));
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

static void print_careful(const struct json *careful, FILE *out)
{
    if (json_first(careful))
        fputs("\nCAREFUL\n", out);
    for (const struct json *one = json_first(careful); one; one = json_next(one))
        fprintf(out, "  %c %s\n", strcmp(text_of(one, "level"), "warning") == 0 ? '!' : '-',
                text_of(one, "text"));
}

static void print_files(const struct json *files, int width, FILE *out)
{
    static const char *const headers[] = {"file", ">bytes", "sha256"};
    struct text_table table;
    text_table_init(&table, headers, ARRAY_LENGTH(headers));
    for (const struct json *file = json_first(files); file; file = json_next(file)) {
        text_table_put(&table, text_of(file, "name"));
        text_table_printf(&table, "%.0f", number_of(file, "bytes"));
        text_table_put(&table, text_of(file, "sha256"));
    }
    fputs("\nFILES\n", out);
    text_table_print(&table, width, out);
    text_table_deinit(&table);
}

void models_show_print(const struct models_show *show, FILE *out)
{
    const struct json *models = json_get(show->report, "models");
    print_heading(show, out);
    print_score(show, json_get(models, "score"), out);
    print_tier(json_get(models, "tier"), show->width, out);
    print_growth(json_get(show->report, "growth"), show->width, out);
    print_archetypes(json_get(show->report, "archetypes"), show->width, out);
    print_careful(json_get(json_get(show->report, "overview"), "careful"), out);
    print_files(json_get(show->manifest, "files"), show->width, out);
}
