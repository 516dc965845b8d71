/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "dataset/import.h"
#include "dataset/words.h"
#include "profile/parse.h"

static const char *const kind_names[] = {
    [IMPORT_REPAIRED] = "repaired",
    [IMPORT_MISSING] = "missing",
    [IMPORT_REFUSED] = "refused",
    [IMPORT_NOTE] = "note",
};

struct import_source *import_report_join(struct import_report *report)
{
    if (report->n_joined == report->max_joined) {
        size_t wanted = report->max_joined ? 2 * report->max_joined : 4;
        struct import_source *joined = ARENA_ARRAY(&report->memory, struct import_source, wanted);
        if (!joined)
            return NULL;
        if (report->n_joined > 0)
            memcpy(joined, report->joined, report->n_joined * sizeof *joined);
        report->joined = joined;
        report->max_joined = wanted;
    }
    return &report->joined[report->n_joined++];
}

/* ---- JSON ---- */

void import_event_put_members(const struct import_event *event, struct json_writer *w)
{
    json_member_string(w, "kind", kind_names[event->kind]);
    json_member_string(w, "rule", event->rule);
    json_member_string(w, "column", event->column);
    json_member_string(w, "text", event->text);
    json_member_integer(w, "count", (int64_t)event->count);
    json_put_key(w, "examples");
    json_begin_array(w);
    for (size_t i = 0; i < event->n_examples; i++) {
        json_begin_object(w);
        json_member_integer(w, "line", (int64_t)event->examples[i].line);
        json_member_string(w, "value", event->examples[i].value);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_events(struct json_writer *w, const struct import_event *events, size_t n)
{
    json_put_key(w, "events");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        import_event_put_members(&events[i], w);
        json_end_object(w);
    }
    json_end_array(w);
}

void import_source_put_columns(const struct import_source *source, struct json_writer *w)
{
    json_put_key(w, "columns");
    json_begin_array(w);
    for (size_t i = 0; i < source->n_columns; i++) {
        const struct import_column *column = &source->columns[i];
        json_begin_object(w);
        json_member_string(w, "header", column->header);
        json_member_string(w, "field", column->field);
        json_member_string(w, "how", column->how);
        json_member_string(w, "unit", column->unit);
        json_member_integer(w, "present", (int64_t)column->n_present);
        json_member_integer(w, "missing", (int64_t)column->n_missing);
        json_end_object(w);
    }
    json_end_array(w);
}

static void put_source(struct json_writer *w, const struct import_source *source)
{
    json_begin_object(w);
    json_member_string(w, "path", source->path);
    json_member_string(w, "month", source->month);
    json_member_string(w, "schema", source->schema);
    json_member_string(w, "encoding", source->encoding);
    json_member_string(w, "delimiter", source->delimiter);
    json_member_string(w, "sha256", source->sha256);
    json_member_integer(w, "bytes", (int64_t)source->n_bytes);
    json_member_integer(w, "lines", (int64_t)source->n_lines);
    json_member_integer(w, "rows", (int64_t)source->n_rows);
    json_member_integer(w, "kept", (int64_t)source->n_kept);
    json_member_integer(w, "set_aside", (int64_t)source->n_refused);
    json_member_string(w, "refused", source->refused);
    import_source_put_columns(source, w);
    put_events(w, source->events, source->n_events);
    json_end_object(w);
}

static void put_sources(struct json_writer *w, const char *key, const struct import_source *sources,
                        size_t n)
{
    json_put_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        put_source(w, &sources[i]);
    json_end_array(w);
}

void import_report_put_json(const struct import_report *report, struct json_writer *w)
{
    json_begin_object(w);
    json_member_integer(w, "rows", (int64_t)report->n_rows);
    put_sources(w, "sources", report->sources, report->n_sources);
    put_sources(w, "joined", report->joined, report->n_joined);
    put_events(w, report->events, report->n_events);
    json_end_object(w);
}

/* ---- text ---- */

static void print_events(const struct import_event *events, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct import_event *event = &events[i];
        fprintf(out, "  %-8s %6zu  ", kind_names[event->kind], event->count);
        if (event->column[0] != '\0')
            fprintf(out, "%s: ", event->column);
        fprintf(out, "%s [%s]\n", event->text, event->rule);
        for (size_t k = 0; k < event->n_examples; k++)
            fprintf(out, "%s%zu '%s'", k == 0 ? "                   line " : ", ",
                    event->examples[k].line, event->examples[k].value);
        if (event->n_examples > 0)
            fputs(event->count > event->n_examples ? ", ...\n" : "\n", out);
    }
}

/* Columns on a screen: characters, not bytes; wide ones do not matter here. */
static int padding(const char *text, int width)
{
    int n = 0;
    for (const char *c = text; *c; c++)
        n += ((unsigned char)*c & 0xC0) != 0x80;
    return n < width ? width - n : 0;
}

static void print_columns(const struct import_source *source, FILE *out)
{
    if (source->n_columns == 0)
        return;
    fputs("  header                       field                 how      present missing  unit\n",
          out);
    for (size_t i = 0; i < source->n_columns; i++) {
        const struct import_column *column = &source->columns[i];
        /* What is kept beside the fields goes by its folded header. */
        char name[WORDS_KEY_BYTES] = "-";
        if (strcmp(column->how, "extra") == 0)
            words_fold_header(column->header, name);
        fprintf(out, "  %s%*s %-21s %-8s %7zu %7zu  %s\n", column->header,
                padding(column->header, 28), "", column->field[0] ? column->field : name,
                column->how, column->n_present, column->n_missing, column->unit);
    }
}

static void print_source(const struct import_source *source, FILE *out)
{
    fprintf(out, "%s%s%s\n", source->path, source->month[0] ? " as of " : "", source->month);
    if (source->refused) {
        fprintf(out, "  refused: %s\n", source->refused);
    } else {
        fprintf(out, "  %zu rows kept of %zu, %zu set aside; %zu lines, %zu bytes\n",
                source->n_kept, source->n_rows, source->n_refused, source->n_lines,
                source->n_bytes);
    }
    if (source->encoding[0] != '\0')
        fprintf(out, "  table: %s; delimiter: %s; encoding: %s\n", source->schema,
                source->delimiter, source->encoding);
    if (source->sha256[0] != '\0')
        fprintf(out, "  sha-256: %s\n", source->sha256);
    if (!source->refused)
        print_columns(source, out);
    print_events(source->events, source->n_events, out);
}

void import_report_print(const struct import_report *report, FILE *out)
{
    for (size_t i = 0; i < report->n_sources; i++)
        print_source(&report->sources[i], out);
    for (size_t i = 0; i < report->n_joined; i++)
        print_source(&report->joined[i], out);
    if (report->n_sources < 2 && report->n_events == 0)
        return;
    fprintf(out, "together: %zu rows\n", report->n_rows);
    print_events(report->events, report->n_events, out);
}
