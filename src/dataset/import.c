/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/import_steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "dataset/join.h"
#include "dataset/sniff.h"
#include "dataset/snapshots.h"
#include "profile/parse.h"

void import_report_free(struct import_report *report)
{
    if (!report)
        return;
    arena_deinit(&report->memory);
    free(report);
}

size_t import_report_refused(const struct import_report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_sources; i++)
        n += report->sources[i].n_refused;
    return n;
}

void import_work_deinit(struct work *work)
{
    grid_deinit(&work->grid);
    free(work->rows);
    table_free(work->table);
}

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the table");
}

static const char *describe_encoding(struct arena *arena, const struct source *source,
                                     const struct csv_counts *counts)
{
    const char *name = source_encoding(source);
    if (counts->n_fields_8bit > 0)
        name = counts->n_fields_utf8 > 0 ? "utf-8 and windows-1252 mixed" : "windows-1252";
    return source_is_gzip(source) ? arena_printf(arena, "gzip, %s", name) : name;
}

enum status import_open(const struct input *input, struct work *work, struct import_source *out,
                        struct source **ret_source, struct csv_dialect *ret_dialect,
                        struct error *err)
{
    AUTO(source_close_slot) struct source *source = NULL;
    if (input->bytes)
        TRY(source_open_memory(input->bytes, input->n_bytes, input->path, &source, err));
    else
        TRY(source_open(input->file ? input->file : input->path, input->path, &source, err));
    out->n_bytes = source_n_bytes(source);
    const char *sample;
    size_t n_sample;
    struct sniffed sniffed;
    source_sample(source, &sample, &n_sample);
    TRY(sniff_dialect(sample, n_sample, sniff_words_of_schema(work->schema), &sniffed, err));
    work->delimiter = sniffed.dialect.delimiter;
    out->delimiter = sniff_delimiter_name(work->delimiter);
    *ret_dialect = sniffed.dialect;
    *ret_source = STEAL(source);
    return STATUS_OK;
}

enum status import_finish(struct arena *arena, struct source *source,
                          const struct csv_counts *counts, struct import_source *out,
                          struct error *err)
{
    out->encoding = describe_encoding(arena, source, counts);
    out->n_lines = counts->n_lines;
    char *sha256 = arena_alloc(arena, SHA256_HEX_LENGTH + 1);
    if (!sha256)
        return no_memory(err);
    source_digest(source, sha256);
    out->sha256 = sha256;
    return out->encoding ? STATUS_OK : no_memory(err);
}

/* Bytes to a grid of cells. */
static enum status read_grid(struct import *import, const struct input *input, struct work *work,
                             struct import_source *out, struct error *err)
{
    AUTO(source_close_slot) struct source *source = NULL;
    struct csv_dialect dialect;
    TRY(import_open(input, work, out, &source, &dialect, err));
    struct csv_limits limits = {.field_bytes = import->options->max_field_bytes,
                                .rows = import->options->max_rows};
    struct csv_counts counts;
    enum status status =
        csv_read(source, dialect, limits, &work->grid, &work->events, &counts, err);
    if (status != STATUS_OK) {
        if (strncmp(err->message, input->path, strlen(input->path)) != 0)
            fail_prefix(err, status, "%s", input->path);
        return status;
    }
    return import_finish(&import->report->memory, source, &counts, out, err);
}

enum status import_understand(struct work *work, struct error *err)
{
    if (work->grid.n_rows == 0)
        return fail(err, STATUS_INVALID, "has no rows, only blank lines");
    if (!work->is_settled)
        TRY(header_match(work, err));
    TRY(rows_find(work, err));
    if (!work->is_settled)
        identity_settle(work);
    TRY(rows_settle(work, err));
    TRY(columns_read_numbers(work, err));
    if (!work_numbers(work, PROFILE_followers))
        return fail(
            err, STATUS_INVALID,
            "no table of profiles: the column that should hold followers holds no numbers%s",
            header_meant_for(work));
    TRY(units_settle(work, err));
    TRY(columns_build_table(work, err));
    clean_values(work);
    TRY(category_clean(work, err));
    TRY(merge_duplicates(work, err));
    if (work->table->n_rows == 0 && !work->is_settled)
        return fail(err, STATUS_INVALID, "no row is left that could be believed");
    return STATUS_OK;
}

enum status import_set_month(struct table *table, const char *month, struct error *err)
{
    double value;
    if (parse_month(month, strlen(month), &value) != PARSE_OK)
        return fail(err, STATUS_INVALID, "'%s' is no month (YYYY-MM)", month);
    double *months = arena_alloc(&table->memory, (table->n_rows + 1) * sizeof *months);
    if (!months)
        return no_memory(err);
    for (size_t row = 0; row < table->n_rows; row++)
        months[row] = value;
    table->number[PROFILE_snapshot] = months;
    return STATUS_OK;
}

