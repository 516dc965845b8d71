/* SPDX-License-Identifier: Apache-2.0 */

/* The section `data` of report.json: what was read, how good the columns are, what to mind. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "explore/explore_inner.h"
#include "explore/put.h"

static size_t count_events(const struct import_event *events, size_t n, enum import_event_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += events[i].kind == kind ? events[i].count : 0;
    return count;
}

static void put_rows(const struct explore *explore, struct json_writer *w)
{
    const struct import_report *report = explore->input.report;
    size_t read = 0, refused = 0, repaired = 0, unbelieved = 0;
    for (size_t i = 0; report && i < report->n_sources; i++) {
        const struct import_source *source = &report->sources[i];
        read += source->n_rows;
        refused += source->n_refused;
        repaired += count_events(source->events, source->n_events, IMPORT_REPAIRED);
        unbelieved += count_events(source->events, source->n_events, IMPORT_MISSING);
    }
    if (report) {
        repaired += count_events(report->events, report->n_events, IMPORT_REPAIRED);
        unbelieved += count_events(report->events, report->n_events, IMPORT_MISSING);
    }
    json_put_key(w, "rows");
    json_begin_object(w);
    json_member_integer(w, "read", (int64_t)(report ? read : explore->frame->n_rows));
    json_member_integer(w, "kept", (int64_t)explore->frame->n_rows);
    json_member_integer(w, "refused", (int64_t)refused);
    json_member_integer(w, "repaired", (int64_t)repaired);
    json_member_integer(w, "unbelieved", (int64_t)unbelieved);
    json_end_object(w);
}

static void put_sources(const char *key, const struct import_source *sources, size_t n,
                        struct json_writer *w)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct import_source *source = &sources[i];
        json_begin_object(w);
        json_member_string(w, "name", file_name(source->path));
        json_member_string(w, "month", source->month);
        json_member_string(w, "schema", source->schema);
        json_member_string(w, "encoding", source->encoding);
        json_member_string(w, "delimiter", source->delimiter);
        json_member_string(w, "sha256", source->sha256);
        json_member_integer(w, "bytes", (int64_t)source->n_bytes);
        json_member_integer(w, "rows", (int64_t)source->n_rows);
        json_member_integer(w, "kept", (int64_t)source->n_kept);
        json_member_integer(w, "refused", (int64_t)source->n_refused);
        import_source_put_columns(source, w);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_event(const struct import_event *event, int64_t source, struct json_writer *w)
{
    json_begin_object(w);
    import_event_put_members(event, w);
    json_member_integer(w, "source", source);
    json_end_object(w);
}

static void put_events(const struct import_report *report, struct json_writer *w)
{
    json_put_key(w, "events");
    json_begin_array(w);
    for (size_t i = 0; report && i < report->n_sources; i++)
        for (size_t j = 0; j < report->sources[i].n_events; j++)
            put_event(&report->sources[i].events[j], (int64_t)i, w);
    for (size_t i = 0; report && i < report->n_events; i++)
        put_event(&report->events[i], -1, w);
    json_end_array(w);
}

static const char *role_name(enum frame_role role)
{
    return role == FRAME_FIELD ? "field" : role == FRAME_EXTRA ? "extra" : "derived";
}

static void put_summary(const struct summary *summary, struct json_writer *w)
{
    put_member_figure(w, "min", summary->min, 7);
    put_member_figure(w, "q05", summary->q05, 7);
    put_member_figure(w, "q25", summary->q25, 7);
    put_member_figure(w, "median", summary->median, 7);
    put_member_figure(w, "q75", summary->q75, 7);
    put_member_figure(w, "q95", summary->q95, 7);
    put_member_figure(w, "max", summary->max, 7);
    put_member_figure(w, "mean", summary->mean, 7);
    put_member_figure(w, "sd", summary->sd, 7);
    put_member_figure(w, "skew", summary->skew, 4);
}

static void put_number_column(const struct number_quality *quality, size_t n_rows,
                              struct json_writer *w)
{
    const struct frame_number *column = quality->column;
    json_begin_object(w);
    json_member_string(w, "name", column->name);
    json_member_string(w, "kind",
                       column->kind == PROFILE_FLAG    ? "flag"
                       : column->kind == PROFILE_MONTH ? "month"
                                                       : "number");
    json_member_string(w, "role", role_name(column->role));
    json_member_string(w, "unit", column->unit);
    json_member_string(w, "help", column->help);
    json_member_integer(w, "present", (int64_t)quality->summary.n);
    json_member_integer(w, "missing", (int64_t)(n_rows - quality->summary.n));
    json_member_integer(w, "distinct", (int64_t)quality->n_distinct);
    json_member_integer(w, "zeros", (int64_t)quality->n_zeros);
    json_member_integer(w, "negative", (int64_t)quality->n_negative);
    put_summary(&quality->summary, w);
    put_member_figure(w, "skew_ln", quality->skew_ln, 4);
    put_histogram(w, "histogram", &quality->histogram);
    json_end_object(w);
}

static void put_text_column(const struct text_quality *quality, size_t n_rows,
                            struct json_writer *w)
{
    const char *name = quality->column->name;
    bool is_name = strcmp(name, "handle") == 0 || strcmp(name, "name") == 0;
    json_begin_object(w);
    json_member_string(w, "name", name);
    json_member_string(w, "kind", "text");
    json_member_string(w, "role", role_name(quality->column->role));
    json_member_string(w, "unit", "");
    json_member_string(w, "help", quality->column->help);
    json_member_integer(w, "present", (int64_t)quality->n_present);
    json_member_integer(w, "missing", (int64_t)(n_rows - quality->n_present));
    json_member_integer(w, "distinct", (int64_t)quality->n_distinct);
    json_put_key(w, "top");
    json_begin_array(w);
    for (size_t i = 0; !is_name && i < quality->n_top; i++) {
        json_begin_object(w);
        json_member_string(w, "value", quality->top[i].value);
        json_member_integer(w, "count", (int64_t)quality->top[i].count);
        json_end_object(w);
    }
    json_end_array(w);
    put_member_figure(w, "top_share", quality->top_share, 4);
    put_member_figure(w, "entropy", quality->entropy, 4);
    json_end_object(w);
}

/* Fields and what is derived from them first, the file's own columns last. */
static void put_columns(const struct explore *explore, struct json_writer *w)
{
    const struct frame *frame = explore->frame;
    json_put_key(w, "columns");
    json_begin_array(w);
    for (int extras = 0; extras < 2; extras++) {
        for (size_t i = 0; i < frame->n_texts; i++)
            if ((frame->texts[i].role == FRAME_EXTRA) == (extras == 1))
                put_text_column(&explore->quality.texts[i], frame->n_rows, w);
        for (size_t i = 0; i < frame->n_numbers; i++)
            if ((frame->numbers[i].role == FRAME_EXTRA) == (extras == 1))
                put_number_column(&explore->quality.numbers[i], frame->n_rows, w);
    }
    json_end_array(w);
}

