/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/shipped.h"

#include <stdlib.h>
#include <string.h>

struct shipped {
    void *bytes;
    size_t n_bytes;
    struct artifact *artifact;   /* borrows bytes */
    struct predictor *predictor; /* borrows the artifact */
    void *scratch;
    size_t n_columns;
};

static enum status write_model(const struct fitted *fitted, const char *prefix,
                               struct artifact_writer *writer, struct error *err)
{
    if (strcmp(fitted->family, "trees") == 0)
        return trees_write(writer, prefix, &fitted->trees, err);
    if (strcmp(fitted->family, "kernel") == 0)
        return kernel_write(writer, prefix, &fitted->kernel, err);
    if (strcmp(fitted->family, "nearest") == 0)
        return nearest_write(writer, prefix, &fitted->nearest, err);
    if (strcmp(fitted->family, "text") == 0)
        return text_write(writer, prefix, &fitted->text, err);
    return linear_write(writer, prefix, &fitted->linear, err);
}

enum status fitted_write(const struct fitted *fitted, const struct feature_spec *spec,
                         const char *prefix, struct artifact_writer *writer, struct error *err)
{
    TRY(predictor_write(writer, prefix, spec, fitted->family, err));
    if (strcmp(fitted->family, "blend") != 0)
        return write_model(fitted, prefix, writer, err);
    TRY(blend_write(writer, prefix, &fitted->blend, err));
    for (size_t i = 0; i < fitted->blend.n_members; i++)
        TRY(write_model(fitted->members[i], blend_prefix(prefix, i).text, writer, err));
    return STATUS_OK;
}

enum status shipped_open(const struct fitted *fitted, const struct feature_spec *spec,
                         struct shipped **ret_shipped, struct error *err)
{
    AUTO(shipped_close_slot) struct shipped *shipped = calloc(1, sizeof *shipped);
    if (!shipped)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    TRY(artifact_writer_new(ARTIFACT_SCORE, &writer, err));
    TRY(fitted_write(fitted, spec, "model", writer, err));
    TRY(artifact_finish(writer, &shipped->bytes, &shipped->n_bytes, err));
    TRY(artifact_open_memory(shipped->bytes, shipped->n_bytes, "trained model", &shipped->artifact,
                             err));
    TRY(predictor_open(shipped->artifact, "model", &shipped->predictor, err));
    shipped->n_columns = spec->n_columns;
    size_t scratch_bytes = (predictor_scratch_bytes(shipped->predictor) + 63) / 64 * 64;
    shipped->scratch = aligned_alloc(64, scratch_bytes ? scratch_bytes : 64);
    if (!shipped->scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *ret_shipped = STEAL(shipped);
    return STATUS_OK;
}

void shipped_close(struct shipped *shipped)
{
    if (!shipped)
        return;
    predictor_close(shipped->predictor);
    artifact_close(shipped->artifact);
    free(shipped->scratch);
    free(shipped->bytes);
    free(shipped);
}

size_t shipped_bytes(const struct shipped *shipped)
{
    return shipped->n_bytes;
}

void shipped_run_rows(const struct shipped *shipped, const struct shipped_rows *rows,
                      double *ret_output)
{
    size_t n_outputs = predictor_n_outputs(shipped->predictor);
    for (size_t i = 0; i < rows->n; i++) {
        struct predictor_context context = {0};
        if (rows->words)
            context.words = rows->words[i];
        if (rows->nodes)
            context.links = links_of(rows->links, rows->nodes[i]);
        predictor_run_with(shipped->predictor, rows->raw + i * shipped->n_columns, &context,
                           shipped->scratch, ret_output + i * n_outputs);
    }
}

void shipped_run(const struct shipped *shipped, const float *raw, size_t n, double *ret_output)
{
    const struct shipped_rows rows = {.n = n, .raw = raw};
    shipped_run_rows(shipped, &rows, ret_output);
}

size_t shipped_n_outputs(const struct shipped *shipped)
{
    return predictor_n_outputs(shipped->predictor);
}

double shipped_explain(const struct shipped *shipped, const float *raw, size_t output,
                       double *ret_contribution)
{
    return predictor_explain(shipped->predictor, raw, output, shipped->scratch, ret_contribution);
}