/* ---- the report ---- */

size_t import_count_present(const struct work *work, const struct column *column)
{
    const struct table *table = work->table;
    size_t n = 0;
    if (!table || !column->field)
        return column->stats.n_present;
    size_t index = (size_t)column->field->index;
    bool is_text = column->field->kind == PROFILE_TEXT;
    const char *const *texts = is_text ? table->text[index] : NULL;
    const double *numbers = is_text ? NULL : table->number[index];
    for (size_t row = 0; row < table->n_rows && texts; row++)
        n += texts[row] != NULL;
    for (size_t row = 0; row < table->n_rows && numbers; row++)
        n += !isnan(numbers[row]);
    return n;
}

enum status import_describe_columns(struct arena *arena, const struct work *work,
                                    struct import_source *out, struct error *err)
{
    out->columns = ARENA_ARRAY(arena, struct import_column, work->n_columns + 1);
    if (!out->columns)
        return no_memory(err);
    out->n_columns = work->n_columns;
    size_t n_rows = work->table ? work->table->n_rows : work->n_rows;
    for (size_t i = 0; i < work->n_columns; i++) {
        const struct column *column = &work->columns[i];
        size_t n_present = import_count_present(work, column);
        out->columns[i] = (struct import_column){
            .header = column->header,
            .field = column->field ? column->field->name : "",
            .how = column->how,
            .unit = column->unit,
            .n_present = n_present < n_rows ? n_present : n_rows,
        };
        out->columns[i].n_missing = n_rows - out->columns[i].n_present;
    }
    return STATUS_OK;
}

/* What there is to say, also after a failure. */
static enum status describe(struct import *import, const struct work *work,
                            struct import_source *out, struct error *err)
{
    TRY(import_describe_columns(&import->report->memory, work, out, err));
    out->schema = work->table_name ? work->table_name : "generic";
    out->n_rows = work->n_data_rows;
    out->n_kept = work->table ? work->table->n_rows : 0;
    out->n_refused = out->n_rows - out->n_kept;
    out->events = work->events.list;
    out->n_events = work->events.n;
    return work->events.failed ? no_memory(err) : STATUS_OK;
}

/* ---- one file ---- */

static enum status import_one(struct import *import, const struct input *input, struct work *work,
                              struct import_source *out, struct error *err)
{
    TRY(grid_init(&work->grid, err));
    work->table = calloc(1, sizeof *work->table);
    if (!work->table)
        return no_memory(err);
    arena_init(&work->table->memory, 1 << 16);
    TRY(read_grid(import, input, work, out, err));
    enum status status = import_understand(work, err);
    if (status == STATUS_OK && input->month[0] != '\0')
        status = import_set_month(work->table, input->month, err);
    if (status != STATUS_OK)
        fail_prefix(err, status, "%s", input->path);
    return status;
}

static enum status import_input(struct import *import, const struct input *input,
                                struct table **ret_table, struct error *err)
{
    struct import_report *report = import->report;
    struct import_source *out = &report->sources[report->n_sources++];
    *out = (struct import_source){.path = input->path,
                                  .month = input->month,
                                  .schema = "generic",
                                  .encoding = "",
                                  .delimiter = "",
                                  .sha256 = ""};
    struct work work = {.path = input->path, .memory = &report->memory, .schema = import->schema};
    events_init(&work.events, &report->memory);
    enum status status = import_one(import, input, &work, out, err);
    if (status != STATUS_OK) {
        table_free(STEAL(work.table));
        out->refused = arena_strdup(&report->memory, err->message);
        describe(import, &work, out, NULL);
    } else {
        status = describe(import, &work, out, err);
    }
    if (status == STATUS_OK) {
        work.table->pool = STEAL(work.grid.texts.at);
        *ret_table = STEAL(work.table);
    }
    import_work_deinit(&work);
    return status;
}

/* ---- several ---- */

static void free_tables(struct table **tables, size_t n)
{
    for (size_t i = 0; i < n; i++)
        table_free(tables[i]);
}

