/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/labels.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataset/merge.h"
#include "dataset/sniff.h"
#include "dataset/work.h"
#include "profile/parse.h"

/* The file in the making. */
struct labels {
    struct arena memory;
    const char *path;
    const char *column; /* asked for, or NULL */
    struct schema *schema;
    struct grid grid;
    const struct grid_row *header;
    size_t at_handle, at_label;
    struct intern handles;
    const char **label; /* [handles] */
};

static void labels_deinit(struct labels *labels)
{
    grid_deinit(&labels->grid);
    arena_deinit(&labels->memory);
}

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the labels");
}

/* "FILE:COLUMN", unless there is a file of the whole name. */
static enum status split_name(struct labels *labels, const char *name, struct error *err)
{
    const char *colon = strrchr(name, ':');
    labels->path = name;
    if (!colon || colon == name || access(name, F_OK) == 0)
        return STATUS_OK;
    labels->path = arena_strndup(&labels->memory, name, (size_t)(colon - name));
    labels->column = colon + 1;
    return labels->path ? STATUS_OK : no_memory(err);
}

static enum status read_grid(struct labels *labels, struct error *err)
{
    AUTO(source_close_slot) struct source *source = NULL;
    TRY(source_open(labels->path, labels->path, &source, err));
    const char *sample;
    size_t n_sample;
    struct sniffed sniffed;
    struct csv_counts counts;
    struct events events;
    events_init(&events, &labels->memory);
    source_sample(source, &sample, &n_sample);
    TRY(sniff_dialect(sample, n_sample, sniff_words_of_schema(labels->schema), &sniffed, err));
    TRY(csv_read(source, sniffed.dialect, (struct csv_limits){0}, &labels->grid, &events, &counts,
                 err));
    if (labels->grid.n_rows < 2)
        return fail(err, STATUS_INVALID, "%s: needs a header and rows of labels", labels->path);
    labels->header = &labels->grid.rows[0];
    return STATUS_OK;
}

static bool is_column(const char *header, const char *name)
{
    char folded[WORDS_KEY_BYTES];
    words_fold_header(header, folded);
    return strcmp(header, name) == 0 || strcmp(folded, name) == 0;
}

static enum status find_columns(struct labels *labels, struct error *err)
{
    size_t n = labels->header->n_cells;
    labels->at_handle = SIZE_MAX;
    for (size_t i = 0; i < n && labels->at_handle == SIZE_MAX; i++) {
        struct schema_match match =
            schema_match(labels->schema, GRID_CELL_TEXT(&labels->grid, labels->header, i));
        if (match.role == SCHEMA_IDENTITY ||
            (match.role == SCHEMA_FIELD && match.field == &profile_fields[PROFILE_handle]))
            labels->at_handle = i;
    }
    if (labels->at_handle == SIZE_MAX)
        labels->at_handle = 0;
    labels->at_label = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        if (i == labels->at_handle)
            continue;
        bool is_it = !labels->column ||
                     is_column(GRID_CELL_TEXT(&labels->grid, labels->header, i), labels->column);
        if (is_it && labels->at_label != SIZE_MAX)
            return fail(err, STATUS_INVALID,
                        "%s: several columns could be the label: name one, FILE:COLUMN",
                        labels->path);
        if (is_it)
            labels->at_label = i;
    }
    if (labels->at_label == SIZE_MAX)
        return fail(err, STATUS_INVALID, "%s: has no column '%s' of labels beside the handles",
                    labels->path, labels->column ? labels->column : "");
    return STATUS_OK;
}