static void put_alerts(const struct alerts *alerts, struct json_writer *w)
{
    json_put_key(w, "alerts");
    json_begin_array(w);
    for (size_t i = 0; i < alerts->n; i++) {
        const struct alert *alert = &alerts->items[i];
        json_begin_object(w);
        json_member_string(w, "kind", alert_names[alert->kind]);
        json_member_string(w, "level", alert->is_warning ? "warning" : "info");
        put_texts(w, "columns", alert->columns,
                  (size_t)(alert->columns[0] != NULL) + (alert->columns[1] != NULL));
        put_member_figure(w, "value", alert->value, 4);
        json_member_number(w, "threshold", alert->threshold);
        json_member_string(w, "text", alert->text);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_far_rows(const struct explore *explore, struct json_writer *w)
{
    json_put_key(w, "rows");
    json_begin_array(w);
    for (size_t i = 0; i < explore->quality.n_far_rows; i++) {
        const struct far_row *far = &explore->quality.far_rows[i];
        const uint32_t *line = explore->frame->table->line;
        json_begin_object(w);
        json_member_string(w, "handle", frame_handle(explore->frame, far->row));
        json_member_integer(w, "line", line ? line[far->row] : 0);
        json_member_string(w, "column", far->column->name);
        put_member_figure(w, "value", far->value, 7);
        put_member_figure(w, "z", far->z, 3);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_outliers(const struct explore *explore, struct json_writer *w)
{
    json_put_key(w, "outliers");
    json_begin_object(w);
    json_member_string(
        w, "rule",
        "farther from the median than 3.5 robust standard deviations (1.4826 times "
        "the median absolute deviation), on ln(1 + x) where the scale is log, of rates "
        "ln(0.0001 + x)");
    json_put_key(w, "columns");
    json_begin_array(w);
    for (size_t i = 0; i < explore->frame->n_numbers; i++) {
        const struct fences *fences = &explore->quality.numbers[i].fences;
        if (!fences->is_set)
            continue;
        json_begin_object(w);
        json_member_string(w, "column", explore->frame->numbers[i].name);
        json_member_string(w, "scale", fences->is_log ? "log" : "linear");
        put_member_figure(w, "low", fences->low, 5);
        put_member_figure(w, "high", fences->high, 5);
        json_member_integer(w, "n_low", (int64_t)fences->n_low);
        json_member_integer(w, "n_high", (int64_t)fences->n_high);
        json_end_object(w);
    }
    json_end_array(w);
    put_far_rows(explore, w);
    json_end_object(w);
}

static void put_compared_column(const struct compared_column *column, struct json_writer *w)
{
    json_begin_object(w);
    json_member_string(w, "column", column->name);
    json_member_string(w, "unit", column->unit);
    put_member_figure(w, "median_before", column->median_before, 6);
    put_member_figure(w, "median_after", column->median_after, 6);
    put_member_figure(w, "missing_before", column->missing_before, 4);
    put_member_figure(w, "missing_after", column->missing_after, 4);
    put_member_figure(w, "psi", column->psi, 4);
    put_member_figure(w, "ks", column->ks, 4);
    json_member_integer(w, "n", (int64_t)column->n_pairs);
    put_member_figure(w, "change_median", column->change.value, 5);
    put_bounds(w, column->change);
    json_end_object(w);
}

static void put_comparison(const struct comparison *comparison, struct json_writer *w)
{
    if (comparison->absent) {
        put_absent(w, "comparison", comparison->absent);
        return;
    }
    json_put_key(w, "comparison");
    json_begin_object(w);
    json_member_string(w, "before", comparison->before);
    json_member_string(w, "after", comparison->after);
    json_member_integer(w, "rows_before", (int64_t)comparison->rows_before);
    json_member_integer(w, "rows_after", (int64_t)comparison->rows_after);
    json_member_integer(w, "in_both", (int64_t)comparison->in_both);
    json_member_integer(w, "appeared", (int64_t)comparison->appeared);
    json_member_integer(w, "gone", (int64_t)comparison->gone);
    json_put_key(w, "columns");
    json_begin_array(w);
    for (size_t i = 0; i < comparison->n_columns; i++)
        put_compared_column(&comparison->columns[i], w);
    json_end_array(w);
    json_end_object(w);
}

void explore_put_data(const struct explore *explore, struct json_writer *w)
{
    json_begin_object(w);
    put_rows(explore, w);
    const struct import_report *report = explore->input.report;
    put_sources("sources", report ? report->sources : NULL, report ? report->n_sources : 0, w);
    put_sources("joined", report ? report->joined : NULL, report ? report->n_joined : 0, w);
    put_events(explore->input.report, w);
    put_columns(explore, w);
    put_alerts(&explore->alerts, w);
    put_outliers(explore, w);
    put_comparison(&explore->comparison, w);
    json_end_object(w);
}