static enum status combine(struct import *import, struct table **tables, size_t n,
                           struct table **ret_table, struct error *err)
{
    struct import_report *report = import->report;
    struct events events;
    events_init(&events, &report->memory);
    AUTO(table_free_slot) struct table *table = NULL;
    if (n == 1)
        table = STEAL(tables[0]);
    else
        TRY(snapshots_append(tables, n, &table, err));
    if (import->options->growth)
        TRY(snapshots_hold_newest(table, import->options->growth_skipped, err));
    TRY(snapshots_join(table, &events, err));
    if (events.failed)
        return no_memory(err);
    struct import_joins joins = import->options->joins;
    if (import->options->growth)
        joins.before = snapshots_end(table);
    TRY(join_sources(&joins, table, report, err));
    report->events = events.list;
    report->n_events = events.n;
    report->n_rows = table->n_rows;
    *ret_table = STEAL(table);
    return STATUS_OK;
}

static enum status import_inputs(const struct input *inputs, size_t n,
                                 const struct import_options *options, struct import_report *report,
                                 struct table **ret_table, struct error *err)
{
    static const struct import_options defaults = {0};
    struct import import = {.options = options ? options : &defaults, .report = report};
    struct schema *schema;
    report->sources = ARENA_ARRAY(&report->memory, struct import_source, n);
    struct table **tables = ARENA_ARRAY(&report->memory, struct table *, n);
    if (!report->sources || !tables)
        return no_memory(err);
    TRY(schema_new(&report->memory, import.options->schema_dir, &schema, err));
    import.schema = schema;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = import_input(&import, &inputs[i], &tables[i], err);
    if (status == STATUS_OK)
        status = combine(&import, tables, n, ret_table, err);
    free_tables(tables, n);
    return status;
}

struct import_report *import_report_new(void)
{
    struct import_report *report = calloc(1, sizeof *report);
    if (report)
        arena_init(&report->memory, 1 << 16);
    return report;
}

enum status import_split_month(struct arena *arena, const char *file, struct input *ret_input,
                               struct error *err)
{
    const char *name = strchr(file, IMPORT_NAMED[0]);
    const char *at = strrchr(name ? name : file, '@');
    double month;
    *ret_input = (struct input){.path = name ? name + 1 : file, .month = ""};
    if (name) {
        ret_input->file = arena_strndup(arena, file, (size_t)(name - file));
        if (!ret_input->file)
            return no_memory(err);
        file = name + 1;
    }
    if (!at || at == file || at[1] < '0' || at[1] > '9')
        return STATUS_OK;
    if (strlen(at + 1) != 7 || parse_month(at + 1, 7, &month) != PARSE_OK)
        return fail(err, STATUS_INVALID, "%s: '%s' is no month (YYYY-MM)", file, at + 1);
    ret_input->month = arena_strdup(arena, at + 1);
    ret_input->path = arena_strndup(arena, file, (size_t)(at - file));
    return ret_input->path && ret_input->month ? STATUS_OK : no_memory(err);
}

/* Snapshots join by handle and plain files are appended: of a mixture, neither would be right. */
static enum status check_months(const struct input *inputs, size_t n, struct error *err)
{
    for (size_t i = 1; i < n; i++)
        if ((inputs[i].month[0] == '\0') != (inputs[0].month[0] == '\0'))
            return fail(err, STATUS_INVALID,
                        "%s has a month and %s has none: give every file its month "
                        "(FILE@YYYY-MM), or none",
                        inputs[inputs[i].month[0] ? i : 0].path,
                        inputs[inputs[i].month[0] ? 0 : i].path);
    return STATUS_OK;
}

enum status import_files(const char *const *files, size_t n_files,
                         const struct import_options *options, struct table **ret_table,
                         struct import_report **ret_report, struct error *err)
{
    struct error local = {0};
    err = err ? err : &local;
    struct import_report *report = *ret_report = import_report_new();
    if (!report)
        return no_memory(err);
    struct arena *arena = &report->memory;
    struct input *inputs = ARENA_ARRAY(arena, struct input, n_files + 1);
    if (!inputs)
        return no_memory(err);
    if (n_files == 0)
        return fail(err, STATUS_INVALID, "no file is named");
    for (size_t i = 0; i < n_files; i++)
        TRY(import_split_month(arena, files[i], &inputs[i], err));
    TRY(check_months(inputs, n_files, err));
    return import_inputs(inputs, n_files, options, report, ret_table, err);
}

enum status import_memory(const void *bytes, size_t n_bytes, const char *name,
                          const struct import_options *options, struct table **ret_table,
                          struct import_report **ret_report, struct error *err)
{
    struct error local = {0};
    err = err ? err : &local;
    struct import_report *report = *ret_report = import_report_new();
    if (!report)
        return no_memory(err);
    struct input input = {
        .path = name, .month = "", .bytes = bytes ? bytes : "", .n_bytes = n_bytes};
    return import_inputs(&input, 1, options, report, ret_table, err);
}