static enum status read_labels(struct labels *labels, struct error *err)
{
    intern_init(&labels->handles, &labels->memory);
    labels->label = ARENA_ARRAY(&labels->memory, const char *, labels->grid.n_rows);
    if (!labels->label)
        return no_memory(err);
    for (size_t i = 1; i < labels->grid.n_rows; i++) {
        const struct grid_row *row = &labels->grid.rows[i];
        const char *label = GRID_CELL_TEXT(&labels->grid, row, labels->at_label);
        const char *handle;
        size_t length =
            identity_handle(GRID_CELL_TEXT(&labels->grid, row, labels->at_handle), &handle);
        if (length == 0 || length >= 80 || parse_is_missing(label, strlen(label)))
            continue;
        char own[80];
        memcpy(own, handle, length);
        own[length] = '\0';
        uint32_t number = merge_handle_number(&labels->handles, own, MISSING);
        if (number == INTERN_NONE)
            return no_memory(err);
        if (labels->label[number] && strcmp(labels->label[number], label) != 0)
            return fail(err, STATUS_INVALID, "%s:%u: '%s' is labelled '%s' and '%s'", labels->path,
                        row->line, own, labels->label[number], label);
        labels->label[number] = arena_strdup(&labels->memory, label);
        if (!labels->label[number])
            return no_memory(err);
    }
    return STATUS_OK;
}

/* The texts of the column that the table gets. */
static enum status match_rows(struct labels *labels, struct table *table, const char ***ret_texts,
                              struct labels_joined *ret_joined, struct error *err)
{
    const char **texts = ARENA_ARRAY(&table->memory, const char *, table->n_rows + 1);
    if (!texts)
        return no_memory(err);
    size_t n_known = labels->handles.n;
    AUTO(free_slot) bool *is_matched = calloc(n_known + 1, sizeof *is_matched);
    if (!is_matched)
        return no_memory(err);
    struct labels_joined joined = {0};
    for (size_t i = 0; i < n_known; i++)
        joined.n_labels += labels->label[i] != NULL;
    for (size_t row = 0; row < table->n_rows; row++) {
        const char *handle = table->text[PROFILE_handle][row];
        if (!handle)
            continue;
        uint32_t number = merge_handle_number(&labels->handles, handle, MISSING);
        if (number == INTERN_NONE)
            return no_memory(err);
        if (number >= n_known || !labels->label[number])
            continue;
        texts[row] = arena_strdup(&table->memory, labels->label[number]);
        if (!texts[row])
            return no_memory(err);
        joined.n_matched += !is_matched[number];
        is_matched[number] = true;
    }
    *ret_texts = texts;
    if (ret_joined)
        *ret_joined = joined;
    return joined.n_matched > 0
               ? STATUS_OK
               : fail(err, STATUS_INVALID, "%s: column '%s' has no handle in common with the table",
                      labels->path,
                      GRID_CELL_TEXT(&labels->grid, labels->header, labels->at_handle));
}

static enum status put_first(struct table *table, const char *name, const char **texts,
                             struct error *err)
{
    struct table_extra *extras =
        ARENA_ARRAY(&table->memory, struct table_extra, table->n_extras + 1);
    if (!extras)
        return no_memory(err);
    extras[0] = (struct table_extra){.name = name, .text = texts};
    size_t n = 1;
    for (size_t i = 0; i < table->n_extras; i++)
        if (strcmp(table->extras[i].name, name) != 0)
            extras[n++] = table->extras[i];
    table->extras = extras;
    table->n_extras = n;
    return STATUS_OK;
}

enum status labels_join(struct table *table, const char *name, const char *schema_dir,
                        struct labels_joined *ret_joined, struct error *err)
{
    if (!table->text[PROFILE_handle])
        return fail(err, STATUS_INVALID, "%s: the table has no handles to join labels by", name);
    AUTO(labels_deinit) struct labels labels = {0};
    arena_init(&labels.memory, 1 << 16);
    TRY(grid_init(&labels.grid, err));
    TRY(split_name(&labels, name, err));
    TRY(schema_new(&labels.memory, schema_dir, &labels.schema, err));
    TRY(read_grid(&labels, err));
    TRY(find_columns(&labels, err));
    TRY(read_labels(&labels, err));
    const char **texts = NULL;
    TRY(match_rows(&labels, table, &texts, ret_joined, err));
    char folded[WORDS_KEY_BYTES];
    words_fold_header(GRID_CELL_TEXT(&labels.grid, labels.header, labels.at_label), folded);
    char *own = arena_strdup(&table->memory, folded[0] ? folded : "label");
    if (!own)
        return no_memory(err);
    return put_first(table, own, texts, err);
}
