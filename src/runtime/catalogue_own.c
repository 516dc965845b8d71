/* SPDX-License-Identifier: Apache-2.0 */

/* The table's own columns in the catalogue: a handle is answered with what training saw of it. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "features/spec.h"
#include "runtime/catalogue_layout.h"

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "catalogue: out of memory");
}

/* One kind of column: names, and cells by row. */
struct kept {
    const char **names;
    size_t *index; /* [n] of the columns */
    size_t n;
};

static void deinit_kept(struct kept *kept)
{
    free(kept->names);
    free(kept->index);
}

static enum status keep(const struct catalogue_columns *columns, bool is_text, struct kept *kept,
                        struct error *err)
{
    kept->names = calloc(columns->n_own + 1, sizeof *kept->names);
    kept->index = calloc(columns->n_own + 1, sizeof *kept->index);
    if (!kept->names || !kept->index)
        return no_memory(err);
    for (size_t i = 0; i < columns->n_own; i++) {
        if (!columns->own[i].number != is_text)
            continue;
        kept->names[kept->n] = columns->own[i].name;
        kept->index[kept->n++] = i;
    }
    return STATUS_OK;
}

static enum status write_numbers(struct artifact_writer *writer,
                                 const struct catalogue_columns *columns, struct error *err)
{
    AUTO(deinit_kept) struct kept kept = {0};
    TRY(keep(columns, false, &kept, err));
    AUTO(free_slot) double *cells = calloc(columns->n * kept.n + 1, sizeof *cells);
    if (!cells)
        return no_memory(err);
    for (size_t row = 0; row < columns->n; row++)
        for (size_t c = 0; c < kept.n; c++)
            cells[row * kept.n + c] = columns->own[kept.index[c]].number[row];
    TRY(artifact_add_strings(writer, "own.numbers", kept.names, kept.n, err));
    return artifact_take(writer, "own.number", ARTIFACT_F64_MISSING, columns->n, kept.n,
                         STEAL(cells), err);
}

static enum status write_texts(struct artifact_writer *writer,
                               const struct catalogue_columns *columns, struct error *err)
{
    AUTO(deinit_kept) struct kept kept = {0};
    TRY(keep(columns, true, &kept, err));
    AUTO(free_slot) const char **cells = calloc(columns->n * kept.n + 1, sizeof *cells);
    if (!cells)
        return no_memory(err);
    for (size_t row = 0; row < columns->n; row++)
        for (size_t c = 0; c < kept.n; c++) {
            const char *text = columns->own[kept.index[c]].text[row];
            cells[row * kept.n + c] = text ? text : "";
        }
    TRY(artifact_add_strings(writer, "own.texts", kept.names, kept.n, err));
    return artifact_add_strings(writer, "own.text", cells, columns->n * kept.n, err);
}

enum status catalogue_write_own(struct artifact_writer *writer,
                                const struct catalogue_columns *columns, struct error *err)
{
    if (columns->n_own == 0)
        return STATUS_OK;
    TRY(write_numbers(writer, columns, err));
    return write_texts(writer, columns, err);
}

static enum status make_cells(const double *numbers, const char *const *number_names,
                              size_t n_numbers, const char *const *texts,
                              const char *const *text_names, struct catalogue *catalogue,
                              struct error *err)
{
    size_t n_texts = catalogue->n_own - n_numbers;
    struct profile_extra *cell =
        ARENA_ARRAY(&catalogue->memory, struct profile_extra, catalogue->n * catalogue->n_own + 1);
    if (!cell)
        return no_memory(err);
    catalogue->own = cell;
    for (size_t row = 0; row < catalogue->n; row++) {
        for (size_t c = 0; c < n_numbers; c++)
            *cell++ = (struct profile_extra){.name = number_names[c],
                                             .number = numbers[row * n_numbers + c]};
        for (size_t c = 0; c < n_texts; c++) {
            const char *text = texts[row * n_texts + c];
            *cell++ = (struct profile_extra){
                .name = text_names[c], .number = MISSING, .text = text[0] ? text : NULL};
        }
    }
    return STATUS_OK;
}

enum status catalogue_open_own(const struct artifact *artifact, struct catalogue *catalogue,
                               struct error *err)
{
    struct artifact_section section;
    if (artifact_find(artifact, "own.numbers", &section) != STATUS_OK)
        return STATUS_OK;
    struct arena *memory = &catalogue->memory;
    const char *const *number_names = NULL;
    const char *const *text_names = NULL;
    const char *const *texts = NULL;
    size_t n_numbers = 0;
    size_t n_texts = 0;
    size_t n_cells = 0;
    TRY(artifact_need_strings(artifact, "own.numbers", ARTIFACT_ANY, memory, &number_names,
                              &n_numbers, err));
    TRY(artifact_need_strings(artifact, "own.texts", ARTIFACT_ANY, memory, &text_names, &n_texts,
                              err));
    if (n_texts > FEATURE_MAX_COLUMNS)
        return fail(err, STATUS_CORRUPT, "%s: section 'own.texts': %zu are too many",
                    artifact_name(artifact), n_texts);
    TRY(artifact_need(artifact, "own.number", ARTIFACT_F64_MISSING, catalogue->n, n_numbers,
                      &section, err));
    TRY(artifact_need_strings(artifact, "own.text", catalogue->n * n_texts, memory, &texts,
                              &n_cells, err));
    catalogue->n_own = n_numbers + n_texts;
    return make_cells(section.data, number_names, n_numbers, texts, text_names, catalogue, err);
}
