/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "dataset/import_steps.h"
#include "dataset/merge.h"

#define FIRST_ROWS 200000
#define LATER_ROWS 16384 /* their cells stay in the cache from the first step to the last */
#define LARGE_BYTES ((off_t)256 << 20)

/* Hashes of the accounts so far: open addressing, linear probing; 0 is an empty place. */
struct seen {
    uint64_t *slots; /* owns; [mask + 1] */
    size_t n, mask;
};

struct pieces {
    const struct import_options *options;
    struct arena *memory; /* the report's */
    struct import_source *out;
    struct work work;
    const struct input *input;
    size_t *n_present; /* [n_columns] rows that were handed over */
    struct seen seen;
    import_piece_function on_piece;
    void *user;
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the table");
}

bool import_is_large(const char *file)
{
    struct stat info;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s", (int)strcspn(file, IMPORT_NAMED), file);
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > LARGE_BYTES;
}

/* ---- accounts of earlier pieces ---- */

static uint64_t *seen_slot(const struct seen *seen, uint64_t hash)
{
    size_t slot = hash & seen->mask;
    while (seen->slots[slot] != 0 && seen->slots[slot] != hash)
        slot = (slot + 1) & seen->mask;
    return &seen->slots[slot];
}

static enum status seen_grow(struct seen *seen, struct error *err)
{
    struct seen bigger = {.n = seen->n, .mask = seen->slots ? 2 * seen->mask + 1 : 0xFFFF};
    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots)
        return no_memory(err);
    for (size_t i = 0; seen->slots && i <= seen->mask; i++)
        if (seen->slots[i] != 0)
            *seen_slot(&bigger, seen->slots[i]) = seen->slots[i];
    free(seen->slots);
    *seen = bigger;
    return STATUS_OK;
}

/* Whether the account is new; then it is remembered. Equal hashes of 64 bits are taken for equal
 * accounts: among a hundred million, one such pair is expected in three thousand files. */
static enum status seen_add(struct seen *seen, uint64_t hash, bool *ret_is_new, struct error *err)
{
    hash += hash == 0;
    if (!seen->slots || 2 * seen->n >= seen->mask)
        TRY(seen_grow(seen, err));
    uint64_t *slot = seen_slot(seen, hash);
    *ret_is_new = *slot == 0;
    seen->n += *slot == 0;
    *slot = hash;
    return STATUS_OK;
}

static enum status drop_seen(struct pieces *pieces, struct error *err)
{
    enum {
        AHEAD = 16
    };
    struct table *table = pieces->work.table;
    const char **handles = table->text[PROFILE_handle];
    const struct column *column = work_column(&pieces->work, &profile_fields[PROFILE_handle]);
    if (!handles || !column)
        return STATUS_OK;
    AUTO(free_slot) bool *keep = malloc(table->n_rows + 1);
    AUTO(free_slot) uint64_t *hashes = calloc(table->n_rows + AHEAD, sizeof *hashes);
    if (!keep || !hashes)
        return no_memory(err);
    for (size_t row = 0; row < table->n_rows; row++)
        hashes[row] = handles[row] ? merge_handle_hash(table, row) : 0;
    for (size_t row = 0; row < table->n_rows; row++) {
        keep[row] = true;
        if (!handles[row])
            continue;
        if (pieces->seen.slots) /* each slot is far away: fetch while others are looked at */
            __builtin_prefetch(&pieces->seen.slots[hashes[row + AHEAD] & pieces->seen.mask], 1);
        TRY(seen_add(&pieces->seen, hashes[row], &keep[row], err));
        if (!keep[row])
            events_add(&pieces->work.events, RULE_duplicate_further_up, column->header,
                       table->line[row], handles[row]);
    }
    merge_keep(table, keep);
    return STATUS_OK;
}

/* ---- one piece ---- */

static enum status start_piece(struct pieces *pieces, struct error *err)
{
    struct work *work = &pieces->work;
    free(STEAL(work->rows));
    work->n_rows = 0;
    work->n_data_rows = 0;
    if (work->is_settled)
        work->header_row = SIZE_MAX; /* the row before the first */
    for (size_t i = 0; i < work->n_columns; i++)
        work->columns[i].numbers = NULL;
    work->table = calloc(1, sizeof *work->table);
    if (!work->table)
        return no_memory(err);
    arena_init(&work->table->memory, 1 << 20);
    return STATUS_OK;
}

static enum status count_piece(struct pieces *pieces, struct error *err)
{
    struct work *work = &pieces->work;
    if (!pieces->n_present)
        pieces->n_present = ARENA_ARRAY(pieces->memory, size_t, work->n_columns + 1);
    if (!pieces->n_present)
        return no_memory(err);
    for (size_t i = 0; i < work->n_columns; i++) {
        size_t n = import_count_present(work, &work->columns[i]);
        pieces->n_present[i] += n < work->table->n_rows ? n : work->table->n_rows;
    }
    pieces->out->n_rows += work->n_data_rows;
    pieces->out->n_kept += work->table->n_rows;
    return STATUS_OK;
}

