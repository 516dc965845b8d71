/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/leaderboard.h"

#include <math.h>

#define MAX_ENTRIES 32
#define METRIC_BYTES 64

static const struct crossval_entry *ranked(const struct leaderboard *board, size_t place,
                                           size_t *ret_entry)
{
    size_t order[MAX_ENTRIES] = {0};
    crossval_order(board->crossval, board->metric, order);
    *ret_entry = order[place];
    return &board->crossval->entries[order[place]];
}

/* mean and sd of each metric; the spread of one repeat is not known. */
static void put_metrics(const struct leaderboard *board, const double *mean, const double *sd,
                        struct json_writer *w)
{
    enum metric first;
    enum metric end;
    metrics_of_task(board->crossval->task, &first, &end);
    json_put_key(w, "metrics");
    json_begin_object(w);
    for (size_t m = first; m < end; m++) {
        json_put_key(w, metric_names[m]);
        json_begin_object(w);
        json_member_number(w, "mean", mean[m]);
        json_member_number(w, "sd", board->crossval->n_repeats > 1 ? sd[m] : (double)NAN);
        json_end_object(w);
    }
    json_end_object(w);
}

void leaderboard_put_json(const struct leaderboard *board, struct json_writer *w)
{
    json_begin_array(w);
    for (size_t place = 0; place < board->crossval->n_entries; place++) {
        size_t index = 0;
        const struct crossval_entry *entry = ranked(board, place, &index);
        json_begin_object(w);
        json_member_string(w, "name", entry->trainer->name);
        json_member_string(w, "family", entry->family);
        json_member_string(w, "settings", index == board->chosen ? board->settings : "");
        json_member_bool(w, "chosen", index == board->chosen);
        put_metrics(board, entry->mean, entry->sd, w);
        json_member_fixed(w, "fit_seconds", entry->fit_seconds, 6);
        json_member_fixed(w, "predict_us", entry->predict_us, 3);
        json_member_fixed(w, "bytes", entry->n_bytes, 0);
        json_member_string(w, "note", entry->trainer->help);
        if (entry->broken)
            json_member_string(w, "left_out", entry->broken);
        json_end_object(w);
    }
    json_end_array(w);
}

/* "mean +- sd"; of one repeat the mean alone; "-" what cannot be computed. */
static void format_metric(const struct leaderboard *board, const struct crossval_entry *entry,
                          size_t metric, const char *plus_minus, char ret_text[static METRIC_BYTES])
{
    if (isnan(entry->mean[metric])) {
        snprintf(ret_text, METRIC_BYTES, "-");
        return;
    }
    int used = snprintf(ret_text, METRIC_BYTES, "%.3f", entry->mean[metric]);
    if (board->crossval->n_repeats > 1 && used > 0 && used < METRIC_BYTES)
        snprintf(ret_text + used, METRIC_BYTES - (size_t)used, " %s %.3f", plus_minus,
                 entry->sd[metric]);
}

void leaderboard_print(const struct leaderboard *board, FILE *out)
{
    enum metric first;
    enum metric end;
    metrics_of_task(board->crossval->task, &first, &end);
    fprintf(out, "  %-20s", "model");
    for (size_t m = first; m < end; m++)
        fprintf(out, "  %16s", metric_names[m]);
    fprintf(out, " %9s %10s %8s\n", "fit s", "us a row", "kB");
    for (size_t place = 0; place < board->crossval->n_entries; place++) {
        size_t index = 0;
        const struct crossval_entry *entry = ranked(board, place, &index);
        fprintf(out, "%s %-20s", index == board->chosen ? ">" : " ", entry->trainer->name);
        for (size_t m = first; m < end; m++) {
            char text[METRIC_BYTES];
            format_metric(board, entry, m, "+-", text);
            fprintf(out, "  %16s", text);
        }
        if (entry->broken)
            fprintf(out, "  left out: does not keep --monotone %s\n", entry->broken);
        else
            fprintf(out, " %9.3f %10.2f %8.1f\n", entry->fit_seconds, entry->predict_us,
                    entry->n_bytes / 1000.0);
    }
}

void leaderboard_put_markdown(const struct leaderboard *board, struct buffer *out)
{
    enum metric first;
    enum metric end;
    metrics_of_task(board->crossval->task, &first, &end);
    buffer_put_text(out, "| model |");
    for (size_t m = first; m < end; m++)
        buffer_printf(out, " %s |", metric_names[m]);
    buffer_put_text(out, "\n|---|");
    for (size_t m = first; m < end; m++)
        buffer_put_text(out, "---|");
    buffer_put_char(out, '\n');
    for (size_t place = 0; place < board->crossval->n_entries; place++) {
        size_t index = 0;
        const struct crossval_entry *entry = ranked(board, place, &index);
        const char *mark = index == board->chosen ? "**" : "";
        buffer_printf(out, "| %s%s%s |", mark, entry->trainer->name, mark);
        for (size_t m = first; m < end; m++) {
            char text[METRIC_BYTES];
            format_metric(board, entry, m, "±", text);
            buffer_printf(out, " %s |", text);
        }
        buffer_put_char(out, '\n');
    }
}

void leaderboard_put_selection(const struct leaderboard *board, const char *plus_minus,
                               struct buffer *out)
{
    const struct crossval_selection *selection = board->selection;
    if (!selection)
        return;
    buffer_printf(out, "%s %.3f", metric_names[board->metric], selection->mean[board->metric]);
    if (board->crossval->n_repeats > 1)
        buffer_printf(out, " %s %.3f", plus_minus, selection->sd[board->metric]);
    const char *separator = " (";
    for (size_t e = 0; e < board->crossval->n_entries; e++) {
        if (selection->n_chosen[e] == 0)
            continue;
        buffer_printf(out, "%s%s %zu x", separator, board->crossval->entries[e].trainer->name,
                      selection->n_chosen[e]);
        separator = ", ";
    }
    buffer_put_char(out, ')');
}

void leaderboard_put_selection_json(const struct leaderboard *board, struct json_writer *w)
{
    const struct crossval_selection *selection = board->selection;
    if (!selection)
        return;
    json_put_key(w, "selection");
    json_begin_object(w);
    put_metrics(board, selection->mean, selection->sd, w);
    json_put_key(w, "folds");
    json_begin_object(w);
    for (size_t e = 0; e < board->crossval->n_entries; e++)
        if (selection->n_chosen[e] > 0)
            json_member_integer(w, board->crossval->entries[e].trainer->name,
                                (int64_t)selection->n_chosen[e]);
    json_end_object(w);
    json_end_object(w);
}
