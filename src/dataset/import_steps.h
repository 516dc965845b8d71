/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The steps of one file's import, for import.c, which takes a file whole, and import_pieces.c,
 * which does not. */
#include "dataset/csv.h"
#include "dataset/import.h"
#include "dataset/work.h"

/* What one file is read from. */
struct input {
    const char *path;  /* or the name of the bytes, or that of the file */
    const char *file;  /* where that is another: what is read; NULL: the path */
    const char *month; /* "" */
    const void *bytes; /* NULL: read the file */
    size_t n_bytes;
};

struct import {
    const struct import_options *options;
    const struct schema *schema;
    struct import_report *report;
};

struct import_report *import_report_new(void); /* NULL: out of memory */
void import_work_deinit(struct work *work);

/* "FILE@2022-03": the file and the month; "FILE": the file. */
enum status import_split_month(struct arena *arena, const char *file, struct input *ret_input,
                               struct error *err);

/* Open the bytes and find out how they are delimited. */
enum status import_open(const struct input *input, struct work *work, struct import_source *out,
                        struct source **ret_source, struct csv_dialect *ret_dialect,
                        struct error *err);

/* What is known of a file when its end was seen. */
enum status import_finish(struct arena *arena, struct source *source,
                          const struct csv_counts *counts, struct import_source *out,
                          struct error *err);

/* Cells to a table; with work->is_settled the columns mean what they meant before. */
enum status import_understand(struct work *work, struct error *err);
enum status import_set_month(struct table *table, const char *month, struct error *err);

size_t import_count_present(const struct work *work, const struct column *column);
enum status import_describe_columns(struct arena *arena, const struct work *work,
                                    struct import_source *out, struct error *err);
