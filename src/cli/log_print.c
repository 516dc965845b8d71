/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_print.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/csv_field.h"
#include "base/json.h"

void log_print_json(const struct reqlog_record *record, struct buffer *out)
{
    char time[28];
    clock_format_utc(record->time_us, time);
    struct json_writer w = json_writer(out);
    json_begin_object(&w);
    json_member_integer(&w, "id", record->id);
    json_member_string(&w, "time", time);
    json_member_string(&w, "request_id", record->request_id);
    json_member_string(&w, "trace_id", record->trace_id);
    json_member_string(&w, "route", record->route);
    json_member_integer(&w, "status", record->status);
    json_member_string(&w, "model", record->model);
    json_member_integer(&w, "latency_us", record->latency_us);
    json_member_string(&w, "caller", record->caller);
    const struct {
        const char *key, *text;
        size_t bytes;
    } bodies[] = {{"input", record->input, record->input_bytes},
                  {"output", record->output, record->output_bytes}};
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        json_put_key(&w, bodies[i].key);
        if (!bodies[i].text)
            json_put_null(&w);
        else if (text_is_utf8(bodies[i].text, bodies[i].bytes))
            json_put_string_n(&w, bodies[i].text, bodies[i].bytes);
        else
            json_put_string(&w, "(not text)");
    }
    json_end_object(&w);
    buffer_put_char(out, '\n');
}

void log_print_csv(const struct reqlog_record *record, struct buffer *out)
{
    char time[28];
    clock_format_utc(record->time_us, time);
    buffer_printf(out, "%lld,%s,%s,", (long long)record->id, time, record->request_id);
    csv_field_put(out, record->route, strlen(record->route));
    buffer_printf(out, ",%d,%s,%lld,%s,", record->status, record->model ? record->model : "",
                  (long long)record->latency_us, record->caller);
    csv_field_put(out, record->input, record->input ? record->input_bytes : 0);
    buffer_put_char(out, ',');
    csv_field_put(out, record->output, record->output ? record->output_bytes : 0);
    buffer_printf(out, ",%s\r\n", record->trace_id ? record->trace_id : "");
}

void log_print_line(const struct reqlog_record *record, struct buffer *out)
{
    enum {
        MOST = 100 /* of the input: a line a request */
    };
    char time[28];
    clock_format_utc(record->time_us, time);
    buffer_printf(out, "%s %-12s %d %8.3f ms  ", time, record->route, record->status,
                  (double)record->latency_us / 1e3);
    size_t bytes = record->input_bytes < MOST ? record->input_bytes : MOST;
    for (size_t i = 0; i < bytes; i++) {
        /* Control characters of strangers do not reach the terminal. */
        char c = record->input[i];
        buffer_put_char(out, (unsigned char)c < 0x20 || c == 0x7F ? ' ' : c);
    }
    buffer_put_text(out, record->input_bytes > MOST ? "...\n" : "\n");
}

void log_print_summary(const struct reqlog_summary *summary)
{
    char first[28];
    char last[28];
    int width = 12;
    for (size_t i = 0; i < summary->n_groups; i++)
        if ((int)strlen(summary->groups[i].route) > width)
            width = (int)strlen(summary->groups[i].route);
    clock_format_utc(summary->first_us, first);
    clock_format_utc(summary->last_us, last);
    printf("%lld rows", (long long)summary->rows);
    if (summary->rows > 0)
        printf(", %s to %s\n\n%-*s %6s %10s %10s %10s %10s %10s", first, last, width, "route",
               "status", "rows", "p50 ms", "p90 ms", "p99 ms", "max ms");
    putchar('\n');
    for (size_t i = 0; i < summary->n_groups; i++) {
        const struct reqlog_group *group = &summary->groups[i];
        printf("%-*s %6d %10lld %10.3f %10.3f %10.3f %10.3f\n", width, group->route, group->status,
               (long long)group->rows, (double)group->p50_us / 1e3, (double)group->p90_us / 1e3,
               (double)group->p99_us / 1e3, (double)group->max_us / 1e3);
    }
}

void log_print_summary_json(const struct reqlog_summary *summary)
{
    char time[28];
    struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_object(&w);
    json_member_integer(&w, "rows", summary->rows);
    if (summary->rows > 0) {
        clock_format_utc(summary->first_us, time);
        json_member_string(&w, "first", time);
        clock_format_utc(summary->last_us, time);
        json_member_string(&w, "last", time);
    }
    json_put_key(&w, "routes");
    json_begin_array(&w);
    for (size_t i = 0; i < summary->n_groups; i++) {
        const struct reqlog_group *group = &summary->groups[i];
        json_begin_object(&w);
        json_member_string(&w, "route", group->route);
        json_member_integer(&w, "status", group->status);
        json_member_integer(&w, "rows", group->rows);
        json_member_integer(&w, "p50_us", group->p50_us);
        json_member_integer(&w, "p90_us", group->p90_us);
        json_member_integer(&w, "p99_us", group->p99_us);
        json_member_integer(&w, "max_us", group->max_us);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
    if (!text.failed)
        puts(text.at);
    buffer_deinit(&text);
}