static enum status take_piece(void *user, bool is_last, struct error *err)
{
    struct pieces *pieces = user;
    struct work *work = &pieces->work;
    if (work->grid.n_rows == 0 && work->is_settled)
        return STATUS_OK;
    work->more_follows = !is_last;
    TRY(start_piece(pieces, err));
    TRY(import_understand(work, err));
    if (pieces->input->month[0] != '\0')
        TRY(import_set_month(work->table, pieces->input->month, err));
    TRY(drop_seen(pieces, err));
    TRY(count_piece(pieces, err));
    work->is_settled = true;
    TRY(pieces->on_piece(pieces->user, work->table, err));
    table_free(STEAL(work->table));
    return STATUS_OK;
}

/* ---- the file ---- */

static enum status read_pieces(struct pieces *pieces, struct error *err)
{
    const struct import_options *options = pieces->options;
    AUTO(source_close_slot) struct source *source = NULL;
    struct csv_dialect dialect;
    struct csv_counts counts;
    TRY(import_open(pieces->input, &pieces->work, pieces->out, &source, &dialect, err));
    const struct csv_pieces reading = {
        .dialect = dialect,
        .limits = {.field_bytes = options->max_field_bytes, .rows = options->max_rows},
        .first_rows = options->first_piece_rows ? options->first_piece_rows : FIRST_ROWS,
        .rows = options->piece_rows ? options->piece_rows : LATER_ROWS,
        .grid = &pieces->work.grid,
        .on_piece = take_piece,
        .user = pieces,
        .events = &pieces->work.events,
    };
    enum status status = csv_read_pieces(source, &reading, &counts, err);
    if (status == STATUS_OK)
        return import_finish(pieces->memory, source, &counts, pieces->out, err);
    if (strncmp(err->message, pieces->input->path, strlen(pieces->input->path)) != 0)
        fail_prefix(err, status, "%s", pieces->input->path);
    return status;
}

static enum status describe(struct pieces *pieces, struct error *err)
{
    const struct work *work = &pieces->work;
    struct import_source *out = pieces->out;
    TRY(import_describe_columns(pieces->memory, work, out, err));
    for (size_t i = 0; i < out->n_columns && pieces->n_present; i++) {
        out->columns[i].n_present = pieces->n_present[i];
        out->columns[i].n_missing = out->n_kept - pieces->n_present[i];
    }
    out->schema = work->table_name ? work->table_name : "generic";
    out->n_refused = out->n_rows - out->n_kept;
    out->events = work->events.list;
    out->n_events = work->events.n;
    return work->events.failed ? no_memory(err) : STATUS_OK;
}

static enum status import_input_pieces(struct import_report *report, struct pieces *pieces,
                                       struct error *err)
{
    struct schema *schema;
    TRY(schema_new(&report->memory, pieces->options->schema_dir, &schema, err));
    pieces->work =
        (struct work){.path = pieces->input->path, .memory = &report->memory, .schema = schema};
    events_init(&pieces->work.events, &report->memory);
    enum status status = grid_init(&pieces->work.grid, err);
    if (status == STATUS_OK)
        status = read_pieces(pieces, err);
    if (status == STATUS_OK) {
        status = describe(pieces, err);
    } else {
        pieces->out->refused = arena_strdup(&report->memory, err->message);
        describe(pieces, NULL);
    }
    report->n_rows = pieces->out->n_kept;
    free(pieces->seen.slots);
    import_work_deinit(&pieces->work);
    return status;
}

enum status import_pieces(const char *file, const struct import_options *options,
                          import_piece_function on_piece, void *user,
                          struct import_report **ret_report, struct error *err)
{
    static const struct import_options defaults = {0};
    struct error local = {0};
    err = err ? err : &local;
    struct import_report *report = *ret_report = import_report_new();
    if (!report)
        return no_memory(err);
    struct input input;
    TRY(import_split_month(&report->memory, file, &input, err));
    report->sources = ARENA_ARRAY(&report->memory, struct import_source, 1);
    if (!report->sources)
        return no_memory(err);
    report->n_sources = 1;
    report->sources[0] = (struct import_source){.path = input.path,
                                                .month = input.month,
                                                .schema = "generic",
                                                .encoding = "",
                                                .delimiter = "",
                                                .sha256 = ""};
    struct pieces pieces = {
        .options = options ? options : &defaults,
        .memory = &report->memory,
        .out = &report->sources[0],
        .input = &input,
        .on_piece = on_piece,
        .user = user,
    };
    return import_input_pieces(report, &pieces, err);
}
